/* Decides by a seeded generator what becomes of each packet, and keeps those under way in the order of their leaving. */
#include "targets/reference/serve/impair.h"

#include <stdlib.h>
#include <string.h>

struct held {
    struct held *next;
    int64_t at_ns;       /* when it comes out */
    size_t len;
    uint8_t bytes[];
};

struct impair {
    struct impair_config config;
    struct impair_counters counters;
    uint64_t random;
    struct held *first;  /* by at_ns; of the same, in the order they came */
    unsigned count;
};

struct impair *impair_new(const struct impair_config *config)
{
    struct impair *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->config = *config;
    m->random = config->seed * UINT64_C(2) + 1; /* xorshift must not start from 0 */
    return m;
}

void impair_free(struct impair *m)
{
    while (m && m->first) {
        struct held *next = m->first->next;
        free(m->first);
        m->first = next;
    }
    free(m);
}

struct impair_counters impair_counters(const struct impair *m)
{
    return m->counters;
}

/* xorshift64* */
static uint64_t draw(struct impair *m)
{
    m->random ^= m->random >> 12;
    m->random ^= m->random << 25;
    m->random ^= m->random >> 27;
    return m->random * UINT64_C(0x2545f4914f6cdd1d);
}

static bool happens(struct impair *m, double percent)
{
    return (double)(draw(m) >> 11) * 0x1p-53 * 100 < percent;
}

static void hold(struct impair *m, const uint8_t *bytes, size_t len, int64_t at_ns)
{
    struct held *held = malloc(sizeof *held + len), **link = &m->first;
    if (!held)
        return;
    *held = (struct held){ .at_ns = at_ns, .len = len };
    memcpy(held->bytes, bytes, len);
    if (len && happens(m, m->config.corrupt_percent)) {
        uint64_t bit = draw(m) % (len * 8);
        held->bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        m->counters.corrupted++;
    }
    while (*link && (*link)->at_ns <= at_ns)
        link = &(*link)->next;
    held->next = *link;
    *link = held;
    m->count++;
}

void impair_put(struct impair *m, const uint8_t *bytes, size_t len, int64_t now_ns)
{
    if (happens(m, m->config.loss_percent)) {
        m->counters.lost++;
        return;
    }
    int64_t at_ns = now_ns;
    if (m->count < IMPAIR_HELD_MAX && happens(m, m->config.reorder_percent)) {
        at_ns += (int64_t)(draw(m) % (uint64_t)IMPAIR_DELAY_NS_MAX) + 1;
        m->counters.delayed++;
    }
    hold(m, bytes, len, at_ns);
    m->counters.passed++;
    if (happens(m, m->config.duplicate_percent)) {
        hold(m, bytes, len, at_ns);
        m->counters.duplicated++;
    }
}

size_t impair_get(struct impair *m, uint8_t *out, size_t capacity, int64_t now_ns)
{
    while (m->first && m->first->at_ns <= now_ns) {
        struct held *held = m->first;
        size_t len = held->len;
        m->first = held->next;
        m->count--;
        if (len <= capacity)
            memcpy(out, held->bytes, len);
        free(held);
        if (len <= capacity)
            return len;
    }
    return 0;
}

int64_t impair_deadline(const struct impair *m)
{
    return m->first ? m->first->at_ns : INT64_MAX;
}
