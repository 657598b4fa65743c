/* Makes captures (film.h). */
#include "engine/capture/test/film.h"

#include <stdlib.h>

enum { MTU = 1500, FRAME_MAX = 70000 };

void film_begin(struct film *film, int link)
{
    *film = (struct film){ .link = link, .snaplen = FRAME_MAX, .ip_id = 1, .now_ns = INT64_C(1700000000) * 1000000000 };
    film->pcap = pcap_open_dead_with_tstamp_precision(link, FRAME_MAX, PCAP_TSTAMP_PRECISION_NANO);
    film->stream = open_memstream(&film->bytes, &film->len);
    film->dumper = pcap_dump_fopen(film->pcap, film->stream);
    assert_non_null(film->dumper);
}

void film_frame(struct film *film, const uint8_t *bytes, size_t len)
{
    const struct pcap_pkthdr header = {
        .ts = { film->now_ns / 1000000000, film->now_ns % 1000000000 }, .len = (bpf_u_int32)len,
        .caplen = (bpf_u_int32)(len < film->snaplen ? len : film->snaplen),
    };
    pcap_dump((u_char *)film->dumper, &header, bytes);
    film->now_ns += 1000000;
}

static size_t usual_header(const struct film *film, bool ipv6, uint8_t out[static 32])
{
    switch (film->link) {
    case DLT_EN10MB: return octets(ipv6 ? "020000000001 020000000002 86dd" : "020000000001 020000000002 0800", out, 32);
    case DLT_LINUX_SLL: return octets(ipv6 ? "0000 0001 0006 020000000001 0000 86dd" : "0000 0001 0006 020000000001 0000 0800", out, 32);
    case DLT_LINUX_SLL2: return octets(ipv6 ? "86dd 0000 00000002 0001 00 06 0200000000010000" : "0800 0000 00000002 0001 00 06 0200000000010000", out, 32);
    case DLT_NULL: return octets(ipv6 ? "1e000000" : "02000000", out, 32);
    case DLT_LOOP: return octets(ipv6 ? "00000018" : "00000002", out, 32);
    case DLT_PPP: return octets(ipv6 ? "ff03 0057" : "ff03 0021", out, 32);
    default: return 0;
    }
}

void film_packet(struct film *film, const uint8_t *bytes, size_t len)
{
    static uint8_t frame[FRAME_MAX];
    size_t header_len = film->header_len;
    if (film->header)
        memcpy(frame, film->header, header_len);
    else
        header_len = usual_header(film, bytes[0] >> 4 == 6, frame);
    memcpy(frame + header_len, bytes, len);
    film_frame(film, frame, header_len + len);
}

size_t shot_build(const struct shot *shot, uint16_t ip_id, uint8_t *out, size_t capacity)
{
    static const uint8_t data[4000];
    struct pkt_builder *builder = pkt_builder_new();
    struct pkt_option_buffer options = { 0 };
    const struct pkt_addr client = address(shot->ipv6 ? "2001:db8::1" : "192.0.2.1"), server = address(shot->ipv6 ? "2001:db8::2" : "192.0.2.2");
    const uint16_t port = shot->port ? shot->port : 40000;
    if (shot->flags & PKT_SYN)
        pkt_put_mss(&options, 1460);
    const struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src = shot->from_server ? server : client, .dst = shot->from_server ? client : server,
        .src_port = shot->from_server ? 80 : port, .dst_port = shot->from_server ? port : 80, .ip_id = ip_id, .flags = shot->flags,
        .seq = shot->seq, .ack = shot->ack, .window = 65535, .options = options.bytes, .options_len = options.len, .payload = data,
        .payload_len = shot->len, .overrides = shot->overrides, .checksum_value = shot->checksum,
    };
    const ssize_t len = pkt_build(builder, &spec, out, capacity);
    assert_true(len > 0);
    pkt_builder_free(builder);
    return (size_t)len;
}

void film_shot(struct film *film, struct shot shot)
{
    uint8_t packet[5000];
    const size_t len = shot_build(&shot, film->ip_id, packet, sizeof packet);
    film->ip_id = (uint16_t)(film->ip_id + (film->ip_id != 0));
    film_packet(film, packet, len);
}

struct shot talk_shot(unsigned step, uint16_t port, uint32_t client_iss, uint32_t server_iss)
{
    const struct shot shots[SHOTS_OF_TALK] = {
        { .flags = PKT_SYN },
        { .from_server = true, .flags = PKT_SYN | PKT_ACK, .ack = 1 },
        { .flags = PKT_ACK, .seq = 1, .ack = 1 },
        { .flags = PKT_ACK | PKT_PSH, .seq = 1, .ack = 1, .len = 100 },
        { .from_server = true, .flags = PKT_ACK, .seq = 1, .ack = 101 },
        { .from_server = true, .flags = PKT_ACK | PKT_PSH, .seq = 1, .ack = 101, .len = 1000 },
        { .flags = PKT_ACK, .seq = 101, .ack = 1001 },
        { .flags = PKT_ACK | PKT_FIN, .seq = 101, .ack = 1001 },
        { .from_server = true, .flags = PKT_ACK | PKT_FIN, .seq = 1001, .ack = 102 },
        { .flags = PKT_ACK, .seq = 102, .ack = 1002 },
    };
    struct shot shot = shots[step];
    shot.port = port;
    shot.seq += shot.from_server ? server_iss : client_iss;
    if (shot.flags & PKT_ACK)
        shot.ack += shot.from_server ? client_iss : server_iss;
    return shot;
}

void film_talk(struct film *film, uint16_t port, uint32_t client_iss, uint32_t server_iss)
{
    for (unsigned step = 0; step < SHOTS_OF_TALK; step++)
        film_shot(film, talk_shot(step, port, client_iss, server_iss));
}

void film_end(struct film *film)
{
    if (!film->dumper)
        return;
    pcap_dump_close(film->dumper); /* and the stream with it */
    pcap_close(film->pcap);
    film->dumper = NULL;
}

void film_free(struct film *film)
{
    film_end(film);
    free(film->bytes);
}

struct inspection *inspect_bytes(const char *bytes, size_t len, const char *filter, struct inspection_config config,
                                 enum capture_next *end)
{
    char error[512];
    int filter_is_wrong;
    struct capture_frame frame;
    struct capture_reader *reader = capture_open(fmemopen((char *)bytes, len, "rb"), filter, &filter_is_wrong, error, sizeof error);
    if (!reader)
        fail_msg("%s", error);
    config.link = capture_link(reader);
    struct inspection *inspection = inspection_new(&config);
    assert_non_null(inspection);
    while ((*end = capture_read(reader, &frame)) == CAPTURE_FRAME)
        inspection_frame(inspection, &frame);
    inspection_finish(inspection);
    capture_close(reader);
    return inspection;
}

struct inspection *film_inspect(struct film *film, struct inspection_config config)
{
    enum capture_next end;
    film_end(film);
    struct inspection *inspection = inspect_bytes(film->bytes, film->len, NULL, config, &end);
    assert_int_equal(end, CAPTURE_END);
    return inspection;
}
