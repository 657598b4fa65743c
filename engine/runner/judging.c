/* Feeds the judges of a play (see judging.h).
 *
 * Theory of operation. A judge knows one pair of endpoints. A pair is made when the first segment to or from it crosses the link,
 * or when the first call concerns it; it begins in LISTEN when the IUT's port has a listener then, otherwise in CLOSED. Only pairs
 * are judged whose segments surely come back to this player: the IUT's own address, and the tester's side a known endpoint under
 * its own address. What goes to or comes from elsewhere (a claimed source, a multicast group) is nobody's.
 *
 * Order. A judge must hear of an output before the input or the call that came after it. So the link is read before each
 * input and each call that may change something, and on a synchronous link behind each input too, where silence then means that
 * nothing follows at once (a fence).
 *
 * What a listener's sockets options are at the time, its connections inherit; what is set before connect() counts from then on. So
 * options are kept by handle and told when the pair is known. */
#include "engine/runner/judging.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAIR_BUCKETS = 64, JUDGING_LISTENERS_MAX = 64 };

struct pair {
    struct pair *next_in_bucket, *next;
    struct pkt_endpoint iut, peer;
    struct judge *judge;
    int outstanding_at;           /* the handle of the listener for which there was a SYN, not accepted yet, plus 1; 0: none */
    bool urgent;                  /* the tester has sent urgent data */
};

struct listener { int handle; uint16_t port; int64_t backlog, outstanding; };
struct kept_option { int handle; const char *name; int64_t value; };

struct judging {
    struct judge_host host;
    struct pair *buckets[PAIR_BUCKETS], *pairs; /* all of them, newest first */
    struct pair *spare;           /* of former plays */
    unsigned pair_count;
    struct listener listeners[JUDGING_LISTENERS_MAX];
    unsigned listener_count;
    struct kept_option options[JUDGING_OPTIONS_MAX];
    unsigned option_count;
    struct pkt_reassembler *reassembler; /* of fragments towards the IUT */
    int64_t now_ns;               /* of the last thing told */
    bool ended, catching_up;
    struct result_finding findings[JUDGING_FINDINGS_MAX];
    struct judging_mark marks[JUDGING_FINDINGS_MAX]; /* one for each */
    size_t finding_count;
};

/* ---- findings ---------------------------------------------------------------------------------------------------- */

static void keep_finding(void *context, const struct judge_finding *found)
{
    struct player *p = context;
    struct judging *g = p->judging;
    if (g->finding_count == JUDGING_FINDINGS_MAX)
        return;
    const char *rule = rule_at(found->rule)->name;
    g->marks[g->finding_count] = (struct judging_mark){.rule = found->rule, .state = found->state, .event = found->event, .record = p->record};
    g->findings[g->finding_count++] = (struct result_finding){
        .rule = rule, .requirement = strdup(found->requirement), .level = found->level, .message = strdup(found->message),
        .expected = strdup(found->permitted), .observed = strdup(found->observed), .at_ns = play_since_start(p, found->at_ns),
        .segment = found->segment,
    };
    play_note(p, "the model, segment %u: %s (rule %s, %s, %s)", found->segment, found->message, rule, found->requirement,
              requirement_level_text(found->level));
}

size_t judging_findings(const struct judging *g, const struct result_finding **list)
{
    *list = g->findings;
    return g->finding_count;
}

const struct judging_mark *judging_marks(const struct judging *g)
{
    return g->marks;
}

const struct result_finding *judging_failure(const struct judging *g, bool strict)
{
    for (size_t i = 0; i < g->finding_count; i++) {
        enum requirement_level level = g->findings[i].level;
        if (level != LEVEL_MAY && (strict || !requirement_level_is_should(level)))
            return &g->findings[i];
    }
    return NULL;
}

const struct judge_host *judging_host(const struct judging *g)
{
    return &g->host;
}

void judging_lend(struct judging *g, struct reactions *reactions, struct pool *octets)
{
    g->host.reactions = reactions;
    g->host.octets.pool = octets;
}

/* ---- life cycle ---------------------------------------------------------------------------------------------------- */

