/* How fast packets are built, beside the bare libnet calls that build the same ones, and how fast they are read: ratios of one run.
 *
 * Both sides are measured by turns, and the best of ROUNDS counts, so that what else the machine does weighs on neither. The bare
 * side reuses its blocks, lets libnet compute the checksums, and coalesces and frees the packet, which is the least that gives a
 * packet's octets. */
#include "engine/packet/packet.h"

#include <libnet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 15, PACKETS_PER_ROUND = 50000, SEGMENT_LEN = 1460 };

struct subject { /* one kind of packet, and what builds it */
    const char *name;
    struct pkt_spec spec;
    struct pkt_builder *builder;
    libnet_t *libnet;
    libnet_ptag_t options, tcp, ip;
    uint8_t out[2048];
    size_t out_len;
    uint64_t octets; /* seen, so that nothing is optimised away */
};

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "packet_bench: %s\n", what);
    exit(3);
}

static void bare_ip(struct subject *s, uint16_t tcp_len)
{
    const struct pkt_spec *spec = &s->spec;

    if (spec->src.version == 4) {
        uint32_t src, dst;
        memcpy(&src, spec->src.bytes, 4);
        memcpy(&dst, spec->dst.bytes, 4);
        s->ip = libnet_build_ipv4((uint16_t)(20 + tcp_len), 0, 0, 0, 64, IPPROTO_TCP, 0, src, dst, NULL, 0, s->libnet, s->ip);
    } else {
        struct libnet_in6_addr src, dst;
        memcpy(&src, spec->src.bytes, 16);
        memcpy(&dst, spec->dst.bytes, 16);
        s->ip = libnet_build_ipv6(0, 0, tcp_len, IPPROTO_TCP, 64, src, dst, NULL, 0, s->libnet, s->ip);
    }
}

static void build_bare(struct subject *s)
{
    const struct pkt_spec *spec = &s->spec;
    uint16_t tcp_len = (uint16_t)(20u + spec->options_len + spec->payload_len);
    uint8_t *packet = NULL;
    uint32_t len = 0;

    if (spec->options_len > 0)
        s->options = libnet_build_tcp_options(spec->options, spec->options_len, s->libnet, s->options);
    s->tcp = libnet_build_tcp(spec->src_port, spec->dst_port, spec->seq, spec->ack, (uint8_t)spec->flags, spec->window, 0, 0,
                              tcp_len, spec->payload, spec->payload_len, s->libnet, s->tcp);
    bare_ip(s, tcp_len);
    if (s->options < 0 || s->tcp < 0 || s->ip < 0 || libnet_pblock_coalesce(s->libnet, &packet, &len) < 0)
        fail(libnet_geterror(s->libnet));
    s->octets += packet[len - 1];
    free(packet - s->libnet->aligner);
}

static void build_ours(struct subject *s)
{
    ssize_t len = pkt_build(s->builder, &s->spec, s->out, sizeof s->out);

    if (len < 0)
        fail(pkt_builder_error(s->builder));
    s->out_len = (size_t)len;
    s->octets += s->out[len - 1];
}

static void parse_ours(struct subject *s)
{
    struct packet packet;

    if (pkt_parse(s->out, s->out_len, &packet) != PKT_OK || !packet.tcp.checksum_ok)
        fail("what was built does not parse");
    s->octets += packet.tcp.window;
}

static double round_ns(struct subject *s, void (*work)(struct subject *))
{
    int64_t start = now_ns();

    for (unsigned i = 0; i < PACKETS_PER_ROUND; i++) {
        s->spec.seq++;
        work(s);
    }
    return (double)(now_ns() - start) / PACKETS_PER_ROUND;
}

static void lower(double *best, double value)
{
    if (*best == 0 || value < *best)
        *best = value;
}

static void measure(struct subject *s)
{
    double bare_ns = 0, ours_ns = 0, parse_ns = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        lower(&bare_ns, round_ns(s, build_bare));
        lower(&ours_ns, round_ns(s, build_ours));
        lower(&parse_ns, round_ns(s, parse_ours));
    }
    printf("%-28s bare libnet %6.0f ns  pkt_build %6.0f ns  ratio %.2f (limit 2)  pkt_parse %5.0f ns, %.1f million/s\n", s->name,
           bare_ns, ours_ns, ours_ns / bare_ns, parse_ns, 1000 / parse_ns);
}

static void run(const char *name, const char *src, const char *dst, const struct pkt_option_buffer *options, uint32_t payload_len)
{
    static const uint8_t payload[SEGMENT_LEN];
    char error[LIBNET_ERRBUF_SIZE];
    struct subject s = {
        .name = name,
        .spec = { .protocol = PKT_PROTO_TCP, .src_port = 40000, .dst_port = 80, .flags = payload_len > 0 ? PKT_ACK : PKT_SYN, .window = 65535,
                  .options = options->bytes, .options_len = options->len, .payload = payload, .payload_len = payload_len },
        .builder = pkt_builder_new(),
        .libnet = libnet_init(LIBNET_NONE, NULL, error),
    };

    if (s.builder == NULL || s.libnet == NULL || !pkt_addr_parse(src, &s.spec.src) || !pkt_addr_parse(dst, &s.spec.dst))
        fail("cannot set up");
    measure(&s);
    pkt_builder_free(s.builder);
    libnet_destroy(s.libnet);
}

int main(void)
{
    struct pkt_option_buffer syn_options = { 0 }, none = { 0 };

    pkt_put_mss(&syn_options, 1460);
    pkt_put_sack_permitted(&syn_options);
    pkt_put_timestamp(&syn_options, 1, 0);
    pkt_put_nop(&syn_options);
    pkt_put_wscale(&syn_options, 7);
    run("IPv4 SYN, 20 option octets", "192.0.2.1", "192.0.2.2", &syn_options, 0);
    run("IPv4 data, 1460 octets", "192.0.2.1", "192.0.2.2", &none, SEGMENT_LEN);
    run("IPv6 SYN, 20 option octets", "2001:db8::1", "2001:db8::2", &syn_options, 0);
    run("IPv6 data, 1460 octets", "2001:db8::1", "2001:db8::2", &none, SEGMENT_LEN);
    return 0;
}
