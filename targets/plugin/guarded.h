/* Buffers whose end is a page that cannot be touched: who reads or writes beyond them dies at once, and where it happened. */
#ifndef TCPASSAY_TARGETS_PLUGIN_GUARDED_H
#define TCPASSAY_TARGETS_PLUGIN_GUARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guarded {
    uint8_t *mapping, *end; /* end: the first octet of the forbidden page */
    size_t mapped;
    uint8_t *lent;          /* the buffer last made */
    size_t lent_len;
};

/* Room for buffers of up to capacity octets; false: out of memory. */
bool guarded_make(struct guarded *g, size_t capacity);
void guarded_free(struct guarded *g);

/* A buffer of len octets at an address divisible by 4, as near to the end as that allows; the up to three octets that remain, and
 * some before the buffer, hold a mark. */
uint8_t *guarded_lend(struct guarded *g, size_t len);
/* Are the marks unharmed? */
bool guarded_intact(const struct guarded *g);

#endif