static struct pair **bucket_of(struct judging *g, const struct pkt_endpoint *peer)
{
    return &g->buckets[peer->port % PAIR_BUCKETS];
}

/* Settings under which a listener may keep silent to a SYN, or answer it without keeping a record. */
static bool asks_for_pressure(const struct scenario *s)
{
    for (unsigned i = 0; i < s->setting_count; i++) {
        const char *name = s->settings[i].name;
        if (!strcmp(name, "max-syn-backlog") || (!strcmp(name, "syncookies") && strcmp(s->settings[i].value, "off")))
            return true;
    }
    return false;
}

static bool sets_timers(const struct scenario *s)
{
    static const char *const timers[] = {
        "syn-retries", "synack-retries", "data-retries", "orphan-retries", "fin-wait-2-ms", "syn-linear-timeouts", "min-rto-ms", "msl-ms",
        "keepalive-idle-s", "keepalive-interval-s", "keepalive-probes", "delayed-ack-ms"};
    for (unsigned i = 0; i < s->setting_count; i++)
        for (size_t k = 0; k < sizeof timers / sizeof *timers; k++)
            if (!strcmp(s->settings[i].name, timers[k]))
                return true;
    return false;
}

static uint16_t mtu_of(const struct player *p)
{
    for (unsigned i = 0; i < p->scenario->setting_count; i++)
        if (!strcmp(p->scenario->settings[i].name, "mtu"))
            return (uint16_t)strtoul(p->scenario->settings[i].value, NULL, 10);
    return p->target->info.mtu;
}

struct judging *judging_new(struct player *p)
{
    const struct target_info *info = &p->target->info;
    struct judging *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->host.link = info->capabilities & (TARGET_SYNCHRONOUS | TARGET_FENCED) ? JUDGE_SYNCHRONOUS : JUDGE_ORDERED;
    g->host.application_known = info->capabilities & TARGET_UPPER_TESTER;
    g->host.mtu = mtu_of(p);
    g->host.granularity_ns = info->granularity_ns;
    g->host.granularity_permille = info->granularity_permille;
    g->host.latency_ns = info->latency_ns;
    g->host.timers_configured = sets_timers(p->scenario);
    g->host.pressed = asks_for_pressure(p->scenario);
    g->now_ns = p->now_ns;
    return g;
}

static void free_findings(struct judging *g)
{
    for (size_t i = 0; i < g->finding_count; i++) {
        free((char *)g->findings[i].requirement);
        free((char *)g->findings[i].message);
        free((char *)g->findings[i].expected);
        free((char *)g->findings[i].observed);
    }
    g->finding_count = 0;
}

static void free_pairs(struct pair *first)
{
    for (struct pair *pair = first, *next; pair; pair = next) {
        next = pair->next;
        judge_free(pair->judge);
        free(pair);
    }
}

void judging_again(struct player *p)
{
    struct judging *g = p->judging;
    while (g->pairs) {
        struct pair *pair = g->pairs;
        g->pairs = pair->next;
        *bucket_of(g, &pair->peer) = NULL;
        pair->next = g->spare;
        g->spare = pair;
    }
    free_findings(g);
    pkt_reassembler_free(g->reassembler);
    g->reassembler = NULL;
    g->pair_count = g->listener_count = g->option_count = 0;
    g->host.challenge_count = 0;
    g->host.pressed = asks_for_pressure(p->scenario);
    g->now_ns = p->now_ns;
    g->ended = g->catching_up = false;
}

void judging_free(struct judging *g)
{
    if (!g)
        return;
    free_pairs(g->pairs);
    free_pairs(g->spare);
    free_findings(g);
    pkt_reassembler_free(g->reassembler);
    free(g);
}

/* ---- time ---------------------------------------------------------------------------------------------------------- */

static bool is_judged(const struct player *p)
{
    return p->judging && !p->judging->ended;
}

/* What an input causes at once can be read now. */
static bool is_synchronous(const struct player *p)
{
    return p->target->info.capabilities & TARGET_SYNCHRONOUS;
}

