/* The table of socket options by name, and of ioctls. */
#include "targets/sockets/options.h"
#include "targets/sockets/errors.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifdef __linux__
#include <linux/sockios.h>
#include <linux/tcp.h>
#else
#include <netinet/tcp.h>
#endif

static const struct option { const char *name; int level, number; } OPTIONS[] = {
    { "SO_BROADCAST", SOL_SOCKET, SO_BROADCAST },
    { "SO_ERROR", SOL_SOCKET, SO_ERROR },
    { "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE },
    { "SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE },
    { "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF },
    { "SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT },
    { "SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR },
    { "SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT },
    { "SO_SNDBUF", SOL_SOCKET, SO_SNDBUF },
    { "SO_TYPE", SOL_SOCKET, SO_TYPE },
    { "TCP_MAXSEG", IPPROTO_TCP, TCP_MAXSEG },
    { "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY },
    { "IP_TOS", IPPROTO_IP, IP_TOS },
    { "IP_TTL", IPPROTO_IP, IP_TTL },
    { "IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS },
    { "IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS },
    { "IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY },
#ifdef TCP_KEEPIDLE /* OpenBSD has them for all sockets together only */
    { "TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT },
    { "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE },
    { "TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL },
#endif
#ifdef __linux__
    { "SO_MARK", SOL_SOCKET, SO_MARK },
    { "SO_PRIORITY", SOL_SOCKET, SO_PRIORITY },
    { "SO_RCVBUFFORCE", SOL_SOCKET, SO_RCVBUFFORCE },
    { "SO_SNDBUFFORCE", SOL_SOCKET, SO_SNDBUFFORCE },
    { "TCP_CORK", IPPROTO_TCP, TCP_CORK },
    { "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT },
    { "TCP_FASTOPEN", IPPROTO_TCP, TCP_FASTOPEN },
    { "TCP_FASTOPEN_CONNECT", IPPROTO_TCP, TCP_FASTOPEN_CONNECT },
    { "TCP_FASTOPEN_NO_COOKIE", IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE },
    { "TCP_INQ", IPPROTO_TCP, TCP_INQ },
    { "TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2 },
    { "TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT },
    { "TCP_QUICKACK", IPPROTO_TCP, TCP_QUICKACK },
    { "TCP_SAVE_SYN", IPPROTO_TCP, TCP_SAVE_SYN },
    { "TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT },
    { "TCP_THIN_LINEAR_TIMEOUTS", IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS },
    { "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT },
    { "TCP_WINDOW_CLAMP", IPPROTO_TCP, TCP_WINDOW_CLAMP },
    { "IP_FREEBIND", IPPROTO_IP, IP_FREEBIND },
    { "IP_MTU", IPPROTO_IP, IP_MTU },
    { "IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER },
    { "IP_RECVERR", IPPROTO_IP, IP_RECVERR },
    { "IP_MINTTL", IPPROTO_IP, IP_MINTTL },
    { "IPV6_MTU", IPPROTO_IPV6, IPV6_MTU },
    { "IPV6_MTU_DISCOVER", IPPROTO_IPV6, IPV6_MTU_DISCOVER },
    { "IPV6_RECVERR", IPPROTO_IPV6, IPV6_RECVERR },
#endif
};

static const struct option *find(const char *name)
{
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++)
        if (strcmp(OPTIONS[i].name, name) == 0)
            return &OPTIONS[i];
    return NULL;
}

int64_t option_set(int fd, const char *name, const int64_t *values, unsigned count)
{
    const struct option *option = find(name);
    if (!option)
        return error_result(ENOPROTOOPT);
    if (count < 1 || values[0] < INT_MIN || values[0] > UINT_MAX)
        return error_result(EINVAL);
    int value = (int)(uint32_t)values[0]; /* some are unsigned to the kernel */
    return setsockopt(fd, option->level, option->number, &value, sizeof value) < 0 ? error_result(errno) : 0;
}

int64_t option_get(int fd, const char *name, int64_t *value)
{
    const struct option *option = find(name);
    if (!option)
        return error_result(ENOPROTOOPT);
    int present = 0;
    socklen_t len = sizeof present;
    if (getsockopt(fd, option->level, option->number, &present, &len) < 0)
        return error_result(errno);
    *value = option->level == SOL_SOCKET && option->number == SO_ERROR && present ? -error_result(present) : present;
    return 0;
}

int64_t option_ioctl(int fd, const char *name, int64_t *value)
{
    static const struct { const char *name; unsigned long number; } IOCTLS[] = {
        { "SIOCINQ", FIONREAD }, { "FIONREAD", FIONREAD }, { "SIOCATMARK", SIOCATMARK },
#ifdef __linux__
        { "SIOCOUTQ", SIOCOUTQ }, { "SIOCOUTQNSD", SIOCOUTQNSD },
#elif defined(FIONWRITE)
        { "SIOCOUTQ", FIONWRITE },
#endif
    };
    for (size_t i = 0; i < sizeof IOCTLS / sizeof *IOCTLS; i++) {
        if (strcmp(IOCTLS[i].name, name) != 0)
            continue;
        int present = 0;
        if (ioctl(fd, IOCTLS[i].number, &present) < 0)
            return error_result(errno);
        *value = present;
        return 0;
    }
    return error_result(ENOTTY);
}
