/* Fuzzes the judge: bytes become what it is told of a pair of endpoints: segments in and out, with numbers near the live ones, ICMP
 * errors, calls, states told, and the passing of time. Two judges are told the same and must find the same; whatever they are told,
 * their sets of hypotheses, facts and memory stay within bounds, and what they find can be printed.
 *
 * A crash means that what a stack sends, or a capture holds, stops the model; two that differ, that its findings cannot be relied
 * upon. */
#include "fuzz/input.h"
#include "engine/model/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 600, STORM_MAX = 40, TEXT_MAX = 2000 };

struct witness { /* one of the two judges, and what it has found */
    struct judge_host host;
    struct judge *judge;
    uint64_t hash;
    unsigned findings;
};

struct play {
    struct input in;
    struct witness of[2];
    uint8_t version;
    int64_t now_ns;
    uint32_t index;
};

/* ---- findings ---------------------------------------------------------------------------------------------------- */

static void hash_text(struct witness *w, const char *text)
{
    for (; *text; text++)
        w->hash = (w->hash ^ (uint8_t)*text) * UINT64_C(1099511628211);
    w->hash = (w->hash ^ '\n') * UINT64_C(1099511628211);
}

static void note(void *context, const struct judge_finding *f)
{
    struct witness *w = context;
    must(f->rule < RULE_COUNT, "a finding has a rule");
    must(f->message && f->message[0] && f->permitted && f->permitted[0] && f->observed, "a finding has words");
    must(f->requirement && requirement_find(f->requirement), "a finding has a requirement of the catalogue");
    must(w->host.link == JUDGE_LOSSY || f->needs == 0, "only a capture can need anything");
    must(f->level == rule_at(f->rule)->level, "a finding has its rule's level");
    w->findings++;
    hash_text(w, rule_at(f->rule)->name);
    hash_text(w, f->message);
    hash_text(w, f->permitted);
    hash_text(w, f->observed);
    w->hash ^= f->segment + f->needs * 7919u;
}

/* ---- what holds after every step --------------------------------------------------------------------------------- */

static void check_side(const struct side *s)
{
    must(s->range_count <= FACTS_RANGES_MAX, "ranges are bounded");
    for (unsigned i = 0; i < s->range_count; i++)
        must(seq_lt(s->ranges[i].left, s->ranges[i].right) &&
             seq_lt(i ? s->ranges[i - 1].right : s->gapless, s->ranges[i].left), "ranges ascend, apart from each other");
    must(s->window <= 65535u << 14 && s->window <= s->window_max, "a window fits 30 bits");
}

static void check_set(const struct judge *j, const struct hypotheses *set)
{
    must(set->count <= HYPOTHESES_MAX, "the set is bounded");
    must(set->count > 0 || judge_inconclusive(j), "something explains what was seen, or nothing is judged");
    for (unsigned i = 0; i < set->count; i++) {
        const struct hypothesis *h = &set->of[i];
        must(h->state < TCP_STATE_COUNT && h->due_count <= HYPOTHESIS_DUES_MAX, "a hypothesis is one");
        if (judge_is_exact(j))
            must(seq_le(h->rcv_nxt_low, h->rcv_nxt_high) && seq_le(h->snd_una_low, h->snd_una_high), "bounds are in order");
    }
}

static void check(const struct play *p)
{
    const struct witness *a = &p->of[0], *b = &p->of[1];
    const struct judge *j = a->judge;
    check_set(j, j->now);
    check_set(j, j->before);
    check_side(&j->in);
    check_side(&j->out);
    must(a->host.octets.held <= OCTETS_BUDGET_MAX, "octets held are bounded");
    must(a->hash == b->hash && a->findings == b->findings, "the same finds the same");
    must(judge_states(a->judge) == judge_states(b->judge), "the same leads to the same states");
    must(judge_deadline(j) == judge_deadline(b->judge) && judge_deadline(j) >= p->now_ns, "no deadline has passed unnoticed");
}

/* ---- telling both ------------------------------------------------------------------------------------------------- */

static struct pkt_addr address(uint8_t version, bool peer)
{
    struct pkt_addr addr;
    if (version == 4)
        pkt_addr_parse(peer ? "198.51.100.1" : "192.0.2.2", &addr);
    else
        pkt_addr_parse(peer ? "2001:db8:1::1" : "2001:db8::2", &addr);
    return addr;
}

