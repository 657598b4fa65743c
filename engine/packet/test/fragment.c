/* Cutting packets into fragments, and putting fragments together: in any order, doubled, overlapping, missing, too many, too late.
 */
#include "engine/packet/test/generate.h"
#include "engine/packet/test/support.h"

#include <stdlib.h>

#define SECOND_NS INT64_C(1000000000)
enum { FRAGMENTS_MAX = 256, FRAGMENT_LEN_MAX = 2048 };

struct fragments {
    unsigned count;
    size_t lens[FRAGMENTS_MAX];
    uint8_t bytes[FRAGMENTS_MAX][FRAGMENT_LEN_MAX];
};

static void collect(void *context, const uint8_t *fragment, size_t fragment_len)
{
    struct fragments *f = context;

    assert_true(f->count < FRAGMENTS_MAX && fragment_len <= FRAGMENT_LEN_MAX);
    memcpy(f->bytes[f->count], fragment, fragment_len);
    f->lens[f->count++] = fragment_len;
}

static int cut(const uint8_t *bytes, size_t len, size_t mtu, uint32_t id, struct fragments *out)
{
    int count;

    out->count = 0;
    count = pkt_fragment(bytes, len, mtu, id, collect, out);
    if (count >= 0)
        assert_int_equal(count, out->count);
    return count;
}

/* A segment of payload_len octets; IPv4 or IPv6. Returns its length. */
static size_t make_segment(uint8_t version, uint32_t payload_len, uint8_t *out)
{
    struct pkt_builder *builder = pkt_builder_new();
    struct random random = { payload_len };
    static uint8_t payload[9000];
    struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src = address(version == 4 ? "192.0.2.1" : "2001:db8::1"), .dst = address(version == 4 ? "192.0.2.2" : "2001:db8::2"),
        .src_port = 1, .dst_port = 2, .flags = PKT_ACK, .payload = payload, .payload_len = payload_len,
    };
    ssize_t len;

    random_fill(&random, payload, payload_len);
    len = pkt_build(builder, &spec, out, GENERATED_LEN_MAX);
    pkt_builder_free(builder);
    assert_true(len > 0);
    return (size_t)len;
}

static bool add(struct pkt_reassembler *r, const uint8_t *bytes, size_t len, int64_t now_ns, const uint8_t **whole,
                size_t *whole_len)
{
    struct packet p;

    pkt_parse(bytes, len, &p);
    return pkt_reassemble(r, &p, now_ns, whole, whole_len);
}

static bool add_nth(struct pkt_reassembler *r, const struct fragments *f, unsigned n, const uint8_t **whole, size_t *whole_len)
{
    return add(r, f->bytes[n], f->lens[n], 0, whole, whole_len);
}

/* After an octet of the IPv4 header was changed. */
static void mend_checksum(uint8_t *ip)
{
    uint16_t checksum;

    ip[10] = ip[11] = 0;
    checksum = pkt_checksum(ip, 20);
    ip[10] = (uint8_t)(checksum >> 8);
    ip[11] = (uint8_t)checksum;
}

static int set_up(void **state)
{
    *state = pkt_reassembler_new();
    return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    pkt_reassembler_free(*state);
    return 0;
}

/* ---- cutting ------------------------------------------------------------------------------------------------------ */

static void fragments_are_what_the_rfcs_say(void **state)
{
    static const uint8_t versions[] = { 4, 6 };
    static struct fragments f;
    uint8_t bytes[GENERATED_LEN_MAX];

    (void)state;
    for (size_t v = 0; v < COUNT(versions); v++) {
        size_t len = make_segment(versions[v], 3000, bytes), at = 0;
        assert_true(cut(bytes, len, 576, 0x1234, &f) > 1);
        for (unsigned i = 0; i < f.count; i++) {
            struct packet p;
            assert_int_equal(pkt_parse(f.bytes[i], f.lens[i], &p), PKT_OK);
            assert_true(p.kind == PKT_KIND_FRAGMENT && f.lens[i] <= 576 && p.ip.checksum_ok);
            assert_true(p.ip.id == 0x1234 && p.ip.fragment_offset == at && p.ip.more_fragments == (i + 1 < f.count));
            assert_true(!p.ip.more_fragments || p.payload_len % 8 == 0);
            assert_int_equal(p.ip.protocol, PKT_PROTO_TCP);
            at += p.payload_len;
        }
        assert_int_equal(at, 3020);
    }
}

