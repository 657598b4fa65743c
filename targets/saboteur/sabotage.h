/* What the parts of the saboteur share: an instance, a fault, and what faults can do besides changing the segment at hand. */
#ifndef TCPASSAY_TARGETS_SABOTEUR_SABOTAGE_H
#define TCPASSAY_TARGETS_SABOTEUR_SABOTAGE_H

#include "targets/saboteur/saboteur.h"
#include "targets/saboteur/timed.h"
#include "targets/saboteur/track.h"

struct saboteur;

/* A fault: a name, its sentence, and one of three ways to act; seldom two of them. */
struct fault {
    const char *name, *says;
    /* Segments: whatever matches is acted upon. What matches but is dropped by act goes no further. Output faults see it as the IUT sent it, input
     * faults as the tester did, before the connection's record takes note of it. */
    bool (*matches)(const struct segment *segment);
    void (*act)(struct saboteur *s, struct segment *segment);
    /* Calls: puts its own functions in place of those that pass calls through. They find the rest of the world by saboteur_of(). */
    void (*replace)(struct target_ops *ops);
    /* Settings: the wrapped target is opened with this one, whatever the scenario asks for. */
    const char *setting, *value;
};

struct fault_group { enum saboteur_group group; const struct fault *faults; size_t count; };
extern const struct fault_group output_faults, form_faults, timing_faults, input_faults, call_faults, setting_faults;

/* The faults of one group are of one kind, so a fault is known with its group. NULL: there is none of that name. */
struct fault_ref { const struct fault *fault; enum saboteur_group group; uint64_t from; /* N of NAME@N, or 1 */ };
bool fault_find(const char *text, size_t len, struct fault_ref *out);

enum { HANGING_HANDLES_MAX = 64 };

struct saboteur {
    struct target base;        /* first: the runner's view */
    struct target_ops ops;
    struct target *inner;
    struct fault_ref fault;
    uint64_t matched;          /* segments, so far */
    int64_t now_ns;            /* virtual: as told last */
    bool virtual_time;
    struct tracker tracker;
    struct timed timed;
    struct pkt_builder *builder;
    uint8_t *outbound, *inbound; /* buffers of SEGMENT_BYTES_MAX */
    int epoll_fd, timer_fd;    /* real */
    int64_t timer_ns;          /* what the timer is set to; INT64_MAX: off */
    int hanging[HANGING_HANDLES_MAX]; /* connect-hangs: handles that seem to be connecting, a ring */
    unsigned hanging_count;
};

static inline struct saboteur *saboteur_of(struct target *t)
{
    return (struct saboteur *)t;
}
int64_t saboteur_now(const struct saboteur *s);
/* Emits a packet of the saboteur's own, after whatever the IUT has to say to what it was just sent. */
void saboteur_emit(struct saboteur *s, const struct pkt_spec *spec);

#endif
