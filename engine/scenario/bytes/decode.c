/* Octets to a scenario.
 *
 * A record is filled up with zeros and made into one step, whatever it says: each octet chooses from a table or is a number that
 * fits. What would let a play end early without the IUT having done anything (options that do not fit, a call that blocks, packets
 * that cannot be built) cannot be said. Expressions that all steps share are made once, and nothing is printed on the way, so that
 * decoding keeps up with a fuzzer.
 */
#include "engine/scenario/bytes/inside.h"

#include <assert.h>
#include <string.h>

enum function { FN_SND_NXT, FN_SND_UNA, FN_RCV_NXT, FN_WINDOW, FN_TS_RECENT, FN_COUNT };

struct decoder {
    struct scn_arena *arena;
    struct scenario *scenario;
    const uint8_t *header;
    struct scn_expr *functions[FN_COUNT][ENDPOINT_COUNT]; /* made when first needed, as are the others */
    struct scn_expr *ticks, *ellipsis, *descriptors[FD_COUNT];
    unsigned step_count;
};

static void *take(struct decoder *d, size_t size)
{
    return scn_arena_alloc(d->arena, 1, size);
}

/* ---- expressions ------------------------------------------------------------------------------------------------- */

static struct scn_expr *expr_of(struct decoder *d, enum scn_expr_kind kind)
{
    struct scn_expr *expr = take(d, sizeof *expr);
    expr->kind = kind;
    expr->depth = 1;
    return expr;
}

static struct scn_expr *number(struct decoder *d, int64_t value)
{
    struct scn_expr *expr = expr_of(d, SCN_EXPR_NUMBER);
    expr->number = value;
    return expr;
}

static struct scn_expr *name(struct decoder *d, enum scn_expr_kind kind, const char *text)
{
    struct scn_expr *expr = expr_of(d, kind);
    expr->text = text;
    expr->text_len = strlen(text);
    return expr;
}

static struct scn_expr *parent(struct decoder *d, struct scn_expr *expr, struct scn_expr *a, struct scn_expr *b)
{
    expr->child = scn_arena_alloc(d->arena, 2, sizeof *expr->child);
    expr->child[0] = a;
    expr->child[1] = b;
    expr->child_count = b ? 2 : 1;
    expr->depth = 1 + (b && b->depth > a->depth ? b->depth : a->depth);
    return expr;
}

static struct scn_expr *binary(struct decoder *d, enum scn_op op, struct scn_expr *a, struct scn_expr *b)
{
    struct scn_expr *expr = expr_of(d, SCN_EXPR_BINARY);
    expr->op = op;
    return parent(d, expr, a, b);
}

/* `base + 5`, `base - 5`, `base`. */
static struct scn_expr *plus(struct decoder *d, struct scn_expr *base, int64_t offset)
{
    if (offset == 0)
        return base;
    return binary(d, offset < 0 ? SCN_OP_SUB : SCN_OP_ADD, base, number(d, offset < 0 ? -offset : offset));
}

static struct scn_expr *endpoint_expr(struct decoder *d, unsigned endpoint)
{
    struct scn_expr *expr = expr_of(d, SCN_EXPR_ENDPOINT);
    expr->slot = endpoint;
    return expr;
}

static struct scn_expr *function(struct decoder *d, enum function which, unsigned endpoint)
{
    static const char *const names[FN_COUNT] = {"snd_nxt", "snd_una", "rcv_nxt", "window", "ts_recent"};
    struct scn_expr **known = &d->functions[which][endpoint];
    if (!*known) {
        *known = name(d, SCN_EXPR_CALL, names[which]);
        if (endpoint)
            parent(d, *known, endpoint_expr(d, endpoint), NULL);
    }
    return *known;
}

static struct scn_expr *ticks(struct decoder *d)
{
    if (!d->ticks)
        d->ticks = binary(d, SCN_OP_DIV, name(d, SCN_EXPR_CALL, "now"), number(d, NS_PER_TICK));
    return d->ticks;
}

static struct scn_expr *ellipsis(struct decoder *d)
{
    if (!d->ellipsis)
        d->ellipsis = expr_of(d, SCN_EXPR_ELLIPSIS);
    return d->ellipsis;
}

static struct scn_match equals(struct scn_expr *value)
{
    return (struct scn_match){.relation = SCN_EQ, .value = value};
}

