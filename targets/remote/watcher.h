/* A process of its own that undoes what the tester has changed on this machine, however the tester ends: offloads of an interface,
 * tables of the packet filter. */
#ifndef TCPASSAY_TARGETS_REMOTE_WATCHER_H
#define TCPASSAY_TARGETS_REMOTE_WATCHER_H

#include "engine/runner/target.h"

#include <net/if.h>

enum { WATCHER_DEEDS_MAX = 8, WATCHER_TABLE_MAX = 48 };

enum deed_kind { DEED_OFFLOADS_OFF, DEED_TABLE_MADE };
struct deed { /* what is to be undone */
    enum deed_kind kind;
    char interface[IFNAMSIZ];       /* DEED_OFFLOADS_OFF: … */
    unsigned offloads;              /* … enum card_offload, to be switched on again */
    char table[WATCHER_TABLE_MAX];  /* DEED_TABLE_MADE: of the family inet, to be deleted */
};

struct watcher;

/* Starts the process, in the network namespace that the thread is in. NULL with *error. */
struct watcher *watcher_start(struct target_error *error);

/* To be told before the deed is done. False when the watcher is gone, or knows of WATCHER_DEEDS_MAX already: then the deed must be
 * left undone. */
bool watcher_tell(struct watcher *w, const struct deed *deed);

/* Everything is undone, last first, when this returns; the process has ended. NULL is nothing. */
void watcher_end(struct watcher *w);

/* The process, for tests. */
pid_t watcher_pid(const struct watcher *w);

#endif
