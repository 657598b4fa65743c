/* Super-frames are cut as a network card would, and frames are found in streams however these are cut. */
#include "targets/tap/framing.h"
#include "targets/tap/offload.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINK = ETH_HEADER_LEN, PAYLOAD = 3000, SEGMENT = 1400 };

static size_t make_super(uint8_t version, uint8_t *out, size_t capacity)
{
    static uint8_t payload[PAYLOAD];
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 7);
    struct pkt_builder *builder = pkt_builder_new();
    struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src_port = 80, .dst_port = 20480, .seq = UINT32_MAX - 1000, .ack = 5, .window = 100, .ip_id = UINT16_MAX,
        .flags = PKT_ACK | PKT_PSH | PKT_FIN | PKT_CWR, .payload = payload, .payload_len = sizeof payload,
    };
    pkt_addr_parse(version == 6 ? "2001:db8::2" : "192.0.2.2", &spec.src);
    pkt_addr_parse(version == 6 ? "2001:db8::100" : "192.0.2.100", &spec.dst);
    memset(out, 0xee, LINK);
    ssize_t len = pkt_build(builder, &spec, out + LINK, capacity - LINK);
    pkt_builder_free(builder);
    assert_true(len > 0);
    return (size_t)len + LINK;
}

static void check_segment(const uint8_t *bytes, size_t len, unsigned n, uint32_t at, bool last)
{
    struct packet packet;
    assert_int_equal(pkt_parse(bytes + LINK, len - LINK, &packet), PKT_OK);
    assert_int_equal(packet.kind, PKT_KIND_TCP);
    assert_true(packet.tcp.checksum_ok && packet.ip.checksum_ok);
    assert_int_equal(packet.tcp.seq, (uint32_t)(UINT32_MAX - 1000 + at));
    assert_int_equal(packet.tcp.flags, PKT_ACK | (last ? PKT_PSH | PKT_FIN : 0u) | (n == 0 ? PKT_CWR : 0u));
    if (packet.ip.version == 4)
        assert_int_equal(packet.ip.id, (uint16_t)(UINT16_MAX + n));
    for (uint32_t i = 0; i < packet.tcp.payload_len; i++)
        assert_int_equal(packet.tcp.payload[i], (uint8_t)((at + i) * 7));
}

static void a_super_frame_becomes_segments(void **state)
{
    (void)state;
    for (uint8_t version = 4; version <= 6; version = (uint8_t)(version + 2)) {
        uint8_t super[LINK + PAYLOAD + 100], out[LINK + SEGMENT + 60];
        size_t len = make_super(version, super, sizeof super), at = 0;
        unsigned count = offload_segments(super, len, LINK, SEGMENT);
        assert_int_equal(count, 3);
        for (unsigned n = 0; n < count; n++) {
            ssize_t part = offload_segment(super, len, LINK, SEGMENT, n, out, sizeof out);
            assert_true(part > 0);
            check_segment(out, (size_t)part, n, (uint32_t)at, n == count - 1);
            at += SEGMENT;
        }
        assert_int_equal(offload_segment(super, len, LINK, SEGMENT, count, out, sizeof out), -EMSGSIZE);
        assert_int_equal(offload_segment(super, len, LINK, SEGMENT, 0, out, 100), -EMSGSIZE);
        assert_int_equal(offload_segments(super, len - 1, LINK, SEGMENT), 0); /* cut short: not TCP any more */
        assert_int_equal(offload_segments(super, len, LINK, 0), 0);
    }
}

static void a_partial_checksum_is_completed(void **state)
{
    (void)state;
    uint8_t frame[LINK + PAYLOAD + 100];
    struct packet packet;
    size_t len = make_super(4, frame, sizeof frame);
    assert_int_equal(pkt_parse(frame + LINK, len - LINK, &packet), PKT_OK);
    uint16_t partial = pkt_partial_checksum(&packet.ip.src, &packet.ip.dst, PKT_PROTO_TCP, (uint32_t)(len - LINK - 20));
    frame[LINK + 20 + 16] = (uint8_t)(partial >> 8);
    frame[LINK + 20 + 17] = (uint8_t)partial;
    assert_true(offload_complete(frame, len, LINK + 20, 16));
    assert_int_equal(pkt_parse(frame + LINK, len - LINK, &packet), PKT_OK);
    assert_true(packet.tcp.checksum_ok);
    assert_false(offload_complete(frame, len, len - 1, 0));
    assert_false(offload_complete(frame, len, 0, SIZE_MAX));
    assert_false(offload_complete(frame, len, SIZE_MAX, 0));
}

/* Hands the stream over in parts of so many octets, and counts the frames. */
static int frames_in(const uint8_t *stream, size_t len, size_t part, ssize_t *end)
{
    struct framing *f = calloc(1, sizeof *f);
    int count = 0;
    *end = 0;
    assert_non_null(f);
    for (size_t at = 0; at < len && *end == 0;) {
        uint8_t *room;
        const uint8_t *frame;
        size_t space = framing_space(f, &room), step = len - at < part ? len - at : part;
        assert_true(space > 0);
        step = step < space ? step : space;
        memcpy(room, stream + at, step);
        framing_filled(f, step);
        at += step;
        ssize_t got;
        while ((got = framing_next(f, &frame)) > 0) {
            assert_int_equal(frame[0], count);
            assert_int_equal(got, count == 1 ? WIRE_FRAME_MAX : 60);
            count++;
        }
        *end = got;
    }
    free(f);
    return count;
}

static size_t add_frame(uint8_t *out, size_t len, uint8_t mark)
{
    framing_length(len, out);
    memset(out + FRAMING_LENGTH_BYTES, mark, len);
    return FRAMING_LENGTH_BYTES + len;
}

static void frames_are_found_however_the_stream_is_cut(void **state)
{
    (void)state;
    static uint8_t stream[WIRE_FRAME_MAX + 1000];
    static const size_t parts[] = { 1, 3, 4, 64, 1000, sizeof stream };
    size_t len = add_frame(stream, 60, 0);
    len += add_frame(stream + len, WIRE_FRAME_MAX, 1);
    len += add_frame(stream + len, 0, 0); /* nothing: skipped */
    len += add_frame(stream + len, 60, 2);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        ssize_t end;
        assert_int_equal(frames_in(stream, len, parts[i], &end), 3);
        assert_int_equal(end, 0);
    }
}

static void a_length_that_no_frame_has_ends_the_stream(void **state)
{
    (void)state;
    uint8_t stream[200];
    ssize_t end;
    size_t len = add_frame(stream, 60, 0);
    framing_length(WIRE_FRAME_MAX + 1, stream + len);
    assert_int_equal(frames_in(stream, len + FRAMING_LENGTH_BYTES, 7, &end), 1);
    assert_int_equal(end, -EPROTO);
    framing_length(UINT32_MAX, stream);
    assert_int_equal(frames_in(stream, FRAMING_LENGTH_BYTES, 4, &end), 0);
    assert_int_equal(end, -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_super_frame_becomes_segments), cmocka_unit_test(a_partial_checksum_is_completed),
        cmocka_unit_test(frames_are_found_however_the_stream_is_cut), cmocka_unit_test(a_length_that_no_frame_has_ends_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