/* The time for what is told now; it never goes backwards. What the tester was late, the IUT's answers may seem to be. */
static int64_t told_at(struct player *p, int64_t at_ns)
{
    struct judging *g = p->judging;
    g->host.latency_ns = p->target->info.latency_ns + player_lateness(p);
    if (at_ns > g->now_ns)
        g->now_ns = at_ns;
    return g->now_ns;
}

void judging_catch_up(struct player *p)
{
    if (!is_judged(p) || !p->catch_up || p->judging->catching_up)
        return;
    p->judging->catching_up = true;
    p->catch_up(p->catch_up_context);
    p->judging->catching_up = false;
}

/* ---- pairs --------------------------------------------------------------------------------------------------------- */

static struct listener *listener_on(struct judging *g, uint16_t port)
{
    for (unsigned i = 0; i < g->listener_count; i++)
        if (g->listeners[i].port == port)
            return &g->listeners[i];
    return NULL;
}

static struct pair *find_pair(struct judging *g, const struct pkt_endpoint *iut, const struct pkt_endpoint *peer)
{
    for (struct pair *pair = *bucket_of(g, peer); pair; pair = pair->next_in_bucket)
        if (pair->peer.port == peer->port && pair->iut.port == iut->port && pkt_addr_equal(&pair->peer.addr, &peer->addr) &&
            pkt_addr_equal(&pair->iut.addr, &iut->addr))
            return pair;
    return NULL;
}

/* Do segments of this pair surely come and go by this player? */
static bool is_ours(struct player *p, const struct pkt_endpoint *iut, const struct pkt_endpoint *peer)
{
    if (!pkt_addr_equal(&iut->addr, &p->target->info.iut[p->variant.ip_version == 6]))
        return false;
    const struct endpoint *e = play_endpoint_of_port(p, &peer->addr, peer->port);
    return e && pkt_addr_equal(&e->tester.addr, &peer->addr);
}

static void tell(struct pair *pair, const struct judge_call *call, int64_t at_ns)
{
    judge_call(pair->judge, call, at_ns);
}

static void tell_options(struct judging *g, struct pair *pair, int handle, int64_t at_ns)
{
    for (unsigned i = 0; i < g->option_count; i++)
        if (g->options[i].handle == handle)
            tell(pair, &(struct judge_call){.kind = JUDGE_CALL_OPTION, .name = g->options[i].name, .amount = g->options[i].value}, at_ns);
}

/* One to be filled in: of a former play, or newly made. NULL: out of memory. */
static struct pair *take_pair(struct judging *g, const struct judge_config *config)
{
    struct pair *pair = g->spare;
    if (pair) {
        g->spare = pair->next;
        judge_again(pair->judge, config);
        return pair;
    }
    pair = calloc(1, sizeof *pair);
    if (pair)
        pair->judge = judge_new(config);
    if (pair && !pair->judge) {
        free(pair);
        return NULL;
    }
    return pair;
}

static struct pair *new_pair(struct player *p, const struct pkt_endpoint *iut, const struct pkt_endpoint *peer, int64_t at_ns)
{
    struct judging *g = p->judging;
    const struct listener *listener = listener_on(g, iut->port);
    struct judge_config config = {
        .host = &g->host, .iut = *iut, .peer = *peer, .states = 1u << (listener ? TCP_STATE_LISTEN : TCP_STATE_CLOSED),
        .report = keep_finding, .context = p};
    if (!g->host.application_known) /* somebody else has opened the ports, or not */
        config.states = 1u << TCP_STATE_LISTEN | 1u << TCP_STATE_CLOSED;
    struct pair *pair = g->pair_count < JUDGING_PAIRS_MAX ? take_pair(g, &config) : NULL;
    if (!pair)
        return NULL;
    *pair = (struct pair){.next_in_bucket = *bucket_of(g, peer), .next = g->pairs, .iut = *iut, .peer = *peer, .judge = pair->judge};
    *bucket_of(g, peer) = g->pairs = pair;
    g->pair_count++;
    if (listener)
        tell_options(g, pair, listener->handle, at_ns);
    return pair;
}