static void a_packet_that_fits_is_left_alone(void **state)
{
    static struct fragments f;
    uint8_t bytes[GENERATED_LEN_MAX];
    size_t len = make_segment(4, 100, bytes);

    (void)state;
    assert_int_equal(cut(bytes, len, len, 1, &f), 1);
    assert_true(f.lens[0] == len && memcmp(f.bytes[0], bytes, len) == 0);
    assert_int_equal(cut(bytes, len, len - 1, 1, &f), 2);
}

static void the_last_fragment_may_be_full_though_no_multiple_of_eight(void **state)
{
    static struct fragments f;
    uint8_t bytes[GENERATED_LEN_MAX];
    size_t len = make_segment(4, 56 + 60 - 20, bytes);

    (void)state;
    assert_int_equal(cut(bytes, len, 20 + 60, 1, &f), 2);
    assert_int_equal(f.lens[1], 20 + 60);
}

static void an_mtu_without_room_is_refused(void **state)
{
    static const struct row { uint8_t version; size_t mtu; bool room; } rows[] = {
        { 4, 0, false }, { 4, 20, false }, { 4, 27, false }, { 4, 28, true }, { 6, 48, false }, { 6, 55, false }, { 6, 56, true },
    };
    static struct fragments f;
    uint8_t bytes[GENERATED_LEN_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = make_segment(rows[i].version, 100, bytes);
        int count = cut(bytes, len, rows[i].mtu, 1, &f);
        if (count != (rows[i].room ? 15 : -1))
            fail_msg("IPv%u, MTU %zu: %d", rows[i].version, rows[i].mtu, count);
    }
}

static void what_does_not_parse_is_not_cut_but_a_damaged_segment_is(void **state)
{
    static struct fragments f;
    uint8_t bytes[GENERATED_LEN_MAX];
    size_t len = make_segment(4, 100, bytes);

    (void)state;
    assert_int_equal(cut(bytes, 0, 100, 1, &f), -1);
    assert_int_equal(cut(bytes, len - 1, 100, 1, &f), -1);
    bytes[32] = 0x10; /* data offset 1 */
    assert_int_equal(cut(bytes, len, 100, 1, &f), 2);
}

static void an_ipv4_fragment_is_cut_further_an_ipv6_one_is_not(void **state)
{
    static struct fragments whole, f;
    uint8_t bytes[GENERATED_LEN_MAX];
    struct packet p;

    (void)state;
    cut(bytes, make_segment(4, 1000, bytes), 520, 7, &whole);
    assert_int_equal(cut(whole.bytes[1], whole.lens[1], 260, 8, &f), 3);
    pkt_parse(f.bytes[1], f.lens[1], &p);
    assert_true(p.ip.id == 7 && p.ip.more_fragments && p.ip.fragment_offset == 496 + 240);
    pkt_parse(f.bytes[2], f.lens[2], &p);
    assert_true(p.ip.more_fragments); /* for the packet goes on behind the second fragment */
    cut(bytes, make_segment(6, 1000, bytes), 520, 7, &whole);
    assert_int_equal(cut(whole.bytes[1], whole.lens[1], 260, 8, &f), -1);
}