/* A number of ours (snd_nxt …) or of the IUT's (rcv_nxt); more is added to it. */
static struct scn_expr *place(struct decoder *d, enum base base, bool ours, unsigned endpoint, int16_t offset, unsigned more)
{
    struct scn_expr *next = function(d, ours ? FN_SND_NXT : FN_RCV_NXT, endpoint);
    switch (base) {
    case BASE_SCRIPT: return number(d, (int64_t)offset + more);
    case BASE_UNA: return plus(d, function(d, FN_SND_UNA, endpoint), (int64_t)offset + more);
    case BASE_EDGE:
        return plus(d, binary(d, SCN_OP_ADD, function(d, FN_SND_UNA, endpoint), function(d, FN_WINDOW, endpoint)),
                    (int64_t)offset + more);
    case BASE_FAR: return plus(d, next, bytes_far((uint16_t)offset) + more);
    case BASE_ABSOLUTE: return parent(d, name(d, SCN_EXPR_CALL, "abs"), number(d, (bytes_far((uint16_t)offset) + more) & UINT32_MAX), NULL);
    case BASE_LEFT_OUT: case BASE_NEXT: case BASE_COUNT: break;
    }
    return plus(d, next, (int64_t)offset + more);
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static void start_step(struct decoder *d, struct scn_step *step, enum scn_step_kind kind, int64_t after_ns, const char *source)
{
    step->kind = kind;
    step->at.line = (int)++d->step_count;
    step->source = source;
    step->time = (struct scn_time){.kind = SCN_TIME_RELATIVE, .from_ns = after_ns, .to_ns = after_ns};
}

static struct scn_expr *descriptor(struct decoder *d, unsigned number_of)
{
    unsigned which = number_of % FD_COUNT;
    if (!d->descriptors[which])
        d->descriptors[which] = number(d, FD_FIRST + (int64_t)which);
    return d->descriptors[which];
}

/* A call with up to five arguments, NULL ends them; any result will do. */
static void call(struct decoder *d, struct scn_step *step, const char *what, struct scn_expr *const arguments[5])
{
    unsigned count = 0;
    while (count < 5 && arguments[count])
        count++;
    step->kind = SCN_STEP_CALL;
    step->source = "+ a call";
    step->call = (struct scn_call){.name = what, .argument_count = count, .result = {.relation = SCN_ANY}};
    step->call.arguments = scn_arena_alloc(d->arena, count, sizeof *step->call.arguments);
    memcpy(step->call.arguments, arguments, count * sizeof *arguments);
}

#define CALL(d, step, what, ...) call(d, step, what, (struct scn_expr *const[5]){__VA_ARGS__})

/* The result numbers the new descriptor, and may as well be an error. */
static void gives_descriptor(struct decoder *d, struct scn_step *step, unsigned which)
{
    step->call.result = (struct scn_match){.relation = SCN_LE, .value = descriptor(d, which)};
}

static void socket_call(struct decoder *d, struct scn_step *step, unsigned which)
{
    CALL(d, step, "socket", ellipsis(d),
         binary(d, SCN_OP_OR, name(d, SCN_EXPR_NAME, "SOCK_STREAM"), name(d, SCN_EXPR_NAME, "SOCK_NONBLOCK")),
         name(d, SCN_EXPR_NAME, "IPPROTO_TCP"));
    gives_descriptor(d, step, which);
}

static void accept_call(struct decoder *d, struct scn_step *step, unsigned listener, unsigned which)
{
    CALL(d, step, "accept", descriptor(d, listener), ellipsis(d), ellipsis(d));
    gives_descriptor(d, step, which);
}

static void option_call(struct decoder *d, struct scn_step *step, unsigned which, const struct sockopt_choice *choice,
                        unsigned value)
{
    struct scn_expr *content;
    if (choice->linger) {
        content = expr_of(d, SCN_EXPR_STRUCT);
        parent(d, content, parent(d, name(d, SCN_EXPR_FIELD, "onoff"), number(d, 1), NULL),
               parent(d, name(d, SCN_EXPR_FIELD, "linger"), number(d, 0), NULL));
    } else {
        content = parent(d, expr_of(d, SCN_EXPR_LIST), number(d, choice->fixed < 0 ? (int64_t)value : choice->fixed), NULL);
    }
    CALL(d, step, "setsockopt", descriptor(d, which), name(d, SCN_EXPR_NAME, choice->level), name(d, SCN_EXPR_NAME, choice->name), content,
         number(d, choice->linger ? 8 : 4));
}

static void bind_call(struct decoder *d, struct scn_step *step, unsigned which, unsigned port)
{
    struct scn_expr *address = ellipsis(d);
    if (port % FD_COUNT)
        address = parent(d, expr_of(d, SCN_EXPR_STRUCT),
                         parent(d, name(d, SCN_EXPR_FIELD, "port"), number(d, port % FD_COUNT), NULL), NULL);
    CALL(d, step, "bind", descriptor(d, which), address, ellipsis(d));
    d->scenario->needs |= SCN_NEEDS_LISTEN;
}

static void listen_call(struct decoder *d, struct scn_step *step, unsigned which, unsigned backlog)
{
    CALL(d, step, "listen", descriptor(d, which), number(d, backlog));
    d->scenario->needs |= SCN_NEEDS_LISTEN;
}

static void connect_call(struct decoder *d, struct scn_step *step, unsigned which, unsigned endpoint)
{
    CALL(d, step, "connect", descriptor(d, which), endpoint ? endpoint_expr(d, endpoint) : ellipsis(d), ellipsis(d));
    d->scenario->needs |= SCN_NEEDS_CONNECT;
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static struct scn_option *add_option(struct scn_packet *packet, uint8_t kind, enum scn_option_form form)
{
    struct scn_option *option = &packet->options[packet->option_count++];
    option->kind = kind;
    option->form = form;
    return option;
}

static void add_number(struct decoder *d, struct scn_packet *packet, uint8_t kind, int64_t value)
{
    struct scn_option *option = add_option(packet, kind, SCN_OPT_NUMBER);
    option->values[0] = equals(number(d, value));
    option->value_count = 1;
}

static void add_timestamps(struct decoder *d, struct scn_packet *packet, const uint8_t *r)
{
    struct scn_option *option = add_option(packet, PKT_OPT_TIMESTAMP, SCN_OPT_TIMESTAMP);
    const uint16_t value = bytes_get16(r, AT_TSVAL);
    const bool constant = (r[AT_OPTIONS] & OPTION_GIVEN) && (r[AT_OPTIONS] & OPTION_TS_CONSTANT);
    option->values[0] = equals(constant ? number(d, (uint32_t)(int32_t)(int16_t)value) : plus(d, ticks(d), TSVAL_FIRST + (int64_t)(int16_t)value));
    option->values[1] = equals(r[AT_TSECR] == TSECR_ZERO ? number(d, 0) : plus(d, function(d, FN_TS_RECENT, packet->endpoint.slot), (int8_t)r[AT_TSECR]));
    option->value_count = 2;
}

/* As many blocks as the octets leave room for. */
static void add_sack(struct decoder *d, struct scn_packet *packet, const uint8_t *r, unsigned room)
{
    const unsigned wanted = 1 + (unsigned)(r[AT_SECOND] >> SACK_COUNT_SHIFT), fit = (room - 2) / 8, count = wanted < fit ? wanted : fit;
    const int64_t len = SACK_UNIT * (int64_t)(r[AT_SECOND] & SACK_LEN_MASK);
    int64_t left = SACK_UNIT * (int64_t)(int8_t)r[AT_FIRST];
    struct scn_option *option = add_option(packet, PKT_OPT_SACK, SCN_OPT_SACK);
    struct scn_expr *next = function(d, FN_RCV_NXT, packet->endpoint.slot);
    for (unsigned i = 0; i < count; i++, left += 2 * len) {
        option->values[option->value_count++] = equals(plus(d, next, left));
        option->values[option->value_count++] = equals(plus(d, next, left + len));
    }
}

/* An option by its kind, with octets that count up. */
static void add_kind(struct scn_packet *packet, const uint8_t *r, unsigned room)
{
    static const uint8_t octets[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
                                     20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38};
    static_assert(sizeof octets > PKT_TCP_OPTIONS_MAX - 2, "octets for the longest option, from 1");
    const unsigned wanted = r[AT_SECOND] & KIND_LEN_MASK, len = wanted + 2 > room ? room - 2 : wanted;
    struct scn_option *option = add_option(packet, r[AT_FIRST], SCN_OPT_BYTES);
    option->has_bytes = len > 0;
    option->bytes = octets + (r[AT_SECOND] & KIND_FROM_ZERO ? 0 : 1);
    option->bytes_len = (uint8_t)len;
}

/* The list in another order, with a length that lies, and with nops as far as there is room. */
static void arrange(struct decoder *d, struct scn_packet *packet, const struct arrangement *how, unsigned room)
{
    struct scn_option *const list = packet->options;
    const unsigned count = packet->option_count;
    packet->options = scn_arena_alloc(d->arena, count + 3 * ARRANGED_COUNT, sizeof *list);
    packet->option_count = 0;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned nops = i < ARRANGED_COUNT ? how->nops[i] : 0; nops > 0 && room > 0; nops--, room--)
            add_option(packet, PKT_OPT_NOP, SCN_OPT_PLAIN);
        struct scn_option *option = &packet->options[packet->option_count++];
        *option = list[how->reversed ? count - 1 - i : i];
        if (how->stated == (int)i)
            option->stated_len = number(d, how->stated_len);
    }
}

