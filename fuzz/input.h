/* The bytes of a fuzz input, one after the other (zeros when there are no more), and what a harness holds to be always true. */
#ifndef TCPASSAY_FUZZ_INPUT_H
#define TCPASSAY_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct input {
    const uint8_t *data;
    size_t left;
};

static inline uint8_t next8(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->data++;
}

static inline uint16_t next16(struct input *in)
{
    uint16_t high = next8(in);
    return (uint16_t)(high << 8 | next8(in));
}

static inline void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

#endif