/* RFC 791 §3.1: an option whose first bit is set is copied into all fragments. */
static void later_fragments_have_the_options_with_the_copied_flag_only(void **state)
{
    static const struct row { const char *says, *options, *copied; } rows[] = {
        { "padding, a timestamp, router alert", "01 44040500 94040000 01 01 01 00 00 00 00", "94040000" },
        { "copied ones of odd lengths", "01 8203aa 01 8303bb 01 01 01 01 01 01 01 01", "8203aa 8303bb 00 00" },
        { "a length of 1 ends it", "94040000 8201 94040000 00 00 00 00 00 00", "94040000" },
        { "a length past the end ends it", "94040000 82ff 94040000 00 00 00 00 00 00", "94040000" },
        { "none", "01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 82", "" },
    };
    static struct fragments f;
    uint8_t bytes[128], copied[40];
    struct packet p;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = octets("4900 0044 0007 0000 4011 0000 c0000201 c0000202", bytes, sizeof bytes), copied_len;
        len += octets(rows[i].options, bytes + len, sizeof bytes - len);
        assert_int_equal(len, 36);
        memset(bytes + len, 'x', 32);
        assert_int_equal(cut(bytes, len + 32, 60, 1, &f), 2);
        pkt_parse(f.bytes[0], f.lens[0], &p);
        assert_true(p.ip.header_len == 36 && p.payload_len == 24 && memcmp(p.bytes + 20, bytes + 20, 16) == 0);
        pkt_parse(f.bytes[1], f.lens[1], &p);
        copied_len = octets(rows[i].copied, copied, sizeof copied);
        if (p.ip.header_len != 20 + copied_len || memcmp(p.bytes + 20, copied, copied_len) != 0)
            fail_msg("%s: a header of %u octets", rows[i].says, p.ip.header_len);
        assert_true(p.payload_len == 8 && p.ip.checksum_ok);
    }
}

static void headers_for_every_hop_are_repeated_and_the_others_are_cut(void **state)
{
    static const char headers[] = "60000000 0000 00 40 20010db8000000000000000000000001 20010db8000000000000000000000002"
                                  "2b 00 0104 00000000 3c 00 0300 00000000 11 00 0104 00000000";
    static struct fragments f;
    uint8_t bytes[256];
    size_t len = octets(headers, bytes, sizeof bytes);
    struct packet p;

    (void)state;
    memset(bytes + len, 'x', 64);
    len += 64;
    bytes[5] = (uint8_t)(len - 40);
    assert_int_equal(cut(bytes, len, 96, 9, &f), 3);
    for (unsigned i = 0; i < f.count; i++) {
        assert_int_equal(pkt_parse(f.bytes[i], f.lens[i], &p), PKT_OK);
        assert_int_equal(p.ip.header_len, 40 + 8 + 8 + 8);
        assert_int_equal(p.ip.protocol, 60); /* the destination options are part of what is cut */
    }
}

/* ---- putting together --------------------------------------------------------------------------------------------- */

static void shuffle(struct random *random, unsigned *order, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        order[i] = i;
    for (unsigned i = count; i > 1; i--) {
        unsigned j = random_below(random, i), swapped = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swapped;
    }
}

static void expect_whole(const uint8_t *whole, size_t whole_len, const uint8_t *bytes, size_t len)
{
    uint8_t version = bytes[0] >> 4;
    size_t header_len = version == 4 ? (bytes[0] & 0x0fu) * 4 : 40;
    struct packet p;

    assert_int_equal(whole_len, len);
    assert_memory_equal(whole + header_len, bytes + header_len, len - header_len);
    pkt_parse(whole, whole_len, &p);
    assert_true(p.ip.checksum_ok && p.ip.total_len == len && !p.ip.has_fragment_header);
}

static void any_order_and_any_mtu_gives_the_packet_back(void **state)
{
    struct random random = random_from_environment();
    static struct fragments f;
    unsigned order[FRAGMENTS_MAX];
    uint8_t bytes[GENERATED_LEN_MAX];
    const uint8_t *whole;
    size_t whole_len;

    for (unsigned round = 0; round < 2000; round++) {
        size_t len = make_segment(random_one_in(&random, 2) ? 4 : 6, random_below(&random, 1500), bytes);
        cut(bytes, len, 64 + random_below(&random, 1000), round, &f);
        if (f.count < 2)
            continue;
        shuffle(&random, order, f.count);
        for (unsigned i = 0; i < f.count; i++) {
            if (random_one_in(&random, 5)) /* a doubled fragment changes nothing */
                assert_false(i > 0 && add_nth(*state, &f, order[random_below(&random, i)], &whole, &whole_len));
            assert_int_equal(add_nth(*state, &f, order[i], &whole, &whole_len), i + 1 == f.count);
        }
        expect_whole(whole, whole_len, bytes, len);
    }
}

