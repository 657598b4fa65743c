/* The table of errors: what this system calls them, and their numbers on Linux (asm-generic/errno.h). */
#include "targets/sockets/errors.h"

#include <errno.h>
#include <stddef.h>

enum { LINUX_EIO = 5 };

static const struct { int of_system; int64_t of_linux; } ERRORS[] = { /* those that come often first */
    { EAGAIN, 11 }, { EINPROGRESS, 115 }, { EPERM, 1 }, { ENOENT, 2 }, { EINTR, 4 }, { EIO, 5 }, { ENXIO, 6 },
    { EBADF, 9 }, { ENOMEM, 12 }, { EACCES, 13 }, { EFAULT, 14 }, { EBUSY, 16 }, { EEXIST, 17 }, { ENODEV, 19 },
    { EINVAL, 22 }, { ENFILE, 23 }, { EMFILE, 24 }, { ENOTTY, 25 }, { ENOSPC, 28 }, { EPIPE, 32 }, { EDOM, 33 },
    { ENOSYS, 38 }, { EPROTO, 71 }, { EOVERFLOW, 75 }, { ENOTSOCK, 88 }, { EDESTADDRREQ, 89 }, { EMSGSIZE, 90 },
    { EPROTOTYPE, 91 }, { ENOPROTOOPT, 92 }, { EPROTONOSUPPORT, 93 }, { EOPNOTSUPP, 95 }, { EAFNOSUPPORT, 97 },
    { EADDRINUSE, 98 }, { EADDRNOTAVAIL, 99 }, { ENETDOWN, 100 }, { ENETUNREACH, 101 }, { ECONNABORTED, 103 },
    { ECONNRESET, 104 }, { ENOBUFS, 105 }, { EISCONN, 106 }, { ENOTCONN, 107 }, { ESHUTDOWN, 108 }, { ETIMEDOUT, 110 },
    { ECONNREFUSED, 111 }, { EHOSTDOWN, 112 }, { EHOSTUNREACH, 113 }, { EALREADY, 114 },
};

int64_t error_result(int system_errno)
{
    for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++)
        if (ERRORS[i].of_system == system_errno)
            return -ERRORS[i].of_linux;
    return -LINUX_EIO;
}
