/* Measures what the target "linux" promises: is a reaction there when send() returns, how long it takes, how many a second, and how
 * late the kernel's timers fire. */
#include "targets/linux/target_linux.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 200000, OPENS = 20, TIMERS = 40 };

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, int64_t *values, size_t count)
{
    const size_t middle = count / 2, nearly_last = count * 999 / 1000;
    if (!count)
        return;
    qsort(values, count, sizeof *values, compare);
    printf("%-44s median %9.2f  99.9 %% %9.2f  max %9.2f us\n", what, (double)values[middle] / 1e3,
           (double)values[nearly_last] / 1e3, (double)values[count - 1] / 1e3);
}

static size_t build_syn(struct pkt_builder *builder, const struct target_info *info, unsigned ip, uint16_t src_port,
                        uint16_t dst_port, uint8_t *out)
{
    const struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src = info->tester[ip], .dst = info->iut[ip], .src_port = src_port, .dst_port = dst_port,
        .seq = 1000, .flags = PKT_SYN, .window = 65535,
    };
    ssize_t len = pkt_build(builder, &spec, out, PKT_BYTES_MAX);
    return len > 0 ? (size_t)len : 0;
}

/* SYN to a closed port, RST back. */
static void measure_resets(struct target *t, struct pkt_builder *builder, unsigned ip)
{
    static uint8_t syn[PKT_BYTES_MAX], reply[PKT_BYTES_MAX];
    static int64_t latency_ns[ROUNDS], stamp_ns[ROUNDS];
    size_t len = build_syn(builder, &t->info, ip, 4000, 9999, syn), late = 0;
    int64_t start_ns = now_ns();
    for (size_t i = 0; i < ROUNDS; i++) {
        int64_t sent_ns = now_ns(), at_ns = 0;
        t->ops->send(t, syn, len);
        bool waited = false;
        while (t->ops->receive(t, reply, sizeof reply, &at_ns) == 0)
            waited = true;
        late += waited;
        latency_ns[i] = now_ns() - sent_ns;
        stamp_ns[i] = at_ns - sent_ns;
    }
    double seconds = (double)(now_ns() - start_ns) / 1e9;
    printf("IPv%c: SYN -> RST: %.0f a second; not there when send() returned: %zu of %d\n", ip ? '6' : '4', ROUNDS / seconds, late, ROUNDS);
    report("  send() to the reply in hand", latency_ns, ROUNDS);
    report("  send() to the kernel's stamp on the reply", stamp_ns, ROUNDS);
}

/* The same without looking at each reply before the next SYN. */
static void measure_flood(struct target *t, struct pkt_builder *builder)
{
    static uint8_t syn[PKT_BYTES_MAX], reply[PKT_BYTES_MAX];
    enum { BATCH = 256 };
    size_t len = build_syn(builder, &t->info, 0, 4000, 9999, syn), received = 0;
    int64_t start_ns = now_ns(), at_ns;
    for (size_t i = 0; i < ROUNDS / BATCH; i++) {
        for (size_t k = 0; k < BATCH; k++)
            t->ops->send(t, syn, len);
        while (t->ops->receive(t, reply, sizeof reply, &at_ns) > 0)
            received++;
    }
    double seconds = (double)(now_ns() - start_ns) / 1e9;
    printf("in batches of %d: %.0f a second, %zu of %d replies\n", BATCH, (double)received / seconds, received,
           ROUNDS / BATCH * BATCH);
}

/* A listener, and many SYNs that are never acknowledged: how late is each SYN-ACK's first retransmission, due after 1 s? */
static void measure_timers(struct target *t, struct pkt_builder *builder)
{
    static uint8_t syn[PKT_BYTES_MAX], reply[PKT_BYTES_MAX];
    struct pkt_endpoint local = { .addr = t->info.iut[0], .port = 8080 };
    int64_t handle = t->ops->socket(t, 4), first_ns[TIMERS] = { 0 }, late_ns[TIMERS] = { 0 }, read_late_ns[TIMERS] = { 0 }, at_ns;
    t->ops->bind(t, (int)handle, &local);
    t->ops->listen(t, (int)handle, TIMERS);
    size_t seen = 0;
    for (unsigned i = 0; i < TIMERS; i++)
        t->ops->send(t, syn, build_syn(builder, &t->info, 0, (uint16_t)(5000 + i), 8080, syn));
    int64_t end_ns = now_ns() + INT64_C(1900000000);
    while (seen < TIMERS && now_ns() < end_ns) {
        struct pollfd wait = { .fd = t->ops->fd(t), .events = POLLIN };
        poll(&wait, 1, 100);
        ssize_t len;
        while ((len = t->ops->receive(t, reply, sizeof reply, &at_ns)) > 0) {
            struct packet p;
            if (pkt_parse(reply, (size_t)len, &p) != PKT_OK || p.kind != PKT_KIND_TCP || !(p.tcp.flags & PKT_SYN))
                continue;
            unsigned i = p.tcp.dst_port - 5000u;
            if (i >= TIMERS)
                continue;
            if (!first_ns[i]) {
                first_ns[i] = at_ns;
                continue;
            }
            late_ns[seen] = at_ns - first_ns[i] - INT64_C(1000000000);
            read_late_ns[seen++] = now_ns() - at_ns;
        }
    }
    printf("SYN-ACK retransmissions, due after 1 s: %zu of %d seen\n", seen, TIMERS);
    report("  late by, as stamped", late_ns, seen);
    report("  stamp to the tester's reading", read_late_ns, seen);
    t->ops->close_handle(t, (int)handle);
}

static void measure_opening(void)
{
    const struct target_config config = { 0 };
    struct target_error error;
    int64_t open_ns[OPENS], close_ns[OPENS], socket_ns[OPENS];
    for (size_t i = 0; i < OPENS; i++) {
        int64_t start_ns = now_ns();
        struct target *t = linux_driver.open("", &config, &error);
        open_ns[i] = now_ns() - start_ns;
        if (!t) {
            fprintf(stderr, "%s\n", error.text);
            exit(3);
        }
        start_ns = now_ns();
        t->ops->socket(t, 4);
        socket_ns[i] = now_ns() - start_ns;
        start_ns = now_ns();
        t->ops->close(t);
        close_ns[i] = now_ns() - start_ns;
    }
    report("open()", open_ns, OPENS);
    report("socket()", socket_ns, OPENS);
    report("close()", close_ns, OPENS);
}

int main(void)
{
    const struct target_config config = { 0 };
    struct target_error error;
    struct target *t = linux_driver.open("", &config, &error);
    struct pkt_builder *builder = pkt_builder_new();
    if (!t || !builder) {
        fprintf(stderr, "%s\n", t ? "out of memory" : error.text);
        return 3;
    }
    printf("%s, capabilities %#x\n", t->info.description, t->info.capabilities);
    measure_resets(t, builder, 0);
    if (t->info.capabilities & TARGET_IPV6)
        measure_resets(t, builder, 1);
    measure_flood(t, builder);
    measure_timers(t, builder);
    t->ops->close(t);
    pkt_builder_free(builder);
    measure_opening();
    return 0;
}