/* An IPv4 fragment of UDP with id 7: the given octets at offset. */
static size_t fragment_of(uint32_t offset, bool more, const char *payload, uint8_t *out)
{
    static const uint8_t header[20] = { 0x45, [5] = 7, [8] = 64, [9] = 17, [12] = 192, 0, 2, 1, 192, 0, 2, 2 };
    size_t len = sizeof header + strlen(payload);

    memcpy(out, header, sizeof header);
    memcpy(out + sizeof header, payload, strlen(payload));
    out[3] = (uint8_t)len;
    out[6] = (uint8_t)((more ? 0x20 : 0) | offset / 8 >> 8);
    out[7] = (uint8_t)(offset / 8);
    mend_checksum(out);
    return len;
}

static void the_first_fragments_header_is_the_wholes(void **state)
{
    const uint8_t *whole;
    uint8_t first[64], second[64];
    size_t first_len = fragment_of(0, true, "aaaaaaaa", first), second_len = fragment_of(8, false, "bbb", second), whole_len;

    first[1] = 0x11; /* type of service */
    second[1] = 0x22;
    mend_checksum(first);
    mend_checksum(second);
    assert_false(add(*state, second, second_len, 0, &whole, &whole_len));
    assert_true(add(*state, first, first_len, 0, &whole, &whole_len));
    assert_int_equal(whole[1], 0x11);
}

/* An IPv6 fragment behind hop-by-hop options of so many octets. */
static size_t fragment_behind(size_t options_len, uint32_t offset, bool more, size_t payload_len, uint8_t *out)
{
    size_t len = octets("60000000 0000 00 40 20010db8000000000000000000000001 20010db8000000000000000000000002", out, 40);

    memset(out + len, 0, options_len + 8 + payload_len);
    out[len] = 44;
    out[len + 1] = (uint8_t)(options_len / 8 - 1);
    len += options_len;
    out[len] = 17;
    out[len + 2] = (uint8_t)(offset >> 8);
    out[len + 3] = (uint8_t)(offset | (more ? 1 : 0));
    len += 8 + payload_len;
    out[4] = (uint8_t)((len - 40) >> 8);
    out[5] = (uint8_t)(len - 40);
    return len;
}

static void headers_of_512_octets_are_kept_and_longer_ones_ignored(void **state)
{
    static uint8_t bytes[1024];
    const uint8_t *whole;
    size_t whole_len;

    assert_false(add(*state, bytes, fragment_behind(PKT_REASSEMBLY_HEADER_MAX - 40, 0, true, 8, bytes), 0, &whole, &whole_len));
    assert_true(add(*state, bytes, fragment_behind(PKT_REASSEMBLY_HEADER_MAX - 40, 8, false, 3, bytes), 0, &whole, &whole_len));
    assert_int_equal(whole_len, PKT_REASSEMBLY_HEADER_MAX + 11);
    assert_false(add(*state, bytes, fragment_behind(PKT_REASSEMBLY_HEADER_MAX - 32, 0, true, 8, bytes), 0, &whole, &whole_len));
    assert_false(add(*state, bytes, fragment_behind(PKT_REASSEMBLY_HEADER_MAX - 32, 8, false, 3, bytes), 0, &whole, &whole_len));
}

static void what_is_no_fragment_is_ignored(void **state)
{
    uint8_t bytes[GENERATED_LEN_MAX];
    const uint8_t *whole;
    size_t len = make_segment(4, 100, bytes), whole_len;

    assert_false(add(*state, bytes, len, 0, &whole, &whole_len));
    assert_false(add(*state, bytes, 3, 0, &whole, &whole_len));
    pkt_reassembler_free(NULL);
}