/* The octets of the option that was added last, which is one of blocks or by its kind. */
static unsigned last_len(const struct scn_packet *packet)
{
    const struct scn_option *last = &packet->options[packet->option_count - 1];
    return 2u + (last->form == SCN_OPT_SACK ? 4u * last->value_count : last->bytes_len);
}

static void options(struct decoder *d, struct scn_packet *packet, const uint8_t *r, unsigned which)
{
    unsigned room = PKT_TCP_OPTIONS_MAX;
    struct arrangement how;
    if (!(which & (OPTION_MSS | OPTION_WSCALE | OPTION_SACK_PERMITTED | OPTION_TS | OPTION_SACK | OPTION_KIND)))
        return;
    packet->options_given = true;
    packet->options = scn_arena_alloc(d->arena, (unsigned)__builtin_popcount(which), sizeof *packet->options);
    if (which & OPTION_MSS)
        add_number(d, packet, PKT_OPT_MSS, bytes_mss[r[AT_SYN] % MSS_COUNT]), room -= 4;
    if (which & OPTION_WSCALE)
        add_number(d, packet, PKT_OPT_WSCALE, r[AT_SYN] / MSS_COUNT), room -= 3;
    if (which & OPTION_SACK_PERMITTED)
        add_option(packet, PKT_OPT_SACK_PERMITTED, SCN_OPT_PLAIN), room -= 2;
    if (which & OPTION_TS)
        add_timestamps(d, packet, r), room -= 10;
    if (which & OPTION_SACK)
        add_sack(d, packet, r, room);
    else if (which & OPTION_KIND)
        add_kind(packet, r, room);
    if (which & (OPTION_SACK | OPTION_KIND))
        room -= last_len(packet);
    if (bytes_arrangement(r, &how))
        arrange(d, packet, &how, room);
}

