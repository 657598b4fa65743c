/* Fuzzes two reference stacks that talk over a hostile link. A crash means: a peer, or whoever owns a router between, can bring the
 * stack down; "broken" means that octets arrive which were not sent, or that an end never comes, or that the model finds fault with
 * one of the two, so that either the stack or the model is wrong.
 *
 * The first octets choose both hosts' configuration and who opens. Then records of four: what happens, to whom (bit 0) and to which
 * packet on the way (the other bits), and a number. The link loses, doubles, overtakes, keeps and damages packets, but none lives
 * longer than the MSL; the applications send, receive, shut down, close and abort. When the records are used up the link is fair,
 * and both applications read to the end, close, and are given all the time in the world.
 *
 * What must hold: the octets received are a prefix of those sent, and at a FIN all of them; each end's judge, which sees the
 * packets as that end does, finds nothing; the stacks' invariants; both ends come to CLOSED and leave no memory behind.
 * TCPASSAY_FINDINGS=ignore in the environment leaves aside what the model finds. */
#include "engine/model/judge.h"
#include "fuzz/input.h"
#include "targets/reference/stack.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS_MAX = 300, HELD_MAX = 48, CHUNK_MAX = 8192, ROUNDS_MAX = 20000, PORT_CLIENT = 4000, PORT_SERVER = 80 };
#define LATENCY_NS INT64_C(2000000)

struct held { /* a packet on the way */
    uint8_t *bytes;
    size_t len;
    int64_t sent_ns;
};

struct host {
    struct ref_stack *stack;
    struct pkt_endpoint self;
    struct judge_host facts;
    struct judge *judge;
    struct held coming[HELD_MAX]; /* towards this host, the oldest first */
    unsigned coming_count;
    int listener, handle;         /* -1: none */
    uint32_t sent, received;      /* octets: taken from, given to the application */
    bool met, shut, urgent;
    bool failed;                  /* the connection may be lost: the application was told so, or a RST has come */
};

struct world {
    struct input in;
    struct host host[2];
    int64_t now_ns;
    uint32_t index;               /* of the packet told last */
};

