/* A scenario to octets.
 *
 * The steps of one sub-test are walked in one row (flat.c): repeats turn as often as they constantly do, variables are what tables,
 * `let`, and what a play as expected would capture, give them (track.c). Each step becomes the nearest record, in canonical form:
 * octets that its decoding does not read are zero, and of several that choose the same the smallest is taken. Whether a record does
 * what its step does is found by decoding it and comparing (same.c), so that the report cannot be wrong about it.
 */
#include "engine/scenario/bytes/inside.h"

#include <stdlib.h>
#include <string.h>

struct encoder {
    struct variables variables;
    struct naming naming;
    uint8_t *out;
    unsigned records;
    bool reports;                           /* somebody wants to know what became of the steps */
    int64_t elapsed_ns;
    struct scn_bytes_report report;
};

static const char why_full[] = "no record is left", why_call[] = "a call that octets do not have",
                  why_raw[] = "a packet of raw octets", why_step[] = "a step that octets do not have", why_time[] = "the time";

static void count_reason(struct scn_bytes_report *report, const char *why)
{
    unsigned i = 0;
    while (i + 1 < SCN_BYTES_REASONS_MAX && report->reasons[i].why && strcmp(report->reasons[i].why, why))
        i++;
    report->reasons[i].why = why;
    report->reasons[i].count++;
}

static void note(struct encoder *e, const struct scn_step *step, const char *what)
{
    if (e->report.note_count < SCN_BYTES_NOTES_MAX)
        e->report.notes[e->report.note_count++] = (struct scn_bytes_note){step->at.line, what};
    count_reason(&e->report, what);
}

static void leave_out(struct encoder *e, const struct scn_step *step, const char *why)
{
    e->report.left_out++;
    note(e, step, why);
}

static int64_t constant(const struct encoder *e, const struct scn_expr *expr, int64_t fallback)
{
    return bytes_constant(&e->variables, expr, fallback);
}

