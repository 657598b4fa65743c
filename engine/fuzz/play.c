/* Plays octets: life cycle, the steps, and what came of it (see play.h).
 *
 * Theory of operation. A player (engine/runner) knows how packets cross the link, what the judges are to be told and when, how
 * endpoints count, how fences pace. All that is used here as it is, by a struct player whose scenario has no steps; what is done by
 * steps there is done by records here, one function an operation, in the same order: wait until the step is due, do it, note when
 * it was done. The player is silent (trace.silent): it forms no text, keeps no packet, and lets nobody expect any. For the next
 * play play_again() sets it back; judges, endpoints, buffers stay where they are.
 *
 * That both do the same is proven by playing thousands of inputs both ways (test/play.c). A call of a record never blocks and is
 * content with any result, so no call is ever pending.
 *
 * Findings are the player's own first (they are few: checksum, stream, address, death), then the model's, in their order. */
#include "engine/fuzz/play_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- steps ---------------------------------------------------------------------------------------------------------- */

/* The opening, by the way in: descriptor FD_FIRST listens, the next is the connection. */
enum { OPENING_MAX = 9, FLAGS_ACK = 0, FLAGS_SYN = 3, FLAGS_SYN_ACK = 6, BUFFER_OPTION = 3, BUFFER_LEN = 4096 };
struct opening_step { uint8_t op, which, flags; bool set_buffer; };
static const struct opening_step passive[] = {
    {.op = OP_SOCKET}, {.op = OP_SET_OPTION, .set_buffer = true}, {.op = OP_BIND}, {.op = OP_LISTEN},
    {.op = OP_SEGMENT, .flags = FLAGS_SYN}, {.op = OP_FENCE}, {.op = OP_SEGMENT, .flags = FLAGS_ACK}, {.op = OP_FENCE}, {.op = OP_ACCEPT, .which = 1},
};
static const struct opening_step active[] = {
    {.op = OP_SOCKET, .which = 1}, {.op = OP_SET_OPTION, .which = 1, .set_buffer = true}, {.op = OP_CONNECT, .which = 1}, {.op = OP_FENCE},
    {.op = OP_SEGMENT, .flags = FLAGS_SYN_ACK}, {.op = OP_FENCE},
};
enum { LISTENING_COUNT = 4, ACTIVE_COUNT = sizeof active / sizeof *active, PASSIVE_COUNT = sizeof passive / sizeof *passive };

static enum way way_of(const struct fuzz_play *f)
{
    return (enum way)bytes_ways[f->header[HEADER_WAY] % WAY_TABLE_COUNT];
}

static void opening_step(const struct fuzz_play *f, struct fuzz_step *step, uint8_t record[static SCN_BYTES_RECORD_LEN])
{
    const struct opening_step *o = &(way_of(f) == WAY_ACTIVE ? active : passive)[f->next];
    memset(record, 0, SCN_BYTES_RECORD_LEN);
    record[AT_FLAGS] = o->flags;
    if (o->op == OP_SEGMENT)
        record[AT_SYN] = f->header[HEADER_SYN];
    if (o->op == OP_LISTEN)
        record[AT_SYN] = bytes_backlogs[f->header[HEADER_WAY] >> WAY_BACKLOG_SHIFT & (BACKLOG_COUNT - 1)];
    if (o->set_buffer) {
        record[AT_SYN] = BUFFER_OPTION;
        bytes_put16(record, AT_LEN, BUFFER_LEN);
    }
    *step = (struct fuzz_step){.op = (enum op)o->op, .record = record, .which = FD_FIRST + o->which};
}

/* The descriptor of a call: the connection of the opening where the octet is 0. Those that it makes are odd ones of socket(), which
 * connect too, and even ones of accept(). */
static unsigned descriptor_of(enum op op, const uint8_t *record)
{
    const unsigned made = record[AT_FLAGS] % 2 * 2u;
    if (op == OP_SOCKET || op == OP_CONNECT)
        return FD_FIRST + made;
    return FD_FIRST + (op == OP_ACCEPT ? 1 + made : 1u + record[AT_FLAGS]) % FD_COUNT;
}