static struct pair *the_pair(struct player *p, const struct pkt_endpoint *iut, const struct pkt_endpoint *peer, int64_t at_ns)
{
    struct pair *pair = find_pair(p->judging, iut, peer);
    if (pair)
        return pair;
    return is_ours(p, iut, peer) ? new_pair(p, iut, peer, at_ns) : NULL;
}

/* ---- the link ------------------------------------------------------------------------------------------------------ */

/* A SYN to a listener is outstanding until its connection is accepted; more than the backlog presses the listener. */
static void count_outstanding(struct judging *g, struct pair *pair, const struct pkt_tcp *tcp, int64_t at_ns)
{
    struct listener *listener = (tcp->flags & (PKT_SYN | PKT_ACK | PKT_RST)) == PKT_SYN ? listener_on(g, pair->iut.port) : NULL;
    if (!listener || pair->outstanding_at == listener->handle + 1)
        return;
    pair->outstanding_at = listener->handle + 1;
    tell_options(g, pair, listener->handle, at_ns); /* as they are now, for the connection that this SYN may begin */
    if (++listener->outstanding > listener->backlog)
        g->host.pressed = true;
}

static void fence_all(struct player *p, int64_t at_ns)
{
    for (struct pair *pair = p->judging->pairs; pair; pair = pair->next)
        judge_fence(pair->judge, at_ns);
}

static void tcp_input(struct player *p, const struct packet *packet, int64_t at_ns, uint32_t index)
{
    const struct pkt_endpoint iut = {packet->ip.dst, packet->tcp.dst_port}, peer = {packet->ip.src, packet->tcp.src_port};
    struct pair *pair = the_pair(p, &iut, &peer, at_ns);
    if (!pair)
        return;
    count_outstanding(p->judging, pair, &packet->tcp, at_ns);
    pair->urgent |= (packet->tcp.flags & PKT_URG) != 0;
    judge_time(pair->judge, at_ns);
    judge_input(pair->judge, packet, true, at_ns, index);
    if (!is_synchronous(p))
        return;
    judging_catch_up(p);
    judge_fence(pair->judge, at_ns);
}

static void icmp_input(struct player *p, const struct packet *packet, int64_t at_ns, uint32_t index)
{
    struct packet quoted;
    if (pkt_parse_quoted(packet->icmp.body, packet->icmp.body_len, &quoted) != PKT_OK || quoted.kind != PKT_KIND_TCP)
        return;
    const struct pkt_endpoint iut = {quoted.ip.src, quoted.tcp.src_port}, peer = {quoted.ip.dst, quoted.tcp.dst_port};
    struct pair *pair = find_pair(p->judging, &iut, &peer);
    if (!pair)
        return;
    judge_time(pair->judge, at_ns);
    judge_input(pair->judge, packet, true, at_ns, index);
    if (is_synchronous(p))
        judging_catch_up(p);
}

void judging_input(struct player *p, const uint8_t *bytes, size_t len, int64_t at_ns, uint32_t index)
{
    struct packet packet;
    if (!is_judged(p) || pkt_parse(bytes, len, &packet) != PKT_OK || !packet.ip.checksum_ok)
        return;
    at_ns = told_at(p, at_ns);
    if (packet.kind == PKT_KIND_FRAGMENT) {
        struct judging *g = p->judging;
        if (!g->reassembler)
            g->reassembler = pkt_reassembler_new();
        if (!g->reassembler || !pkt_reassemble(g->reassembler, &packet, at_ns, &bytes, &len) ||
            pkt_parse(bytes, len, &packet) != PKT_OK)
            return;
    }
    p->echo_is_last = false;
    if (packet.kind == PKT_KIND_TCP)
        tcp_input(p, &packet, at_ns, index);
    else if (packet.kind == PKT_KIND_ICMP)
        icmp_input(p, &packet, at_ns, index);
}

void judging_echoed(struct player *p, uint16_t sequence, int64_t at_ns)
{
    bool paced = p->target->info.capabilities & TARGET_FENCED; /* settle.c decides when it counts */
    if (is_judged(p) && !paced && p->echo_is_last && sequence == p->echo_sequence)
        fence_all(p, told_at(p, at_ns));
}

