/* The table of pairs: a hash table for segments to find theirs, and two queues through it, in which pairs wait for their
 * turn to be looked at. A pair and the memory of its judges lie in one block, so that the table is all that must be read before the
 * processor can be told what it will need. A queue is not reordered when a pair is used, which would touch three pairs for each
 * segment: whoever takes the first from it sees by last_ns whether it was idle since, and puts it at the end again when it was not.
 */
#include "engine/capture/pairs.h"

#include "engine/model/pool.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 1024 };

struct pairs {
    struct slot { struct pair *pair; uint32_t hash; } *slots;
    size_t capacity, count; /* slots: a power of two */
    struct queue { struct pair *first, *last; size_t count; } queues[PAIR_QUEUES];
    uint64_t seed;
    struct pool *pool;      /* of blocks: a pair and two judges */
};

/* ---- blocks --------------------------------------------------------------------------------------------------------- */

enum { CACHE_LINE_LEN = POOL_ALIGNMENT };

/* Whole lines of the processor's cache. */
static size_t in_lines(size_t len)
{
    return (len + CACHE_LINE_LEN - 1) / CACHE_LINE_LEN * CACHE_LINE_LEN;
}

void *pairs_judge_memory(struct pair *pair, unsigned side)
{
    return (char *)pair + in_lines(sizeof *pair) + side * in_lines(judge_memory_len());
}

static void prefetch(struct pair *pair)
{
    for (size_t at = 0; at < sizeof *pair; at += CACHE_LINE_LEN)
        __builtin_prefetch((const char *)pair + at, 1);
    judge_prefetch(pairs_judge_memory(pair, 0));
    judge_prefetch(pairs_judge_memory(pair, 1));
}

/* ---- keys ----------------------------------------------------------------------------------------------------------- */

static int compare(const struct pkt_endpoint *a, const struct pkt_endpoint *b)
{
    const int order = memcmp(a->addr.bytes, b->addr.bytes, sizeof a->addr.bytes);
    return order ? order : a->port < b->port ? -1 : a->port > b->port;
}

/* Equal for both directions: the lower endpoint comes first. */
static struct pair_key key_of(const struct pkt_endpoint *src, const struct pkt_endpoint *dst)
{
    struct pair_key key;
    const bool in_order = compare(src, dst) <= 0;
    const struct pkt_endpoint *low = in_order ? src : dst, *high = in_order ? dst : src;
    memcpy(key.words, low->addr.bytes, 16);
    memcpy(key.words + 2, high->addr.bytes, 16);
    key.words[4] = (uint64_t)low->port << 32 | (uint64_t)high->port << 16 | low->addr.version;
    return key;
}

/* Multiplies, and folds the halves of the product: each bit of the words and of the seed weighs on each of the result. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t hash_of(const struct pairs *pairs, const struct pair_key *key)
{
    uint64_t hash = pairs->seed ^ UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < sizeof key->words / sizeof *key->words; i++)
        hash = fold(key->words[i] ^ hash, pairs->seed ^ UINT64_C(0xe7037ed1a0b428db)) ^ key->words[i];
    return (uint32_t)(hash ^ hash >> 32);
}

/* ---- the queues ----------------------------------------------------------------------------------------------------- */

static void unlink_pair(struct pairs *pairs, struct pair *pair)
{
    struct queue *queue = &pairs->queues[pair->queue];
    *(pair->prev ? &pair->prev->next : &queue->first) = pair->next;
    *(pair->next ? &pair->next->prev : &queue->last) = pair->prev;
    queue->count--;
}

static void append(struct pairs *pairs, struct pair *pair, enum pair_queue to, int64_t now_ns)
{
    struct queue *queue = &pairs->queues[to];
    pair->queue = to;
    pair->queued_ns = now_ns;
    pair->prev = queue->last;
    pair->next = NULL;
    *(queue->last ? &queue->last->next : &queue->first) = pair;
    queue->last = pair;
    queue->count++;
}

void pairs_queue(struct pairs *pairs, struct pair *pair, enum pair_queue queue, int64_t now_ns)
{
    unlink_pair(pairs, pair);
    append(pairs, pair, queue, now_ns);
}

struct pair *pairs_first(const struct pairs *pairs, enum pair_queue queue)
{
    return pairs->queues[queue].first;
}

size_t pairs_count(const struct pairs *pairs, enum pair_queue queue)
{
    return pairs->queues[queue].count;
}

/* ---- the table ------------------------------------------------------------------------------------------------------ */

