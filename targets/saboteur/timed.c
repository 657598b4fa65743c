/* Waiting packets and repeated segments (see timed.h). */
#include "targets/saboteur/timed.h"
#include "engine/packet/seq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool timed_init(struct timed *t)
{
    *t = (struct timed){.held = calloc(HELD_MAX, sizeof *t->held)};
    return t->held != NULL;
}

static void stop(struct repeat *r)
{
    free(r->bytes);
    *r = (struct repeat){0};
}

void timed_release(struct timed *t)
{
    for (unsigned i = 0; i < t->held_count; i++)
        free(t->held[i].bytes);
    for (unsigned i = 0; i < REPEATS_MAX; i++)
        stop(&t->repeats[i]);
    free(t->held);
}

static uint8_t *copy(const uint8_t *bytes, size_t len)
{
    uint8_t *out = malloc(len);
    if (out)
        memcpy(out, bytes, len);
    return out;
}

bool timed_hold(struct timed *t, const uint8_t *bytes, size_t len, int64_t due_ns)
{
    uint8_t *kept = t->held_count < HELD_MAX ? copy(bytes, len) : NULL;
    if (kept)
        t->held[t->held_count++] = (struct held){.due_ns = due_ns, .bytes = kept, .len = len};
    return kept != NULL;
}

/* ---- repeats */

static uint32_t end_of(const struct segment *s)
{
    return s->packet.tcp.seq + pkt_seg_len(&s->packet.tcp);
}

static struct repeat *find(struct timed *t, const struct segment *s)
{
    for (unsigned i = 0; i < REPEATS_MAX; i++)
        if (t->repeats[i].bytes && t->repeats[i].connection == s->connection && t->repeats[i].end == end_of(s))
            return &t->repeats[i];
    return NULL;
}

static struct repeat *find_free(struct timed *t)
{
    for (unsigned i = 0; i < REPEATS_MAX; i++)
        if (!t->repeats[i].bytes)
            return &t->repeats[i];
    return NULL;
}

void timed_repeat(struct timed *t, const struct segment *s, struct pace pace)
{
    struct repeat *r = find(t, s);
    if (r)
        stop(r);
    else
        r = find_free(t);
    uint8_t *bytes = r ? copy(s->bytes, s->len) : NULL;
    if (bytes)
        *r = (struct repeat){.connection = s->connection, .end = end_of(s), .is_syn = segment_is_syn(s), .bytes = bytes, .len = s->len,
                             .pace = pace};
}

static void acknowledged(struct repeat *r, int64_t now_ns)
{
    if (r->pace.kind == REPEAT_UNTIL_ACKNOWLEDGED)
        stop(r);
    else if (r->pace.kind == REPEAT_ONCE_AFTERWARDS)
        r->pace = (struct pace){.kind = REPEAT_REGARDLESS, .next_ns = now_ns + r->pace.interval_ns, .until_ns = now_ns + r->pace.interval_ns};
}

void timed_arrived(struct timed *t, const struct connection *c, int64_t now_ns)
{
    for (unsigned i = 0; i < REPEATS_MAX; i++) {
        struct repeat *r = &t->repeats[i];
        if (!r->bytes || r->connection != c)
            continue;
        if (c->closed || (r->pace.kind == REPEAT_WHILE_WINDOW_ZERO && !c->zero_window))
            stop(r);
        else if (seq_ge(c->snd_una, r->end) || (r->is_syn && c->has_irs))
            acknowledged(r, now_ns);
    }
}

void timed_forget(struct timed *t, const struct connection *c)
{
    for (unsigned i = 0; i < REPEATS_MAX; i++)
        if (t->repeats[i].bytes && t->repeats[i].connection == c)
            stop(&t->repeats[i]);
}

static struct repeat *first_repeat(struct timed *t)
{
    struct repeat *first = NULL;
    for (unsigned i = 0; i < REPEATS_MAX; i++)
        if (t->repeats[i].bytes && (!first || t->repeats[i].pace.next_ns < first->pace.next_ns))
            first = &t->repeats[i];
    return first;
}

static ssize_t take_repeat(struct repeat *r, uint8_t *out, size_t capacity)
{
    if (r->len > capacity)
        return -EMSGSIZE;
    size_t len = r->len;
    memcpy(out, r->bytes, len);
    if (r->pace.interval_ns == 0 || r->pace.interval_ns > r->pace.until_ns - r->pace.next_ns)
        stop(r);
    else
        r->pace.next_ns += r->pace.interval_ns;
    return (ssize_t)len;
}

/* ---- both */

static unsigned first_held(const struct timed *t)
{
    unsigned first = 0;
    for (unsigned i = 1; i < t->held_count; i++)
        first = t->held[i].due_ns < t->held[first].due_ns ? i : first;
    return first;
}

static ssize_t take_held(struct timed *t, unsigned i, uint8_t *out, size_t capacity)
{
    struct held held = t->held[i];
    if (held.len > capacity)
        return -EMSGSIZE;
    memcpy(out, held.bytes, held.len);
    free(held.bytes);
    memmove(&t->held[i], &t->held[i + 1], (t->held_count - i - 1) * sizeof *t->held);
    t->held_count--;
    return (ssize_t)held.len;
}

int64_t timed_next(struct timed *t)
{
    const struct repeat *repeat = first_repeat(t);
    int64_t held_ns = t->held_count ? t->held[first_held(t)].due_ns : INT64_MAX;
    return repeat && repeat->pace.next_ns < held_ns ? repeat->pace.next_ns : held_ns;
}

ssize_t timed_take(struct timed *t, int64_t now_ns, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    int64_t next_ns = timed_next(t);
    if (next_ns == INT64_MAX || next_ns > now_ns)
        return 0;
    *at_ns = next_ns;
    struct repeat *repeat = first_repeat(t);
    return repeat && repeat->pace.next_ns == next_ns ? take_repeat(repeat, out, capacity) : take_held(t, first_held(t), out, capacity);
}