bool judging_owed(const struct player *p)
{
    for (const struct pair *pair = is_judged(p) ? p->judging->pairs : NULL; pair; pair = pair->next)
        if (judge_owes(pair->judge))
            return true;
    return false;
}

void judging_fence(struct player *p)
{
    if (is_judged(p))
        fence_all(p, told_at(p, play_clock_ns(p)));
}

void judging_output(struct player *p, const struct packet *packet, struct interval at, uint32_t index)
{
    if (!is_judged(p) || packet->kind != PKT_KIND_TCP)
        return;
    int64_t at_ns = told_at(p, at.latest);
    const struct pkt_endpoint iut = {packet->ip.src, packet->tcp.src_port}, peer = {packet->ip.dst, packet->tcp.dst_port};
    struct pair *pair = the_pair(p, &iut, &peer, at_ns);
    if (pair)
        judge_output(pair->judge, packet, true, at.earliest, at_ns, index);
}

void judging_state(struct player *p, const struct endpoint *e, enum tcp_state state)
{
    struct pair *pair = is_judged(p) ? find_pair(p->judging, &e->iut, &e->tester) : NULL;
    if (pair)
        judge_state(pair->judge, state, told_at(p, play_clock_ns(p)));
}

void judging_end(struct player *p)
{
    if (!is_judged(p))
        return;
    judging_catch_up(p);
    int64_t at_ns = told_at(p, p->now_ns);
    for (struct pair *pair = p->judging->pairs; pair; pair = pair->next) {
        judge_time(pair->judge, at_ns);
        judge_end(pair->judge, at_ns);
        const char *why = judge_inconclusive(pair->judge);
        if (!why)
            continue;
        play_note(p, "the model does not judge the connection between ports %u and %u to its end: %s", pair->iut.port,
                  pair->peer.port, why);
        if (p->verdict == VERDICT_PASS) {
            p->verdict = VERDICT_INCONCLUSIVE;
            snprintf(p->reason, sizeof p->reason, "the model: %s", why);
        }
    }
    p->judging->ended = true;
}

/* ---- the calls ----------------------------------------------------------------------------------------------------- */

/* The connection that a call on this descriptor is about. None, when another has begun between the same endpoints since. */
static struct pair *pair_of(struct descriptor *fd)
{
    if (fd->pair && !fd->connect_deferred && fd->life < judge_lives(fd->pair->judge))
        fd->pair = NULL;
    return fd->pair;
}

static uint16_t local_port(struct player *p, const struct descriptor *fd)
{
    struct pkt_endpoint local;
    if (p->target->ops->local_endpoint(p->target, fd->handle, &local) >= 0 && local.port)
        return local.port;
    return fd->bound_port;
}

static void tell_port(struct player *p, uint16_t port, enum judge_call_kind kind, int64_t at_ns)
{
    for (struct pair *pair = p->judging->pairs; pair; pair = pair->next)
        if (pair->iut.port == port)
            tell(pair, &(struct judge_call){.kind = kind}, at_ns);
}

void judging_listen(struct player *p, struct descriptor *fd, int64_t backlog)
{
    if (!is_judged(p))
        return;
    struct judging *g = p->judging;
    int64_t at_ns = told_at(p, play_clock_ns(p));
    uint16_t port = local_port(p, fd);
    for (unsigned i = 0; i < g->listener_count; i++)
        if (g->listeners[i].handle == fd->handle) { /* listen() again: another backlog */
            g->listeners[i].backlog = backlog;
            g->host.pressed |= g->listeners[i].outstanding > backlog;
            return;
        }
    if (g->listener_count == JUDGING_LISTENERS_MAX)
        return;
    g->listeners[g->listener_count++] = (struct listener){.handle = fd->handle, .port = port, .backlog = backlog};
    tell_port(p, port, JUDGE_CALL_LISTEN, at_ns);
}

