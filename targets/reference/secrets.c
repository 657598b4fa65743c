/* What strangers must not guess, each a keyed hash (SipHash) of one secret: ISNs, timestamp offsets, cookies, flow labels, ports.
 */
#include "targets/reference/stack.h"

#include <sodium/crypto_shorthash.h>

#include <assert.h>
#include <string.h>

_Static_assert(crypto_shorthash_KEYBYTES == sizeof((struct ref_stack *)0)->key, "the key fits the hash");
_Static_assert(REF_SECRET_LEN == crypto_shorthash_KEYBYTES, "so does the configured secret");

enum { HASH_INPUT_MAX = 96 };

static uint64_t shorthash(const uint8_t *bytes, size_t len, const uint8_t *key)
{
    uint8_t out[crypto_shorthash_BYTES];
    uint64_t value;
    crypto_shorthash(out, bytes, len, key);
    memcpy(&value, out, sizeof value);
    return value;
}

void ref_secrets_init(struct ref_stack *stack)
{
    for (uint8_t half = 0; half < 2; half++) {
        uint8_t input[1 + sizeof stack->config.seed] = { half };
        memcpy(input + 1, &stack->config.seed, sizeof stack->config.seed);
        uint64_t value = shorthash(input, sizeof input, stack->config.secret);
        memcpy(stack->key + 8 * half, &value, sizeof value);
    }
}

uint64_t ref_hash(const struct ref_stack *stack, enum ref_purpose purpose, const void *bytes, size_t len)
{
    uint8_t input[1 + HASH_INPUT_MAX] = { (uint8_t)purpose };
    assert(len <= HASH_INPUT_MAX);
    memcpy(input + 1, bytes, len);
    return shorthash(input, 1 + len, stack->key);
}

uint64_t ref_random(struct ref_stack *stack)
{
    uint64_t counter = stack->random_counter++;
    return ref_hash(stack, REF_PURPOSE_RANDOM, &counter, sizeof counter);
}

/* RFC 6528 §3, RFC 9293 §3.4.1: ISN = M + F(localip, localport, remoteip, remoteport, secretkey), M ticking every 4 microseconds.
 */
uint32_t ref_isn(const struct ref_stack *stack, const struct ref_tuple *tuple, int64_t now_ns)
{
    uint32_t m = (uint32_t)(now_ns / 4000);
    return m + (uint32_t)ref_hash(stack, REF_PURPOSE_ISN, tuple, sizeof *tuple);
}

/* One offset for all incarnations of a connection, so that their timestamps go on growing (RFC 6191 §3). */
uint32_t ref_timestamp_offset(const struct ref_stack *stack, const struct ref_tuple *tuple)
{
    return (uint32_t)ref_hash(stack, REF_PURPOSE_TIMESTAMP, tuple, sizeof *tuple);
}

/* RFC 6437; the same for every segment of a connection, those sent without a TCB included (RFC 4987 §4). */
uint32_t ref_flow_label(const struct ref_stack *stack, const struct ref_tuple *tuple)
{
    return tuple->local.version == 6 ? (uint32_t)ref_hash(stack, REF_PURPOSE_FLOW_LABEL, tuple, sizeof *tuple) & 0xfffff : 0;
}