/* What is missing of the last record counts as zeros. */
static void record_step(const struct fuzz_play *f, struct fuzz_step *step, uint8_t filled[static SCN_BYTES_RECORD_LEN])
{
    const size_t at = (size_t)(f->next - f->opening_count) * SCN_BYTES_RECORD_LEN, left = f->records_len - at;
    const uint8_t *record = f->records + at;
    if (left < SCN_BYTES_RECORD_LEN) {
        memset(filled, 0, SCN_BYTES_RECORD_LEN);
        record = memcpy(filled, record, left);
    }
    const enum op op = (enum op)bytes_ops[record[AT_OP] % OP_TABLE_COUNT];
    *step = (struct fuzz_step){.op = op, .record = record, .which = descriptor_of(op, record)};
}

/* ---- doing them, as steps.c does ------------------------------------------------------------------------------------ */

static int64_t bounded(const struct fuzz_play *f, int64_t ns)
{
    return f->config.wait_max_ns && ns > f->config.wait_max_ns ? f->config.wait_max_ns : ns;
}

static bool is_due(struct fuzz_play *f, const uint8_t *record)
{
    struct player *p = f->player;
    if (!p->step.entered) {
        p->step.entered = true;
        p->step.base = p->base;
        p->step.due_ns = p->base.latest + bounded(f, bytes_time_ns(record[AT_TIME]));
    }
    if (p->now_ns >= p->step.due_ns)
        return true;
    play_wake_at(p, p->step.due_ns);
    return false;
}

static bool may_act(struct fuzz_play *f, const uint8_t *record)
{
    struct player *p = f->player;
    if (!is_due(f, record))
        return false;
    const int64_t lateness = p->now_ns - p->step.due_ns;
    if (!p->step.lateness_noted && lateness > p->worst_lateness_ns)
        p->worst_lateness_ns = lateness;
    p->step.lateness_noted = true;
    return play_settled(p);
}

static enum progress go_on(const struct player *p, bool done)
{
    return p->finished ? STEP_STOPPED : done ? STEP_DONE : STEP_WAITS;
}

static void acted(struct player *p)
{
    p->base = (struct interval){p->now_ns, p->now_ns};
}

static enum progress do_packet(struct fuzz_play *f, const struct fuzz_step *step)
{
    if (!may_act(f, step->record))
        return go_on(f->player, false);
    acted(f->player);
    if (step->op == OP_ICMP)
        play_icmp(f, step->record);
    else
        play_segment(f, step->record);
    return go_on(f->player, true);
}

static enum progress do_call(struct fuzz_play *f, const struct fuzz_step *step)
{
    struct player *p = f->player;
    if (!may_act(f, step->record))
        return go_on(p, false);
    play_octet_call(f, step);
    if (p->finished)
        return STEP_STOPPED;
    acted(p);
    play_note_state(p, play_endpoint_at(p, 0, 0));
    return go_on(p, true);
}

static enum progress do_link(struct fuzz_play *f, const uint8_t *record)
{
    struct player *p = f->player;
    if (!is_due(f, record))
        return STEP_WAITS;
    if (p->rule_count == PLAYER_LINK_RULES_MAX) {
        play_stop(p, VERDICT_ERROR, "more than %d link events waiting", PLAYER_LINK_RULES_MAX);
        return STEP_STOPPED;
    }
    const enum scn_link_event event = (enum scn_link_event)(record[AT_FLAGS] % 4);
    p->rules[p->rule_count++] = (struct link_rule){
        .event = event, .inbound = record[AT_FLAGS] & LINK_INBOUND, .nth = 1 + record[AT_SYN] % LINK_NTH_COUNT,
        .delay_ns = event == SCN_LINK_DELAY ? bounded(f, bytes_time_ns(record[AT_FIRST])) : 0};
    return STEP_DONE;
}

static enum progress do_wait(struct fuzz_play *f, const uint8_t *record)
{
    struct player *p = f->player;
    if (!is_due(f, record))
        return STEP_WAITS;
    p->base = (struct interval){p->step.due_ns, p->now_ns};
    return STEP_DONE;
}

/* Where a fence needs no echo, one more run does: it reads what has come. */
static bool needs_no_echo(const struct fuzz_play *f)
{
    return f->config.fences_left_out && (f->player->target->info.capabilities & TARGET_SYNCHRONOUS);
}

