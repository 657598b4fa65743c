/* A server that takes every connection and throws away what comes: discard PORT. For runs without an agent. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, BATCH = 64 };

static int give_up(const char *what)
{
    fprintf(stderr, "discard: %s: %s\n", what, strerror(errno));
    return 1;
}

static void watch(int epoll_fd, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    if (fd >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        close(fd);
}

static void discard(int fd)
{
    char bytes[4096];
    ssize_t len = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (len == 0 || (len < 0 && errno != EAGAIN))
        close(fd);
}

int main(int argc, char **argv)
{
    const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)(argc == 2 ? atoi(argv[1]) : 0)) };
    const int on = 1;
    int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || epoll_fd < 0)
        return give_up("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (const struct sockaddr *)&any, sizeof any) < 0 || listen(listener, BACKLOG) < 0)
        return give_up("listen");
    watch(epoll_fd, listener);
    for (;;) {
        struct epoll_event events[BATCH];
        int count = epoll_wait(epoll_fd, events, BATCH, -1);
        for (int i = 0; i < count; i++)
            if (events[i].data.fd == listener)
                watch(epoll_fd, accept4(listener, NULL, NULL, SOCK_CLOEXEC));
            else
                discard(events[i].data.fd);
    }
}
