/* Two reference stacks and an unreliable link between them. */
#include "targets/reference/test/world.h"

#include "engine/packet/packet.h"

#include <stdlib.h>
#include <string.h>

void world_init(struct world *world, struct ref_stack *a, struct ref_stack *b, int64_t now_ns, uint64_t seed)
{
    *world = (struct world){ .host = { a, b }, .now_ns = now_ns, .random_state = seed };
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < world->flying_count; i++)
        free(world->flying[i].bytes);
    free(world->flying);
    ref_stack_free(world->host[0]);
    ref_stack_free(world->host[1]);
}

uint64_t world_random(struct world *world) /* SplitMix64 */
{
    uint64_t z = world->random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t world_below(struct world *world, uint64_t below)
{
    return below ? world_random(world) % below : 0;
}

bool world_chance(struct world *world, unsigned permille)
{
    return permille && world_below(world, 1000) < permille;
}

/* What flies is a binary heap: the next to arrive comes first. */
static bool before(const struct flying *a, const struct flying *b)
{
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

static void swap(struct flying *a, struct flying *b)
{
    struct flying other = *a;
    *a = *b;
    *b = other;
}

static void launch(struct world *world, int to, const uint8_t *bytes, size_t len, int64_t at_ns)
{
    if (world->flying_count == world->flying_capacity) {
        world->flying_capacity = world->flying_capacity ? world->flying_capacity * 2 : 64;
        world->flying = realloc(world->flying, world->flying_capacity * sizeof *world->flying);
        if (!world->flying)
            abort();
    }
    uint8_t *copy = malloc(len);
    if (!copy)
        abort();
    memcpy(copy, bytes, len);
    size_t at = world->flying_count++;
    world->flying[at] = (struct flying){ .at_ns = at_ns, .order = world->order++, .to = to, .len = len, .bytes = copy };
    for (; at > 0 && before(&world->flying[at], &world->flying[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&world->flying[at], &world->flying[(at - 1) / 2]);
}

static struct flying land(struct world *world)
{
    struct flying *heap = world->flying, first = heap[0];
    size_t count = --world->flying_count, at = 0, child;
    heap[0] = heap[count];
    while ((child = 2 * at + 1) < count) {
        if (child + 1 < count && before(&heap[child + 1], &heap[child]))
            child++;
        if (!before(&heap[child], &heap[at]))
            break;
        swap(&heap[child], &heap[at]);
        at = child;
    }
    return first;
}

/* Changes an octet of text behind the checksum's back. */
static void tamper(uint8_t *bytes, size_t len)
{
    struct packet packet;
    if (pkt_parse(bytes, len, &packet) != PKT_OK || packet.kind != PKT_KIND_TCP || packet.tcp.payload_len == 0)
        return;
    uint8_t *tcp = bytes + packet.ip.header_len;
    size_t tcp_len = packet.ip.total_len - packet.ip.header_len;
    bytes[packet.tcp.payload - bytes] ^= 1;
    tcp[16] = tcp[17] = 0;
    uint16_t sum = pkt_transport_checksum(&packet.ip.src, &packet.ip.dst, PKT_PROTO_TCP, tcp, tcp_len);
    tcp[16] = (uint8_t)(sum >> 8);
    tcp[17] = (uint8_t)sum;
}

static void send_over_link(struct world *world, int from, uint8_t *bytes, size_t len)
{
    const struct faults *faults = &world->faults[from];
    bool dark = world->now_ns >= faults->blackout_from_ns && world->now_ns < faults->blackout_to_ns;
    world->sent++;
    if (dark || world_chance(world, faults->loss_permille)) {
        world->lost++;
        return;
    }
    int copies = world_chance(world, faults->duplicate_permille) ? 2 : 1;
    world->duplicated += copies == 2;
    if (world_chance(world, faults->tamper_permille))
        tamper(bytes, len);
    if (world_chance(world, faults->corrupt_permille)) {
        uint64_t bit = world_below(world, len * 8);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        world->corrupted++;
    }
    for (int i = 0; i < copies; i++)
        launch(world, 1 - from, bytes, len,
               world->now_ns + faults->delay_ns + (int64_t)world_below(world, (uint64_t)faults->jitter_ns));
}

void world_collect(struct world *world)
{
    uint8_t bytes[65536];
    ssize_t len;
    for (int from = 0; from < 2; from++) {
        while ((len = ref_output(world->host[from], bytes, sizeof bytes, world->now_ns, NULL)) > 0) {
            if (world->watch)
                world->watch(world->watch_context, from, bytes, (size_t)len);
            send_over_link(world, from, bytes, (size_t)len);
        }
    }
}

int64_t world_next(const struct world *world)
{
    int64_t next_ns = INT64_MAX;
    if (world->flying_count)
        next_ns = world->flying[0].at_ns;
    for (int i = 0; i < 2; i++) {
        int64_t deadline_ns = ref_next_deadline(world->host[i]);
        if (deadline_ns < next_ns)
            next_ns = deadline_ns;
    }
    return next_ns;
}

void world_step_to(struct world *world, int64_t now_ns)
{
    if (now_ns > world->now_ns)
        world->now_ns = now_ns;
    for (int i = 0; i < 2; i++)
        ref_advance(world->host[i], world->now_ns);
    if (world->flying_count && world->flying[0].at_ns <= world->now_ns) {
        struct flying packet = land(world);
        ref_input(world->host[packet.to], packet.bytes, packet.len, world->now_ns);
        free(packet.bytes);
    }
    world_collect(world);
}
