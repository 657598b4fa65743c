/* Inside the adapter: what loading (load.c) and performing (adapter.c) share. Included by these only. */
#ifndef TCPASSAY_TARGETS_PLUGIN_WITHIN_H
#define TCPASSAY_TARGETS_PLUGIN_WITHIN_H

#include <pthread.h>

#include "targets/plugin/adapter.h"
#include "targets/plugin/guarded.h"
#include "targets/plugin/tcpassay_plugin.h"

enum { ADAPTER_SOCKETS_MAX = 64 };

/* What is remembered of a socket, to stand in for functions that are missing: local_endpoint(), and poll() or get_option() of one
 * that connects. */
struct adapter_socket {
    bool used;
    int64_t handle;
    struct tcpassay_endpoint local;  /* as bound, or as seen in its SYN; port 0: not known */
    bool connecting, over;           /* connect() was asked; and it is over … */
    struct tcpassay_endpoint remote;
    int64_t error;                   /* … with this error, or 0: given once */
};

struct adapter {
    struct exchange *x;
    adapter_fault *fault;
    void *library;
    struct tcpassay_plugin plugin;   /* as much of the plugin's own as it has and we know, the rest zero */
    struct tcpassay_tester tester;
    struct tcpassay_stack *stack;    /* NULL: there is no instance */
    struct guarded in, out;
    pthread_t thread;
    int64_t now_ns;                  /* as the plugin knows it */
    int64_t next_tick_ns;            /* without next_deadline() */
    bool clock_started;              /* an advance() has come */
    unsigned idle_advances;          /* since a packet came or went … */
    int64_t idle_since_ns;           /* … and since when */
    struct tcpassay_endpoint watched_local, watched_remote; /* whose status was asked for last: version 0: nobody's */
    struct adapter_socket sockets[ADAPTER_SOCKETS_MAX];
};

/* Ends it: the words say what the plugin did. hang: the clock cannot go on; else what it did is forbidden. */
_Noreturn void adapter_blame(struct adapter *a, bool hang, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* From here on, and until the next such line, it is the plugin that runs. */
static inline void adapter_enters(struct adapter *a, enum exchange_call call)
{
    atomic_store_explicit(&a->x->stage, (uint32_t)call, memory_order_relaxed);
}

#endif
