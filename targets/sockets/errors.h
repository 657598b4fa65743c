/* Errors of this system's sockets as the negative errno values of Linux that target.h and the agent's protocol speak. */
#ifndef TCPASSAY_TARGETS_SOCKETS_ERRORS_H
#define TCPASSAY_TARGETS_SOCKETS_ERRORS_H

#include <stdint.h>

/* EAGAIN → -11, whatever EAGAIN is here. One that is not in the table becomes -EIO (-5). */
int64_t error_result(int system_errno);

#endif