/* What a well-behaved peer has: all that is in use with a SYN, timestamps with the rest. */
static unsigned usual_options(const struct decoder *d, unsigned flags)
{
    const unsigned use = d->header[HEADER_USE];
    unsigned which = use & USE_TS ? OPTION_TS : 0;
    if (flags & PKT_SYN)
        which |= (use & USE_MSS ? OPTION_MSS : 0) | (use & USE_WSCALE ? OPTION_WSCALE : 0) | (use & USE_SACK ? OPTION_SACK_PERMITTED : 0);
    return which;
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static struct scn_packet *packet_of(struct decoder *d, struct scn_step *step, enum scn_protocol protocol, const uint8_t *r)
{
    struct scn_packet *packet = take(d, sizeof *packet);
    step->kind = SCN_STEP_INJECT;
    step->source = "+ a segment";
    step->packet = packet;
    packet->protocol = protocol;
    packet->endpoint.slot = bytes_endpoints[r[AT_WHO] & WHO_ENDPOINT];
    packet->ace = packet->capture_at_slot = -1;
    return packet;
}

static uint16_t flags_of(const uint8_t *r)
{
    unsigned flags = r[AT_FLAGS] & FLAGS_RAW ? r[AT_FLAGS] & (unsigned)FLAGS_LOW : bytes_flags[r[AT_FLAGS] % FLAGS_COMMON_COUNT];
    flags |= (r[AT_WHO] & WHO_AE ? PKT_AE : 0u) | (r[AT_WHO] & WHO_CWR ? PKT_CWR : 0u);
    return (uint16_t)flags;
}

static void sequence(struct decoder *d, struct scn_packet *packet, const uint8_t *r, enum base base, unsigned at, bool ours)
{
    const unsigned len = bytes_get16(r, AT_LEN) % LEN_COUNT;
    int16_t offset = (int16_t)bytes_get16(r, at);
    if (base == BASE_LEFT_OUT) {
        if (len == 0 && ours)
            return;
        base = ours && (packet->flags & PKT_SYN) ? BASE_SCRIPT : BASE_NEXT;
        offset = 0;
    }
    packet->seq = equals(place(d, base, ours, packet->endpoint.slot, offset, 0));
    packet->seq_end = equals(place(d, base, ours, packet->endpoint.slot, offset, len));
    packet->len = equals(number(d, len));
}

static void override(struct decoder *d, struct scn_packet *packet, const uint8_t *r)
{
    const struct override_choice *choice = &bytes_overrides[r[AT_KEY] % KEY_COUNT];
    if (!choice->present)
        return;
    struct scn_override *chosen = packet->overrides = take(d, sizeof *chosen);
    packet->override_count = 1;
    chosen->key = (enum scn_key)choice->key;
    chosen->special = choice->special;
    if (choice->count)
        chosen->value = equals(number(d, (int64_t)(bytes_get16(r, AT_VALUE) % choice->count) * choice->unit + choice->least));
}

static void segment(struct decoder *d, struct scn_step *step, const uint8_t *r)
{
    static const enum scn_ecn ecns[] = {SCN_ECN_NONE_GIVEN, SCN_ECN_ECT0, SCN_ECN_ECT1, SCN_ECN_CE};
    struct scn_packet *packet = packet_of(d, step, SCN_TCP, r);
    const enum base ack_base = (enum base)bytes_ack_bases[(r[AT_HOW] & HOW_ACK) >> HOW_ACK_SHIFT];
    packet->flags = flags_of(r);
    packet->ecn = ecns[(r[AT_WHO] & WHO_ECN) >> WHO_ECN_SHIFT];
    sequence(d, packet, r, (enum base)bytes_seq_bases[r[AT_HOW] & HOW_SEQ], AT_SEQ, true);
    if (ack_base != BASE_LEFT_OUT)
        packet->ack = equals(place(d, ack_base, false, packet->endpoint.slot, (int16_t)bytes_get16(r, AT_ACK), 0));
    if (r[AT_HOW] & HOW_WINDOW)
        packet->window = equals(number(d, bytes_get16(r, AT_WINDOW)));
    if (r[AT_HOW] & HOW_URGENT) {
        const int64_t urgent = (int64_t)(bytes_get16(r, AT_LEN) % LEN_COUNT) + (int8_t)r[AT_URGENT];
        packet->urgent = equals(number(d, urgent < 0 ? 0 : urgent));
    }
    options(d, packet, r, r[AT_OPTIONS] & OPTION_GIVEN ? r[AT_OPTIONS] : usual_options(d, packet->flags));
    override(d, packet, r);
}

/* An ICMP error about a segment of the IUT. */
static void icmp(struct decoder *d, struct scn_step *step, const uint8_t *r)
{
    struct scn_packet *packet = packet_of(d, step, SCN_ICMP, r);
    packet->icmp.type = number(d, bytes_icmp_types[d->header[HEADER_USE] & USE_IPV6 ? 1 : 0][r[AT_FLAGS] % ICMP_COUNT]);
    packet->icmp.code = number(d, r[AT_SYN] % 16);
    if (r[AT_HOW] & HOW_WINDOW)
        packet->icmp.mtu = equals(number(d, bytes_get16(r, AT_WINDOW)));
    packet->icmp.quotes_segment = true;
    sequence(d, packet, r, (enum base)bytes_ack_bases[(r[AT_HOW] & HOW_ACK) >> HOW_ACK_SHIFT], AT_ACK, false);
    d->scenario->needs |= SCN_NEEDS_ICMP;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static void link_event(struct decoder *d, struct scn_step *step, const uint8_t *r)
{
    step->kind = SCN_STEP_LINK;
    step->source = "+ link";
    step->link.event = (enum scn_link_event)(r[AT_FLAGS] % 4);
    step->link.inbound = r[AT_FLAGS] & LINK_INBOUND;
    step->link.nth = number(d, 1 + r[AT_SYN] % LINK_NTH_COUNT);
    step->link.delay_ns = step->link.event == SCN_LINK_DELAY ? bytes_time_ns(r[AT_FIRST]) : 0;
}

static void transfer(struct decoder *d, struct scn_step *step, const uint8_t *r, const char *what)
{
    struct scn_expr *flags = name(d, SCN_EXPR_NAME, "MSG_DONTWAIT");
    if (r[AT_HOW] & HOW_URGENT)
        flags = binary(d, SCN_OP_OR, flags, name(d, SCN_EXPR_NAME, "MSG_OOB"));
    CALL(d, step, what, descriptor(d, 1u + r[AT_FLAGS]), ellipsis(d), number(d, bytes_get16(r, AT_LEN)), flags);
}

/* The descriptor of a call: 4, the connection of the opening, where the octet is 0. Those of socket(), odd ones, do not block and
 * so may connect; those of accept(), even ones, may block, and what is called on them says that it shall not. */
static void record(struct decoder *d, struct scn_step *step, const uint8_t *r)
{
    static const char *const hows[] = {"SHUT_WR", "SHUT_RD", "SHUT_RDWR", "SHUT_WR"};
    const unsigned endpoint = bytes_endpoints[r[AT_WHO] & WHO_ENDPOINT], which = 1u + r[AT_FLAGS], made = r[AT_FLAGS] % 2 * 2u,
                   value = bytes_get16(r, AT_LEN);
    start_step(d, step, SCN_STEP_WAIT, bytes_time_ns(r[AT_TIME]), "+ wait");
    switch ((enum op)bytes_ops[r[AT_OP] % OP_TABLE_COUNT]) {
    case OP_SEGMENT: segment(d, step, r); break;
    case OP_SEND: transfer(d, step, r, "send"); break;
    case OP_RECEIVE: transfer(d, step, r, "recv"); break;
    case OP_CLOSE: CALL(d, step, "close", descriptor(d, which)); break;
    case OP_SHUTDOWN: CALL(d, step, "shutdown", descriptor(d, which), name(d, SCN_EXPR_NAME, hows[r[AT_SYN] % 4])); break;
    case OP_ACCEPT: accept_call(d, step, r[AT_SYN], 1 + made); break;
    case OP_CONNECT: connect_call(d, step, made, endpoint); break;
    case OP_SOCKET: socket_call(d, step, made); break;
    case OP_BIND: bind_call(d, step, which, r[AT_SYN]); break;
    case OP_LISTEN: listen_call(d, step, which, r[AT_SYN]); break;
    case OP_SET_OPTION: option_call(d, step, which, &bytes_sockopts[r[AT_SYN] % SOCKOPT_COUNT], value); break;
    case OP_LINK: link_event(d, step, r); break;
    case OP_FENCE: step->kind = SCN_STEP_FENCE, step->fence.endpoint.slot = endpoint; break;
    case OP_INCARNATION: step->kind = SCN_STEP_INCARNATION, step->incarnation.endpoint.slot = endpoint; break;
    case OP_ICMP: icmp(d, step, r); break;
    case OP_WAIT: case OP_COUNT: break;
    }
}

/* ---- the opening ------------------------------------------------------------------------------------------------- */

enum { OPENING_STEPS_MAX = 12 };

static struct scn_step *next_step(struct decoder *d, struct scn_step **at)
{
    start_step(d, *at, SCN_STEP_FENCE, 0, "+ fence");
    return (*at)++;
}

static void phase(struct decoder *d, struct scn_step **at, enum scn_phase which)
{
    struct scn_step *step = next_step(d, at);
    step->kind = SCN_STEP_PHASE;
    step->time = (struct scn_time){.kind = SCN_TIME_NONE};
    step->phase = which;
}

static void peer_segment(struct decoder *d, struct scn_step **at, uint8_t common)
{
    uint8_t r[SCN_BYTES_RECORD_LEN] = {[AT_FLAGS] = common, [AT_SYN] = d->header[HEADER_SYN]};
    segment(d, next_step(d, at), r);
    next_step(d, at);
}

static void small_buffer(struct decoder *d, struct scn_step **at, unsigned which)
{
    static const struct sockopt_choice buffer = {"SOL_SOCKET", "SO_RCVBUF", false, 4096};
    if (d->header[HEADER_USE] & USE_SMALL_BUFFER)
        option_call(d, next_step(d, at), which, &buffer, 0);
}

/* Descriptor 3 listens, 4 is the connection. */
static void opening(struct decoder *d, struct scn_step **at)
{
    const enum way way = (enum way)bytes_ways[d->header[HEADER_WAY] % WAY_TABLE_COUNT];
    const bool active = way == WAY_ACTIVE;
    if (way == WAY_NONE)
        return;
    phase(d, at, SCN_PREAMBLE);
    socket_call(d, next_step(d, at), active ? 1 : 0);
    small_buffer(d, at, active ? 1 : 0);
    if (active) {
        connect_call(d, next_step(d, at), 1, 0);
        next_step(d, at);
        peer_segment(d, at, 6);
    } else {
        bind_call(d, next_step(d, at), 0, 0);
        listen_call(d, next_step(d, at), 0, bytes_backlogs[d->header[HEADER_WAY] >> WAY_BACKLOG_SHIFT & (BACKLOG_COUNT - 1)]);
    }
    if (way == WAY_PASSIVE) {
        peer_segment(d, at, 3);
        peer_segment(d, at, 0);
        accept_call(d, next_step(d, at), 0, 1);
    }
    phase(d, at, SCN_BODY);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void describe(struct scenario *s, struct scn_arena *arena, const uint8_t *header)
{
    static const char *const names[ENDPOINT_COUNT] = {"a", "b", "c", "d"};
    const struct isn_choice *isn = &bytes_isns[header[HEADER_ISN] % ISN_COUNT];
    const bool ipv6 = header[HEADER_USE] & USE_IPV6;
    *s = (struct scenario){.file = "octets", .source_text = "", .has_front_matter = true, .title = "A scenario of octets", .profile = SCN_FULL,
                           .ipv4 = !ipv6, .ipv6 = ipv6, .has_isn = isn->given, .isn = isn->isn, .patience_ns = SCN_PATIENCE_DEFAULT_NS,
                           .tolerance_ns = -1, .endpoint_count = ENDPOINT_COUNT, .arena = arena};
    s->endpoints = scn_arena_alloc(arena, ENDPOINT_COUNT, sizeof *s->endpoints);
    for (unsigned i = 0; i < ENDPOINT_COUNT; i++)
        s->endpoints[i] = (struct scn_endpoint){names[i], 1, i == ENDPOINT_COUNT - 1 ? 1 : 0}; /* @d is where port 1 is */
}

static struct scenario *decode(struct scn_arena *arena, const uint8_t *bytes, size_t len)
{
    uint8_t header[SCN_BYTES_HEADER_LEN] = {0}, filled[SCN_BYTES_RECORD_LEN] = {0};
    struct decoder d = {.arena = arena, .scenario = scn_arena_alloc(arena, 1, sizeof(struct scenario)), .header = header};
    if (len > SCN_BYTES_MAX)
        len = SCN_BYTES_MAX;
    if (len > 0)
        memcpy(header, bytes, len < sizeof header ? len : sizeof header);
    describe(d.scenario, arena, header);
    const size_t rest = len > sizeof header ? len - sizeof header : 0, records = (rest + SCN_BYTES_RECORD_LEN - 1) / SCN_BYTES_RECORD_LEN;
    struct scn_step *steps = scn_arena_alloc(arena, OPENING_STEPS_MAX + records, sizeof *steps), *at = steps;
    opening(&d, &at);
    for (size_t i = 0, left = rest; i < records; i++, left -= SCN_BYTES_RECORD_LEN) {
        const uint8_t *r = bytes + sizeof header + i * SCN_BYTES_RECORD_LEN;
        if (left < sizeof filled)
            r = memcpy(filled, r, left);
        record(&d, at++, r);
        if (left < SCN_BYTES_RECORD_LEN)
            break;
    }
    d.scenario->body = (struct scn_block){steps, (unsigned)(at - steps)};
    return d.scenario;
}

struct scenario *scn_bytes_decode(const uint8_t *bytes, size_t len)
{
    struct scn_arena *volatile arena = scn_arena_new();
    jmp_buf escape;
    if (!arena)
        return NULL;
    arena->escape = &escape;
    if (setjmp(escape) != 0) {
        scn_arena_free(arena);
        return NULL;
    }
    struct scenario *scenario = decode(arena, bytes, len);
    arena->escape = NULL;
    return scenario;
}

bool scn_bytes_is_magic(const void *bytes, size_t len)
{
    return len >= SCN_BYTES_MAGIC_LEN && memcmp(bytes, scn_bytes_magic, SCN_BYTES_MAGIC_LEN) == 0;
}