static enum progress do_fence(struct fuzz_play *f, const uint8_t *record)
{
    struct player *p = f->player;
    if (!is_due(f, record))
        return STEP_WAITS;
    if (!needs_no_echo(f))
        return play_fence(p);
    if (!p->step.watch_until_ns) {
        p->step.watch_until_ns = p->now_ns;
        judging_catch_up(p);
        play_wake_at(p, p->now_ns);
        return STEP_WAITS;
    }
    acted(p);
    return STEP_DONE;
}

static enum progress do_incarnation(struct fuzz_play *f, const uint8_t *record)
{
    struct player *p = f->player;
    struct endpoint *e = play_endpoint_at(p, bytes_endpoints[record[AT_WHO] & WHO_ENDPOINT], 0);
    if (!e) {
        play_stop(p, VERDICT_ERROR, "out of memory");
        return STEP_STOPPED;
    }
    endpoint_expect_incarnation(e);
    return STEP_DONE;
}

static enum progress perform(struct fuzz_play *f, const struct fuzz_step *step)
{
    if (play_is_call(step->op))
        return do_call(f, step);
    switch (step->op) {
    case OP_SEGMENT: case OP_ICMP: return do_packet(f, step);
    case OP_LINK: return do_link(f, step->record);
    case OP_FENCE: return do_fence(f, step->record);
    case OP_INCARNATION: return do_incarnation(f, step->record);
    default: return do_wait(f, step->record);
    }
}

static bool is_left_out(const struct fuzz_play *f)
{
    return f->next < f->opening_count && (way_of(f) == WAY_ACTIVE ? active : passive)[f->next].set_buffer && !(f->header[HEADER_USE] & USE_SMALL_BUFFER);
}

static enum progress next_step(struct fuzz_play *f)
{
    uint8_t record[SCN_BYTES_RECORD_LEN];
    struct fuzz_step step;
    if (is_left_out(f))
        return STEP_DONE;
    if (f->next < f->opening_count)
        opening_step(f, &step, record);
    else
        record_step(f, &step, record);
    return perform(f, &step);
}

static bool at_end(const struct fuzz_play *f)
{
    return f->next == f->opening_count + f->record_count;
}

static void forget_step(struct step_state *step) /* what steps of records use of it */
{
    step->entered = step->lateness_noted = false;
    step->watch_until_ns = 0;
}

void fuzz_play_run(struct fuzz_play *f, int64_t now_ns)
{
    struct player *p = f->player;
    play_resume(p, now_ns);
    while (!p->finished) {
        p->record = f->next < f->opening_count ? 0 : f->next - f->opening_count + 1;
        if (at_end(f)) {
            if (play_settled(p))
                play_pass(p);
            return;
        }
        if (next_step(f) != STEP_DONE)
            return;
        f->next++;
        forget_step(&p->step);
        p->now_ns = play_clock_ns(p);
    }
}

/* ---- life cycle ------------------------------------------------------------------------------------------------------ */

static void describe_scenario(struct fuzz_play *f)
{
    static const char *const names[ENDPOINT_COUNT] = {"a", "b", "c", "d"};
    for (unsigned i = 0; i < ENDPOINT_COUNT; i++)
        f->endpoints[i] = (struct scn_endpoint){names[i], 1, i == ENDPOINT_COUNT - 1 ? 1 : 0};
    f->scenario = (struct scenario){.file = "octets", .source_text = "", .has_front_matter = true, .ipv4 = true, .patience_ns = SCN_PATIENCE_DEFAULT_NS,
                                    .tolerance_ns = -1, .endpoints = f->endpoints, .endpoint_count = ENDPOINT_COUNT};
}

static void show_packet(void *context, int64_t at_ns, const uint8_t *bytes, size_t len)
{
    const struct fuzz_play *f = context;
    f->config.packet(f->config.context, at_ns, bytes, len);
}

static bool take_quick_builder(struct player *p)
{
    pkt_builder_free(p->builder);
    p->builder = pkt_builder_new_quick();
    return p->builder;
}

