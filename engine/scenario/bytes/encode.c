/* A scenario to octets.
 *
 * The steps of one sub-test are walked in order, blocks opened up: repeats turn as often as they constantly do, of an `either` the
 * first branch that does not skip is taken, variables are what tables and `let` give them. Each step becomes the nearest record,
 * in canonical form: octets that its decoding does not read are zero, and of several that choose the same the smallest is taken.
 * What was lost is found by decoding again and comparing, so that the report cannot be wrong about it.
 */
#include "engine/scenario/bytes/inside.h"

#include <stdlib.h>
#include <string.h>

struct encoder {
    struct variables variables;
    uint8_t *out;
    unsigned records;
    const struct scn_step *origin[SCN_BYTES_STEPS_MAX]; /* of each record; NULL for what stands for an expectation */
    int64_t elapsed_ns;
    int64_t listener, connection;                       /* the descriptors that the opening has as 3 and 4 */
    bool stopped;                                       /* by a skip */
    unsigned turns;                                     /* of repeats, all together */
    struct scn_bytes_report report;
};

enum { TURNS_MAX = 4096 };

static const char why_expectation[] = "nothing is expected in octets: the model judges", why_full[] = "no record is left",
                  why_call[] = "a call that octets do not have", why_raw[] = "a packet of raw octets",
                  why_step[] = "a step that octets do not have", why_nearest[] = "not as it stands, but as near as octets come",
                  why_skip[] = "the branch that skips is not taken";

static void note(struct encoder *e, const struct scn_step *step, const char *what)
{
    if (e->report.note_count < SCN_BYTES_NOTES_MAX)
        e->report.notes[e->report.note_count++] = (struct scn_bytes_note){step->at.line, what};
}

static void leave_out(struct encoder *e, const struct scn_step *step, const char *why)
{
    e->report.left_out++;
    note(e, step, why);
}

static struct linear linear(const struct encoder *e, const struct scn_expr *expr)
{
    return bytes_linear(&e->variables, expr);
}

/* The value, or fallback where it is not constant. */
static int64_t constant(const struct encoder *e, const struct scn_expr *expr, int64_t fallback)
{
    const struct linear l = linear(e, expr);
    return bytes_linear_constant(&l) ? l.constant : fallback;
}

