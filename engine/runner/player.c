/* Life cycle of a play: what arrives, what the link does to it, how a broken expectation becomes a verdict (see player.h, play.h).
 */
#include "engine/runner/judging.h"
#include "engine/runner/open_port.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- small things the parts share */

uint64_t play_random(struct player *p) /* splitmix64 */
{
    uint64_t z = p->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

int64_t play_clock_ns(const struct player *p)
{
    struct timespec t;
    if (p->target->info.capabilities & TARGET_VIRTUAL_TIME)
        return p->now_ns;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SCN_NS_PER_S + t.tv_nsec;
}

int64_t play_since_start(const struct player *p, int64_t at_ns)
{
    return at_ns - p->start_ns;
}

int64_t play_slack_ns(const struct player *p, int64_t length_ns)
{
    const struct target_info *info = &p->target->info;
    int64_t slack = info->latency_ns + info->granularity_ns;
    if (p->scenario->tolerance_ns >= 0)
        slack = p->scenario->tolerance_ns;
    if (!p->scenario->has_front_matter && slack < info->latency_ns + info->granularity_ns)
        slack = info->latency_ns + info->granularity_ns;
    return slack + length_ns / 1000 * info->granularity_permille;
}

int64_t play_early_slack_ns(const struct player *p)
{
    return p->scenario->tolerance_ns >= 0 ? p->scenario->tolerance_ns : p->target->info.granularity_ns;
}

const struct scn_step *play_current_step(const struct player *p)
{
    if (p->depth == 0)
        return NULL;
    const struct frame *frame = &p->stack[p->depth - 1];
    return frame->pc < frame->block->count ? &frame->block->steps[frame->pc] : NULL;
}

uint32_t play_line(const struct player *p)
{
    const struct scn_step *step = play_current_step(p);
    return step ? (uint32_t)step->at.line : 0;
}

const char *play_words(const struct scn_step *step)
{
    const char *words = step->source;
    if (step->time.kind != SCN_TIME_NONE)
        words += strcspn(words, " \t");
    return words + strspn(words, " \t");
}

void play_note(struct player *p, const char *format, ...)
{
    char text[PLAYER_CAUSE_MAX];
    va_list arguments;
    if (p->trace.silent)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    trace_event(&p->trace, RESULT_NOTE, play_since_start(p, p->now_ns), 0, play_line(p), NULL, text);
}

void play_describe(const struct endpoint *e, const struct packet *packet, bool from_tester, char *out, size_t capacity)
{
    struct packet shifted = *packet;
    uint8_t options[PKT_TCP_OPTIONS_MAX];
    if (packet->kind == PKT_KIND_TCP && e) {
        int64_t seq = from_tester ? endpoint_tester_script(e, packet->tcp.seq) : endpoint_iut_script(e, packet->tcp.seq);
        int64_t ack = from_tester ? endpoint_iut_script(e, packet->tcp.ack) : endpoint_tester_script(e, packet->tcp.ack);
        shifted.tcp.seq = (uint32_t)seq;
        if (packet->tcp.flags & PKT_ACK) /* without it, the field means nothing */
            shifted.tcp.ack = (uint32_t)ack;
        memcpy(options, packet->tcp.options, packet->tcp.options_len);
        shifted.tcp.options = options;
        struct pkt_option o;
        uint8_t cursor = 0;
        while (pkt_option_next(options, shifted.tcp.options_len, &cursor, &o) == PKT_OPTION_OK) {
            for (unsigned i = 0; o.kind == PKT_OPT_SACK && i + 4 <= o.data_len; i += 4) {
                uint8_t *edge = options + (o.data - options) + i;
                uint32_t wire = (uint32_t)edge[0] << 24 | (uint32_t)edge[1] << 16 | (uint32_t)edge[2] << 8 | edge[3];
                uint32_t script = (uint32_t)(from_tester ? endpoint_iut_script(e, wire) : endpoint_tester_script(e, wire));
                for (unsigned b = 0; b < 4; b++)
                    edge[b] = (uint8_t)(script >> (24 - 8 * b));
            }
        }
    }
    int used = snprintf(out, capacity, "%c ", from_tester ? '<' : '>');
    if (used > 0 && (size_t)used < capacity)
        pkt_format(&shifted, out + used, capacity - (size_t)used);
}

/* ---- arrivals */

static bool is_echo_reply(const struct packet *packet)
{
    return packet->kind == PKT_KIND_ICMP && packet->icmp.type == (packet->ip.version == 4 ? 0 : 129);
}

static bool is_icmp_error(const struct packet *packet)
{
    if (packet->kind != PKT_KIND_ICMP)
        return false;
    uint8_t type = packet->icmp.type;
    return packet->ip.version == 4 ? type == 3 || type == 4 || type == 5 || type == 11 || type == 12 : type < 128;
}

static bool within_place(const struct player *p, const struct pkt_addr *addr, uint16_t port)
{
    if ((uint16_t)(port - p->place.tester_port) >= PLAYER_PORTS)
        return false;
    for (unsigned i = 0; i < p->endpoint_count; i++)
        if (endpoint_is_at(p->endpoints[i], addr, port))
            return true;
    return false;
}

bool player_owns(const struct player *p, const struct packet *packet)
{
    struct packet quoted;
    if (packet->ip.version != p->variant.ip_version)
        return false;
    if (packet->kind == PKT_KIND_TCP)
        return within_place(p, &packet->ip.dst, packet->tcp.dst_port);
    if (is_echo_reply(packet))
        return packet->icmp.rest >> 16 == p->place.echo_id;
    if (is_icmp_error(packet) && pkt_parse_quoted(packet->icmp.body, packet->icmp.body_len, &quoted) == PKT_OK)
        return quoted.kind == PKT_KIND_TCP && within_place(p, &quoted.ip.src, quoted.tcp.src_port);
    /* a fragment carries no port: whoever has this address gets it */
    return packet->kind == PKT_KIND_FRAGMENT && p->endpoint_count && pkt_addr_equal(&p->endpoints[0]->tester.addr, &packet->ip.dst);
}

static struct endpoint *endpoint_of(struct player *p, const struct packet *packet)
{
    struct packet quoted;
    if (packet->kind == PKT_KIND_TCP)
        return play_endpoint_of_port(p, &packet->ip.dst, packet->tcp.dst_port);
    if (is_icmp_error(packet) && pkt_parse_quoted(packet->icmp.body, packet->icmp.body_len, &quoted) == PKT_OK &&
        quoted.kind == PKT_KIND_TCP)
        return play_endpoint_of_port(p, &quoted.ip.src, quoted.tcp.src_port);
    return NULL;
}

static struct seen *put_in_inbox(struct player *p, const uint8_t *bytes, size_t len)
{
    if (p->inbox_count == p->inbox_capacity) {
        size_t capacity = p->inbox_capacity ? 2 * p->inbox_capacity : 32;
        struct seen *grown = p->inbox_count < PLAYER_INBOX_MAX ? realloc(p->inbox, capacity * sizeof *grown) : NULL;
        if (!grown)
            return NULL;
        p->inbox = grown;
        p->inbox_capacity = capacity;
    }
    struct seen *seen = &p->inbox[p->inbox_count];
    *seen = (struct seen){.bytes = malloc(len ? len : 1)};
    if (!seen->bytes)
        return NULL;
    memcpy(seen->bytes, bytes, len);
    pkt_parse(seen->bytes, len, &seen->packet);
    p->inbox_count++;
    return seen;
}

/* A connection keeps the local address it began with; a RST may come from another, where another was asked. */
static void check_source(struct player *p, const struct seen *seen)
{
    const struct endpoint *e = seen->endpoint;
    if (!e->iut_isn_known || (seen->packet.tcp.flags & PKT_RST) || pkt_addr_equal(&seen->packet.ip.src, &e->iut.addr))
        return;
    struct play_cause cause = {.rule = "address", .requirement = "RFC9293:MUST-45", .expected = "the connection's local address",
                               .observed = "another", .segment = seen->index, .goes_on = true};
    snprintf(cause.message, sizeof cause.message, "segment %u comes from another address than the connection has", seen->index);
    play_blame(p, &cause);
}

/* What holds of every segment of every IUT, whatever is tested: checksums, addresses, and data as the application wrote it. */
static void check_always(struct player *p, const struct seen *seen)
{
    const struct pkt_tcp *tcp = &seen->packet.tcp;
    if (!tcp->checksum_ok) {
        struct play_cause cause = {.rule = "checksum", .requirement = "RFC9293:MUST-2", .expected = "a right checksum",
                                   .observed = "a wrong one", .segment = seen->index, .goes_on = true};
        snprintf(cause.message, sizeof cause.message, "segment %u of the IUT has a wrong TCP checksum (0x%04x)", seen->index, tcp->checksum);
        play_blame(p, &cause);
        return;
    }
    check_source(p, seen);
    int64_t offset = endpoint_stream_mismatch(seen->endpoint, tcp);
    if (offset >= 0) {
        struct play_cause cause = {.rule = "stream", .requirement = "RFC9293:3.8-a", .expected = "the octets the application wrote",
                                   .observed = "others", .segment = seen->index, .goes_on = true};
        snprintf(cause.message, sizeof cause.message, "segment %u carries other data than the application wrote, from octet %" PRId64 " of its stream on",
                 seen->index, offset);
        play_blame(p, &cause);
    }
}

/* What a peer learns of a segment. */
static void note_received(struct endpoint *e, const struct packet *packet)
{
    if (packet->kind != PKT_KIND_TCP || !packet->tcp.checksum_ok)
        return;
    if ((packet->tcp.flags & PKT_SYN) && !(packet->tcp.flags & PKT_ACK) && !e->iut_port_known) {
        e->iut.port = packet->tcp.src_port;
        e->iut_port_known = true;
    }
    endpoint_note_received(e, &packet->tcp);
}

void play_accept(struct player *p, const uint8_t *bytes, size_t len, struct interval at, uint32_t index)
{
    struct seen passing = {.at = at, .index = index};
    struct packet *packet = &passing.packet;
    pkt_parse(bytes, len, packet);
    struct endpoint *e = passing.endpoint = endpoint_of(p, packet);
    if (!e)
        return;
    note_received(e, packet);
    if (p->trace.silent) { /* and nobody will expect it */
        play_note_state(p, e);
        if (packet->kind == PKT_KIND_TCP)
            check_always(p, &passing);
        return;
    }
    play_note_packet(p, RESULT_RECEIVED, e, bytes, len, false, at.latest, index);
    play_note_state(p, e);
    struct seen *seen = put_in_inbox(p, bytes, len);
    if (!seen) {
        play_stop(p, VERDICT_ERROR, "more than %d segments, or memory is out", PLAYER_INBOX_MAX);
        return;
    }
    seen->at = at;
    seen->endpoint = e;
    seen->index = index;
    if (seen->packet.kind == PKT_KIND_TCP)
        check_always(p, seen);
    play_check_nevers(p, seen);
}

/* Whole packets only: a fragment waits for the others. */
static bool reassemble(struct player *p, struct packet *packet, const uint8_t **bytes, size_t *len, int64_t now_ns)
{
    if (packet->kind != PKT_KIND_FRAGMENT)
        return true;
    if (!p->reassembler)
        p->reassembler = pkt_reassembler_new();
    if (!p->reassembler || !pkt_reassemble(p->reassembler, packet, now_ns, bytes, len))
        return false;
    pkt_parse(*bytes, *len, packet);
    return true;
}

static bool keep_arrival(struct player *p, const uint8_t *bytes, size_t len, struct interval at, uint32_t index)
{
    if (p->arrival_count == p->arrival_capacity) {
        size_t capacity = p->arrival_capacity ? 2 * p->arrival_capacity : 16;
        struct arrival *grown = p->arrival_count < PLAYER_INBOX_MAX ? realloc(p->arrivals, capacity * sizeof *grown) : NULL;
        if (!grown)
            return false;
        memset(grown + p->arrival_capacity, 0, (capacity - p->arrival_capacity) * sizeof *grown);
        p->arrivals = grown;
        p->arrival_capacity = capacity;
    }
    struct arrival *arrival = &p->arrivals[p->arrival_count];
    if (len > arrival->capacity || !arrival->bytes) {
        uint8_t *larger = realloc(arrival->bytes, len ? len : 1);
        if (!larger)
            return false;
        arrival->bytes = larger;
        arrival->capacity = len;
    }
    memcpy(arrival->bytes, bytes, len);
    arrival->len = len;
    arrival->at = at;
    arrival->index = index;
    p->arrival_count++;
    return true;
}

void player_receive(struct player *p, const uint8_t *bytes, size_t len, int64_t earliest_ns, int64_t latest_ns)
{
    const struct interval at = {earliest_ns, latest_ns};
    struct packet packet;
    uint32_t index = 0;
    if (p->finished)
        return;
    pkt_parse(bytes, len, &packet);
    if (!reassemble(p, &packet, &bytes, &len, latest_ns))
        return;
    if (is_echo_reply(&packet)) {
        judging_echoed(p, (uint16_t)packet.icmp.rest, latest_ns);
    } else {
        index = trace_packet(&p->trace, play_since_start(p, latest_ns), bytes, len);
        judging_output(p, &packet, at, index);
    }
    if (!keep_arrival(p, bytes, len, at, index))
        play_stop(p, VERDICT_ERROR, "more than %d segments, or memory is out", PLAYER_INBOX_MAX);
}

static void take_arrival(struct player *p, const struct arrival *arrival)
{
    struct packet packet;
    if (arrival->at.latest > p->now_ns)
        p->now_ns = arrival->at.latest;
    pkt_parse(arrival->bytes, arrival->len, &packet);
    if (!is_echo_reply(&packet)) {
        play_through_link(p, false, arrival->bytes, arrival->len, arrival->at, arrival->index);
        return;
    }
    uint16_t sequence = (uint16_t)packet.icmp.rest;
    if ((int16_t)(sequence - p->echo_answered) > 0)
        p->echo_answered = sequence;
}

/* What was read since the last run goes through the link, in order. More may be read meanwhile. */
static void take_arrivals(struct player *p)
{
    while (p->arrival_cursor < p->arrival_count && !p->finished) {
        struct arrival arrival = p->arrivals[p->arrival_cursor++];
        take_arrival(p, &arrival);
    }
    if (p->arrival_cursor == p->arrival_count)
        p->arrival_count = p->arrival_cursor = 0;
}

void play_note_unseen(struct player *p)
{
    struct packet packet;
    for (size_t i = p->arrival_cursor; i < p->arrival_count; i++) {
        const struct arrival *arrival = &p->arrivals[i];
        pkt_parse(arrival->bytes, arrival->len, &packet);
        if (!is_echo_reply(&packet))
            play_note_packet(p, RESULT_RECEIVED, endpoint_of(p, &packet), arrival->bytes, arrival->len, false, arrival->at.latest,
                             arrival->index);
    }
}

/* ---- running */

/* Leaves frames whose blocks are over; false when the whole scenario is. */
static bool settle_frames(struct player *p)
{
    while (p->depth > 0) {
        struct frame *frame = &p->stack[p->depth - 1];
        if (frame->pc < frame->block->count)
            return true;
        if (frame->kind == FRAME_REPEAT && ++frame->iteration < frame->times) {
            frame->pc = 0;
            if (frame->slot >= 0)
                p->values[frame->slot] = (struct scn_value){.kind = SCN_VALUE_NUMBER, .number = frame->iteration};
            continue;
        }
        p->depth--;
        while (p->never_count && p->nevers[p->never_count - 1].depth > p->depth)
            p->never_count--;
    }
    return false;
}

static void finish(struct player *p)
{
    if (play_calls_outstanding(p) || !play_settled(p) || p->finished)
        return;
    play_pass(p);
}

void play_resume(struct player *p, int64_t now_ns)
{
    if (p->finished)
        return;
    p->now_ns = now_ns;
    p->wake_ns = INT64_MAX;
    take_arrivals(p);
    if (p->finished)
        return;
    play_release_due(p);
    play_retry_calls(p);
    play_settled(p); /* as soon as may be: what is due at once is not to be mistaken for what comes later */
}

void player_run(struct player *p, int64_t now_ns)
{
    play_resume(p, now_ns);
    while (!p->finished) {
        if (!settle_frames(p)) {
            finish(p);
            return;
        }
        const struct scn_step *step = play_current_step(p);
        unsigned depth = p->depth;
        enum progress progress = play_step(p, step);
        if (progress == STEP_WAITS || progress == STEP_STOPPED)
            return;
        p->stack[depth - 1].pc++; /* of the step's own block: it may have pushed another */
        p->step = (struct step_state){0};
        p->now_ns = play_clock_ns(p); /* on a real clock time passes while steps are performed */
    }
}

int64_t player_deadline(const struct player *p)
{
    return p->finished ? INT64_MAX : p->arrival_count ? p->now_ns : p->wake_ns;
}

bool player_finished(const struct player *p)
{
    return p->finished;
}

bool player_lost_something(const struct player *p)
{
    return p->fences_lost != 0 || p->place_taken;
}

void player_abort(struct player *p, const char *reason)
{
    play_stop(p, VERDICT_ERROR, "%s", reason);
}

void player_held_up(struct player *p, int64_t by_ns)
{
    if (by_ns > p->worst_lateness_ns)
        p->worst_lateness_ns = by_ns;
}

int64_t player_lateness(const struct player *p)
{
    return p->target->info.capabilities & TARGET_VIRTUAL_TIME ? 0 : p->worst_lateness_ns;
}

int64_t player_lateness_borne(const struct player *p)
{
    return play_slack_ns(p, 0);
}

/* ---- making and unmaking */

static void free_findings(struct player *p)
{
    for (unsigned i = 0; i < p->finding_count; i++) {
        free((char *)p->findings[i].message);
        free((char *)p->findings[i].expected);
        free((char *)p->findings[i].observed);
    }
    p->finding_count = 0;
}

static void free_held(struct player *p)
{
    for (unsigned i = 0; i < p->held_count; i++)
        free(p->held[i].bytes);
    p->held_count = 0;
}

bool play_again(struct player *p, const struct player_place *place, uint64_t random, int64_t now_ns)
{
    free_findings(p);
    free_held(p);
    p->place = *place;
    p->random = random;
    p->start_ns = p->now_ns = p->wake_ns = now_ns;
    p->base = (struct interval){now_ns, now_ns};
    p->endpoint_count = p->fd_count = p->pending_count = p->depth = p->never_count = p->rule_count = p->fences_lost = 0;
    p->arrival_count = p->arrival_cursor = 0;
    p->step = (struct step_state){0};
    p->settling = (struct settling){0};
    p->echo_sequence = p->echo_answered = 0;
    p->echo_is_last = p->place_taken = p->finished = p->ending = false;
    p->worst_lateness_ns = 0;
    p->phase = SCN_BODY;
    p->verdict = VERDICT_PASS;
    p->reason[0] = '\0';
    p->trace.segments = p->sent = p->record = 0;
    p->ip_id = (uint16_t)play_random(p);
    if (p->judging)
        judging_again(p);
    return play_endpoint_at(p, 0, 0);
}

struct player *player_new(const struct player_config *config, int64_t now_ns)
{
    const struct scenario *s = config->scenario;
    struct player *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    *p = (struct player){
        .scenario = s, .target = config->target, .place = config->place, .strict_levels = config->strict, .start_ns = now_ns,
        .now_ns = now_ns, .wake_ns = now_ns, .base = {now_ns, now_ns}, .verdict = VERDICT_PASS,
        .requirement = s->cover_count ? s->covers[0] : NULL,
    };
    p->random = config->seed;
    p->catch_up = config->catch_up;
    p->catch_up_context = config->context;
    p->id = strdup(config->id);
    p->values = calloc(s->variable_count + 1, sizeof *p->values);
    p->builder = pkt_builder_new();
    p->settings = calloc(s->setting_count + 1, sizeof *p->settings);
    if (!p->id || !p->values || !p->builder || !p->settings) {
        player_free(p);
        return NULL;
    }
    for (unsigned i = 0; i < s->setting_count; i++)
        p->settings[i] = (struct result_setting){s->settings[i].name, s->settings[i].value};
    scn_variant(s, config->variant, &p->variant, p->values);
    for (const char *c = config->id; *c; c++) /* sub-tests draw different numbers */
        p->random = (p->random ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    p->ip_id = (uint16_t)play_random(p);
    p->stack[p->depth++] = (struct frame){.kind = FRAME_BLOCK, .block = &s->body, .slot = -1};
    p->on_open_port = !(p->target->info.capabilities & TARGET_UPPER_TESTER) && p->target->info.open_port && open_port_is_used(s);
    bool judged = config->judged && !s->judge_off;
    if (judged)
        p->judging = judging_new(p);
    if (!play_endpoint_at(p, 0, 0) || (judged && !p->judging)) {
        player_free(p);
        return NULL;
    }
    return p;
}

void player_free(struct player *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->inbox_count; i++)
        free(p->inbox[i].bytes);
    free(p->inbox);
    for (size_t i = 0; i < p->arrival_capacity; i++)
        free(p->arrivals[i].bytes);
    free(p->arrivals);
    judging_free(p->judging);
    free(p->all_findings);
    for (unsigned i = 0; i < p->endpoints_made; i++)
        free(p->endpoints[i]);
    free(p->endpoints);
    free_held(p);
    free_findings(p);
    trace_release(&p->trace);
    pkt_builder_free(p->builder);
    pkt_reassembler_free(p->reassembler);
    free(p->settings);
    free(p->values);
    free(p->id);
    free(p);
}

/* ---- results */

static enum requirement_level scenario_level(const struct scenario *s)
{
    static const enum requirement_level levels[] = {
        [SCN_LEVEL_MUST] = LEVEL_MUST, [SCN_LEVEL_SHOULD] = LEVEL_SHOULD, [SCN_LEVEL_MAY] = LEVEL_MAY};
    if (s->level != SCN_LEVEL_DEFAULT)
        return levels[s->level];
    const struct requirement *requirement = s->cover_count ? requirement_find(s->covers[0]) : NULL;
    return requirement ? requirement->level : LEVEL_UNSTATED;
}

/* The finding that the verdict rests on stands first: the scenario's own, unless only the model's makes it a failure. */
static size_t all_findings(struct player *p, bool model_first, const struct result_finding **out)
{
    const struct result_finding *found;
    size_t count = judging_findings(p->judging, &found);
    free(p->all_findings);
    p->all_findings = count ? calloc(p->finding_count + count, sizeof *p->all_findings) : NULL;
    *out = p->all_findings;
    if (!p->all_findings) {
        *out = p->findings;
        return p->finding_count;
    }
    struct result_finding *own = p->all_findings + (model_first ? count : 0), *models = p->all_findings + (model_first ? 0 : p->finding_count);
    memcpy(own, p->findings, p->finding_count * sizeof *own);
    memcpy(models, found, count * sizeof *models);
    return p->finding_count + count;
}

/* A violation of a MUST is one whatever the scenario wanted to see; but of what the tester itself spoils nothing is said. */
static bool fails_by_model(struct player *p)
{
    const struct result_finding *failure = p->judging ? judging_failure(p->judging, p->strict_levels) : NULL;
    if (!failure || p->verdict == VERDICT_FAIL || p->verdict == VERDICT_ERROR)
        return false;
    p->verdict = VERDICT_FAIL;
    snprintf(p->reason, sizeof p->reason, "the model: the IUT %.480s (segment %u; rule %s, %s)", failure->message, failure->segment,
             failure->rule, failure->requirement);
    return true;
}

void player_result(struct player *p, struct result_test *out)
{
    const struct scenario *s = p->scenario;
    bool by_model = fails_by_model(p);
    *out = (struct result_test){
        .id = p->id, .title = s->title ? s->title : "", .verdict = p->verdict, .reason = p->reason,
        .started_ns = p->start_ns, .duration_ns = p->now_ns - p->start_ns, .covers = s->covers, .cover_count = s->cover_count, .level = scenario_level(s),
        .findings = p->findings, .finding_count = p->finding_count, .file = s->file, .line = p->verdict_line,
        .pixit = p->settings, .pixit_count = s->setting_count, .trace = p->trace.events, .trace_count = p->trace.event_count,
    };
    if (p->judging)
        out->finding_count = all_findings(p, by_model, &out->findings);
}

const struct judge_host *player_judged(const struct player *p)
{
    return p->judging ? judging_host(p->judging) : NULL;
}

size_t player_findings_of_model(const struct player *p)
{
    const struct result_finding *found;
    return p->judging ? judging_findings(p->judging, &found) : 0;
}

int player_write_pcap(const struct player *p, const char *path, char *error, size_t error_size)
{
    return trace_write_pcap(&p->trace, path, error, error_size);
}
