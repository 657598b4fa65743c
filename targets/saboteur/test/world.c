/* The tests' world (see world.h). */
#include "targets/saboteur/test/world.h"

#include <stdio.h>
#include <string.h>

enum { IUT_PORT = 8080, TESTER_PORT = 20480, PAYLOAD_MAX = 2000 };
#define START_NS (INT64_C(3600) * 1000 * MS)

const struct way ways[WAYS] = {
    {0, 5000, 9000}, {1, 5000, 9000}, {0, UINT32_MAX - 5, UINT32_MAX - 15}, {1, UINT32_MAX - 5, UINT32_MAX - 15},
};

static const struct target_driver *const drivers[] = {&puppet_driver, &puppet_real_driver, &puppet_only_driver, &saboteur_driver, NULL};

void world_open(struct world *w, const char *fault, const struct way *way)
{
    char argument[128];
    struct target_config config = {.seed = 1};
    struct target_error error;
    *w = (struct world){.builder = pkt_builder_new(), .ip = way->ip, .iss = way->iss, .irs = way->irs, .tester_port = TESTER_PORT, .now_ns = START_NS};
    assert_non_null(w->builder);
    w->open_before = puppet_open_count();
    saboteur_use_drivers(drivers);
    snprintf(argument, sizeof argument, "%s,puppet", fault);
    w->t = saboteur_driver_for(argument)->open(argument, &config, &error);
    if (!w->t) {
        fail_msg("%s: %s", fault, error.text);
        return; /* the analyzer does not know that fail_msg() never comes back */
    }
    w->p = puppet_last();
    w->t->ops->advance(w->t, w->now_ns);
}

void world_close(struct world *w)
{
    w->t->ops->close(w->t);
    pkt_builder_free(w->builder);
    assert_int_equal(puppet_open_count(), w->open_before);
}

static void put_options(const struct world *w, bool from_iut, enum opts opts, struct pkt_option_buffer *out)
{
    uint32_t base = from_iut ? w->irs : w->iss;
    const uint32_t edges[][2] = {{base + 11, base + 21}, {base + 31, base + 41}};
    if (opts == FULL || opts == MSS)
        pkt_put_mss(out, 1460);
    if (opts == FULL) {
        pkt_put_sack_permitted(out);
        pkt_put_timestamp(out, 100, 0);
        pkt_put_nop(out);
        pkt_put_wscale(out, 7);
    }
    if (opts == STAMP || opts == OLD_STAMP || opts == BLOCK || opts == TWO_BLOCKS) {
        pkt_put_nop(out);
        pkt_put_nop(out);
    }
    if (opts == STAMP || opts == OLD_STAMP)
        pkt_put_timestamp(out, opts == STAMP ? 200 : 50, 300);
    if (opts == BLOCK || opts == TWO_BLOCKS)
        pkt_put_sack(out, edges, opts == BLOCK ? 1 : 2);
}

size_t world_build(struct world *w, bool from_iut, const struct seg *seg, uint8_t *out, size_t capacity)
{
    static const uint8_t payload[PAYLOAD_MAX] = "The quick brown fox jumps over the lazy dog";
    const struct target_info *info = &w->p->base.info;
    struct pkt_option_buffer options = {0};
    assert_true(seg->len <= PAYLOAD_MAX);
    put_options(w, from_iut, seg->opts, &options);
    struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src = from_iut ? info->iut[w->ip] : info->tester[w->ip], .dst = from_iut ? info->tester[w->ip] : info->iut[w->ip],
        .src_port = from_iut ? IUT_PORT : w->tester_port, .dst_port = from_iut ? w->tester_port : IUT_PORT,
        .seq = (from_iut ? w->iss : w->irs) + (uint32_t)seg->seq, .flags = seg->flags, .window = seg->win, .urgent = seg->urg,
        .options = options.bytes, .options_len = options.len, .payload = payload, .payload_len = seg->len, .tos = seg->tos, .ttl = seg->ttl,
        .overrides = seg->bad_checksum ? PKT_SPOIL_CHECKSUM : 0,
    };
    if (seg->flags & PKT_ACK)
        spec.ack = (from_iut ? w->irs : w->iss) + (uint32_t)seg->ack;
    ssize_t len = pkt_build(w->builder, &spec, out, capacity);
    assert_true(len > 0);
    return (size_t)len;
}