static void a_missing_fragment_leaves_it_undone(void **state)
{
    static struct fragments f;
    uint8_t bytes[GENERATED_LEN_MAX];
    const uint8_t *whole;
    size_t whole_len, len = make_segment(4, 1000, bytes);

    cut(bytes, len, 300, 1, &f);
    for (unsigned missing = 0; missing < f.count; missing++) {
        for (unsigned i = 0; i < f.count; i++) {
            f.bytes[i][4] = (uint8_t)missing; /* another id */
            mend_checksum(f.bytes[i]);
        }
        for (unsigned i = 0; i < f.count; i++) {
            if (i != missing)
                assert_false(add_nth(*state, &f, i, &whole, &whole_len));
        }
    }
}

static void overlapping_fragments_must_agree(void **state)
{
    static const struct row {
        const char *says;
        struct { uint32_t offset; bool more; const char *payload; } pieces[4];
        const char *whole; /* NULL: dropped */
    } rows[] = {
        { "no overlap", { { 0, true, "aaaaaaaa" }, { 8, false, "bbb" } }, "aaaaaaaabbb" },
        { "the same twice", { { 0, true, "aaaaaaaa" }, { 0, true, "aaaaaaaa" }, { 8, false, "bbb" } }, "aaaaaaaabbb" },
        { "an overlap with the same octets", { { 0, true, "aaaaaaaabbbbbbbb" }, { 8, true, "bbbbbbbbcccccccc" }, { 24, false, "d" } },
          "aaaaaaaabbbbbbbbccccccccd" },
        { "an overlap with others", { { 0, true, "aaaaaaaabbbbbbbb" }, { 8, true, "xbbbbbbbcccccccc" }, { 24, false, "d" } }, NULL },
        { "an overlap, the last octet of which differs", { { 8, false, "bbbbbbbb" }, { 0, true, "aaaaaaaabbbbbbbx" } }, NULL },
        { "two ends", { { 8, false, "bbb" }, { 8, false, "bbbb" }, { 0, true, "aaaaaaaa" } }, NULL },
        { "one behind the end", { { 8, false, "bbb" }, { 16, true, "cccccccc" }, { 0, true, "aaaaaaaa" } }, NULL },
        { "one behind the end, come before it", { { 16, true, "cccccccc" }, { 0, true, "aaaaaaaa" }, { 8, false, "bbb" } }, NULL },
        { "an end before what came", { { 8, true, "bbbbbbbb" }, { 0, false, "aaaaaaaa" } }, NULL },
        { "one that goes on past a partial end", { { 8, false, "bbb" }, { 8, true, "bbbbbbbb" }, { 0, true, "aaaaaaaa" } }, NULL },
    };
    const uint8_t *whole = NULL;
    uint8_t bytes[64];
    size_t whole_len = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pkt_reassembler *r = pkt_reassembler_new();
        bool complete = false;
        for (unsigned n = 0; n < 4 && rows[i].pieces[n].payload != NULL && !complete; n++) {
            size_t len = fragment_of(rows[i].pieces[n].offset, rows[i].pieces[n].more, rows[i].pieces[n].payload, bytes);
            complete = add(r, bytes, len, 0, &whole, &whole_len);
        }
        if (complete != (rows[i].whole != NULL))
            fail_msg("%s: %s", rows[i].says, complete ? "put together" : "not put together");
        if (complete) {
            assert_int_equal(whole_len, 20 + strlen(rows[i].whole));
            assert_memory_equal(whole + 20, rows[i].whole, whole_len - 20);
        }
        pkt_reassembler_free(r);
    }
}

