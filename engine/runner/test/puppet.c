/* The puppet (see puppet.h). */
#include "engine/runner/test/puppet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct puppet *self(struct target *t) { return (struct puppet *)t; }

static void queue_packet(struct puppet *p, const uint8_t *bytes, size_t len, int64_t at_ns)
{
    assert_true(p->queued < sizeof p->queue / sizeof *p->queue);
    unsigned i = p->queued++;
    while (i > 0 && p->queue[i - 1].at_ns > at_ns) {
        p->queue[i] = p->queue[i - 1];
        i--;
    }
    p->queue[i].bytes = malloc(len);
    memcpy(p->queue[i].bytes, bytes, len);
    p->queue[i].len = len;
    p->queue[i].at_ns = at_ns;
}

void puppet_emit(struct puppet *p, const struct packet *answers, struct pkt_spec spec, int64_t delay_ns)
{
    uint8_t bytes[4096];
    if (!spec.protocol)
        spec.protocol = PKT_PROTO_TCP;
    if (!spec.src.version) {
        spec.src = answers->ip.dst;
        spec.dst = answers->ip.src;
    }
    if (!spec.src_port) {
        spec.src_port = answers->tcp.dst_port;
        spec.dst_port = answers->tcp.src_port;
    }
    ssize_t len = pkt_build(p->builder, &spec, bytes, sizeof bytes);
    assert_true(len > 0);
    queue_packet(p, bytes, (size_t)len, p->now_ns + delay_ns);
}

static void puppet_close(struct target *t)
{
    struct puppet *p = self(t);
    for (unsigned i = 0; i < p->queued; i++)
        free(p->queue[i].bytes);
    pkt_builder_free(p->builder);
    free(p);
}

static int puppet_send(struct target *t, const uint8_t *bytes, size_t len)
{
    struct puppet *p = self(t);
    struct packet packet;
    enum pkt_error error = pkt_parse(bytes, len, &packet);
    bool echo = packet.kind == PKT_KIND_ICMP && packet.icmp.type == (packet.ip.version == 4 ? 8 : 128);
    if (echo) {
        struct pkt_spec reply = {.protocol = packet.ip.version == 4 ? PKT_PROTO_ICMP : PKT_PROTO_ICMP6, .src = packet.ip.dst, .dst = packet.ip.src,
                                 .icmp_type = packet.ip.version == 4 ? 0 : 129, .icmp_rest = packet.icmp.rest, .src_port = 1};
        if (!p->script.deaf_to_echo)
            puppet_emit(p, &packet, reply, 0);
        return 0;
    }
    p->sent_count++;
    p->last_sent_len = len < sizeof p->last_sent ? len : sizeof p->last_sent;
    memcpy(p->last_sent, bytes, p->last_sent_len);
    if (error == PKT_OK && packet.kind == PKT_KIND_TCP && p->script.on_packet)
        p->script.on_packet(p, &packet);
    return 0;
}

static ssize_t puppet_receive(struct target *t, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    struct puppet *p = self(t);
    if (p->queued == 0 || p->queue[0].at_ns > p->now_ns)
        return 0;
    size_t len = p->queue[0].len;
    assert_true(len <= capacity);
    memcpy(out, p->queue[0].bytes, len);
    *at_ns = p->queue[0].at_ns;
    free(p->queue[0].bytes);
    memmove(&p->queue[0], &p->queue[1], (--p->queued) * sizeof *p->queue);
    return (ssize_t)len;
}

static int64_t puppet_deadline(struct target *t)
{
    return self(t)->queued ? self(t)->queue[0].at_ns : INT64_MAX;
}

static void puppet_advance(struct target *t, int64_t now_ns)
{
    assert_true(now_ns >= self(t)->now_ns);
    self(t)->now_ns = now_ns;
}

static int64_t call(struct target *t, const char *name, int handle, int64_t otherwise)
{
    struct puppet *p = self(t);
    return p->script.on_call ? p->script.on_call(p, name, handle) : otherwise;
}