/* SACK edges as they are relative to who is being acknowledged. */
static void make_sack_relative(struct packet *packet, uint8_t *options, uint32_t base)
{
    uint8_t cursor = 0;
    struct pkt_option o;
    memcpy(options, packet->tcp.options, packet->tcp.options_len);
    packet->tcp.options = options;
    while (pkt_option_next(options, packet->tcp.options_len, &cursor, &o) == PKT_OPTION_OK)
        for (unsigned i = 0; o.kind == PKT_OPT_SACK && i + 4 <= o.data_len; i += 4) {
            uint8_t *at = options + (o.data - options) + i;
            uint32_t edge = ((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]) - base;
            for (unsigned b = 0; b < 4; b++)
                at[b] = (uint8_t)(edge >> (24 - 8 * b));
        }
}

void world_describe(const struct world *w, bool from_iut, const uint8_t *bytes, size_t len, char out[static TEXT_MAX])
{
    struct packet packet;
    uint8_t options[PKT_TCP_OPTIONS_MAX];
    assert_int_equal(pkt_parse(bytes, len, &packet), PKT_OK);
    assert_int_equal(packet.kind, PKT_KIND_TCP);
    assert_int_equal(packet.ip.total_len, len);
    bool checksum_ok = packet.tcp.checksum_ok, ack_zero = (packet.tcp.flags & PKT_ACK) && packet.tcp.ack == 0;
    packet.tcp.checksum_ok = true;
    packet.tcp.seq -= from_iut ? w->iss : w->irs;
    if (packet.tcp.flags & PKT_ACK)
        packet.tcp.ack -= from_iut ? w->irs : w->iss;
    if (ack_zero)
        packet.tcp.ack = 0;
    make_sack_relative(&packet, options, from_iut ? w->irs : w->iss);
    pkt_format(&packet, out, TEXT_MAX);
    size_t used = strlen(out);
    if (ack_zero)
        used += (size_t)snprintf(out + used, TEXT_MAX - used, " (zero)");
    if (!checksum_ok)
        used += (size_t)snprintf(out + used, TEXT_MAX - used, " (bad checksum)");
    if (!packet.ip.checksum_ok)
        used += (size_t)snprintf(out + used, TEXT_MAX - used, " (bad IP checksum)");
    if (packet.ip.tos || packet.ip.ttl != 64)
        snprintf(out + used, TEXT_MAX - used, " (tos %u ttl %u)", packet.ip.tos, packet.ip.ttl);
}

static void join(char *out, const char *prefix, const char *text)
{
    size_t used = strlen(out);
    assert_true(snprintf(out + used, TEXT_MAX - used, "%s%s%s", used ? " | " : "", prefix, text) < (int)(TEXT_MAX - used));
}

void world_collect(struct world *w, char out[static TEXT_MAX])
{
    static uint8_t bytes[PKT_BYTES_MAX];
    int64_t at_ns;
    *out = '\0';
    for (ssize_t len; (len = w->t->ops->receive(w->t, bytes, sizeof bytes, &at_ns)) != 0;) {
        char text[TEXT_MAX];
        assert_true(len > 0);
        world_describe(w, true, bytes, (size_t)len, text);
        join(out, "", text);
    }
}

void world_from_iut(struct world *w, struct seg seg, char out[static TEXT_MAX])
{
    uint8_t bytes[PAYLOAD_MAX + 200];
    puppet_emits(w->p, bytes, world_build(w, true, &seg, bytes, sizeof bytes));
    world_collect(w, out);
}

void world_to_iut(struct world *w, struct seg seg, char out[static TEXT_MAX])
{
    uint8_t bytes[PAYLOAD_MAX + 200];
    puppet_forget(w->p);
    assert_int_equal(w->t->ops->send(w->t, bytes, world_build(w, false, &seg, bytes, sizeof bytes)), 0);
    *out = '\0';
    if (w->p->got.bytes)
        world_describe(w, false, w->p->got.bytes, w->p->got.len, out);
}

