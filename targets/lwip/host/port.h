/* The tester's clock under lwIP: a port of its operating system layer (sys_arch) to one thread in virtual time. */
#ifndef TCPASSAY_TARGETS_LWIP_HOST_PORT_H
#define TCPASSAY_TARGETS_LWIP_HOST_PORT_H

#include <stdint.h>

/* Begins at this time, with lwIP's tcpip_init(). Before anything else of lwIP. */
void port_begin(int64_t now_ns, uint64_t seed);

/* Lets lwIP's thread run until it waits, and each of its timers at its own time up to now_ns. */
void port_run(int64_t now_ns);

int64_t port_now_ns(void);

/* When lwIP's thread wants to run next by itself; INT64_MAX: never. */
int64_t port_deadline_ns(void);

/* Ends the process, with a sentence on stderr that the tester will quote. */
_Noreturn void port_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