static void begin_judge(struct play *p, struct witness *w, unsigned states)
{
    judge_free(w->judge);
    must(w->host.octets.held == 0, "a judge gives back what it held");
    const struct judge_config config = {
        .host = &w->host, .iut = {address(p->version, false), 80}, .peer = {address(p->version, true), 40000}, .states = states,
        .report = note, .context = w};
    w->judge = judge_new(&config);
    if (!w->judge)
        exit(3);
}

static void set_up(struct play *p)
{
    uint8_t bits = next8(&p->in), more = next8(&p->in);
    uint16_t states = next16(&p->in);
    struct judge_host *host = &p->of[0].host;
    static const uint16_t mtus[] = {0, 1500, 1500, 1280, 65535, 9000, 576, 1};
    p->version = bits & 1 ? 6 : 4;
    p->now_ns = more & 64 ? 0 : 1000000000;
    host->link = (enum judge_link)((bits >> 1) % 3);
    host->application_known = bits & 8;
    host->offload = bits & 16;
    host->pressed = (bits & 0xe0) == 0xe0;
    host->mtu = mtus[more & 7];
    host->granularity_ns = more & 8 ? 10000000 : 0;
    host->granularity_permille = more & 16 ? 50 : 0;
    host->latency_ns = more & 32 ? 10000000 : 0;
    host->timers_configured = more & 128;
    p->of[1].host = *host;
    for (int i = 0; i < 2; i++)
        begin_judge(p, &p->of[i], states & 0x8000 ? 1u << states % TCP_STATE_COUNT : states & ((1u << TCP_STATE_COUNT) - 1));
}

static void tell(struct play *p, const struct packet *packet, bool inwards, bool whole, int64_t early_ns)
{
    p->index++;
    for (int i = 0; i < 2; i++) {
        struct judge *j = p->of[i].judge;
        if (!judge_is_lossy(j))
            judge_time(j, p->now_ns);
        if (inwards)
            judge_input(j, packet, whole, p->now_ns, p->index);
        else
            judge_output(j, packet, whole, p->now_ns - early_ns, p->now_ns, p->index);
    }
}

/* ---- segments ----------------------------------------------------------------------------------------------------- */

/* On the mark, near it, or far away. */
static uint32_t offset(struct input *in)
{
    uint8_t how = next8(in);
    int8_t near = (int8_t)next8(in);
    if (how < 128)
        return 0;
    return how < 220 ? (uint32_t)near : (uint32_t)near << (how % 28);
}

static uint32_t pick(struct input *in, const uint32_t *values, size_t count)
{
    return values[next8(in) % count] + offset(in);
}

static void put_options(struct play *p, bool inwards, unsigned flags, struct pkt_option_buffer *o)
{
    const struct judge *j = p->of[0].judge;
    const struct side *from = inwards ? &j->in : &j->out, *to = inwards ? &j->out : &j->in;
    uint8_t which = next8(&p->in);
    bool agreed = facts_timestamps(from, to) == AGREED_YES && which < 200;
    if (flags & PKT_SYN ? which & 1 : which == 255)
        pkt_put_mss(o, next16(&p->in));
    if (flags & PKT_SYN ? which & 2 : which == 254)
        pkt_put_wscale(o, next8(&p->in) % 17);
    if (flags & PKT_SYN ? which & 4 : which == 253)
        pkt_put_sack_permitted(o);
    if (agreed || (flags & PKT_SYN && which & 8))
        pkt_put_timestamp(o, from->ts_val_max + offset(&p->in), to->ts_val_max + offset(&p->in));
    if ((which & 48) == 48 && !(flags & PKT_SYN)) {
        const uint32_t edges[] = {to->gapless, to->nxt, to->ranges[0].left};
        uint32_t blocks[3][2];
        unsigned count = 1u + which % 3u;
        for (unsigned i = 0; i < count; i++) {
            blocks[i][0] = pick(&p->in, edges, 3);
            blocks[i][1] = blocks[i][0] + next16(&p->in);
        }
        pkt_put_sack(o, (const uint32_t(*)[2])blocks, count);
    }
    if ((which & 192) == 192)
        pkt_put_raw_option(o, next8(&p->in), next8(&p->in), (const uint8_t *)"abcdefgh", next8(&p->in) % 9);
    pkt_pad_options(o);
}

struct shape { /* of a segment: everything but what its surroundings say */
    uint16_t flags;
    uint32_t seq, ack, payload_len;
    uint16_t window;
};

