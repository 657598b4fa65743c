/* How fast two reference stacks move bulk data over an in-process link, beside a memcpy of the same bytes; what limits it; and what
 * a fresh stack and a whole connection cost. Prints ratios: machines differ. */
#include "targets/reference/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHUNK = 65536, MTU = 1500, FRESH_ROUNDS = 20000, PAIR_ROUNDS = 2000, CONNECTIONS = 20000 };
static const uint64_t TOTAL = 256u << 20;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct ref_stack *host(int number, uint16_t mtu)
{
    struct ref_config c = ref_config_default();
    pkt_addr_parse(number ? "192.0.2.2" : "192.0.2.1", &c.addresses[c.address_count++]);
    c.mtu = mtu;
    c.receive_buffer = c.send_buffer = 1 << 20;
    c.seed = (uint64_t)number;
    return ref_stack_new(&c, 0);
}

struct pair {
    struct ref_stack *host[2];
    int listener, client, server;
    int64_t now_ns;
    double in_output, in_input; /* time spent there, when measured */
    uint64_t packets;
};

/* Carries over what either host has to say, until both are silent. */
static void carry(struct pair *p, bool measure)
{
    static uint8_t bytes[65536];
    bool moved = true;
    while (moved) {
        moved = false;
        for (int from = 0; from < 2; from++) {
            for (;;) {
                double start = measure ? seconds() : 0;
                ssize_t len = ref_output(p->host[from], bytes, sizeof bytes, p->now_ns, NULL);
                double middle = measure ? seconds() : 0;
                if (len <= 0)
                    break;
                ref_input(p->host[1 - from], bytes, (size_t)len, p->now_ns);
                if (measure) {
                    p->in_output += middle - start;
                    p->in_input += seconds() - middle;
                }
                p->packets++;
                moved = true;
            }
        }
    }
}

static void open_pair(struct pair *p, uint16_t mtu)
{
    struct pkt_endpoint server = { .port = 80 };
    *p = (struct pair){ .host = { host(0, mtu), host(1, mtu) } };
    pkt_addr_parse("192.0.2.2", &server.addr);
    p->listener = (int)ref_socket(p->host[1], 4);
    ref_bind(p->host[1], p->listener, &server);
    ref_listen(p->host[1], p->listener, 5);
    p->client = (int)ref_socket(p->host[0], 4);
    ref_connect(p->host[0], p->client, &server);
    carry(p, false);
    p->server = (int)ref_accept(p->host[1], p->listener, NULL);
}

static void close_pair(struct pair *p)
{
    ref_stack_free(p->host[0]);
    ref_stack_free(p->host[1]);
}

static double transfer(struct pair *p, uint16_t mtu, bool measure)
{
    static uint8_t out[CHUNK], in[CHUNK];
    uint64_t sent = 0, received = 0;
    open_pair(p, mtu);
    double start = seconds();
    while (received < TOTAL) {
        int64_t taken = 1, got;
        while (sent < TOTAL && taken > 0) {
            taken = ref_send(p->host[0], p->client, out, CHUNK, 0);
            sent += taken > 0 ? (uint64_t)taken : 0;
        }
        carry(p, measure);
        while ((got = ref_receive(p->host[1], p->server, in, CHUNK, 0)) > 0)
            received += (uint64_t)got;
        carry(p, measure);
        p->now_ns += 100000;
        ref_advance(p->host[0], p->now_ns);
        ref_advance(p->host[1], p->now_ns);
    }
    double spent = seconds() - start;
    close_pair(p);
    return spent;
}

static double copy_all(void)
{
    static uint8_t from[CHUNK], to[CHUNK];
    double start = seconds();
    for (uint64_t done = 0; done < TOTAL; done += CHUNK) {
        from[done % CHUNK]++;
        memcpy(to, from, CHUNK);
        __asm__ volatile("" : : "r"(to) : "memory");
    }
    return seconds() - start;
}

static double checksum_all(uint16_t mtu)
{
    static uint8_t from[65536];
    volatile uint16_t sum = 0;
    uint32_t segment = mtu - 52u;
    double start = seconds();
    for (uint64_t done = 0; done < TOTAL; done += segment)
        sum = (uint16_t)(sum + pkt_checksum(from, segment));
    return seconds() - start;
}

static double rate(double spent)
{
    return (double)TOTAL / spent / 1e6;
}

static void bulk(uint16_t mtu)
{
    struct pair p;
    double copy = copy_all(), sum = checksum_all(mtu), plain = transfer(&p, mtu, false);
    uint64_t packets = p.packets;
    transfer(&p, mtu, true);
    printf("bulk, MTU %u: %.0f MB/s, %.2f us a packet (%llu packets); memcpy of the same bytes %.0f MB/s: 1/%.1f of it\n", mtu,
           rate(plain), plain / (double)packets * 1e6, (unsigned long long)packets, rate(copy), plain / copy);
    printf(
        "  of this: checksums, made and verified, %.0f %%; five copies (in, built, out, in, read) %.0f %%; taking out %.0f %%, arriving %.0f %%"
           " (building included: an ACK's arrival sends)\n",
           200 * sum / plain, 500 * copy / plain, 100 * p.in_output / plain, 100 * p.in_input / plain);
    const char *limit = 2 * sum > plain / 2 ? "the checksum" : 5 * copy > plain / 2 ? "memory" : "work per packet (parsing, building, TCP itself)";
    printf("  limited by %s\n", limit);
}

static void fresh(void)
{
    double start = seconds();
    for (int i = 0; i < FRESH_ROUNDS; i++)
        ref_stack_free(host(0, MTU));
    double empty = (seconds() - start) / FRESH_ROUNDS;
    start = seconds();
    for (int i = 0; i < PAIR_ROUNDS; i++) {
        struct pair p;
        open_pair(&p, MTU);
        close_pair(&p);
    }
    printf("a fresh stack: %.2f us; two with a connection between them: %.1f us\n", empty * 1e6,
           (seconds() - start) / PAIR_ROUNDS * 1e6);
}

static void connections(void)
{
    struct pair p;
    const struct pkt_endpoint any = { .port = 80 };
    struct pkt_endpoint server = any;
    open_pair(&p, MTU);
    pkt_addr_parse("192.0.2.2", &server.addr);
    double start = seconds();
    for (int i = 0; i < CONNECTIONS; i++) {
        int client = (int)ref_socket(p.host[0], 4);
        ref_connect(p.host[0], client, &server);
        carry(&p, false);
        int accepted = (int)ref_accept(p.host[1], p.listener, NULL);
        ref_close(p.host[0], client);
        ref_close(p.host[1], accepted);
        carry(&p, false);
        p.now_ns += 250000000; /* TIME-WAITs pile up, and end */
        ref_advance(p.host[0], p.now_ns);
        ref_advance(p.host[1], p.now_ns);
    }
    printf("connections opened and closed: %.0f a second\n", CONNECTIONS / (seconds() - start));
    close_pair(&p);
}

int main(void)
{
    fresh();
    connections();
    bulk(1500);
    bulk(9000);
    bulk(65535);
    return 0;
}