/* RFC 5722 §4: those not yet received are dropped as well. */
static void of_a_datagram_dropped_no_fragment_comes_back(void **state)
{
    const uint8_t *whole;
    uint8_t bytes[64];
    size_t whole_len;

    assert_false(add(*state, bytes, fragment_of(0, true, "aaaaaaaa", bytes), 0, &whole, &whole_len));
    assert_false(add(*state, bytes, fragment_of(0, true, "xxxxxxxx", bytes), 0, &whole, &whole_len));
    assert_false(add(*state, bytes, fragment_of(0, true, "aaaaaaaa", bytes), 1, &whole, &whole_len));
    assert_false(add(*state, bytes, fragment_of(8, false, "bbb", bytes), 2, &whole, &whole_len));
    assert_false(add(*state, bytes, fragment_of(0, true, "aaaaaaaa", bytes), 60 * SECOND_NS, &whole, &whole_len)); /* a new one */
    assert_true(add(*state, bytes, fragment_of(8, false, "bbb", bytes), 60 * SECOND_NS, &whole, &whole_len));
}

static void impossible_fragments_are_ignored(void **state)
{
    const uint8_t *whole;
    uint8_t bytes[64];
    size_t whole_len, len;

    assert_false(add(*state, bytes, fragment_of(0, true, "aaaaaaaa", bytes), 0, &whole, &whole_len));
    assert_false(add(*state, bytes, fragment_of(8, true, "not 8", bytes), 0, &whole, &whole_len));
    assert_false(add(*state, bytes, fragment_of(65528, false, "too long!", bytes), 0, &whole, &whole_len));
    assert_false(add(*state, bytes, fragment_of(8, false, "", bytes), 0, &whole, &whole_len));
    len = fragment_of(8, false, "xxx", bytes);
    bytes[10] ^= 1; /* a wrong checksum */
    assert_false(add(*state, bytes, len, 0, &whole, &whole_len));
    assert_true(add(*state, bytes, fragment_of(8, false, "bbb", bytes), 0, &whole, &whole_len));
    assert_memory_equal(whole + 20, "aaaaaaaabbb", 11);
}

static void sixty_seconds_are_the_limit(void **state)
{
    const uint8_t *whole;
    uint8_t bytes[64];
    size_t whole_len;

    assert_false(add(*state, bytes, fragment_of(0, true, "aaaaaaaa", bytes), 5, &whole, &whole_len));
    assert_true(add(*state, bytes, fragment_of(8, false, "bbb", bytes), 5 + 60 * SECOND_NS - 1, &whole, &whole_len));
    assert_false(add(*state, bytes, fragment_of(0, true, "aaaaaaaa", bytes), 5, &whole, &whole_len));
    assert_false(add(*state, bytes, fragment_of(8, false, "bbb", bytes), 5 + 60 * SECOND_NS, &whole, &whole_len));
}

/* The first halves of two datagrams more than there is room for, then the second halves: the two oldest are gone. The second halves
 * come youngest first, for a half whose datagram is gone begins another, and pushes out the oldest. */
static void the_oldest_of_too_many_are_dropped(void **state)
{
    enum { SOURCES = PKT_REASSEMBLIES_MAX + 2 };
    const uint8_t *whole;
    uint8_t bytes[64];
    size_t whole_len, len;

    for (unsigned i = 0; i < 2 * SOURCES; i++) {
        bool second_half = i >= SOURCES;
        unsigned source = second_half ? 2 * SOURCES - 1 - i : i;
        len = fragment_of(second_half ? 8 : 0, !second_half, "aaaaaaaa", bytes);
        bytes[15] = (uint8_t)source;
        mend_checksum(bytes);
        assert_int_equal(add(*state, bytes, len, i, &whole, &whole_len), second_half && source >= 2);
    }
}

static void datagrams_are_told_apart_by_all_of_their_identity(void **state)
{
    static const struct row { const char *says; unsigned octet; uint8_t value; } rows[] = {
        { "source", 15, 9 }, { "destination", 19, 9 }, { "id", 5, 9 }, { "protocol", 9, 6 },
    };
    const uint8_t *whole;
    uint8_t bytes[64];
    size_t whole_len, len;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pkt_reassembler *r = pkt_reassembler_new();
        assert_false(add(r, bytes, fragment_of(0, true, "aaaaaaaa", bytes), 0, &whole, &whole_len));
        len = fragment_of(8, false, "bbb", bytes);
        bytes[rows[i].octet] = rows[i].value;
        mend_checksum(bytes);
        if (add(r, bytes, len, 0, &whole, &whole_len))
            fail_msg("another %s, and put together all the same", rows[i].says);
        pkt_reassembler_free(r);
    }
}

