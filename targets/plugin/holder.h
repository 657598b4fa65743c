/* A process that holds a plugin, so that whatever the plugin does happens to that process; or, when it is wanted in process, none.
 *
 * The tester starts its own program again (HOLDER_COMMAND), with a piece of memory that both see (exchange.h) and a socket by which
 * each wakes the other when it sleeps. A call is written into the memory, and the tester sleeps until the answer is there. (Looking
 * for it busily first is no faster on a busy machine, but slower.) Meanwhile it watches: a holder that has died leaves the socket
 * at its end; one that works too long on a call, by its own processor time, or sleeps, is killed. A holder holds one instance at a
 * time; a second instance gets a second holder. One that has served well waits for the next test, so that a run of thousands of
 * tests starts one process. */
#ifndef TCPASSAY_TARGETS_PLUGIN_HOLDER_H
#define TCPASSAY_TARGETS_PLUGIN_HOLDER_H

#include "targets/plugin/exchange.h"

#define HOLDER_COMMAND "plugin-holder"

struct holder;

/* One that has the library loaded, as told in its exchange's about. path: absolute. NULL with *error (UNAVAILABLE): it cannot be
 * loaded. */
struct holder *holder_acquire(const char *path, bool in_process, struct target_error *error);
/* Gives it back: it waits for the next, or is ended. The instance has been destroyed, or the holder is dead. */
void holder_release(struct holder *h);

struct exchange *holder_exchange(struct holder *h);
const struct exchange_about *holder_about(const struct holder *h);
/* Performs the request in the exchange. False: it has died over it, or before. */
bool holder_call(struct holder *h);
/* Ends it because of what it answered. */
void holder_condemn(struct holder *h, const char *words);
/* How it died: "crash: ended by signal 11 (Segmentation fault) in input() of `S 0:0(0) win 65535`"; begins with "crash: " or "hang:
 * ". */
const char *holder_death(const struct holder *h);

/* The other side: what a program whose first argument is HOLDER_COMMAND does. Its exit code. */
int holder_main(int argc, char **argv);

#endif