/* Counts a step as exact when the decoded one does the same, at the same time; was it? */
static bool judge(struct encoder *e, const struct scn_step *step, const struct scn_step *decoded, int64_t after_ns)
{
    const char *why = bytes_differs(&e->variables, &e->naming, step, decoded);
    if (!why && decoded->time.from_ns != after_ns)
        why = why_time;
    if (!why) {
        e->report.exact++;
        return true;
    }
    e->report.nearest++;
    note(e, step, why);
    return false;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* The next record with its operation and time; NULL when there are no more. */
static uint8_t *new_record(struct encoder *e, enum op op, int64_t after_ns)
{
    if (e->records == SCN_BYTES_STEPS_MAX)
        return NULL;
    uint8_t *r = e->out + SCN_BYTES_HEADER_LEN + (size_t)e->records * SCN_BYTES_RECORD_LEN;
    memset(r, 0, SCN_BYTES_RECORD_LEN);
    r[AT_OP] = bytes_place_of(bytes_ops, OP_TABLE_COUNT, (uint8_t)op);
    r[AT_TIME] = bytes_time_octet(after_ns);
    e->records++;
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
    uint8_t *r = new_record(e, op, time_of(e, &step->time));
    if (!r)
        leave_out(e, step, why_full);
    return r;
}

/* What has become of the step, once its record is complete; and the time goes on. */
static void finish(struct encoder *e, const struct scn_step *step, const uint8_t *r)
{
    uint8_t alone[SCN_BYTES_HEADER_LEN + SCN_BYTES_RECORD_LEN];
    if (!r)
        return;
    const int64_t after_ns = time_of(e, &step->time);
    e->elapsed_ns += after_ns;
    if (!e->reports)
        return;
    memcpy(alone, e->out, SCN_BYTES_HEADER_LEN);
    alone[HEADER_WAY] = bytes_place_of(bytes_ways, WAY_TABLE_COUNT, WAY_NONE);
    memcpy(alone + SCN_BYTES_HEADER_LEN, r, SCN_BYTES_RECORD_LEN);
    struct scenario *decoded = scn_bytes_decode(alone, sizeof alone);
    if (decoded)
        judge(e, step, &decoded->body.steps[0], after_ns);
    scn_free(decoded);
}

static uint8_t endpoint_octet(const struct encoder *e, const struct scn_endpoint_ref *endpoint)
{
    bool exact;
    return (uint8_t)bytes_endpoint(&e->naming, endpoint, &exact);
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static void put_injection(struct encoder *e, const struct scn_step *step)
{
    const struct scn_packet *packet = step->packet;
    const bool tcp = packet->protocol == SCN_TCP;
    if (!tcp && packet->protocol != SCN_ICMP) {
        leave_out(e, step, why_raw);
        return;
    }
    uint8_t *r = record_of(e, step, tcp ? OP_SEGMENT : OP_ICMP);
    if (r)
        r[AT_WHO] = endpoint_octet(e, &packet->endpoint);
    if (r && tcp)
        bytes_put_segment(&e->variables, e->out, r, packet);
    else if (r)
        bytes_put_icmp(&e->variables, e->out, r, packet);
    finish(e, step, r);
    bytes_track_sent(&e->variables, packet);
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

/* The octet that means this descriptor, where 0 means `first`. */
static uint8_t descriptor_octet(const struct encoder *e, const struct scn_expr *expr, int first)
{
    return (uint8_t)((uint64_t)(bytes_descriptor(&e->naming, constant(e, expr, first)) - first) % FD_COUNT);
}

static bool is_named(const struct naming *naming, int64_t octets)
{
    for (unsigned i = 0; i < naming->descriptor_count; i++)
        if (naming->descriptors[i].octets == octets)
            return true;
    return false;
}

static void name_descriptor(struct naming *naming, int64_t script, int64_t octets)
{
    unsigned i = 0;
    while (i < naming->descriptor_count && naming->descriptors[i].script != script)
        i++;
    if (i == DESCRIPTORS_MAX)
        return;
    naming->descriptors[i].script = script;
    naming->descriptors[i].octets = octets;
    naming->descriptor_count += i == naming->descriptor_count;
}

/* A descriptor that is made: it keeps its number where a call can make that, else it gets one of the two that the call makes (first
 * and first + 2), a free one if there is; the octet says which. */
static uint8_t made_octet(struct encoder *e, const struct scn_expr *expr, int first)
{
    const int64_t script = constant(e, expr, first);
    int64_t octets = script == first || script == first + 2 ? script : is_named(&e->naming, first) ? first + 2 : first;
    name_descriptor(&e->naming, script, octets);
    return octets > first;
}

/* A closed descriptor's number may be another's. */
static void forget_descriptor(struct naming *naming, int64_t script)
{
    for (unsigned i = 0; i < naming->descriptor_count; i++)
        if (naming->descriptors[i].script == script)
            naming->descriptors[i] = naming->descriptors[--naming->descriptor_count];
}

static void put_length(const struct encoder *e, uint8_t *r, const struct scn_call *call)
{
    const struct scn_expr *content = argument(call, 1);
    const int64_t fallback = content && content->kind == SCN_EXPR_STRING ? (int64_t)content->text_len : UINT16_MAX;
    bytes_put16(r, AT_LEN, (uint16_t)bytes_within(constant(e, argument(call, 2), fallback), 0, UINT16_MAX));
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
        bytes_put16(r, AT_LEN, choice->fixed < 0 ? (uint16_t)bytes_within(value, 0, UINT16_MAX) : 0);
    }
}

static void put_arguments(struct encoder *e, uint8_t *r, enum op op, const struct scn_call *call)
{
    const struct scn_expr *first = argument(call, 0), *second = argument(call, 1);
    if (op == OP_SOCKET)
        r[AT_FLAGS] = made_octet(e, call->result.value, FD_FIRST);
    else if (op == OP_CONNECT)
        r[AT_FLAGS] = bytes_descriptor(&e->naming, constant(e, first, FD_FIRST)) > FD_FIRST;
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
        r[AT_WHO] = endpoint_octet(e, &(struct scn_endpoint_ref){.slot = second->slot});
    else if (op == OP_BIND && second && second->kind == SCN_EXPR_STRUCT)
        r[AT_SYN] = (uint8_t)((uint64_t)option_value(e, second) % FD_COUNT);
    else if (op == OP_LISTEN)
        r[AT_SYN] = (uint8_t)bytes_within(constant(e, second, 1), 0, UINT8_MAX);
    else if (op == OP_SET_OPTION)
        put_sockopt(e, r, call);
}

static void put_call(struct encoder *e, const struct scn_step *step)
{
    const struct scn_call *call = &step->call;
    unsigned i = 0;
    while (i < sizeof call_ops / sizeof *call_ops && strcmp(call_ops[i].name, call->name))
        i++;
    if (i == sizeof call_ops / sizeof *call_ops) {
        leave_out(e, step, why_call);
        return;
    }
    const enum op op = call_ops[i].op;
    uint8_t *r = record_of(e, step, op);
    if (r)
        put_arguments(e, r, op, call);
    finish(e, step, r);
    if (op == OP_CLOSE)
        forget_descriptor(&e->naming, constant(e, argument(call, 0), 0));
}
/* ---- other steps ------------------------------------------------------------------------------------------------- */

/* What takes time stays as long as it may take; else a fence lets it come. */
static void put_waiting(struct encoder *e, const struct scn_step *step)
{
    const bool waits = step->time.kind == SCN_TIME_RELATIVE && step->time.from_ns > 0;
    const uint8_t *last = e->out + SCN_BYTES_HEADER_LEN + (size_t)e->records * SCN_BYTES_RECORD_LEN - SCN_BYTES_RECORD_LEN;
    const bool fenced = e->records && bytes_ops[last[AT_OP]] == OP_FENCE;
    e->report.by_design++;
    if (waits || step->kind == SCN_STEP_NEVER)
        new_record(e, OP_WAIT, step->time.to_ns);
    else if (!fenced)
        new_record(e, OP_FENCE, 0);
    if (step->kind == SCN_STEP_EXPECT)
        bytes_track_expected(&e->variables, step->packet);
    else if (step->kind == SCN_STEP_GATHER)
        bytes_track_gathered(&e->variables, step);
}

static void put_link(struct encoder *e, const struct scn_step *step)
{
    uint8_t *r = record_of(e, step, OP_LINK);
    if (!r)
        return;
    r[AT_FLAGS] = (uint8_t)((unsigned)step->link.event | (step->link.inbound ? LINK_INBOUND : 0u));
    r[AT_SYN] = (uint8_t)(bytes_within(constant(e, step->link.nth, 1), 1, LINK_NTH_COUNT) - 1);
    if (step->link.event == SCN_LINK_DELAY)
        r[AT_FIRST] = bytes_time_octet(step->link.delay_ns);
    finish(e, step, r);
}

static void put_of_endpoint(struct encoder *e, const struct scn_step *step, enum op op, const struct scn_endpoint_ref *endpoint)
{
    uint8_t *r = record_of(e, step, op);
    if (r)
        r[AT_WHO] = endpoint_octet(e, endpoint);
    finish(e, step, r);
}

static void put_step(struct encoder *e, const struct scn_step *step)
{
    switch (step->kind) {
    case SCN_STEP_INJECT: put_injection(e, step); break;
    case SCN_STEP_CALL: put_call(e, step); break;
    case SCN_STEP_EXPECT: case SCN_STEP_GATHER: case SCN_STEP_NEVER: put_waiting(e, step); break;
    case SCN_STEP_FENCE: put_of_endpoint(e, step, OP_FENCE, &step->fence.endpoint); break;
    case SCN_STEP_INCARNATION:
        put_of_endpoint(e, step, OP_INCARNATION, &step->incarnation.endpoint);
        bytes_track_incarnation(&e->variables, step);
        break;
    case SCN_STEP_LET: bytes_track_let(&e->variables, step); break;
    case SCN_STEP_LINK: put_link(e, step); break;
    case SCN_STEP_WAIT: finish(e, step, record_of(e, step, OP_WAIT)); break;
    case SCN_STEP_STATE: case SCN_STEP_ASSERT: e->report.by_design++; break;
    case SCN_STEP_COMMAND: case SCN_STEP_CODE: leave_out(e, step, why_step); break;
    case SCN_STEP_PHASE: case SCN_STEP_COVERS: case SCN_STEP_SKIP: case SCN_STEP_EITHER: case SCN_STEP_REPEAT: case SCN_STEP_KIND_COUNT: break;
    }
}

static void put_entries(struct encoder *e, const struct flat *entries, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (entries[i].step)
            put_step(e, entries[i].step);
        else
            e->variables.values[entries[i].slot] = (struct linear){.constant = entries[i].turn, .known = true};
    }
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
        bytes_put_option(&e->variables, r, &syn->options[i]);
    const unsigned o = r[AT_OPTIONS];
    e->out[HEADER_USE] |= (uint8_t)((o & OPTION_MSS ? USE_MSS : 0) | (o & OPTION_WSCALE ? USE_WSCALE : 0) |
                                    (o & OPTION_SACK_PERMITTED ? USE_SACK : 0) | (o & OPTION_TS ? USE_TS : 0));
    e->out[HEADER_SYN] = r[AT_SYN];
}

/* Which ways in a row of steps may be the beginning of, step by step. */
struct recognition {
    unsigned done_passive, done_active, listened, taken;
    enum way way;
    const struct scn_packet *syn;
    int64_t listener, connection, backlog;
    bool small;
};

static void recognize(struct recognition *o, const struct encoder *e, const struct scn_step *step, enum opening_part part,
                      unsigned behind)
{
    if (part == PART_SOCKET || part == PART_ACCEPT) {
        const int64_t made = constant(e, step->call.result.value, FD_FIRST);
        *(part == PART_ACCEPT ? &o->connection : &o->listener) = made;
    }
    if (part == PART_SYN || part == PART_SYN_ACK)
        o->syn = step->packet;
    if (part == PART_LISTEN) {
        o->backlog = constant(e, argument(&step->call, 1), 0);
        o->listened = o->taken = behind;
        o->way = WAY_LISTENING;
    }
    if (part == PART_ACCEPT || part == PART_SYN_ACK) {
        o->taken = behind;
        o->way = part == PART_ACCEPT ? WAY_PASSIVE : WAY_ACTIVE;
    }
}

/* The longest of the ways in that these steps begin with. */
static struct recognition recognized(const struct encoder *e, const struct flat *entries, unsigned count)
{
    static const enum opening_part passive[] = {PART_SOCKET, PART_BIND, PART_LISTEN, PART_SYN, PART_ACK, PART_ACCEPT},
                                   active[] = {PART_SOCKET, PART_CONNECT, PART_SYN_ACK};
    struct recognition o = {.way = WAY_NONE, .listener = FD_FIRST, .connection = FD_FIRST + 1};
    for (unsigned i = 0; i < count; i++) {
        const enum opening_part part = entries[i].step ? part_of(entries[i].step) : PART_BETWEEN;
        if (part == PART_BETWEEN)
            continue;
        if (part == PART_BUFFER && !o.listened && o.done_passive == 1) {
            o.small = true;
            continue;
        }
        const bool fits_passive = o.done_passive < 6 && part == passive[o.done_passive],
                   fits_active = o.done_active < 3 && part == active[o.done_active];
        if (!fits_passive && !fits_active)
            break;
        o.done_passive = fits_passive ? o.done_passive + 1 : 6;
        o.done_active = fits_active ? o.done_active + 1 : 3;
        recognize(&o, e, entries[i].step, part, i + 1);
    }
    return o;
}

/* What became of the steps that are the header's: its decoding has as many of them, in their order. false when its segments are
 * not theirs. */
static bool judge_opening(struct encoder *e, const struct flat *entries, unsigned count)
{
    struct scenario *decoded = scn_bytes_decode(e->out, SCN_BYTES_HEADER_LEN);
    unsigned at = 0;
    bool same_segments = decoded;
    for (unsigned i = 0; i < count; i++) {
        const struct scn_step *step = entries[i].step;
        if (!step) {
            e->variables.values[entries[i].slot] = (struct linear){.constant = entries[i].turn, .known = true};
            continue;
        }
        const bool does = step->kind == SCN_STEP_INJECT || step->kind == SCN_STEP_CALL;
        while (decoded && does && at < decoded->body.count && decoded->body.steps[at].kind != step->kind)
            at++;
        if (decoded && does && at < decoded->body.count) {
            const bool same = judge(e, step, &decoded->body.steps[at++], time_of(e, &step->time));
            same_segments &= same || step->kind != SCN_STEP_INJECT;
        }
        e->report.by_design += step->kind == SCN_STEP_EXPECT || step->kind == SCN_STEP_STATE;
        e->report.exact += step->kind == SCN_STEP_FENCE;
        if (step->kind == SCN_STEP_INJECT)
            bytes_track_sent(&e->variables, step->packet);
        else if (step->kind == SCN_STEP_EXPECT)
            bytes_track_expected(&e->variables, step->packet);
        else if (step->kind == SCN_STEP_LET)
            bytes_track_let(&e->variables, step);
    }
    scn_free(decoded);
    return same_segments;
}

static unsigned put_way(struct encoder *e, const struct recognition *recognition, const struct flat *entries, unsigned count)
{
    const struct recognition o = *recognition;
    unsigned taken = o.taken;
    e->out[HEADER_WAY] = bytes_place_of(bytes_ways, WAY_TABLE_COUNT, (uint8_t)o.way);
    if (o.way == WAY_PASSIVE || o.way == WAY_LISTENING) {
        name_descriptor(&e->naming, o.listener, FD_FIRST);
        for (unsigned i = BACKLOG_COUNT; i-- > 0;)
            if (bytes_backlogs[i] == o.backlog)
                e->out[HEADER_WAY] = (uint8_t)((e->out[HEADER_WAY] & (WAY_TABLE_COUNT - 1)) | i << WAY_BACKLOG_SHIFT);
    }
    if (o.way == WAY_PASSIVE || o.way == WAY_ACTIVE)
        name_descriptor(&e->naming, o.way == WAY_PASSIVE ? o.connection : o.listener, FD_FIRST + 1);
    if (o.way != WAY_NONE && o.small)
        e->out[HEADER_USE] |= USE_SMALL_BUFFER;
    if (o.syn && (o.way == WAY_PASSIVE || o.way == WAY_ACTIVE))
        put_use(e, o.syn);
    if (o.way == WAY_ACTIVE && taken < count && entries[taken].step && part_of(entries[taken].step) == PART_BETWEEN)
        taken++;
    return taken;
}

/* How many entries are the header's: as many as make up the longest of the ways in whose segments it can say; a handshake that it
 * cannot is left to records. */
static unsigned put_opening(struct encoder *e, const struct flat *entries, unsigned count)
{
    struct recognition o = recognized(e, entries, count);
    struct encoder before = *e;
    const uint8_t use = e->out[HEADER_USE];
    unsigned taken = put_way(e, &o, entries, count);
    if (judge_opening(e, entries, taken))
        return taken;
    *e = before;
    e->out[HEADER_USE] = use;
    e->out[HEADER_SYN] = 0;
    o.way = o.listened ? WAY_LISTENING : WAY_NONE;
    o.taken = o.listened;
    taken = put_way(e, &o, entries, count);
    judge_opening(e, entries, taken);
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

static bool begin(struct encoder *e, const struct scenario *scenario, unsigned variant)
{
    struct scn_variant which;
    struct scn_value *values = calloc(scenario->variable_count + 1, sizeof *values);
    e->variables = (struct variables){.scenario = scenario, .values = calloc(scenario->variable_count + 1, sizeof *e->variables.values)};
    e->naming.scenario = scenario;
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

/* The row of steps; what was remembered on the way there is forgotten again. */
static bool flatten(const struct encoder *e, struct flat_list *list)
{
    const unsigned count = e->variables.scenario->variable_count;
    struct variables copy = e->variables;
    copy.values = calloc(count + 1, sizeof *copy.values);
    if (!copy.values)
        return false;
    memcpy(copy.values, e->variables.values, count * sizeof *copy.values);
    bytes_flatten(list, &copy, &e->variables.scenario->body);
    free(copy.values);
    return !list->failed;
}

static bool is_preamble(const struct flat_list *list)
{
    return list->count && list->entries[0].step && list->entries[0].step->kind == SCN_STEP_PHASE &&
           list->entries[0].step->phase == SCN_PREAMBLE;
}

size_t scn_bytes_encode(const struct scenario *scenario, unsigned variant, uint8_t out[SCN_BYTES_MAX],
                        struct scn_bytes_report *report)
{
    struct encoder e = {.out = out, .reports = report};
    struct flat_list list = {0};
    size_t len = 0;
    if (begin(&e, scenario, variant) && flatten(&e, &list)) {
        const unsigned first = is_preamble(&list) ? 1 : 0;
        const unsigned opening = first ? put_opening(&e, list.entries + 1, list.count - 1) : put_opening(&e, NULL, 0);
        if (list.count)
            put_entries(&e, list.entries + first + opening, list.count - first - opening);
        len = SCN_BYTES_HEADER_LEN + (size_t)e.records * SCN_BYTES_RECORD_LEN;
    }
    if (report && len) {
        struct scenario *again = scn_bytes_decode(out, len);
        e.report.equal = again && scn_equal(scenario, again);
        scn_free(again);
        *report = e.report;
    }
    free(list.entries);
    free(e.variables.values);
    return len;
}