/* 65535 octets behind an IPv6 header: the last fragment ends where the last one can. */
static void the_largest_ipv6_packet_is_put_together(void **state)
{
    static uint8_t payload[65535], packet[PKT_BYTES_MAX];
    static struct fragments f;
    struct pkt_builder *builder = pkt_builder_new();
    struct pkt_spec spec = { .protocol = 17, .src = address("2001:db8::1"), .dst = address("2001:db8::2"), .payload = payload, .payload_len = 65535 };
    ssize_t len = pkt_build(builder, &spec, packet, sizeof packet);
    const uint8_t *whole;
    size_t whole_len = 0;
    bool complete = false;

    pkt_builder_free(builder);
    cut(packet, (size_t)len, 1500, 3, &f);
    for (unsigned i = 0; i < f.count; i++)
        complete = add_nth(*state, &f, i, &whole, &whole_len);
    assert_true(complete && whole_len == PKT_BYTES_MAX && memcmp(whole, packet, whole_len) == 0);
}

static void the_whole_may_not_be_longer_than_a_packet(void **state)
{
    static uint8_t bytes[PKT_BYTES_MAX];
    static struct fragments f;
    struct pkt_builder *builder = pkt_builder_new();
    struct pkt_spec spec = { .protocol = 17, .src = address("192.0.2.1"), .dst = address("192.0.2.2"), .payload = bytes, .payload_len = 65515 };
    static uint8_t packet[PKT_BYTES_MAX];
    ssize_t len = pkt_build(builder, &spec, packet, sizeof packet);
    const uint8_t *whole;
    size_t whole_len = 0;
    bool complete = false;

    pkt_builder_free(builder);
    assert_int_equal(len, 65535);
    cut(packet, (size_t)len, 1500, 3, &f);
    for (unsigned i = 0; i < f.count; i++)
        complete = add_nth(*state, &f, i, &whole, &whole_len);
    assert_true(complete && whole_len == 65535);
    f.bytes[f.count - 1][3]++; /* one octet more in the last fragment */
    mend_checksum(f.bytes[f.count - 1]);
    f.lens[f.count - 1]++;
    for (unsigned i = 0; i < f.count; i++)
        assert_false(add_nth(*state, &f, i, &whole, &whole_len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_are_what_the_rfcs_say),
        cmocka_unit_test(a_packet_that_fits_is_left_alone),
        cmocka_unit_test(the_last_fragment_may_be_full_though_no_multiple_of_eight),
        cmocka_unit_test(an_mtu_without_room_is_refused),
        cmocka_unit_test(what_does_not_parse_is_not_cut_but_a_damaged_segment_is),
        cmocka_unit_test(an_ipv4_fragment_is_cut_further_an_ipv6_one_is_not),
        cmocka_unit_test(later_fragments_have_the_options_with_the_copied_flag_only),
        cmocka_unit_test(headers_for_every_hop_are_repeated_and_the_others_are_cut),
        cmocka_unit_test_setup_teardown(any_order_and_any_mtu_gives_the_packet_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_fragments_header_is_the_wholes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(headers_of_512_octets_are_kept_and_longer_ones_ignored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_fragment_is_ignored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_fragment_leaves_it_undone, set_up, tear_down),
        cmocka_unit_test(overlapping_fragments_must_agree),
        cmocka_unit_test_setup_teardown(of_a_datagram_dropped_no_fragment_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(impossible_fragments_are_ignored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sixty_seconds_are_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_of_too_many_are_dropped, set_up, tear_down),
        cmocka_unit_test(datagrams_are_told_apart_by_all_of_their_identity),
        cmocka_unit_test_setup_teardown(the_largest_ipv6_packet_is_put_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_whole_may_not_be_longer_than_a_packet, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("fragments", tests, NULL, NULL);
}
