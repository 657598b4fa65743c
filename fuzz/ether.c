/* Fuzzes the neighbour layer: the input is a conversation of frames from the link, packets to it, and time.
 *
 * A crash means that any neighbour on the link can bring the tester down. */
#include "targets/tap/ether.h"

#include <stdlib.h>
#include <string.h>

enum { FRAME_CAPACITY = 600 };

static const struct ether_config CONFIG = {
    .mac = { { 2, 0, 0, 0, 0, 1 } },
    .ranges = { { { 4, { 198, 51, 100, 1 } }, 200 }, { { 6, { 0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 1 } }, 200 } }, .range_count = 2,
    .broadcast = { 4, { 198, 51, 100, 255 } },
};

static void must(int holds)
{
    if (!holds)
        abort();
}

static void check_frame(const uint8_t *frame, ssize_t len)
{
    if (len <= 0)
        return;
    must(len >= ETH_HEADER_LEN && len <= FRAME_CAPACITY);
    must(memcmp(frame + 6, CONFIG.mac.bytes, 6) == 0);
}

static void drain(struct ether *e, int64_t now_ns)
{
    uint8_t out[FRAME_CAPACITY];
    ssize_t len;
    for (int i = 0; (len = ether_next(e, now_ns, out, sizeof out)) != 0; i++) {
        check_frame(out, len);
        must(i <= ETHER_REPLIES_MAX + ETHER_HELD_MAX + ETHER_NEIGHBOURS_MAX);
    }
    must(ether_deadline(e) > now_ns);
}

/* A frame in a buffer of just its size, so that a read past its end is seen. The destination is ours unless its first octet is odd.
 */
static void put_frame(struct ether *e, const uint8_t *data, size_t len)
{
    uint8_t *frame = malloc(len ? len : 1);
    must(frame != NULL);
    memcpy(frame, data, len);
    if (len >= 6 && !(frame[0] & 1))
        memcpy(frame, CONFIG.mac.bytes, 6);
    const uint8_t *packet = NULL;
    size_t packet_len = 0;
    if (ether_unwrap(e, frame, len, &packet, &packet_len))
        must(packet >= frame && packet + packet_len <= frame + len && packet_len >= 20);
    free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ether_config config = CONFIG;
    config.peer_known = size && (data[0] & 1);
    struct ether *e = ether_new(&config);
    int64_t now_ns = 0;
    for (size_t at = 1; e && at + 2 <= size;) {
        uint8_t what = data[at] & 3, len = data[at + 1];
        at += 2;
        if (len > size - at)
            len = (uint8_t)(size - at);
        uint8_t out[FRAME_CAPACITY];
        if (what == 0)
            check_frame(out, ether_wrap(e, data + at, len, now_ns, out, sizeof out));
        else if (what == 1)
            drain(e, now_ns += len * INT64_C(10000000));
        else
            put_frame(e, data + at, len);
        at += what == 1 ? 0 : len;
    }
    if (e)
        drain(e, now_ns);
    ether_free(e);
    return 0;
}
