/* Packets that are to leave later than the IUT sent them, and copies of segments that leave again and again. */
#ifndef TCPASSAY_TARGETS_SABOTEUR_TIMED_H
#define TCPASSAY_TARGETS_SABOTEUR_TIMED_H

#include "targets/saboteur/track.h"

/* When HELD_MAX packets wait, there is no room for another. When REPEATS_MAX segments are being repeated, the next is not. */
enum { HELD_MAX = 1024, REPEATS_MAX = 64 };

struct held { int64_t due_ns; uint8_t *bytes; size_t len; };

enum repeat_kind {
    REPEAT_UNTIL_ACKNOWLEDGED,  /* of a SYN: or until the peer's comes */
    REPEAT_WHILE_WINDOW_ZERO,
    REPEAT_REGARDLESS,
    REPEAT_ONCE_AFTERWARDS,     /* interval_ns after it is acknowledged, once */
};
/* First at next_ns, then every interval_ns, none after until_ns. Whatever the kind, none once the connection is reset. */
struct pace { enum repeat_kind kind; int64_t next_ns, interval_ns, until_ns; };

struct repeat { /* free where bytes is NULL */
    struct connection *connection;
    uint32_t end;               /* SEG.SEQ + SEG.LEN */
    bool is_syn;
    uint8_t *bytes;
    size_t len;
    struct pace pace;
};

struct timed {
    struct held *held;          /* HELD_MAX; in order of arrival, which decides between those due at the same time */
    unsigned held_count;
    struct repeat repeats[REPEATS_MAX];
};

bool timed_init(struct timed *timed);
void timed_release(struct timed *timed);

/* Keeps a copy of the packet until due_ns. False: there is no room. */
bool timed_hold(struct timed *timed, const uint8_t *bytes, size_t len, int64_t due_ns);

/* Repeats the segment, as it stands. A repeat of the same segment that is on already is replaced. */
void timed_repeat(struct timed *timed, const struct segment *segment, struct pace pace);
/* Something arrived on this connection: ends, or begins, the repeats that it answers. */
void timed_arrived(struct timed *timed, const struct connection *connection, int64_t now_ns);
/* Ends all repeats of the connection. */
void timed_forget(struct timed *timed, const struct connection *connection);

/* When the next packet is due: INT64_MAX for none. */
int64_t timed_next(struct timed *timed);
/* Takes the packet that is due first, if it is due by now_ns: its length, 0 for none. *at_ns: when it was due. -EMSGSIZE: it is
 * longer than capacity. */
ssize_t timed_take(struct timed *timed, int64_t now_ns, uint8_t *out, size_t capacity, int64_t *at_ns);

#endif