struct pairs *pairs_new(uint64_t seed)
{
    struct pairs *pairs = calloc(1, sizeof *pairs);
    if (!pairs)
        return NULL;
    pairs->seed = seed;
    pairs->capacity = CAPACITY_FIRST;
    pairs->slots = calloc(pairs->capacity, sizeof *pairs->slots);
    pairs->pool = pool_new(in_lines(sizeof(struct pair)) + 2 * in_lines(judge_memory_len()), true);
    if (pairs->slots && pairs->pool)
        return pairs;
    pairs_free(pairs);
    return NULL;
}

static void put(struct slot *slots, size_t capacity, struct pair *pair)
{
    size_t at = pair->hash & (capacity - 1);
    while (slots[at].pair)
        at = (at + 1) & (capacity - 1);
    slots[at] = (struct slot){ pair, pair->hash };
}

/* Room for one more: twice the slots when half of them are taken. */
static bool make_room(struct pairs *pairs)
{
    if (pairs->count < pairs->capacity / 2)
        return true;
    struct slot *slots = calloc(pairs->capacity * 2, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < pairs->capacity; i++)
        if (pairs->slots[i].pair)
            put(slots, pairs->capacity * 2, pairs->slots[i].pair);
    free(pairs->slots);
    pairs->slots = slots;
    pairs->capacity *= 2;
    return true;
}

struct pair *pairs_find(struct pairs *pairs, const struct pkt_endpoint *src, const struct pkt_endpoint *dst, unsigned *side)
{
    const struct pair_key key = key_of(src, dst);
    const uint32_t hash = hash_of(pairs, &key);
    const size_t mask = pairs->capacity - 1;
    for (size_t at = hash & mask; pairs->slots[at].pair; at = (at + 1) & mask) {
        struct pair *pair = pairs->slots[at].pair;
        if (pairs->slots[at].hash != hash || memcmp(&pair->key, &key, sizeof key))
            continue;
        *side = compare(&pair->ends[0].endpoint, src) != 0;
        return pair;
    }
    return NULL;
}

uint32_t pairs_expect(const struct pairs *pairs, const struct pkt_endpoint *src, const struct pkt_endpoint *dst)
{
    const struct pair_key key = key_of(src, dst);
    const uint32_t hash = hash_of(pairs, &key);
    __builtin_prefetch(&pairs->slots[hash & (pairs->capacity - 1)]);
    return hash;
}

void pairs_prepare(const struct pairs *pairs, uint32_t hash)
{
    const size_t mask = pairs->capacity - 1;
    for (size_t at = hash & mask; pairs->slots[at].pair; at = (at + 1) & mask)
        if (pairs->slots[at].hash == hash) {
            prefetch(pairs->slots[at].pair);
            return;
        }
}

struct pair *pairs_add(struct pairs *pairs, const struct pkt_endpoint *src, const struct pkt_endpoint *dst, int64_t now_ns)
{
    struct pair *pair = make_room(pairs) ? pool_take(pairs->pool) : NULL;
    if (!pair)
        return NULL;
    pair->key = key_of(src, dst);
    pair->hash = hash_of(pairs, &pair->key);
    pair->ends[0].endpoint = *src;
    pair->ends[1].endpoint = *dst;
    pair->ends[0].pair = pair->ends[1].pair = pair;
    put(pairs->slots, pairs->capacity, pair);
    pairs->count++;
    append(pairs, pair, PAIR_OPEN, now_ns);
    return pair;
}

/* Empties a slot; whatever stands behind it and may stand there moves up. */
static void empty(struct pairs *pairs, size_t hole)
{
    const size_t mask = pairs->capacity - 1;
    for (size_t at = (hole + 1) & mask; pairs->slots[at].pair; at = (at + 1) & mask) {
        const size_t home = pairs->slots[at].hash & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue; /* its home lies behind the hole */
        pairs->slots[hole] = pairs->slots[at];
        hole = at;
    }
    pairs->slots[hole] = (struct slot){ 0 };
}

void pairs_remove(struct pairs *pairs, struct pair *pair)
{
    size_t at = pair->hash & (pairs->capacity - 1);
    while (pairs->slots[at].pair != pair)
        at = (at + 1) & (pairs->capacity - 1);
    empty(pairs, at);
    pairs->count--;
    unlink_pair(pairs, pair);
    pool_give(pairs->pool, pair);
}

void pairs_free(struct pairs *pairs)
{
    if (!pairs)
        return;
    for (enum pair_queue queue = 0; queue < PAIR_QUEUES; queue++)
        while (pairs->queues[queue].first)
            pairs_remove(pairs, pairs->queues[queue].first);
    free(pairs->slots);
    pool_free(pairs->pool);
    free(pairs);
}