void world_pass_time(struct world *w, int64_t duration_ns, char out[static TEXT_MAX])
{
    int64_t began_ns = w->now_ns, end_ns = began_ns + duration_ns;
    *out = '\0';
    for (unsigned turns = 0; turns < 1000; turns++) {
        char came[TEXT_MAX], when[32];
        int64_t next_ns = w->t->ops->deadline(w->t);
        if (next_ns > end_ns)
            break;
        w->now_ns = next_ns > w->now_ns ? next_ns : w->now_ns;
        w->t->ops->advance(w->t, w->now_ns);
        world_collect(w, came);
        snprintf(when, sizeof when, "%lld: ", (long long)((w->now_ns - began_ns) / MS));
        if (*came)
            join(out, when, came);
    }
    w->now_ns = end_ns;
    w->t->ops->advance(w->t, end_ns);
}

/* ---- situations */

struct move { bool from_iut; struct seg seg; };

static void make_moves(struct world *w, const struct move *moves)
{
    char ignored[TEXT_MAX];
    for (; moves->seg.flags; moves++) {
        if (moves->from_iut)
            world_from_iut(w, moves->seg, ignored);
        else
            world_to_iut(w, moves->seg, ignored);
    }
}

void world_bring(struct world *w, enum situation situation)
{
    static const struct move to[][8] = {
        [NOTHING] = {{0}},
        [SYN_CAME] = {{false, {S_, 0, .win = 65535, .opts = MSS}}},
        [SYN_SENT] = {{true, {S_, 0, .win = 65535, .opts = FULL}}},
        [SYN_RECEIVED] = {{false, {S_, 0, .win = 65535, .opts = MSS}}, {true, {S_ | A_, 0, .ack = 1, .win = 65535, .opts = MSS}}},
        [OPEN] = {{false, {A_, 1, .ack = 1, .win = 65535}}, {true, {A_, 1, .ack = 1, .win = 1000}}},
        [OPEN_FULL] = {{false, {S_, 0, .win = 65535, .opts = FULL}}, {true, {S_ | A_, 0, .ack = 1, .win = 65535, .opts = FULL}},
                       {false, {A_, 1, .ack = 1, .win = 512, .opts = OLD_STAMP}}, {true, {A_, 1, .ack = 1, .win = 1000, .opts = STAMP}}},
        [OPEN_ACTIVELY] = {{true, {S_, 0, .win = 65535, .opts = FULL}}, {false, {S_ | A_, 0, .ack = 1, .win = 65535, .opts = FULL}},
                           {true, {A_, 1, .ack = 1, .win = 1000, .opts = STAMP}}},
        [OPEN_UNSCALED] = {{true, {S_, 0, .win = 65535, .opts = FULL}}, {false, {S_ | A_, 0, .ack = 1, .win = 65535, .opts = MSS}},
                           {true, {A_, 1, .ack = 1, .win = 1000}}},
        [SENT_10] = {{true, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}}},
        [CLOSED_WINDOW] = {{false, {A_, 1, .ack = 1, .win = 0}}},
        [GOT_GAP] = {{false, {A_ | P_, 11, .len = 10, .ack = 1, .win = 65535}}},
        [GOT_STAMP] = {{false, {A_ | P_, 1, .len = 10, .ack = 1, .win = 512, .opts = STAMP}},
                       {true, {A_, 1, .ack = 11, .win = 1000, .opts = STAMP}}},
        [HALF_CLOSED] = {{true, {F_ | A_, 1, .ack = 1, .win = 1000}}, {false, {A_, 1, .ack = 2, .win = 65535}}},
        [BOTH_CLOSED] = {{false, {F_ | A_, 1, .ack = 2, .win = 65535}}, {true, {A_, 2, .ack = 2, .win = 1000}}},
    };
    static const enum situation from[] = {
        [OPEN] = SYN_RECEIVED, [SENT_10] = OPEN, [CLOSED_WINDOW] = OPEN, [GOT_GAP] = OPEN, [GOT_STAMP] = OPEN_FULL, [HALF_CLOSED] = OPEN,
        [BOTH_CLOSED] = HALF_CLOSED,
    };
    if (from[situation] != NOTHING)
        world_bring(w, from[situation]);
    make_moves(w, to[situation]);
    puppet_forget(w->p);
}