/* The octets lie in memory of their own, exactly as many as there are, and are gone when the judge returns. */
static void send(struct play *p, bool inwards, const struct shape *shape)
{
    struct pkt_option_buffer options = {0};
    struct packet packet = {.kind = PKT_KIND_TCP};
    uint8_t how = next8(&p->in);
    bool whole = (how & 0x1f) != 1;
    put_options(p, inwards, shape->flags, &options);
    uint8_t *bytes = malloc(options.len + shape->payload_len + 1u);
    if (!bytes)
        exit(3);
    memcpy(bytes, options.bytes, options.len);
    for (uint32_t i = 0; i < shape->payload_len; i++)
        bytes[options.len + i] = (uint8_t)(how & 0x20 ? how : (shape->seq + i) * 131);
    packet.ip = (struct pkt_ip){.version = p->version, .tos = (how >> 6) & 3, .ttl = how == 77 ? 0 : 64, .protocol = PKT_PROTO_TCP,
                                .header_len = p->version == 4 ? 20 : 40, .checksum_ok = how != 78, .dont_fragment = !(how & 8),
                                .src = address(p->version, inwards), .dst = address(p->version, !inwards)};
    packet.tcp = (struct pkt_tcp){.src_port = inwards ? 40000 : 80, .dst_port = inwards ? 80 : 40000, .seq = shape->seq, .ack = shape->ack,
                                  .data_offset = (uint8_t)(5 + options.len / 4), .flags = shape->flags, .window = shape->window,
                                  .checksum_ok = how != 79, .urgent = how & 16 ? how : 0, .options_len = options.len, .options = bytes,
                                  .payload_len = shape->payload_len, .payload = bytes + options.len};
    packet.payload_len = 20u + options.len + shape->payload_len;
    packet.ip.total_len = packet.ip.header_len + packet.payload_len;
    if (!whole) /* the octets are not there */
        packet.tcp.payload = NULL;
    tell(p, &packet, inwards, whole, how == 2 ? 5000000 : how == 4 ? 2000000000 : 0);
    memset(bytes, 0xdd, options.len + shape->payload_len + 1u);
    free(bytes);
}

static uint32_t length(struct input *in)
{
    uint8_t amount = next8(in);
    return amount < 100 ? 0 : amount < 200 ? amount - 99u : amount < 240 ? 1000 : (uint32_t)(amount - 239) * 117;
}

static uint16_t window(struct input *in)
{
    uint8_t how = next8(in);
    return how < 60 ? 0 : how < 200 ? 65535 : (uint16_t)(how * 17);
}

static uint16_t flags(struct input *in)
{
    static const uint16_t likely[] = {PKT_ACK, PKT_ACK, PKT_ACK | PKT_PSH, PKT_ACK | PKT_FIN, PKT_SYN, PKT_SYN | PKT_ACK, PKT_RST,
                                      PKT_RST | PKT_ACK, PKT_ACK | PKT_URG, PKT_SYN | PKT_ECE | PKT_CWR, PKT_ACK | PKT_ECE};
    uint8_t how = next8(in);
    return how < 220 ? likely[how % (sizeof likely / sizeof *likely)] : next16(in) & 0xfff;
}

/* Any segment, with numbers that mean something to one of the two sides. */
static void any_segment(struct play *p, bool inwards)
{
    const struct judge *j = p->of[0].judge;
    const struct side *from = inwards ? &j->in : &j->out, *to = inwards ? &j->out : &j->in;
    const struct hypothesis *h = &j->now->of[next8(&p->in) % (j->now->count ? j->now->count : 1)];
    const struct shape mirrored = inwards ? (struct shape){.seq = h->rcv_nxt_low, .ack = h->snd_una_high}
                                          : (struct shape){.seq = h->snd_una_low, .ack = h->rcv_nxt_high};
    const uint32_t seqs[] = {from->nxt, from->nxt, from->nxt, from->gapless, from->iss, from->fin, to->edge, to->ack, mirrored.seq};
    const uint32_t acks[] = {to->nxt, to->nxt, to->nxt, to->gapless, to->iss + 1, from->ack, mirrored.ack, 0};
    const struct shape shape = {.flags = flags(&p->in), .seq = pick(&p->in, seqs, 9), .ack = pick(&p->in, acks, 8),
                                .payload_len = length(&p->in), .window = window(&p->in)};
    send(p, inwards, &shape);
}