/* The octet that a host's application sends at this place. */
static uint8_t octet_at(unsigned host, uint32_t at)
{
    return (uint8_t)(at * 31 + at / 251 + host * 97);
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

static void found(void *context, const struct judge_finding *f)
{
    const struct host *h = context;
    const char *wanted = getenv("TCPASSAY_FINDINGS");
    if (wanted && !strcmp(wanted, "ignore"))
        return;
    if (f->level == LEVEL_MAY || requirement_level_is_should(f->level))
        return;
    fprintf(stderr, "port %u, packet %u at %.6f s: %s\n  permitted: %s\n  observed: %s\n  %s\n", h->self.port, f->segment,
            (double)f->at_ns / 1e9, f->message, f->permitted, f->observed, f->requirement);
    must(false, rule_at(f->rule)->name);
}

static bool is_endpoint(const struct host *h, const struct pkt_addr *addr, uint16_t port)
{
    return h->self.port == port && pkt_addr_equal(&h->self.addr, addr);
}

static bool quotes_us(const struct world *w, const struct packet *packet)
{
    struct packet quoted;
    if (packet->kind != PKT_KIND_ICMP || pkt_parse_quoted(packet->icmp.body, packet->icmp.body_len, &quoted) != PKT_OK)
        return false;
    return quoted.kind == PKT_KIND_TCP && (is_endpoint(&w->host[0], &quoted.ip.src, quoted.tcp.src_port) ||
                                           is_endpoint(&w->host[1], &quoted.ip.src, quoted.tcp.src_port));
}

static bool is_judged(const struct world *w, const struct host *to, const struct packet *packet)
{
    const struct host *from = to == &w->host[0] ? &w->host[1] : &w->host[0];
    if (packet->kind != PKT_KIND_TCP)
        return quotes_us(w, packet);
    return is_endpoint(from, &packet->ip.src, packet->tcp.src_port) && is_endpoint(to, &packet->ip.dst, packet->tcp.dst_port);
}

static void tell(struct world *w, struct host *h, enum judge_call_kind kind, int64_t amount, const uint8_t *data, const char *name)
{
    judge_call(h->judge, &(struct judge_call){.kind = kind, .amount = amount, .data = data, .name = name}, w->now_ns);
}

/* What says something about the connection, and not about the call. */
static void tell_error(struct world *w, struct host *h, int64_t result)
{
    static const int of_connections[] = {EPIPE, ECONNRESET, ECONNREFUSED, ECONNABORTED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH};
    for (size_t i = 0; i < sizeof of_connections / sizeof *of_connections; i++)
        if (result == -of_connections[i]) {
            tell(w, h, JUDGE_CALL_ERROR, -result, NULL, NULL);
            h->failed |= result != -EPIPE || !h->shut; /* after our own shutdown() it is no news */
        }
}

/* ---- the link ---------------------------------------------------------------------------------------------------- */

static struct held take(struct host *to, unsigned which)
{
    struct held held = to->coming[which];
    memmove(&to->coming[which], &to->coming[which + 1], (--to->coming_count - which) * sizeof held);
    return held;
}

static void send_over(struct world *w, struct host *to, const uint8_t *bytes, size_t len)
{
    if (to->coming_count == HELD_MAX)
        free(take(to, 0).bytes);
    struct held *held = &to->coming[to->coming_count++];
    *held = (struct held){.bytes = malloc(len), .len = len, .sent_ns = w->now_ns};
    must(held->bytes, "memory for a packet");
    memcpy(held->bytes, bytes, len);
}

/* What the host has to say goes on the link, and its insides are looked at. */
static void drain(struct world *w, struct host *from)
{
    struct host *to = from == &w->host[0] ? &w->host[1] : &w->host[0];
    uint8_t bytes[PKT_BYTES_MAX];
    struct packet packet;
    ssize_t len;
    while ((len = ref_output(from->stack, bytes, sizeof bytes, w->now_ns, NULL)) > 0) {
        must(pkt_parse(bytes, (size_t)len, &packet) == PKT_OK && packet.ip.checksum_ok, "what is sent parses");
        w->index++;
        if (packet.kind == PKT_KIND_TCP && is_judged(w, to, &packet))
            judge_output(from->judge, &packet, true, w->now_ns, w->now_ns, w->index);
        send_over(w, to, bytes, (size_t)len);
    }
    const char *broken = ref_check_invariants(from->stack);
    must(!broken, broken);
}

static void arrive(struct world *w, struct host *to, const uint8_t *bytes, size_t len)
{
    struct packet packet;
    bool judged = pkt_parse(bytes, len, &packet) == PKT_OK && packet.ip.checksum_ok && is_judged(w, to, &packet);
    judge_time(to->judge, w->now_ns);
    w->index++;
    if (judged)
        judge_input(to->judge, &packet, true, w->now_ns, w->index);
    if (judged && packet.kind == PKT_KIND_TCP && (packet.tcp.flags & PKT_RST))
        to->failed = true;
    ref_input(to->stack, bytes, len, w->now_ns);
    drain(w, to);
    if (judged)
        judge_fence(to->judge, w->now_ns);
}

/* A packet older than the MSL is no more. */
static void deliver(struct world *w, struct host *to, unsigned which)
{
    struct held held = take(to, which);
    if (w->now_ns - held.sent_ns <= to->stack->config.msl_ns)
        arrive(w, to, held.bytes, held.len);
    free(held.bytes);
}

/* One octet, which every checksum notices; but an IPv6 length has none of its own. */
static void damage(struct held *held, uint16_t number)
{
    size_t at = number % held->len;
    bool is_length = held->bytes[0] >> 4 == 6 && (at == 4 || at == 5);
    if (!is_length)
        held->bytes[at] ^= (uint8_t)(number >> 8 | 1);
}

static void advance(struct world *w, int64_t to_ns)
{
    w->now_ns = to_ns;
    for (int i = 0; i < 2; i++) {
        ref_advance(w->host[i].stack, w->now_ns);
        drain(w, &w->host[i]);
    }
}

static int64_t next_deadline(const struct world *w)
{
    int64_t a_ns = ref_next_deadline(w->host[0].stack), b_ns = ref_next_deadline(w->host[1].stack);
    int64_t first_ns = a_ns < b_ns ? a_ns : b_ns;
    return first_ns < w->now_ns ? w->now_ns : first_ns;
}

/* Timers fire when they are due, one after the other; when there are very many, the rest of the time does not pass. */
static void pass_time(struct world *w, int64_t for_ns)
{
    const int64_t until_ns = w->now_ns + for_ns;
    for (int i = 0; i < 200; i++) {
        int64_t due_ns = next_deadline(w);
        advance(w, due_ns < until_ns ? due_ns : until_ns);
        if (w->now_ns == until_ns)
            return;
    }
}

/* ---- the applications -------------------------------------------------------------------------------------------- */

static void let_go(struct world *w, struct host *h, bool abort)
{
    if (h->handle < 0)
        return;
    (void)(abort ? ref_abort(h->stack, h->handle) : ref_close(h->stack, h->handle));
    h->handle = -1;
    tell(w, h, abort ? JUDGE_CALL_ABORT : JUDGE_CALL_CLOSE, 0, NULL, NULL);
    drain(w, h);
}

/* The first connection is talked on; others, of SYNs that had been on the way for long, are closed. */
static void accept_one(struct world *w, struct host *h)
{
    struct pkt_endpoint peer;
    if (h->listener < 0 || h->handle >= 0)
        return;
    int64_t handle = ref_accept(h->stack, h->listener, &peer);
    if (handle < 0)
        return;
    h->handle = (int)handle;
    tell(w, h, JUDGE_CALL_ACCEPT, 0, NULL, NULL);
    drain(w, h);
    if (h->met)
        let_go(w, h, false);
    h->met = true;
}

static void send_some(struct world *w, struct host *h, uint32_t amount, bool urgent)
{
    uint8_t bytes[CHUNK_MAX];
    if (h->handle < 0)
        return;
    for (uint32_t i = 0; i < amount; i++)
        bytes[i] = octet_at(h == &w->host[1], h->sent + i);
    int64_t taken = ref_send(h->stack, h->handle, bytes, amount, urgent ? REF_MSG_OOB : 0);
    must(taken <= (int64_t)amount, "no more is taken than was given");
    if (taken > 0) {
        h->sent += (uint32_t)taken;
        h->urgent |= urgent;
        tell(w, h, JUDGE_CALL_SEND, taken, bytes, urgent ? "MSG_OOB" : NULL);
    } else {
        tell_error(w, h, taken);
    }
    drain(w, h);
}

/* What receive() returned, told; the judge compares octets unless some were urgent. */
static int64_t receive_some(struct world *w, struct host *h, uint32_t amount)
{
    struct host *other = h == &w->host[0] ? &w->host[1] : &w->host[0];
    uint8_t bytes[CHUNK_MAX];
    if (h->handle < 0 || amount == 0)
        return -EAGAIN;
    int64_t given = ref_receive(h->stack, h->handle, bytes, amount, 0);
    must(given <= (int64_t)amount, "no more is given than was asked for");
    for (uint32_t i = 0; i < given; i++)
        must(bytes[i] == octet_at(other == &w->host[1], h->received + i), "what is received was sent, in order");
    h->received += given > 0 ? (uint32_t)given : 0;
    must(h->received <= other->sent, "no more is received than was sent");
    if (given == 0)
        must(h->failed || h->received == other->sent, "at the FIN everything has been received");
    if (given > 0 || (given == 0 && !h->failed))
        tell(w, h, JUDGE_CALL_RECEIVE, given, other->urgent ? NULL : bytes, NULL);
    else
        tell_error(w, h, given);
    drain(w, h);
    return given;
}

static void shut_down(struct world *w, struct host *h)
{
    if (h->handle < 0 || h->shut)
        return;
    struct ref_status status;
    if (ref_handle_status(h->stack, h->handle, &status) == 0 && status.state == TCP_STATE_SYN_SENT)
        h->failed = true; /* CLOSE in SYN-SENT deletes the TCB: no FIN will come, and none is needed for the end of what is received */
    int64_t result = ref_shutdown(h->stack, h->handle, REF_SHUT_WR);
    h->shut = result >= 0;
    if (h->shut)
        tell(w, h, JUDGE_CALL_SHUTDOWN, 0, NULL, NULL);
    else
        tell_error(w, h, result);
    drain(w, h);
}

static void set_option(struct world *w, struct host *h, uint16_t number)
{
    static const char *const names[] = {"TCP_NODELAY", "TCP_CORK", "SO_KEEPALIVE", "TCP_QUICKACK"};
    const int64_t value = number >> 8 & 1;
    if (h->handle < 0)
        return;
    ref_set_option(h->stack, h->handle, names[number & 3], &value, 1);
    tell(w, h, JUDGE_CALL_OPTION, value, NULL, names[number & 3]);
    drain(w, h);
}

/* ---- the play ---------------------------------------------------------------------------------------------------- */

static struct ref_config configuration(struct input *in, uint8_t version, unsigned host)
{
    static const uint32_t buffers[] = {131072, 65535, 16384, 4096, 1000, 300000, 2000, 700};
    static const uint16_t mtus[] = {1500, 1280, 9000, 1400};
    static const char *const addresses[2][2] = {{"192.0.2.1", "192.0.2.2"}, {"2001:db8::1", "2001:db8::2"}};
    struct ref_config c = ref_config_default();
    uint8_t bits = next8(in), sizes = next8(in);
    pkt_addr_parse(addresses[version == 6][host], &c.addresses[c.address_count++]);
    c.seed = host + 1;
    c.timestamps = bits & 1;
    c.sack = bits & 2;
    c.window_scaling = bits & 4;
    c.ecn = (enum ref_ecn)((bits >> 3 & 3) % 3);
    c.syncookies = (enum ref_syncookies)((bits >> 5 & 3) % 3);
    c.tw_reuse = bits & 128;
    c.receive_buffer = buffers[sizes & 7];
    c.send_buffer = buffers[sizes >> 3 & 7];
    c.mtu = mtus[sizes >> 6];
    return c;
}

static int new_socket(struct host *h, uint8_t version)
{
    const struct pkt_endpoint local = {.port = h->self.port};
    const int64_t on = 1;
    int handle = (int)ref_socket(h->stack, version);
    must(handle >= 0 && ref_bind(h->stack, handle, &local) >= 0, "a socket on a fresh host");
    ref_set_option(h->stack, handle, "SO_OOBINLINE", &on, 1);
    return handle;
}

static void make_host(struct world *w, unsigned i, uint8_t version, uint16_t port)
{
    struct host *h = &w->host[i];
    const struct ref_config c = configuration(&w->in, version, i);
    *h = (struct host){.stack = ref_stack_new(&c, 0), .self = {c.addresses[0], port}, .listener = -1, .handle = -1};
    must(h->stack, "memory for a host");
    h->facts = (struct judge_host){.link = JUDGE_SYNCHRONOUS, .application_known = true, .mtu = c.mtu, .granularity_ns = 1000000,
                                   .pressed = c.syncookies != REF_SYNCOOKIES_OFF};
}

static void make_judge(struct host *h, const struct host *peer)
{
    const struct judge_config config = {
        .host = &h->facts, .iut = h->self, .peer = peer->self, .states = 1u << TCP_STATE_CLOSED, .report = found, .context = h};
    h->judge = judge_new(&config);
    must(h->judge, "memory for a judge");
}

static void passive_open(struct world *w, struct host *h, uint8_t version)
{
    h->listener = new_socket(h, version);
    ref_listen(h->stack, h->listener, 2);
    tell(w, h, JUDGE_CALL_LISTEN, 0, NULL, NULL);
    tell(w, h, JUDGE_CALL_OPTION, 1, NULL, "SO_OOBINLINE");
}

static void active_open(struct world *w, struct host *h, const struct host *peer, uint8_t version)
{
    h->handle = new_socket(h, version);
    h->met = true;
    tell(w, h, JUDGE_CALL_OPTION, 1, NULL, "SO_OOBINLINE");
    int64_t result = ref_connect(h->stack, h->handle, &peer->self);
    must(result == -EINPROGRESS, "an active open begins");
    tell(w, h, JUDGE_CALL_CONNECT, 0, NULL, NULL);
    drain(w, h);
}

static void set_up(struct world *w)
{
    uint8_t bits = next8(&w->in), version = bits & 1 ? 6 : 4;
    make_host(w, 0, version, PORT_CLIENT);
    make_host(w, 1, version, PORT_SERVER);
    make_judge(&w->host[0], &w->host[1]);
    make_judge(&w->host[1], &w->host[0]);
    if (bits & 2) /* both at once */
        active_open(w, &w->host[1], &w->host[0], version);
    else
        passive_open(w, &w->host[1], version);
    active_open(w, &w->host[0], &w->host[1], version);
}

/* As a good link does: everything that is on the way now, and what it causes, up to a number. */
static void flush(struct world *w, unsigned number)
{
    for (; number > 0 && w->host[0].coming_count + w->host[1].coming_count > 0; number--)
        for (int i = 0; i < 2; i++)
            if (w->host[i].coming_count)
                deliver(w, &w->host[i], 0);
}

/* Something happens to a packet on its way. */
static void hostile(struct world *w, struct host *to, uint8_t what, unsigned which, uint16_t number)
{
    if (to->coming_count == 0)
        return;
    which %= to->coming_count;
    switch (what) {
    case 0:
    case 1:
        deliver(w, to, 0);
        break;
    case 2:
        deliver(w, to, which);
        break;
    case 3:
        free(take(to, which).bytes);
        break;
    case 4:
        if (w->now_ns - to->coming[which].sent_ns <= to->stack->config.msl_ns)
            arrive(w, to, to->coming[which].bytes, to->coming[which].len);
        break;
    default:
        damage(&to->coming[which], number);
        break;
    }
}

static void step(struct world *w)
{
    uint8_t what = next8(&w->in) % 16, whom = next8(&w->in);
    uint16_t number = next16(&w->in);
    struct host *h = &w->host[whom & 1];
    switch (what) {
    case 6:
    case 7:
        flush(w, 1 + number % 32);
        break;
    case 8:
        pass_time(w, next_deadline(w) == INT64_MAX ? 0 : next_deadline(w) - w->now_ns);
        break;
    case 9:
        pass_time(w, (INT64_C(1000) + (number & 255) * 8) << (number >> 8) % 28);
        break;
    case 10:
    case 11:
        send_some(w, h, number % CHUNK_MAX, (number >> 13) == 7);
        break;
    case 12:
        receive_some(w, h, number % CHUNK_MAX);
        break;
    case 13:
        if (number < 40000)
            shut_down(w, h);
        else
            let_go(w, h, number >= 60000);
        break;
    case 14:
        accept_one(w, h);
        break;
    case 15:
        set_option(w, h, number);
        break;
    default:
        hostile(w, h, what, whom >> 1, number);
        break;
    }
}

/* Reads what is there, and closes when there will be no more. */
static void finish_application(struct world *w, struct host *h)
{
    accept_one(w, h);
    shut_down(w, h);
    int64_t given;
    do
        given = receive_some(w, h, CHUNK_MAX);
    while (given > 0);
    if (given != -EAGAIN && given != -ENOTCONN)
        let_go(w, h, false);
}

static bool is_over(const struct world *w)
{
    for (int i = 0; i < 2; i++)
        if (w->host[i].handle >= 0 || w->host[i].coming_count || HASH_COUNT(w->host[i].stack->connections))
            return false;
    return true;
}

/* Who waits for a peer that is no more, and has nothing to send, would wait for ever: that is for the application to end. False:
 * nobody waits. */
static bool lose_patience(struct world *w)
{
    bool waited = w->host[0].handle >= 0 || w->host[1].handle >= 0;
    let_go(w, &w->host[0], false);
    let_go(w, &w->host[1], false);
    return waited;
}

/* From here on the link is fair. */
static void carry_to_the_end(struct world *w)
{
    for (int round = 0; !is_over(w); round++) {
        must(round < ROUNDS_MAX, "both sides come to an end");
        for (int i = 0; i < 2; i++)
            finish_application(w, &w->host[i]);
        bool busy = w->host[0].coming_count + w->host[1].coming_count > 0;
        int64_t due_ns = next_deadline(w);
        if (busy)
            pass_time(w, LATENCY_NS);
        else if (due_ns != INT64_MAX)
            pass_time(w, due_ns - w->now_ns);
        else
            must(lose_patience(w) || is_over(w), "no connection stays for good");
        flush(w, 1);
    }
}

static void tear_down(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        struct host *h = &w->host[i];
        judge_time(h->judge, w->now_ns);
        judge_end(h->judge, w->now_ns);
        if (h->listener >= 0)
            ref_close(h->stack, h->listener);
        must(h->stack->sockets_used == 0 && h->stack->buffers.used == 0, "nothing is left behind");
        judge_free(h->judge);
        ref_stack_free(h->stack);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *w = calloc(1, sizeof *w);
    must(w, "memory for a world");
    w->in = (struct input){data, size};
    set_up(w);
    for (int i = 0; i < RECORDS_MAX && w->in.left; i++)
        step(w);
    carry_to_the_end(w);
    tear_down(w);
    free(w);
    return 0;
}
