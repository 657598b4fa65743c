/* A stack to start from: a host on which every TCP port is closed. It compiles and runs as it is; what your own stack does goes
 * where the comments say so. Nothing but the C library and tcpassay_plugin.h is needed.
 *
 *     cc -std=c99 -O1 -g -shared -fPIC -o mystack.so mystack.c
 *     tcpassay run --target plugin:./mystack.so
 */
#include <tcpassay_plugin.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ICMP = 1, TCP = 6, ICMP6 = 58, FIN = 1, SYN = 2, RST = 4, ACK = 16, PACKET_MAX = 65575 };

struct tcpassay_stack { /* one host: whatever your stack keeps */
    const struct tcpassay_tester *tester;
    struct tcpassay_address ipv4, ipv6;
    int64_t now_ns;
    uint8_t out[PACKET_MAX];
};

/* ---- octets */

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

/* The ones' complement sum of RFC 1071; 0xffff over something that holds its own checksum. */
static uint32_t sum16(uint32_t sum, const uint8_t *data, size_t length)
{
    for (; length > 1; data += 2, length -= 2)
        sum += get16(data);
    if (length)
        sum += (uint32_t)data[0] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* ---- IP */

struct datagram { /* of either version */
    int version;
    int protocol;
    const uint8_t *from, *to; /* addresses of address_length octets */
    size_t address_length;
    const uint8_t *body;
    size_t length;
};

static uint32_t pseudo_sum(const struct datagram *d)
{
    uint8_t tail[4];
    put16(tail, (uint32_t)d->protocol);
    put16(tail + 2, (uint32_t)d->length);
    return sum16(sum16(sum16(0, d->from, d->address_length), d->to, d->address_length), tail, sizeof tail);
}

/* Is it a whole datagram of IPv4 for us, and no fragment? */
static int parse4(struct tcpassay_stack *s, const uint8_t *packet, size_t length, struct datagram *d)
{
    size_t header, total;
    if (length < 20)
        return 0;
    header = (size_t)(packet[0] & 15) * 4;
    total = get16(packet + 2);
    if (header < 20 || total < header || total > length || (get16(packet + 6) & 0x3fff) || sum16(0, packet, header) != 0xffff)
        return 0;
    if (packet[12] == 0 || packet[12] >= 224 || memcmp(packet + 16, s->ipv4.bytes, 4)) /* from nobody, from a group; for another */
        return 0;
    d->version = 4;
    d->protocol = packet[9];
    d->from = packet + 12;
    d->to = packet + 16;
    d->address_length = 4;
    d->body = packet + header;
    d->length = total - header;
    return 1;
}

/* The same of IPv6; extension headers are left to you. */
static int parse6(struct tcpassay_stack *s, const uint8_t *packet, size_t length, struct datagram *d)
{
    static const uint8_t nobody[16];
    if (length < 40 || get16(packet + 4) > length - 40 || memcmp(packet + 24, s->ipv6.bytes, 16))
        return 0;
    if (packet[8] == 0xff || !memcmp(packet + 8, nobody, 16))
        return 0;
    d->version = 6;
    d->protocol = packet[6];
    d->from = packet + 8;
    d->to = packet + 24;
    d->address_length = 16;
    d->body = packet + 40;
    d->length = get16(packet + 4);
    return 1;
}

/* Room for the body of an answer to d, behind its IP header. */
static uint8_t *body_of_answer(struct tcpassay_stack *s, const struct datagram *d)
{
    return s->out + (d->version == 4 ? 20 : 40);
}

/* Sends that body, of so many octets, back to where d came from; its checksum goes into these two octets of it. */
static void answer(struct tcpassay_stack *s, const struct datagram *d, size_t length, size_t checksum_at)
{
    struct datagram back = *d;
    uint8_t *header = s->out, *body = body_of_answer(s, d);
    memset(header, 0, (size_t)(body - header));
    if (d->version == 4) {
        header[0] = 0x45;
        put16(header + 2, (uint32_t)(20 + length));
        put16(header + 6, 0x4000);
        header[8] = 64;
        header[9] = (uint8_t)d->protocol;
        memcpy(header + 12, d->to, 4);
        memcpy(header + 16, d->from, 4);
        put16(header + 10, ~sum16(0, header, 20) & 0xffff);
    } else {
        header[0] = 0x60;
        put16(header + 4, (uint32_t)length);
        header[6] = (uint8_t)d->protocol;
        header[7] = 64;
        memcpy(header + 8, d->to, 16);
        memcpy(header + 24, d->from, 16);
    }
    back.length = length;
    put16(body + checksum_at, 0);
    put16(body + checksum_at, ~sum16(d->protocol == ICMP ? 0 : pseudo_sum(&back), body, length) & 0xffff);
    s->tester->output(s->tester->context, s->out, (size_t)(body - header) + length);
}

/* ---- what comes in */

/* RFC 792, RFC 4443: the echo that the tester uses to see whether you are still there. */
static void echo_arrives(struct tcpassay_stack *s, const struct datagram *d)
{
    const int request = d->version == 4 ? 8 : 128, reply = d->version == 4 ? 0 : 129;
    uint8_t *body = body_of_answer(s, d);
    if (d->length < 8 || d->body[0] != request || sum16(d->version == 4 ? 0 : pseudo_sum(d), d->body, d->length) != 0xffff)
        return;
    memcpy(body, d->body, d->length);
    body[0] = (uint8_t)reply;
    answer(s, d, d->length, 2);
}

/* RFC 9293, section 3.10.7.1: what a segment gets for which there is no connection. Yours has connections: look for one first, and
 * for a listener; this is what remains. */
static void segment_arrives(struct tcpassay_stack *s, const struct datagram *d)
{
    const uint8_t *segment = d->body;
    uint8_t *reset = body_of_answer(s, d);
    size_t header;
    uint32_t flags, length;
    if (d->length < 20 || sum16(pseudo_sum(d), segment, d->length) != 0xffff)
        return;
    header = (size_t)(segment[12] >> 4) * 4;
    flags = segment[13];
    if (header < 20 || header > d->length || (flags & RST))
        return;
    length = (uint32_t)(d->length - header) + !!(flags & SYN) + !!(flags & FIN);
    memset(reset, 0, 20);
    memcpy(reset, segment + 2, 2);
    memcpy(reset + 2, segment, 2);
    reset[12] = 5 << 4;
    if (flags & ACK) {
        put32(reset + 4, get32(segment + 8)); /* <SEQ=SEG.ACK><CTL=RST> */
        reset[13] = RST;
    } else {
        put32(reset + 8, get32(segment + 4) + length); /* <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> */
        reset[13] = RST | ACK;
    }
    answer(s, d, 20, 16);
}

/* ---- what tcpassay calls */

static struct tcpassay_stack *mystack_create(const struct tcpassay_config *config, const struct tcpassay_tester *tester)
{
    struct tcpassay_stack *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->tester = tester;
    s->ipv4 = config->ipv4;
    s->ipv6 = config->ipv6;
    s->now_ns = config->now_ns;
    /* Start your stack here: with these addresses, this MTU, and all its randomness out of config->seed. */
    return s;
}

static void mystack_destroy(struct tcpassay_stack *s)
{
    free(s);
}

static void mystack_input(struct tcpassay_stack *s, const void *packet, size_t length, int64_t now_ns)
{
    const int version = length ? *(const uint8_t *)packet >> 4 : 0;
    struct datagram d;
    (void)now_ns;
    if (!(version == 4 ? parse4(s, packet, length, &d) : version == 6 && parse6(s, packet, length, &d)))
        return;
    if (d.protocol == TCP)
        segment_arrives(s, &d);
    else if (d.protocol == (version == 4 ? ICMP : ICMP6))
        echo_arrives(s, &d);
}

static void mystack_advance(struct tcpassay_stack *s, int64_t now_ns)
{
    s->now_ns = now_ns; /* Run the timers that are due here. */
}

static int64_t mystack_next_deadline(struct tcpassay_stack *s)
{
    (void)s;
    return INT64_MAX; /* Say here when the next timer is due. */
}

static const struct tcpassay_plugin mystack = {
    .abi = TCPASSAY_PLUGIN_ABI,
    .size = sizeof mystack,
    .name = "mystack 0.1",
    .description = "every port is closed",
    .flags = TCPASSAY_IPV4 | TCPASSAY_IPV6 | TCPASSAY_ECHO,
    .create = mystack_create,
    .destroy = mystack_destroy,
    .input = mystack_input,
    .advance = mystack_advance,
    .next_deadline = mystack_next_deadline,
    /* Then, one after the other, as tcpassay_plugin.h describes them: .socket, .bind, .listen, .accept, .receive, .send, .close, … */
};

const struct tcpassay_plugin *tcpassay_plugin_v1(void)
{
    return &mystack;
}