/* True when the descriptor was a listener's. */
static bool stop_listening(struct player *p, const struct descriptor *fd, int64_t at_ns)
{
    struct judging *g = p->judging;
    for (unsigned i = 0; i < g->listener_count; i++) {
        if (g->listeners[i].handle != fd->handle)
            continue;
        uint16_t port = g->listeners[i].port;
        g->listeners[i] = g->listeners[--g->listener_count];
        if (!listener_on(g, port))
            tell_port(p, port, JUDGE_CALL_UNLISTEN, at_ns);
        return true;
    }
    return false;
}

void judging_accept(struct player *p, struct descriptor *listening, struct descriptor *fd, const struct pkt_endpoint *peer)
{
    if (!is_judged(p))
        return;
    int64_t at_ns = told_at(p, play_clock_ns(p));
    const struct pkt_endpoint iut = {p->target->info.iut[p->variant.ip_version == 6], local_port(p, listening)};
    struct pair *pair = the_pair(p, &iut, peer, at_ns);
    fd->pair = pair;
    if (!pair)
        return;
    if (judge_lives(pair->judge) > 1 && judge_states(pair->judge) == 1u << TCP_STATE_SYN_RECEIVED) { /* it is the one before */
        fd->pair = NULL;
        return;
    }
    struct listener *listener = listener_on(p->judging, iut.port);
    if (listener && pair->outstanding_at == listener->handle + 1)
        listener->outstanding--;
    pair->outstanding_at = 0;
    fd->linger_zero = listening->linger_zero;
    fd->life = judge_lives(pair->judge);
    tell(pair, &(struct judge_call){.kind = JUDGE_CALL_ACCEPT}, at_ns);
}

static void tell_connect(struct player *p, struct descriptor *fd, int64_t at_ns)
{
    fd->connect_deferred = false;
    fd->life = judge_lives(fd->pair->judge) + 1; /* its SYN begins it */
    tell_options(p->judging, fd->pair, fd->handle, at_ns);
    tell(fd->pair, &(struct judge_call){.kind = JUDGE_CALL_CONNECT}, at_ns);
}

void judging_connect(struct player *p, struct descriptor *fd, const struct pkt_endpoint *remote, int64_t result)
{
    if (!is_judged(p))
        return;
    int64_t at_ns = told_at(p, play_clock_ns(p));
    const struct pkt_endpoint iut = {p->target->info.iut[p->variant.ip_version == 6], local_port(p, fd)};
    fd->pair = the_pair(p, &iut, remote, at_ns);
    if (!fd->pair)
        return;
    if (result == 0 && fd->opens_fast) /* the SYN goes with the first data */
        fd->connect_deferred = true;
    else
        tell_connect(p, fd, at_ns);
}

void judging_send(struct player *p, struct descriptor *fd, const uint8_t *data, unsigned flags, int64_t result)
{
    if (!is_judged(p) || !pair_of(fd))
        return;
    int64_t at_ns = told_at(p, play_clock_ns(p));
    const char *name = flags & TARGET_MSG_OOB ? "MSG_OOB" : flags & TARGET_MSG_MORE ? "MSG_MORE" : NULL;
    if (fd->connect_deferred && (result >= 0 || result == -EINPROGRESS))
        tell_connect(p, fd, at_ns);
    if (result > 0)
        tell(fd->pair, &(struct judge_call){.kind = JUDGE_CALL_SEND, .amount = result, .data = data, .name = name}, at_ns);
    else if (result != -EOPNOTSUPP) /* of MSG_OOB: the call's own affair */
        judging_error(p, fd, -result);
}

/* Urgent data are no part of what is received in line, wherever they stood: then only how much it was counts. */
void judging_receive(struct player *p, struct descriptor *fd, const uint8_t *data, int64_t wanted, unsigned flags, int64_t result)
{
    if (!is_judged(p) || !pair_of(fd))
        return;
    if (result < 0)
        judging_error(p, fd, -result);
    else if (wanted > 0 && !(flags & (TARGET_MSG_PEEK | TARGET_MSG_OOB)))
        tell(fd->pair, &(struct judge_call){.kind = JUDGE_CALL_RECEIVE, .amount = result, .data = fd->pair->urgent ? NULL : data},
             told_at(p, play_clock_ns(p)));
}