/* What the IUT may well send in one of the situations held: what it owes, or the next that fits. */
static void fitting_output(struct play *p)
{
    const struct judge *j = p->of[0].judge;
    const struct hypothesis *h = &j->now->of[next8(&p->in) % (j->now->count ? j->now->count : 1)];
    uint8_t how = next8(&p->in);
    struct shape shape = {.flags = PKT_ACK, .seq = j->out.nxt, .ack = h->rcv_nxt_high, .window = 60000};
    if (h->due_count > 0 && h->dues[0].kind == DUE_RST) {
        shape = (struct shape){.flags = PKT_RST | (h->dues[0].has_ack ? PKT_ACK : 0), .seq = h->dues[0].seq, .ack = h->dues[0].ack};
    } else if (h->state == TCP_STATE_CLOSED || h->state == TCP_STATE_SYN_SENT) {
        shape = (struct shape){.flags = PKT_SYN, .seq = j->out.begun ? j->out.iss : 0xfffffff0u + how, .window = 60000};
    } else if (h->state == TCP_STATE_SYN_RECEIVED) {
        shape.flags |= PKT_SYN;
        shape.seq = j->out.begun ? j->out.iss : 0xfffffff0u + how;
    } else if (how > 200) {
        shape.flags |= PKT_FIN;
    } else if (how > 100) {
        shape.payload_len = how;
    }
    if (j->out.fin_seen && shape.flags == PKT_ACK)
        shape.payload_len = 0;
    send(p, false, &shape);
}

/* What the peer may well send next. */
static void fitting_input(struct play *p)
{
    const struct judge *j = p->of[0].judge;
    uint8_t how = next8(&p->in);
    struct shape shape = {.flags = PKT_ACK, .seq = j->in.nxt, .ack = j->out.nxt, .window = 60000};
    if (!j->out.known || !j->in.known) {
        shape.flags = j->out.known ? PKT_SYN | PKT_ACK : PKT_SYN;
        shape.seq = j->in.known ? j->in.iss : 0xffffffe0u + how;
    } else if (how > 220) {
        shape.flags |= PKT_FIN;
    } else if (how > 80) {
        shape.payload_len = how * 5u;
    }
    if (how % 16 == 1)
        shape.seq += 500; /* a hole */
    send(p, true, &shape);
}

static void storm(struct play *p)
{
    const struct judge *j = p->of[0].judge;
    unsigned count = next8(&p->in) % STORM_MAX;
    struct shape shape = {.flags = next8(&p->in) & 1 ? PKT_RST : PKT_SYN, .seq = j->in.nxt + offset(&p->in)};
    uint32_t step = offset(&p->in);
    bool inwards = next8(&p->in) < 200;
    for (unsigned i = 0; i < count; i++) {
        send(p, inwards, &shape);
        shape.seq += step;
    }
}

static void icmp(struct play *p)
{
    static const uint8_t types[2][6] = {{3, 3, 11, 12, 4, 8}, {1, 2, 3, 4, 1, 128}};
    const struct judge *j = p->of[0].judge;
    const uint32_t seqs[] = {j->out.nxt, j->out.iss, j->in.ack, 0};
    uint32_t seq = pick(&p->in, seqs, 4);
    uint8_t how = next8(&p->in), len = next8(&p->in), quoted[60] = {0};
    bool v6 = p->version == 6;
    unsigned at = v6 ? 40 : 20;
    quoted[0] = v6 ? 0x60 : 0x45;
    quoted[v6 ? 6 : 9] = how == 99 ? PKT_PROTO_UDP : PKT_PROTO_TCP;
    quoted[v6 ? 4 : 2] = 4;
    quoted[at + 1] = 80;
    quoted[at + 2] = 40000 >> 8;
    quoted[at + 3] = 40000 & 0xff;
    for (unsigned i = 0; i < 4; i++)
        quoted[at + 4 + i] = (uint8_t)(seq >> (24 - 8 * i));
    struct packet packet = {.kind = PKT_KIND_ICMP};
    packet.ip = (struct pkt_ip){.version = p->version, .ttl = 64, .checksum_ok = true, .src = address(p->version, true), .dst = address(p->version, false)};
    packet.icmp = (struct pkt_icmp){.type = types[v6][how % 6], .code = how % 7, .checksum_ok = how != 3, .rest = (uint32_t)next8(&p->in) * 8,
                                    .body = quoted, .body_len = len < 200 ? at + 8u : len % (at + 9u)};
    tell(p, &packet, true, true, 0);
}

/* ---- calls, states, time ------------------------------------------------------------------------------------------ */