static int64_t within(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* The next record with its operation and time; NULL when there are no more. */
static uint8_t *new_record(struct encoder *e, const struct scn_step *origin, enum op op, int64_t after_ns)
{
    if (e->records == SCN_BYTES_STEPS_MAX)
        return NULL;
    uint8_t *r = e->out + SCN_BYTES_HEADER_LEN + (size_t)e->records * SCN_BYTES_RECORD_LEN;
    memset(r, 0, SCN_BYTES_RECORD_LEN);
    r[AT_OP] = bytes_place_of(bytes_ops, OP_TABLE_COUNT, (uint8_t)op);
    r[AT_TIME] = bytes_time_octet(after_ns);
    e->origin[e->records++] = origin;
    e->elapsed_ns += bytes_time_ns(r[AT_TIME]);
    return r;
}

static int64_t time_of(const struct encoder *e, const struct scn_time *time)
{
    if (time->kind == SCN_TIME_RELATIVE)
        return time->from_ns;
    return time->kind == SCN_TIME_ABSOLUTE && time->from_ns > e->elapsed_ns ? time->from_ns - e->elapsed_ns : 0;
}

static uint8_t *record_of(struct encoder *e, const struct scn_step *step, enum op op)
{
    uint8_t *r = new_record(e, step, op, time_of(e, &step->time));
    if (!r)
        leave_out(e, step, why_full);
    return r;
}

/* @d is where port 1 is, others keep their places as far as there are. */
static uint8_t endpoint_octet(const struct encoder *e, unsigned slot)
{
    if (slot && e->variables.scenario->endpoints[slot].port_index == 1)
        return ENDPOINT_COUNT - 1;
    return (uint8_t)(slot < ENDPOINT_COUNT - 1 ? slot : ENDPOINT_COUNT - 2);
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

/* The base of a sum that begins with this function, and what is beyond it. */
static enum base base_of(const struct linear *l, enum term next, int64_t *offset)
{
    const int8_t *t = l->terms;
    *offset = l->constant;
    if (!l->known)
        return BASE_LEFT_OUT;
    if (l->absolute && bytes_linear_constant(l)) {
        *offset = (int16_t)(uint16_t)((uint64_t)l->constant / FAR);
        return BASE_ABSOLUTE;
    }
    if (bytes_linear_constant(l) && *offset >= INT16_MIN && *offset <= INT16_MAX)
        return BASE_SCRIPT;
    if (next == TERM_SND_NXT && t[TERM_SND_UNA] == 1)
        return t[TERM_WINDOW] == 1 ? BASE_EDGE : BASE_UNA;
    if (t[next] != 1)
        return BASE_LEFT_OUT;
    if (*offset >= INT16_MIN && *offset <= INT16_MAX)
        return BASE_NEXT;
    *offset /= FAR;
    return BASE_FAR;
}

/* fallback: the base that is as good as none. */
static void put_place(const struct encoder *e, uint8_t *r, const struct scn_match *match, bool ours, unsigned at,
                      enum base fallback)
{
    int64_t offset = 0;
    const uint8_t *table = ours ? bytes_seq_bases : bytes_ack_bases;
    enum base base = BASE_LEFT_OUT;
    if (match->relation == SCN_EQ) {
        const struct linear l = linear(e, match->value);
        base = base_of(&l, ours ? TERM_SND_NXT : TERM_RCV_NXT, &offset);
    }
    if (base == BASE_LEFT_OUT) {
        offset = 0;
        base = fallback;
    }
    const unsigned place = bytes_place_of(table, BASE_TABLE_COUNT, (uint8_t)base);
    r[AT_HOW] |= (uint8_t)(ours ? place : place << HOW_ACK_SHIFT);
    bytes_put16(r, at, (uint16_t)(int16_t)within(offset, INT16_MIN, INT16_MAX));
}

static void put_len(const struct encoder *e, uint8_t *r, const struct scn_match *len)
{
    if (len->relation == SCN_EQ)
        bytes_put16(r, AT_LEN, (uint16_t)within(constant(e, len->value, LEN_COUNT - 1), 0, LEN_COUNT - 1));
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static uint8_t nearest_mss(int64_t mss)
{
    unsigned best = 0;
    for (unsigned i = 1; i < MSS_COUNT; i++)
        if (llabs(bytes_mss[i] - mss) < llabs(bytes_mss[best] - mss))
            best = i;
    return (uint8_t)best;
}

static void put_timestamps(const struct encoder *e, uint8_t *r, const struct scn_option *option)
{
    const struct linear value = linear(e, option->values[0].value), echo = linear(e, option->values[1].value);
    if (value.known && value.terms[TERM_TICKS] == 1) {
        bytes_put16(r, AT_TSVAL, (uint16_t)(int16_t)within(value.constant - TSVAL_FIRST, INT16_MIN, INT16_MAX));
    } else if (bytes_linear_constant(&value)) {
        bytes_put16(r, AT_TSVAL, (uint16_t)within(value.constant, 0, UINT16_MAX));
        r[AT_OPTIONS] |= OPTION_TS_CONSTANT;
    }
    if (bytes_linear_constant(&echo) && echo.constant == 0)
        r[AT_TSECR] = TSECR_ZERO;
    else if (echo.known && echo.terms[TERM_TS_RECENT] == 1)
        r[AT_TSECR] = (uint8_t)(int8_t)within(echo.constant, INT8_MIN + 1, INT8_MAX);
}

/* Blocks of equal length with as much between them: the first says how long, their number how many. */
static void put_sack(const struct encoder *e, uint8_t *r, const struct scn_option *option)
{
    const struct linear left = linear(e, option->values[0].value), right = linear(e, option->values[1].value);
    const unsigned blocks = option->value_count / 2;
    int64_t from = left.known ? left.constant : 0, len = left.known && right.known ? right.constant - left.constant : SACK_UNIT;
    r[AT_FIRST] = (uint8_t)(int8_t)within(from / SACK_UNIT, INT8_MIN, INT8_MAX);
    r[AT_SECOND] = (uint8_t)(within(len / SACK_UNIT, 0, SACK_LEN_MASK) | (within(blocks, 1, 4) - 1) << SACK_COUNT_SHIFT);
}

static void put_kind(const struct encoder *e, uint8_t *r, const struct scn_option *option)
{
    r[AT_FIRST] = option->kind;
    r[AT_SECOND] = (uint8_t)within(option->bytes_len, 0, 7);
    if (option->stated_len)
        r[AT_SECOND] |= (uint8_t)(8 | within(constant(e, option->stated_len, 0), 0, 15) << 4);
}

static void put_option(const struct encoder *e, uint8_t *r, const struct scn_option *option)
{
    const uint8_t shift = option->form == SCN_OPT_NUMBER && option->kind == PKT_OPT_WSCALE ? 1 : 0;
    if (option->form == SCN_OPT_NUMBER && (shift || option->kind == PKT_OPT_MSS)) {
        const int64_t value = constant(e, option->values[0].value, 0);
        r[AT_SYN] |= shift ? (uint8_t)(within(value, 0, 15) * MSS_COUNT) : nearest_mss(value);
        r[AT_OPTIONS] |= shift ? OPTION_WSCALE : OPTION_MSS;
    } else if (option->form == SCN_OPT_TIMESTAMP) {
        r[AT_OPTIONS] |= OPTION_TS;
        put_timestamps(e, r, option);
    } else if (option->form == SCN_OPT_SACK && option->value_count >= 2) {
        r[AT_OPTIONS] |= OPTION_SACK;
        put_sack(e, r, option);
    } else if (option->form == SCN_OPT_PLAIN && option->kind == PKT_OPT_SACK_PERMITTED) {
        r[AT_OPTIONS] |= OPTION_SACK_PERMITTED;
    } else if (option->form != SCN_OPT_PLAIN && !(r[AT_OPTIONS] & OPTION_SACK)) {
        r[AT_OPTIONS] |= OPTION_KIND;
        put_kind(e, r, option);
    }
}

static uint8_t usual_options(const struct encoder *e, unsigned flags)
{
    static const struct { uint8_t use, option; } pairs[] = {
        {USE_MSS, OPTION_MSS}, {USE_WSCALE, OPTION_WSCALE}, {USE_SACK, OPTION_SACK_PERMITTED}, {USE_TS, OPTION_TS}};
    unsigned usual = 0;
    for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if ((e->out[HEADER_USE] & pairs[i].use) && (flags & PKT_SYN || pairs[i].use == USE_TS))
            usual |= pairs[i].option;
    return (uint8_t)usual;
}

static void put_options(const struct encoder *e, uint8_t *r, const struct scn_packet *packet, unsigned flags)
{
    for (unsigned i = 0; i < packet->option_count; i++)
        put_option(e, r, &packet->options[i]);
    if (r[AT_OPTIONS] != usual_options(e, flags))
        r[AT_OPTIONS] |= OPTION_GIVEN;
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static void put_flags(uint8_t *r, unsigned flags)
{
    const unsigned low = flags & ~(unsigned)(PKT_AE | PKT_CWR);
    for (unsigned i = 0; i < FLAGS_COMMON_COUNT; i++) {
        const unsigned beside = flags & ~(unsigned)bytes_flags[i]; /* what the octet does not have, and another has */
        if ((flags & bytes_flags[i]) != bytes_flags[i] || (beside & ~(unsigned)(PKT_AE | PKT_CWR)))
            continue;
        r[AT_FLAGS] = (uint8_t)i;
        r[AT_WHO] |= (uint8_t)((beside & PKT_AE ? WHO_AE : 0) | (beside & PKT_CWR ? WHO_CWR : 0));
        return;
    }
    r[AT_FLAGS] = (uint8_t)(FLAGS_RAW | (low & FLAGS_LOW));
    r[AT_WHO] |= (uint8_t)((flags & PKT_AE ? WHO_AE : 0) | (flags & PKT_CWR ? WHO_CWR : 0));
}

static void put_override(const struct encoder *e, uint8_t *r, const struct scn_override *override)
{
    for (unsigned i = 0; i < KEY_COUNT; i++) {
        const struct override_choice *choice = &bytes_overrides[i];
        if (!choice->present || choice->key != override->key || choice->special != override->special)
            continue;
        r[AT_KEY] = (uint8_t)i;
        if (choice->count) {
            const int64_t value = constant(e, override->value.value, 0) - choice->least;
            bytes_put16(r, AT_VALUE, (uint16_t)within(value / choice->unit, 0, (int64_t)choice->count - 1));
        }
        return;
    }
}

static uint8_t ecn_octet(enum scn_ecn ecn)
{
    const unsigned place = ecn == SCN_ECN_ECT0 || ecn == SCN_ECN_ECT01 ? 1 : ecn == SCN_ECN_ECT1 ? 2 : ecn == SCN_ECN_CE ? 3 : 0;
    return (uint8_t)(place << WHO_ECN_SHIFT);
}

static void put_segment(struct encoder *e, const struct scn_step *step)
{
    const struct scn_packet *packet = step->packet;
    uint8_t *r = record_of(e, step, OP_SEGMENT);
    if (!r)
        return;
    const unsigned flags = packet->flags_value ? (unsigned)constant(e, packet->flags_value, PKT_ACK) & 0x1ffu : packet->flags;
    r[AT_WHO] = (uint8_t)(endpoint_octet(e, packet->endpoint.slot) | ecn_octet(packet->ecn));
    put_flags(r, flags);
    put_len(e, r, &packet->len);
    put_place(e, r, &packet->seq, true, AT_SEQ, bytes_get16(r, AT_LEN) == 0 ? BASE_LEFT_OUT : flags & PKT_SYN ? BASE_SCRIPT : BASE_NEXT);
    put_place(e, r, &packet->ack, false, AT_ACK, BASE_LEFT_OUT);
    if (packet->window.relation == SCN_EQ) {
        r[AT_HOW] |= HOW_WINDOW;
        bytes_put16(r, AT_WINDOW, (uint16_t)within(constant(e, packet->window.value, UINT16_MAX), 0, UINT16_MAX));
    }
    if (packet->urgent.relation == SCN_EQ) {
        r[AT_HOW] |= HOW_URGENT;
        r[AT_URGENT] = (uint8_t)(int8_t)within(constant(e, packet->urgent.value, 0) - bytes_get16(r, AT_LEN), INT8_MIN, INT8_MAX);
    }
    put_options(e, r, packet, flags);
    if (packet->override_count)
        put_override(e, r, &packet->overrides[0]);
}

static void put_icmp(struct encoder *e, const struct scn_step *step)
{
    static const struct { const char *name; uint8_t types[2]; } named[] = {
        {"unreachable", {3, 1}}, {"time_exceeded", {11, 3}}, {"parameter_problem", {12, 4}}, {"source_quench", {4, 1}},
        {"packet_too_big", {3, 2}}, {"redirect", {5, 1}}};
    static const struct { const char *name; uint8_t codes[2]; } coded[] = {
        {"net_unreachable", {0, 0}}, {"host_unreachable", {1, 3}}, {"protocol_unreachable", {2, 4}}, {"port_unreachable", {3, 4}}, {"frag_needed", {4, 0}},
        {"no_route", {0, 0}}, {"admin_prohibited", {13, 1}}, {"address_unreachable", {1, 3}}};
    const struct scn_packet *packet = step->packet;
    const unsigned version = e->out[HEADER_USE] & USE_IPV6 ? 1 : 0;
    uint8_t *r = record_of(e, step, OP_ICMP);
    if (!r)
        return;
    int64_t type = constant(e, packet->icmp.type, 3), code = packet->icmp.code ? constant(e, packet->icmp.code, 0) : 0;
    for (unsigned i = 0; i < sizeof named / sizeof *named; i++)
        if (packet->icmp.type->kind == SCN_EXPR_NAME && !strcmp(packet->icmp.type->text, named[i].name))
            type = named[i].types[version];
    for (unsigned i = 0; i < sizeof coded / sizeof *coded; i++)
        if (packet->icmp.code && packet->icmp.code->kind == SCN_EXPR_NAME && !strcmp(packet->icmp.code->text, coded[i].name))
            code = coded[i].codes[version];
    r[AT_WHO] = endpoint_octet(e, packet->endpoint.slot);
    r[AT_FLAGS] = bytes_place_of(bytes_icmp_types[version], ICMP_COUNT, (uint8_t)within(type, 0, UINT8_MAX));
    r[AT_SYN] = (uint8_t)within(code, 0, 15);
    if (packet->icmp.mtu.relation == SCN_EQ) {
        r[AT_HOW] |= HOW_WINDOW;
        bytes_put16(r, AT_WINDOW, (uint16_t)within(constant(e, packet->icmp.mtu.value, 0), 0, UINT16_MAX));
    }
    put_place(e, r, &packet->seq, false, AT_ACK, BASE_NEXT);
    put_len(e, r, &packet->len);
}

static void put_injection(struct encoder *e, const struct scn_step *step)
{
    if (step->packet->protocol == SCN_TCP)
        put_segment(e, step);
    else if (step->packet->protocol == SCN_ICMP)
        put_icmp(e, step);
    else
        leave_out(e, step, why_raw);
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static const struct { const char *name; enum op op; } call_ops[] = {
    {"socket", OP_SOCKET}, {"bind", OP_BIND}, {"listen", OP_LISTEN}, {"accept", OP_ACCEPT}, {"connect", OP_CONNECT}, {"read", OP_RECEIVE},
    {"recv", OP_RECEIVE}, {"recvfrom", OP_RECEIVE}, {"write", OP_SEND}, {"send", OP_SEND}, {"sendto", OP_SEND}, {"shutdown", OP_SHUTDOWN},
    {"close", OP_CLOSE}, {"setsockopt", OP_SET_OPTION},
};

static const struct scn_expr *argument(const struct scn_call *call, unsigned i)
{
    return i < call->argument_count ? call->arguments[i] : NULL;
}

static bool has_name(const struct scn_expr *expr, const char *name)
{
    if (!expr)
        return false;
    if (expr->kind == SCN_EXPR_NAME)
        return !strcmp(expr->text, name);
    for (unsigned i = 0; i < expr->child_count; i++)
        if (has_name(expr->child[i], name))
            return true;
    return false;
}

static int64_t descriptor(const struct encoder *e, const struct scn_expr *expr, int fallback)
{
    const int64_t number = constant(e, expr, fallback);
    return number == e->connection ? FD_FIRST + 1 : number == e->listener ? FD_FIRST : number;
}

/* The octet that means this descriptor, where 0 means `first`. */
static uint8_t descriptor_octet(const struct encoder *e, const struct scn_expr *expr, int first)
{
    return (uint8_t)((uint64_t)(descriptor(e, expr, first) - first) % FD_COUNT);
}

/* Of two that a call can make, which. */
static uint8_t made_octet(const struct encoder *e, const struct scn_expr *expr, int first)
{
    return descriptor(e, expr, first) > first;
}

static void put_length(const struct encoder *e, uint8_t *r, const struct scn_call *call)
{
    const struct scn_expr *content = argument(call, 1);
    const int64_t fallback = content && content->kind == SCN_EXPR_STRING ? (int64_t)content->text_len : UINT16_MAX;
    bytes_put16(r, AT_LEN, (uint16_t)within(constant(e, argument(call, 2), fallback), 0, UINT16_MAX));
    if (has_name(argument(call, 3), "MSG_OOB"))
        r[AT_HOW] |= HOW_URGENT;
}

/* The first value in braces or brackets, or the number itself. */
static int64_t option_value(const struct encoder *e, const struct scn_expr *expr)
{
    while (expr && (expr->kind == SCN_EXPR_LIST || expr->kind == SCN_EXPR_STRUCT || expr->kind == SCN_EXPR_FIELD) &&
           expr->child_count)
        expr = expr->child[0];
    return constant(e, expr, 0);
}

static void put_sockopt(const struct encoder *e, uint8_t *r, const struct scn_call *call)
{
    const int64_t value = option_value(e, argument(call, 3));
    for (unsigned i = SOCKOPT_COUNT; i-- > 0;) {
        const struct sockopt_choice *choice = &bytes_sockopts[i];
        if (!has_name(argument(call, 2), choice->name) || (!choice->linger && choice->fixed >= 0 && choice->fixed != value))
            continue;
        r[AT_SYN] = (uint8_t)i;
        bytes_put16(r, AT_LEN, choice->fixed < 0 ? (uint16_t)within(value, 0, UINT16_MAX) : 0);
    }
}

static void put_call(struct encoder *e, const struct scn_step *step)
{
    const struct scn_call *call = &step->call;
    const struct scn_expr *first = argument(call, 0), *second = argument(call, 1);
    unsigned i = 0;
    while (i < sizeof call_ops / sizeof *call_ops && strcmp(call_ops[i].name, call->name))
        i++;
    if (i == sizeof call_ops / sizeof *call_ops) {
        leave_out(e, step, why_call);
        return;
    }
    const enum op op = call_ops[i].op;
    uint8_t *r = record_of(e, step, op);
    if (!r)
        return;
    if (op == OP_SOCKET || op == OP_CONNECT)
        r[AT_FLAGS] = made_octet(e, op == OP_SOCKET ? call->result.value : first, FD_FIRST);
    else if (op == OP_ACCEPT)
        r[AT_FLAGS] = made_octet(e, call->result.value, FD_FIRST + 1);
    else
        r[AT_FLAGS] = descriptor_octet(e, first, FD_FIRST + 1);
    if (op == OP_ACCEPT)
        r[AT_SYN] = descriptor_octet(e, first, FD_FIRST);
    else if (op == OP_SEND || op == OP_RECEIVE)
        put_length(e, r, call);
    else if (op == OP_SHUTDOWN)
        r[AT_SYN] = has_name(second, "SHUT_RD") ? 1 : has_name(second, "SHUT_RDWR") ? 2 : 0;
    else if (op == OP_CONNECT && second && second->kind == SCN_EXPR_ENDPOINT)
        r[AT_WHO] = endpoint_octet(e, second->slot);
    else if (op == OP_BIND && second && second->kind == SCN_EXPR_STRUCT)
        r[AT_SYN] = (uint8_t)((uint64_t)option_value(e, second) % FD_COUNT);
    else if (op == OP_LISTEN)
        r[AT_SYN] = (uint8_t)within(constant(e, second, 1), 0, UINT8_MAX);
    else if (op == OP_SET_OPTION)
        put_sockopt(e, r, call);
}

/* ---- other steps ------------------------------------------------------------------------------------------------- */

/* What takes time stays as long as it may take; else a fence lets it come. */
static void put_waiting(struct encoder *e, const struct scn_step *step)
{
    const bool waits = step->time.kind == SCN_TIME_RELATIVE && step->time.from_ns > 0;
    const uint8_t *last = e->out + SCN_BYTES_HEADER_LEN + (size_t)e->records * SCN_BYTES_RECORD_LEN - SCN_BYTES_RECORD_LEN;
    const bool fenced = e->records && bytes_ops[last[AT_OP]] == OP_FENCE;
    leave_out(e, step, why_expectation);
    if (waits || step->kind == SCN_STEP_NEVER)
        new_record(e, NULL, OP_WAIT, step->time.to_ns);
    else if (!fenced)
        new_record(e, NULL, OP_FENCE, 0);
}

static void put_link(struct encoder *e, const struct scn_step *step)
{
    uint8_t *r = record_of(e, step, OP_LINK);
    if (!r)
        return;
    r[AT_FLAGS] = (uint8_t)((unsigned)step->link.event | (step->link.inbound ? LINK_INBOUND : 0u));
    r[AT_SYN] = (uint8_t)(within(constant(e, step->link.nth, 1), 1, LINK_NTH_COUNT) - 1);
    if (step->link.event == SCN_LINK_DELAY)
        r[AT_FIRST] = bytes_time_octet(step->link.delay_ns);
}

static void put_of_endpoint(struct encoder *e, const struct scn_step *step, enum op op, const struct scn_endpoint_ref *endpoint)
{
    uint8_t *r = record_of(e, step, op);
    if (r)
        r[AT_WHO] = endpoint_octet(e, endpoint->slot);
}

static void put_block(struct encoder *e, const struct scn_step *steps, unsigned count);

static void put_repeat(struct encoder *e, const struct scn_step *step)
{
    const int64_t times = within(constant(e, step->repeat.times, 1), 0, TURNS_MAX);
    for (int64_t i = 0; i < times && !e->stopped && e->turns < TURNS_MAX; i++, e->turns++) {
        if (step->repeat.slot >= 0)
            e->variables.values[step->repeat.slot] = (struct linear){.constant = i, .known = true};
        put_block(e, step->repeat.block.steps, step->repeat.block.count);
    }
}

static bool skips(const struct scn_block *block)
{
    for (unsigned i = 0; i < block->count; i++)
        if (block->steps[i].kind == SCN_STEP_SKIP)
            return true;
    return false;
}

static void put_either(struct encoder *e, const struct scn_step *step)
{
    unsigned chosen = 0;
    while (chosen + 1 < step->either.count && skips(&step->either.branches[chosen]))
        chosen++;
    if (skips(&step->either.branches[chosen]))
        leave_out(e, step, why_skip);
    else
        put_block(e, step->either.branches[chosen].steps, step->either.branches[chosen].count);
}

static void put_step(struct encoder *e, const struct scn_step *step)
{
    switch (step->kind) {
    case SCN_STEP_INJECT: put_injection(e, step); break;
    case SCN_STEP_CALL: put_call(e, step); break;
    case SCN_STEP_EXPECT: case SCN_STEP_GATHER: put_waiting(e, step); break;
    case SCN_STEP_NEVER:
        if (step->never.has_block)
            put_block(e, step->never.block.steps, step->never.block.count);
        else
            put_waiting(e, step);
        break;
    case SCN_STEP_FENCE: put_of_endpoint(e, step, OP_FENCE, &step->fence.endpoint); break;
    case SCN_STEP_INCARNATION: put_of_endpoint(e, step, OP_INCARNATION, &step->incarnation.endpoint); break;
    case SCN_STEP_EITHER: put_either(e, step); break;
    case SCN_STEP_REPEAT: put_repeat(e, step); break;
    case SCN_STEP_LET: e->variables.values[step->let.slot] = linear(e, step->let.value); break;
    case SCN_STEP_LINK: put_link(e, step); break;
    case SCN_STEP_WAIT: record_of(e, step, OP_WAIT); break;
    case SCN_STEP_SKIP: e->stopped = true; break;
    case SCN_STEP_STATE: case SCN_STEP_ASSERT: leave_out(e, step, why_expectation); break;
    case SCN_STEP_COMMAND: case SCN_STEP_CODE: leave_out(e, step, why_step); break;
    case SCN_STEP_PHASE: case SCN_STEP_COVERS: case SCN_STEP_KIND_COUNT: break;
    }
}

static void put_block(struct encoder *e, const struct scn_step *steps, unsigned count)
{
    for (unsigned i = 0; i < count && !e->stopped; i++)
        put_step(e, &steps[i]);
}

/* ---- the opening ------------------------------------------------------------------------------------------------- */

/* What a customary preamble consists of; expectations, states and fences may stand between. */
enum opening_part { PART_SOCKET, PART_BIND, PART_LISTEN, PART_SYN, PART_ACK, PART_ACCEPT, PART_CONNECT, PART_SYN_ACK, PART_BUFFER, PART_BETWEEN, PART_NONE };

static bool is_plain_segment(const struct scn_packet *packet, unsigned flags)
{
    return packet->protocol == SCN_TCP && !packet->flags_value && packet->flags == flags && packet->endpoint.slot == 0 &&
           packet->override_count == 0;
}

static enum opening_part part_of(const struct scn_step *step)
{
    static const struct { const char *name; enum opening_part part; } calls[] = {
        {"socket", PART_SOCKET}, {"bind", PART_BIND}, {"listen", PART_LISTEN}, {"accept", PART_ACCEPT}, {"connect", PART_CONNECT}};
    if (step->kind == SCN_STEP_EXPECT || step->kind == SCN_STEP_STATE || step->kind == SCN_STEP_FENCE)
        return PART_BETWEEN;
    if (step->kind == SCN_STEP_INJECT)
        return is_plain_segment(step->packet, PKT_SYN) ? PART_SYN : is_plain_segment(step->packet, PKT_ACK) ? PART_ACK
               : is_plain_segment(step->packet, PKT_SYN | PKT_ACK) ? PART_SYN_ACK : PART_NONE;
    if (step->kind == SCN_STEP_CALL && !strcmp(step->call.name, "setsockopt") && has_name(argument(&step->call, 2), "SO_RCVBUF"))
        return PART_BUFFER;
    for (unsigned i = 0; step->kind == SCN_STEP_CALL && i < sizeof calls / sizeof *calls; i++)
        if (!strcmp(step->call.name, calls[i].name))
            return calls[i].part;
    return PART_NONE;
}

/* The options of the tester's SYN are those in use. */
static void put_use(struct encoder *e, const struct scn_packet *syn)
{
    uint8_t r[SCN_BYTES_RECORD_LEN] = {0};
    for (unsigned i = 0; i < syn->option_count; i++)
        put_option(e, r, &syn->options[i]);
    const unsigned o = r[AT_OPTIONS];
    e->out[HEADER_USE] |= (uint8_t)((o & OPTION_MSS ? USE_MSS : 0) | (o & OPTION_WSCALE ? USE_WSCALE : 0) |
                                    (o & OPTION_SACK_PERMITTED ? USE_SACK : 0) | (o & OPTION_TS ? USE_TS : 0));
    e->out[HEADER_SYN] = r[AT_SYN];
}

/* How many steps of the body are the header's: as many as make up the longest of the ways in. */
static unsigned put_opening(struct encoder *e, const struct scn_block *body)
{
    static const enum opening_part passive[] = {PART_SOCKET, PART_BIND, PART_LISTEN, PART_SYN, PART_ACK, PART_ACCEPT},
                                   active[] = {PART_SOCKET, PART_CONNECT, PART_SYN_ACK};
    unsigned done_passive = 0, done_active = 0, listened = 0;
    const struct scn_packet *syn = NULL;
    enum way way = WAY_NONE;
    int64_t made[2] = {FD_FIRST, FD_FIRST + 1}; /* by socket() and by accept() */
    unsigned taken = 0;
    bool small = false;
    for (unsigned i = 1;
         body->count && body->steps[0].kind == SCN_STEP_PHASE && body->steps[0].phase == SCN_PREAMBLE && i < body->count; i++) {
        const enum opening_part part = part_of(&body->steps[i]);
        if (part == PART_BETWEEN)
            continue;
        if (part == PART_BUFFER && !listened && i <= 2) {
            small = true;
            continue;
        }
        const bool fits_passive = done_passive < 6 && part == passive[done_passive],
                   fits_active = done_active < 3 && part == active[done_active];
        if (!fits_passive && !fits_active)
            break;
        done_passive = fits_passive ? done_passive + 1 : 6;
        done_active = fits_active ? done_active + 1 : 3;
        if (part == PART_SOCKET || part == PART_ACCEPT)
            made[part == PART_ACCEPT] = constant(e, body->steps[i].call.result.value, FD_FIRST);
        if (part == PART_SYN || part == PART_SYN_ACK)
            syn = body->steps[i].packet;
        if (part == PART_LISTEN)
            listened = i + 1, taken = i + 1, way = WAY_LISTENING;
        if (part == PART_ACCEPT || part == PART_SYN_ACK)
            taken = i + 1, way = part == PART_ACCEPT ? WAY_PASSIVE : WAY_ACTIVE;
    }
    e->out[HEADER_WAY] = bytes_place_of(bytes_ways, WAY_TABLE_COUNT, (uint8_t)way);
    if (way == WAY_PASSIVE || way == WAY_LISTENING)
        e->listener = made[0];
    if (way == WAY_PASSIVE || way == WAY_ACTIVE)
        e->connection = made[way == WAY_PASSIVE];
    if (way != WAY_NONE && small)
        e->out[HEADER_USE] |= USE_SMALL_BUFFER;
    if (syn && (way == WAY_PASSIVE || way == WAY_ACTIVE))
        put_use(e, syn);
    if (way == WAY_ACTIVE && taken < body->count && part_of(&body->steps[taken]) == PART_BETWEEN)
        taken++;
    return taken;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void put_header(struct encoder *e, unsigned ip_version)
{
    const struct scenario *s = e->variables.scenario;
    memset(e->out, 0, SCN_BYTES_HEADER_LEN);
    memcpy(e->out, scn_bytes_magic, SCN_BYTES_MAGIC_LEN);
    e->out[HEADER_USE] = ip_version == 6 ? USE_IPV6 : 0;
    for (unsigned i = ISN_COUNT; s->has_isn && i-- > 1;)
        if (bytes_isns[i].isn == s->isn)
            e->out[HEADER_ISN] = (uint8_t)i;
}

static bool same_text(const struct scenario *a, const struct scn_step *step_a, const struct scenario *b,
                      const struct scn_step *step_b)
{
    enum { TEXT_MAX = 1000 };
    char text_a[TEXT_MAX], text_b[TEXT_MAX];
    const int len = scn_print_step(a, step_a, text_a, sizeof text_a);
    return scn_print_step(b, step_b, text_b, sizeof text_b) == len && len < TEXT_MAX && !strcmp(text_a, text_b);
}

static void compare(struct encoder *e, const struct scenario *again)
{
    const unsigned first = again->body.count - e->records;
    e->report.equal = scn_equal(e->variables.scenario, again);
    for (unsigned i = 0; i < e->records; i++) {
        if (!e->origin[i])
            continue;
        if (same_text(e->variables.scenario, e->origin[i], again, &again->body.steps[first + i])) {
            e->report.exact++;
            continue;
        }
        e->report.nearest++;
        note(e, e->origin[i], why_nearest);
    }
}

static bool set_variables(struct encoder *e, const struct scenario *scenario, unsigned variant)
{
    struct scn_variant which;
    struct scn_value *values = calloc(scenario->variable_count + 1, sizeof *values);
    e->variables = (struct variables){scenario, calloc(scenario->variable_count + 1, sizeof *e->variables.values)};
    const bool ok = values && e->variables.values;
    if (ok) {
        scn_variant(scenario, variant, &which, values);
        put_header(e, which.ip_version);
    }
    for (unsigned i = 0; ok && i < scenario->variable_count; i++)
        e->variables.values[i] = bytes_linear_value(&values[i]);
    free(values);
    return ok;
}

size_t scn_bytes_encode(const struct scenario *scenario, unsigned variant, uint8_t out[SCN_BYTES_MAX],
                        struct scn_bytes_report *report)
{
    struct encoder e = {.out = out, .listener = FD_FIRST, .connection = FD_FIRST + 1};
    struct scenario *again = NULL;
    size_t len = 0;
    if (set_variables(&e, scenario, variant)) {
        const unsigned opening = put_opening(&e, &scenario->body);
        put_block(&e, scenario->body.steps + opening, scenario->body.count - opening);
        len = SCN_BYTES_HEADER_LEN + (size_t)e.records * SCN_BYTES_RECORD_LEN;
        if (report && !(again = scn_bytes_decode(out, len)))
            len = 0;
    }
    if (again)
        compare(&e, again);
    if (report)
        *report = e.report;
    scn_free(again);
    free(e.variables.values);
    return len;
}
