/* A neighbour of the host under test, or what has got into it: mischief INTERFACE garbage|flood SECONDS. Answers each frame of the
 * tester, beside what the host answers, with frames of garbage, or floods it with frames that look like the host's. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_MAX = 1514, FLOOD_BATCH = 64 };

struct mischief {
    int fd;
    uint64_t random;
    time_t until_s;
};

static uint32_t next_random(struct mischief *m) /* xorshift64*, always the same */
{
    m->random ^= m->random >> 12;
    m->random ^= m->random << 25;
    m->random ^= m->random >> 27;
    return (uint32_t)(m->random * UINT64_C(2685821657736338717) >> 32);
}

static bool is_over(const struct mischief *m)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec >= m->until_s;
}

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

/* The frame as if it went back: stations, hosts and ports the other way round. */
static void turn_round(uint8_t *frame, size_t len)
{
    swap(frame, frame + 6, 6);
    bool v6 = frame[12] == 0x86;
    size_t addresses = v6 ? 22 : 26, address_len = v6 ? 16 : 4, ports = v6 ? 54 : 34;
    if (len < ports + 4)
        return;
    swap(frame + addresses, frame + addresses + address_len, address_len);
    swap(frame + ports, frame + ports + 2, 2);
}

static void put(const struct mischief *m, const uint8_t *frame, size_t len)
{
    ssize_t sent = send(m->fd, frame, len, MSG_DONTWAIT);
    if (sent < 0 && (errno == ENXIO || errno == ENODEV))
        exit(0); /* the interface has gone */
}

static void put_garbage(struct mischief *m, const uint8_t *seen, size_t len)
{
    static const uint16_t types[] = { ETHERTYPE_IP, ETHERTYPE_IPV6, ETHERTYPE_ARP, 0xffff };
    uint8_t frame[FRAME_MAX];
    memcpy(frame, seen, len); /* what was seen, damaged */
    turn_round(frame, len);
    for (uint32_t flips = 1 + next_random(m) % 8; flips > 0 && len > ETH_HLEN; flips--)
        frame[ETH_HLEN + next_random(m) % (len - ETH_HLEN)] ^= (uint8_t)(1u << next_random(m) % 8);
    put(m, frame, len);
    uint16_t type = types[next_random(m) % 4]; /* and noise */
    size_t noise = ETH_HLEN + next_random(m) % (FRAME_MAX - ETH_HLEN);
    frame[12] = (uint8_t)(type >> 8);
    frame[13] = (uint8_t)type;
    for (size_t i = ETH_HLEN; i < noise; i++)
        frame[i] = (uint8_t)next_random(m);
    put(m, frame, noise);
}

static void put_flood(const struct mischief *m, const uint8_t *seen, size_t len)
{
    uint8_t frame[FRAME_MAX];
    memcpy(frame, seen, len);
    turn_round(frame, len);
    for (int i = 0; i < FLOOD_BATCH; i++)
        put(m, frame, len);
}

int main(int argc, char **argv)
{
    struct timespec now;
    struct sockaddr_ll device = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
    if (argc != 4)
        return 2;
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct mischief m = { .fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), .random = 88172645463325252u, .until_s = now.tv_sec + atoi(argv[3]) };
    device.sll_ifindex = (int)if_nametoindex(argv[1]);
    if (m.fd < 0 || bind(m.fd, (const struct sockaddr *)&device, sizeof device) < 0) {
        perror("mischief");
        return 1;
    }
    bool floods = strcmp(argv[2], "flood") == 0;
    uint8_t frame[FRAME_MAX];
    ssize_t last = 0;
    while (!is_over(&m)) {
        uint8_t got[FRAME_MAX];
        struct sockaddr_ll from = { 0 };
        socklen_t from_len = sizeof from;
        ssize_t len = recvfrom(m.fd, got, sizeof got, MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
        bool wanted =
            len > ETH_HLEN && from.sll_pkttype != PACKET_OUTGOING && (got[12] == 0x08 || got[12] == 0x86) && got[13] != 0x06;
        if (wanted)
            memcpy(frame, got, (size_t)(last = len));
        if (floods && last > 0)
            put_flood(&m, frame, (size_t)last);
        else if (wanted)
            put_garbage(&m, frame, (size_t)len);
        struct pollfd wait = { .fd = m.fd, .events = POLLIN };
        if (len < 0 && !(floods && last > 0))
            poll(&wait, 1, 100);
    }
    return 0;
}
