/* Mixes the number of each block of eight octets into the block (the finalizer of SplitMix64). */
#include "targets/reference/serve/pattern.h"

enum { BLOCK = 8 };

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

void pattern_fill(uint64_t offset, uint8_t *out, size_t len)
{
    uint64_t block = mix(offset / BLOCK);
    for (size_t i = 0; i < len; i++, offset++) {
        if (i && offset % BLOCK == 0)
            block = mix(offset / BLOCK);
        out[i] = (uint8_t)(block >> (offset % BLOCK * 8));
    }
}