static void call(struct play *p)
{
    static const char *const options[] = {"TCP_NODELAY", "TCP_CORK", "SO_KEEPALIVE", "TCP_KEEPIDLE", "TCP_USER_TIMEOUT", "SO_RCVBUF", "SHUT_RD",
                                          "IP_MTU_DISCOVER", "SO_LINGER", "TCP_MAXSEG", "?"};
    static const char *const sends[] = {NULL, NULL, "MSG_OOB", "MSG_MORE"};
    static const uint8_t octets[TEXT_MAX];
    const struct judge *j = p->of[0].judge;
    uint8_t kind = next8(&p->in), how = next8(&p->in);
    struct judge_call c = {.kind = (enum judge_call_kind)(kind % (JUDGE_CALL_OPTION + 1)), .amount = how};
    if (c.kind == JUDGE_CALL_SEND || c.kind == JUDGE_CALL_RECEIVE) {
        c.amount = how < 200 ? how * 7 : 0;
        c.data = how & 1 ? octets : NULL;
        c.name = c.kind == JUDGE_CALL_SEND ? sends[kind / 16 % 4] : NULL;
    }
    if (c.kind == JUDGE_CALL_RECEIVE && how == 255)
        c.amount = (int64_t)(j->in.gapless - j->in.iss) & 0xffff;
    if (c.kind == JUDGE_CALL_OPTION)
        c.name = options[how % (sizeof options / sizeof *options)];
    uint8_t *data = NULL;
    if (c.data) {
        data = malloc((size_t)c.amount + 1);
        if (!data)
            exit(3);
        memset(data, kind, (size_t)c.amount + 1);
        c.data = data;
    }
    for (int i = 0; i < 2; i++)
        judge_call(p->of[i].judge, &c, p->now_ns);
    free(data);
}

static void tell_state(struct play *p)
{
    const struct judge *j = p->of[0].judge;
    uint8_t which = next8(&p->in);
    unsigned states = judge_states(j);
    enum tcp_state state = which < 200 && states ? (enum tcp_state)__builtin_ctz(states) : (enum tcp_state)(which % TCP_STATE_COUNT);
    for (int i = 0; i < 2; i++)
        judge_state(p->of[i].judge, state, p->now_ns);
}

static void pass_time(struct play *p)
{
    uint8_t how = next8(&p->in);
    int64_t to_ns = p->now_ns + ((int64_t)1 << how % 40), deadline_ns = judge_deadline(p->of[0].judge);
    if (how & 128 && deadline_ns < INT64_MAX - 1)
        to_ns = deadline_ns + 1;
    if (to_ns > INT64_MAX / 4)
        return;
    p->now_ns = to_ns;
    for (int i = 0; i < 2; i++)
        judge_time(p->of[i].judge, to_ns);
}

static void fence(struct play *p)
{
    for (int i = 0; i < 2; i++)
        judge_fence(p->of[i].judge, p->now_ns);
}

static void end(struct play *p)
{
    for (int i = 0; i < 2; i++) {
        judge_end(p->of[i].judge, p->now_ns);
        (void)judge_is_over(p->of[i].judge, p->now_ns);
    }
    must(judge_evidence(p->of[0].judge) == judge_evidence(p->of[1].judge), "the same is the same evidence");
}

/* Another connection of the same host. */
static void again(struct play *p)
{
    uint8_t states = next8(&p->in);
    end(p);
    for (int i = 0; i < 2; i++)
        begin_judge(p, &p->of[i], states < 200 ? 1u << states % TCP_STATE_COUNT : 0);
}

static void step(struct play *p)
{
    switch (next8(&p->in) % 24) {
    case 0: case 1: case 2: case 3: case 4:
        any_segment(p, true);
        break;
    case 5: case 6: case 7:
        any_segment(p, false);
        break;
    case 8: case 9: case 10: case 11: case 12:
        fitting_output(p);
        break;
    case 13: case 14: case 15:
        fitting_input(p);
        break;
    case 16: case 17: case 18:
        call(p);
        break;
    case 19:
        tell_state(p);
        break;
    case 20:
        pass_time(p);
        break;
    case 21:
        icmp(p);
        break;
    case 22:
        storm(p);
        break;
    default:
        if (next8(&p->in) < 230)
            fence(p);
        else
            again(p);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct play play; /* large; begun anew each time */
    memset(&play, 0, sizeof play);
    play.in = (struct input){data, size};
    set_up(&play);
    for (int i = 0; i < STEPS_MAX && play.in.left; i++) {
        step(&play);
        check(&play);
    }
    end(&play);
    for (int i = 0; i < 2; i++) {
        judge_free(play.of[i].judge);
        must(play.of[i].host.octets.held == 0, "a judge gives back what it held");
    }
    return 0;
}