static int64_t puppet_socket(struct target *t, uint8_t version) { (void)version; return call(t, "socket", -1, 0); }
static int64_t puppet_bind(struct target *t, int h, const struct pkt_endpoint *e) { (void)e; return call(t, "bind", h, 0); }
static int64_t puppet_listen(struct target *t, int h, int backlog) { (void)backlog; return call(t, "listen", h, 0); }
static int64_t puppet_accept(struct target *t, int h, struct pkt_endpoint *peer)
{
    struct puppet *p = self(t);
    struct packet last;
    if (pkt_parse(p->last_sent, p->last_sent_len, &last) == PKT_OK && last.kind == PKT_KIND_TCP)
        *peer = (struct pkt_endpoint){last.ip.src, last.tcp.src_port};
    return call(t, "accept", h, -EAGAIN);
}
static int64_t puppet_connect(struct target *t, int h, const struct pkt_endpoint *e) { (void)e; return call(t, "connect", h, -EINPROGRESS); }
static int64_t puppet_send_data(struct target *t, int h, const uint8_t *data, size_t len, unsigned flags)
{
    (void)flags;
    struct puppet *p = self(t);
    int64_t taken = call(t, "write", h, (int64_t)len);
    for (int64_t i = 0; i < taken && p->written_len < sizeof p->written; i++)
        p->written[p->written_len++] = data[i];
    return taken;
}
static int64_t puppet_receive_data(struct target *t, int h, uint8_t *out, size_t len, unsigned flags)
{
    (void)flags;
    struct puppet *p = self(t);
    int64_t result = call(t, "read", h, -EAGAIN);
    if (result > 0 && (size_t)result <= len)
        memcpy(out, p->read_data, (size_t)result);
    return result;
}
static int64_t puppet_shutdown(struct target *t, int h, enum target_shutdown how) { (void)how; return call(t, "shutdown", h, 0); }
static int64_t puppet_close_handle(struct target *t, int h) { return call(t, "close", h, 0); }
static int64_t puppet_set_option(struct target *t, int h, const char *name, const int64_t *v, unsigned n) { (void)v, (void)n; return call(t, name, h, 0); }
static int64_t puppet_get_option(struct target *t, int h, const char *name, int64_t *value) { *value = call(t, name, h, 0); return 0; }
static int64_t puppet_ioctl(struct target *t, int h, const char *name, int64_t *value) { *value = call(t, name, h, 0); return 0; }
static unsigned puppet_poll(struct target *t, int h) { return (unsigned)call(t, "poll", h, 0); }
static int64_t puppet_local_endpoint(struct target *t, int h, struct pkt_endpoint *out) { (void)t, (void)h, (void)out; return -ENOTCONN; }
static int64_t puppet_status(struct target *t, const struct pkt_endpoint *l, const struct pkt_endpoint *r, struct target_status *out)
{
    (void)l, (void)r;
    out->state = self(t)->script.state;
    return out->state == TCP_STATE_CLOSED ? -ENOENT : 0;
}

static const struct target_ops puppet_ops = {
    .close = puppet_close, .send = puppet_send, .receive = puppet_receive, .deadline = puppet_deadline, .advance = puppet_advance,
    .socket = puppet_socket, .bind = puppet_bind, .listen = puppet_listen, .accept = puppet_accept, .connect = puppet_connect,
    .send_data = puppet_send_data, .receive_data = puppet_receive_data, .shutdown = puppet_shutdown, .close_handle = puppet_close_handle,
    .set_option = puppet_set_option, .get_option = puppet_get_option, .ioctl = puppet_ioctl, .poll = puppet_poll,
    .local_endpoint = puppet_local_endpoint, .status = puppet_status,
};

struct puppet *puppet_new(const struct puppet_script *script)
{
    struct puppet *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->builder = pkt_builder_new();
    p->script = *script;
    p->target = (struct target){.ops = &puppet_ops, .info = {.name = "puppet", .tester_count = 10, .mtu = 1500,
        .capabilities = TARGET_VIRTUAL_TIME | TARGET_SYNCHRONOUS | TARGET_UPPER_TESTER | TARGET_STATUS | TARGET_IPV4 | TARGET_IPV6 | TARGET_ECHO}};
    p->target.info.capabilities &= ~script->capabilities_off;
    pkt_addr_parse("192.0.2.2", &p->target.info.iut[0]);
    pkt_addr_parse("2001:db8::2", &p->target.info.iut[1]);
    pkt_addr_parse("198.51.100.1", &p->target.info.tester[0]);
    pkt_addr_parse("2001:db8:1::1", &p->target.info.tester[1]);
    return p;
}