struct fuzz_play *fuzz_play_new(const struct fuzz_play_config *config)
{
    struct fuzz_play *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->config = *config;
    describe_scenario(f);
    const struct player_config parts = {.scenario = &f->scenario, .id = "", .target = config->target, .strict = config->strict, .judged = config->judged,
                                        .catch_up = config->catch_up, .context = config->context};
    f->player = player_new(&parts, 0);
    f->craft.payload = malloc(CRAFT_PAYLOAD_MAX);
    f->transfer = malloc(PLAY_TRANSFER_MAX);
    f->octets = pool_new(OCTETS_CHUNK_LEN, false);
    if (!f->player || !f->craft.payload || !f->transfer || !f->octets) {
        fuzz_play_free(f);
        return NULL;
    }
    if (!take_quick_builder(f->player)) {
        fuzz_play_free(f);
        return NULL;
    }
    f->player->trace.silent = true;
    f->player->states_left_out = config->states_left_out;
    if (config->packet) {
        f->player->trace.watch = show_packet;
        f->player->trace.watch_context = f;
    }
    if (f->player->judging)
        judging_lend(f->player->judging, config->signals ? &config->signals->reactions : NULL, f->octets);
    return f;
}

void fuzz_play_free(struct fuzz_play *f)
{
    if (!f)
        return;
    player_free(f->player);
    pool_free(f->octets);
    free(f->craft.payload);
    free(f->transfer);
    free(f);
}

void fuzz_play_move(struct fuzz_play *f, struct target *target)
{
    f->config.target = f->player->target = target;
}

uint64_t fuzz_seed(uint64_t seed, const char *id)
{
    for (; *id; id++)
        seed = (seed ^ (uint8_t)*id) * UINT64_C(0x100000001b3);
    return seed;
}

/* What a header and records of it there are. */
static void read_octets(struct fuzz_play *f, const uint8_t *octets, size_t len)
{
    static const uint8_t counts[] = {[WAY_PASSIVE] = PASSIVE_COUNT, [WAY_ACTIVE] = ACTIVE_COUNT, [WAY_LISTENING] = LISTENING_COUNT, [WAY_NONE] = 0};
    const size_t taken = len < SCN_BYTES_MAX ? len : SCN_BYTES_MAX;
    memset(f->header, 0, sizeof f->header);
    if (taken > 0)
        memcpy(f->header, octets, taken < sizeof f->header ? taken : sizeof f->header);
    f->records = octets + (taken < sizeof f->header ? taken : sizeof f->header);
    f->records_len = taken > sizeof f->header ? taken - sizeof f->header : 0;
    f->record_count = (unsigned)((f->records_len + SCN_BYTES_RECORD_LEN - 1) / SCN_BYTES_RECORD_LEN);
    f->opening_count = counts[way_of(f)];
    f->next = 0;
}

static void remember_coverage(struct fuzz_play *f)
{
    if (!f->config.signals || !f->player->judging)
        return;
    const struct coverage *coverage = &judging_host(f->player->judging)->coverage;
    memcpy(f->tested, coverage->tested, sizeof f->tested);
    memcpy(f->violated, coverage->violated, sizeof f->violated);
}

bool fuzz_play_begin(struct fuzz_play *f, const uint8_t *octets, size_t len, const struct player_place *place, uint64_t seed,
                     int64_t now_ns)
{
    struct player *p = f->player;
    const struct target_info *info = &p->target->info;
    read_octets(f, octets, len);
    const struct isn_choice *isn = &bytes_isns[f->header[HEADER_ISN] % ISN_COUNT];
    f->scenario.has_isn = isn->given;
    f->scenario.isn = isn->isn;
    f->begun = true;
    f->collected = f->cut_short = f->died = false;
    p->variant.ip_version = f->header[HEADER_USE] & USE_IPV6 ? 6 : 4;
    p->on_open_port = !(info->capabilities & TARGET_UPPER_TESTER) && info->open_port;
    remember_coverage(f);
    if (!play_again(p, place, seed, now_ns))
        return false;
    if (!(info->capabilities & (p->variant.ip_version == 6 ? TARGET_IPV6 : TARGET_IPV4)))
        play_stop(p, VERDICT_NOT_APPLICABLE, "the target has no IPv%u", p->variant.ip_version);
    return true;
}

void fuzz_play_receive(struct fuzz_play *f, const uint8_t *bytes, size_t len, int64_t earliest_ns, int64_t latest_ns)
{
    player_receive(f->player, bytes, len, earliest_ns, latest_ns);
}

int64_t fuzz_play_deadline(const struct fuzz_play *f)
{
    return player_deadline(f->player);
}

bool fuzz_play_finished(const struct fuzz_play *f)
{
    return !f->begun || player_finished(f->player);
}

bool fuzz_play_owns(const struct fuzz_play *f, const struct packet *packet)
{
    return player_owns(f->player, packet);
}

