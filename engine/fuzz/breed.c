/* Where inputs come from (see breed.h). */
#include "engine/fuzz/breed.h"

#include "engine/fuzz/mutate.h"
#include "engine/scenario/bytes/layout.h"

#include <string.h>

enum { FRESH_ONE_IN = 24, CROSSED_ONE_IN = 6 };

uint64_t breed_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static size_t room_for(size_t len, unsigned steps_max)
{
    const size_t wanted = SCN_BYTES_HEADER_LEN + (size_t)steps_max * SCN_BYTES_RECORD_LEN, most = len > wanted ? len : wanted;
    return most < SCN_BYTES_MAX ? most : SCN_BYTES_MAX;
}

void breed_next(struct corpus *corpus, unsigned steps_max, uint64_t *random, struct shrink_input *out)
{
    const struct corpus_input *parent = breed_random(random) % FRESH_ONE_IN ? corpus_choose(corpus, breed_random(random)) : NULL;
    if (!parent) {
        out->len = fuzz_generate(out->octets, room_for(0, steps_max), steps_max, breed_random(random));
        return;
    }
    const size_t room = room_for(parent->len, steps_max);
    if (breed_random(random) % CROSSED_ONE_IN == 0) {
        const struct corpus_input *other = corpus_any(corpus, breed_random(random));
        out->len = fuzz_cross_over(parent->octets, parent->len, other->octets, other->len, out->octets, room, breed_random(random));
    } else {
        memcpy(out->octets, parent->octets, parent->len);
        out->len = parent->len;
    }
    out->len = fuzz_mutate(out->octets, out->len, room, breed_random(random));
}

/* What is left of the patience after this wait, which is shortened to it. */
static int64_t hurry(uint8_t *octet, int64_t left_ns)
{
    if (bytes_time_ns(*octet) > left_ns)
        *octet = left_ns > 0 ? bytes_time_octet(left_ns) : 0;
    while (bytes_time_ns(*octet) > left_ns && *octet) /* the nearest octet may be the next longer one */
        *octet = *octet > 128 ? (uint8_t)(*octet - 1) : 0;
    return left_ns - bytes_time_ns(*octet);
}

void breed_hurry(struct shrink_input *input, int64_t patience_ns)
{
    for (size_t at = SCN_BYTES_HEADER_LEN; at + AT_FIRST < input->len; at += SCN_BYTES_RECORD_LEN) {
        uint8_t *record = input->octets + at;
        patience_ns = hurry(&record[AT_TIME], patience_ns);
        if (bytes_ops[record[AT_OP] % OP_TABLE_COUNT] == OP_LINK)
            patience_ns = hurry(&record[AT_FIRST], patience_ns);
    }
}

void breed_greeting(struct shrink_input *out)
{
    *out = (struct shrink_input){.len = SCN_BYTES_HEADER_LEN + SCN_BYTES_RECORD_LEN};
    memcpy(out->octets, scn_bytes_magic, SCN_BYTES_MAGIC_LEN);
    out->octets[SCN_BYTES_HEADER_LEN + AT_OP] = OP_FENCE;
}
