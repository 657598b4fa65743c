/* How many calls a second an agent on loopback answers, beside a bare ping-pong of messages as long on a TCP connection. */
#include "targets/agent/agent.h"
#include "targets/agent/client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 32744, CALLS = 20000, REQUEST_BYTES = 4 + 9 + 16, ANSWER_BYTES = 4 + 14 + 16 }; /* of a POLL */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool all(int fd, uint8_t *bytes, size_t len, bool sends)
{
    for (size_t done = 0; done < len;) {
        ssize_t now = sends ? send(fd, bytes + done, len - done, MSG_NOSIGNAL) : recv(fd, bytes + done, len - done, 0);
        if (now <= 0)
            return false;
        done += (size_t)now;
    }
    return true;
}

/* The other end of the bare ping-pong. */
static void echo(int listener)
{
    uint8_t bytes[ANSWER_BYTES] = { 0 };
    int fd = accept(listener, NULL, NULL), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    while (all(fd, bytes, REQUEST_BYTES, false) && all(fd, bytes, ANSWER_BYTES, true))
        continue;
}

static double bare(void)
{
    struct sockaddr_in where = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof where;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    bind(listener, (struct sockaddr *)&where, sizeof where);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&where, &len);
    pid_t pid = fork();
    if (pid == 0) {
        close(fd);
        echo(listener);
        _exit(0);
    }
    connect(fd, (struct sockaddr *)&where, sizeof where);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    uint8_t bytes[ANSWER_BYTES] = { 0 };
    double from = seconds();
    for (int i = 0; i < CALLS; i++)
        if (!all(fd, bytes, REQUEST_BYTES, true) || !all(fd, bytes, ANSWER_BYTES, false))
            break;
    double taken = seconds() - from;
    close(fd);
    close(listener);
    waitpid(pid, NULL, 0);
    return CALLS / taken;
}

static struct upper *connect_patiently(void)
{
    struct target_error error;
    for (int i = 0; i < 1000; i++) {
        struct upper *u = agent_connect("127.0.0.1", PORT, NULL, 0, &error);
        if (u)
            return u;
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    fprintf(stderr, "%s\n", error.text);
    return NULL;
}

static double of_agent(double *remembered)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct target_error error;
        agent_serve(&(struct agent_options){ .listen = { { 4, { 127, 0, 0, 1 } }, PORT }, .once = true }, &error);
        _exit(0);
    }
    struct upper *u = connect_patiently();
    if (!u)
        exit(1);
    int handle = (int)u->ops->socket(u, 4);
    int64_t value;
    double from = seconds();
    for (int i = 0; i < CALLS; i++)
        u->ops->ioctl(u, handle, "SIOCINQ", &value);
    double rate = CALLS / (seconds() - from);
    from = seconds();
    for (int i = 0; i < CALLS; i++)
        u->ops->poll(u, handle);
    *remembered = CALLS / (seconds() - from);
    u->ops->close(u);
    waitpid(pid, NULL, 0);
    return rate;
}

int main(void)
{
    double remembered, agent = of_agent(&remembered), ping_pong = bare();
    printf("agent       %9.0f calls/s\n", agent);
    printf("ping-pong   %9.0f round trips/s of messages as long: the agent reaches %.0f %%\n", ping_pong, 100 * agent / ping_pong);
    printf("remembered  %9.0f calls/s of poll() while nothing happens\n", remembered);
    return 0;
}