struct stage { struct puppet *puppet; struct player *player; int64_t now_ns; bool any; };

static void drain(void *context)
{
    struct stage *s = context;
    uint8_t buffer[4096];
    int64_t at_ns;
    for (ssize_t len; (len = puppet_receive(&s->puppet->target, buffer, sizeof buffer, &at_ns)) > 0; s->any = true)
        player_receive(s->player, buffer, (size_t)len, s->now_ns, s->now_ns);
}

/* The same loop as the virtual scheduler's, in few words. */
static void play(struct stage *s)
{
    for (unsigned rounds = 0; !player_finished(s->player); rounds++) {
        assert_true(rounds < 100000);
        s->any = false;
        player_run(s->player, s->now_ns);
        drain(s);
        if (s->any || player_finished(s->player))
            continue;
        int64_t next = puppet_deadline(&s->puppet->target), wish = player_deadline(s->player);
        s->now_ns = wish < next ? wish : next;
        assert_true(s->now_ns < INT64_MAX);
        puppet_advance(&s->puppet->target, s->now_ns);
        drain(s);
    }
}

static void copy_result(struct player *player, struct puppet *puppet, struct played *out)
{
    struct result_test result;
    player_result(player, &result);
    out->verdict = result.verdict;
    snprintf(out->reason, sizeof out->reason, "%s", result.reason);
    out->findings = result.finding_count;
    if (result.finding_count) {
        snprintf(out->requirement, sizeof out->requirement, "%s", result.findings[0].requirement);
        snprintf(out->rule, sizeof out->rule, "%s", result.findings[0].rule);
        out->level = result.findings[0].level;
        out->segment = result.findings[0].segment;
    }
    out->duration_ns = result.duration_ns;
    const struct judge_host *judged = player_judged(player);
    for (unsigned i = 0; judged && i < RULE_COUNT; i++)
        out->rules_tested += judged->coverage.tested[i];
    out->trace_count = result.trace_count;
    out->sent_count = puppet->sent_count;
    out->last_sent_len = puppet->last_sent_len;
    memcpy(out->last_sent, puppet->last_sent, puppet->last_sent_len);
    size_t used = 0;
    for (size_t i = 0; i < result.trace_count && used < sizeof out->trace; i++)
        used += (size_t)snprintf(out->trace + used, sizeof out->trace - used, "%s %s %s\n",
                                 result_event_kind_text(result.trace[i].kind), result.trace[i].segment, result.trace[i].text);
}

static struct played play_text(const char *text, unsigned variant, bool strict, bool judged, const struct puppet_script *script)
{
    struct scn_diagnostics diagnostics = {0};
    struct scenario *scenario = scn_parse("test.pkt", text, strlen(text), &diagnostics);
    if (!scenario)
        fail_msg("%d:%d: %s", diagnostics.list[0].at.line, diagnostics.list[0].at.column, diagnostics.list[0].message);
    struct puppet *puppet = puppet_new(script);
    puppet->now_ns = 1000 * SCN_NS_PER_S;
    struct stage stage = {.puppet = puppet, .now_ns = puppet->now_ns};
    struct player_config config = {.scenario = scenario, .variant = variant, .id = "test", .target = &puppet->target,
                                   .place = {.tester_port = 20480, .iut_port = 8080, .echo_id = 7}, .seed = 1, .strict = strict,
                                   .judged = judged, .catch_up = drain, .context = &stage};
    struct player *player = stage.player = player_new(&config, puppet->now_ns);
    assert_non_null(player);
    play(&stage);
    struct played out = {0};
    copy_result(player, puppet, &out);
    player_free(player);
    puppet_close(&puppet->target);
    scn_free(scenario);
    return out;
}

struct played puppet_play_variant(const char *text, unsigned variant, bool strict, const struct puppet_script *script)
{
    return play_text(text, variant, strict, false, script);
}

struct played puppet_play_judged(const char *text, bool strict, const struct puppet_script *script)
{
    return play_text(text, 0, strict, true, script);
}

struct played puppet_play(const char *text, const struct puppet_script *script)
{
    return play_text(text, 0, false, false, script);
}