static bool is_listener(const struct judging *g, const struct descriptor *fd)
{
    for (unsigned i = 0; i < g->listener_count; i++)
        if (g->listeners[i].handle == fd->handle)
            return true;
    return false;
}

void judging_shutdown(struct player *p, struct descriptor *fd, enum target_shutdown how)
{
    if (!is_judged(p))
        return;
    int64_t at_ns = told_at(p, play_clock_ns(p));
    if (is_listener(p->judging, fd)) {
        if (how == TARGET_SHUT_WR) /* sockets do not agree on what that is to a listener, or whether it is anything */
            p->judging->host.pressed = true;
        else
            stop_listening(p, fd, at_ns);
        return;
    }
    if (!pair_of(fd))
        return;
    if (how != TARGET_SHUT_WR)
        tell(fd->pair, &(struct judge_call){.kind = JUDGE_CALL_OPTION, .name = "SHUT_RD", .amount = 1}, at_ns);
    if (how != TARGET_SHUT_RD)
        tell(fd->pair, &(struct judge_call){.kind = JUDGE_CALL_SHUTDOWN}, at_ns);
}

static void forget_options(struct judging *g, int handle)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < g->option_count; i++)
        if (g->options[i].handle != handle)
            g->options[kept++] = g->options[i];
    g->option_count = kept;
}

void judging_close(struct player *p, struct descriptor *fd)
{
    if (!is_judged(p))
        return;
    int64_t at_ns = told_at(p, play_clock_ns(p));
    if (!stop_listening(p, fd, at_ns) && pair_of(fd) && !fd->connect_deferred)
        tell(fd->pair, &(struct judge_call){.kind = fd->linger_zero ? JUDGE_CALL_ABORT : JUDGE_CALL_CLOSE}, at_ns);
    forget_options(p->judging, fd->handle);
    fd->pair = NULL;
}

static void keep_option(struct judging *g, int handle, const char *name, int64_t value)
{
    for (unsigned i = 0; i < g->option_count; i++)
        if (g->options[i].handle == handle && !strcmp(g->options[i].name, name)) {
            g->options[i].value = value;
            return;
        }
    if (g->option_count < JUDGING_OPTIONS_MAX)
        g->options[g->option_count++] = (struct kept_option){handle, name, value};
}

void judging_option(struct player *p, struct descriptor *fd, const char *name, const int64_t *values, unsigned count)
{
    if (!is_judged(p))
        return;
    int64_t at_ns = told_at(p, play_clock_ns(p));
    bool linger = !strcmp(name, "SO_LINGER");
    if (linger)
        fd->linger_zero = count > 1 && values[0] && !values[1];
    if (!strcmp(name, "TCP_FASTOPEN_CONNECT"))
        fd->opens_fast = values[0];
    const struct judge_call call = {.kind = JUDGE_CALL_OPTION, .name = name, .amount = linger ? fd->linger_zero : values[0]};
    keep_option(p->judging, fd->handle, name, call.amount);
    if (pair_of(fd))
        tell(fd->pair, &call, at_ns);
    for (unsigned i = 0; i < p->judging->listener_count; i++)
        if (p->judging->listeners[i].handle == fd->handle)
            for (struct pair *pair = p->judging->pairs; pair; pair = pair->next)
                if (pair->iut.port == p->judging->listeners[i].port && pair->outstanding_at)
                    tell(pair, &call, at_ns);
}

/* What says something about the connection, and not about the call. */
static bool concerns_connection(int64_t error)
{
    static const int errors[] = {ECONNRESET, ECONNREFUSED, ECONNABORTED, ETIMEDOUT, EPIPE, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN,
                                 ENETDOWN, ENOPROTOOPT, EPROTO, EOPNOTSUPP, EACCES, EMSGSIZE};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i] == error)
            return true;
    return false;
}

void judging_error(struct player *p, struct descriptor *fd, int64_t error)
{
    if (is_judged(p) && pair_of(fd) && concerns_connection(error))
        tell(fd->pair, &(struct judge_call){.kind = JUDGE_CALL_ERROR, .amount = error}, told_at(p, play_clock_ns(p)));
}