void fuzz_play_held_up(struct fuzz_play *f, int64_t by_ns)
{
    player_held_up(f->player, by_ns);
}

void fuzz_play_iut_died(struct fuzz_play *f, const char *how)
{
    f->died = true;
    player_iut_died(f->player, how);
}

void fuzz_play_abort(struct fuzz_play *f, enum fuzz_end end, const char *reason)
{
    f->cut_short = end == FUZZ_CUT_SHORT && !f->player->finished;
    player_abort(f->player, reason);
}

const struct judge_host *fuzz_play_judged(const struct fuzz_play *f)
{
    return player_judged(f->player);
}

/* ---- what came of it -------------------------------------------------------------------------------------------------- */

bool fuzz_finding_fails(const struct fuzz_finding *finding, bool strict)
{
    return finding->level != LEVEL_MAY && (strict || !requirement_level_is_should(finding->level));
}

/* FNV-1a. */
static uint32_t key_of(const char *rule, uint8_t state, uint8_t event)
{
    uint32_t key = UINT32_C(2166136261);
    for (; *rule; rule++)
        key = (key ^ (uint8_t)*rule) * UINT32_C(16777619);
    key = (key ^ state) * UINT32_C(16777619);
    return (key ^ event) * UINT32_C(16777619);
}

static void add_finding(struct fuzz_play *f, const struct result_finding *found, const struct judging_mark *mark)
{
    if (f->outcome.finding_count == FUZZ_FINDINGS_MAX)
        return;
    const uint8_t state = mark ? mark->state : REACTION_STATE_UNCERTAIN, event = mark ? mark->event : REACTION_EVENTS;
    f->findings[f->outcome.finding_count++] = (struct fuzz_finding){
        .rule = found->rule, .requirement = found->requirement, .level = found->level, .step = mark ? mark->record : f->player->record,
        .at_ns = found->at_ns, .segment = found->segment, .state = state, .event = event, .key = key_of(found->rule, state, event),
        .message = found->message, .permitted = found->expected, .observed = found->observed};
}

static void collect_findings(struct fuzz_play *f)
{
    const struct player *p = f->player;
    const struct result_finding *found;
    for (unsigned i = 0; i < p->finding_count; i++)
        add_finding(f, &p->findings[i], NULL);
    const size_t count = p->judging ? judging_findings(p->judging, &found) : 0;
    for (size_t i = 0; i < count; i++)
        add_finding(f, &found[i], &judging_marks(p->judging)[i]);
}

static uint8_t sum(uint8_t counter, uint64_t more)
{
    return more > (uint64_t)(UINT8_MAX - counter) ? UINT8_MAX : (uint8_t)(counter + more);
}

static void collect_signals(struct fuzz_play *f)
{
    struct signals *signals = f->config.signals;
    if (!signals || !f->player->judging)
        return;
    const struct coverage *coverage = &judging_host(f->player->judging)->coverage;
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        signals->tested[i] = sum(signals->tested[i], coverage->tested[i] - f->tested[i]);
        signals->violated[i] = sum(signals->violated[i], coverage->violated[i] - f->violated[i]);
    }
}

static enum fuzz_end end_of(const struct fuzz_play *f)
{
    if (f->died)
        return FUZZ_DIED;
    if (f->cut_short)
        return FUZZ_CUT_SHORT;
    switch (f->player->verdict) {
    case VERDICT_INCONCLUSIVE: return FUZZ_INCONCLUSIVE;
    case VERDICT_ERROR: case VERDICT_NOT_APPLICABLE: return FUZZ_STOPPED;
    default: return FUZZ_PLAYED;
    }
}

const struct fuzz_outcome *fuzz_play_outcome(struct fuzz_play *f)
{
    const struct player *p = f->player;
    if (f->collected)
        return &f->outcome;
    f->outcome = (struct fuzz_outcome){
        .end = end_of(f), .reason = p->reason, .findings = f->findings, .sent = p->sent, .received = p->trace.segments - p->sent,
        .steps = f->next > f->opening_count ? f->next - f->opening_count : 0, .duration_ns = p->now_ns - p->start_ns,
        .lateness_ns = player_lateness(p), .lost_something = player_lost_something(p)};
    collect_findings(f);
    collect_signals(f);
    f->collected = true;
    return &f->outcome;
}
