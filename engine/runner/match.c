/* One segment against one pattern: every difference is told, not the first. */
#include "engine/runner/icmp_name.h"
#include "engine/runner/play.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- numbers */

/* A pattern that is a variable without a value takes the field's. */
static bool is_capture(const struct scn_match *want, const struct scn_value *values)
{
    return want->relation == SCN_EQ && want->value->kind == SCN_EXPR_VARIABLE && values[want->value->slot].kind == SCN_VALUE_UNSET;
}

static bool compare(enum scn_relation relation, int64_t value, int64_t low, int64_t high)
{
    switch (relation) {
    case SCN_NONE:
    case SCN_ANY: return true;
    case SCN_EQ: return value == low;
    case SCN_NE: return value != low;
    case SCN_LT: return value < low;
    case SCN_LE: return value <= low;
    case SCN_GT: return value > low;
    case SCN_GE: return value >= low;
    case SCN_BETWEEN: return low <= value && value <= high;
    }
    return false;
}

/* A field that has two readings: relative (script) and absolute (wire). A plain number has the same twice. */
struct reading { int64_t script, wire; bool is_sequence; };

static bool match_reading(struct player *p, const struct scn_match *want, struct reading field, struct scn_value *values,
                          char *error)
{
    if (want->relation == SCN_NONE || want->relation == SCN_ANY)
        return true;
    if (is_capture(want, values)) {
        values[want->value->slot] = (struct scn_value){.kind = SCN_VALUE_NUMBER, .number = field.script};
        return true;
    }
    int64_t low, high = 0;
    bool absolute = false;
    if (!eval_number(p, values, want->value, &low, &absolute, error))
        return false;
    if (want->relation == SCN_BETWEEN && !eval_number(p, values, want->upper, &high, NULL, error))
        return false;
    int64_t value = absolute ? field.wire : field.script;
    if (field.is_sequence && (want->relation == SCN_EQ || want->relation == SCN_NE))
        return compare(want->relation, (uint32_t)value, (uint32_t)low, 0);
    return compare(want->relation, value, low, high);
}

bool match_number(struct player *p, const struct scn_match *want, int64_t value, struct scn_value *values, char *error)
{
    return match_reading(p, want, (struct reading){value, value, false}, values, error);
}

void match_describe(struct player *p, const struct scn_match *want, const struct scn_value *values, char *out, size_t capacity)
{
    static const char *const signs[] = {[SCN_EQ] = "", [SCN_NE] = "other than ", [SCN_LT] = "less than ", [SCN_LE] = "at most ",
                                        [SCN_GT] = "more than ", [SCN_GE] = "at least "};
    int64_t low, high;
    char error[PLAYER_CAUSE_MAX];
    if (want->relation == SCN_NONE || want->relation == SCN_ANY)
        snprintf(out, capacity, "anything");
    else if (!eval_number(p, values, want->value, &low, NULL, error))
        snprintf(out, capacity, "%s", error);
    else if (want->relation != SCN_BETWEEN)
        snprintf(out, capacity, "%s%" PRId64, signs[want->relation], low);
    else if (eval_number(p, values, want->upper, &high, NULL, error))
        snprintf(out, capacity, "%" PRId64 " to %" PRId64, low, high);
    else
        snprintf(out, capacity, "%s", error);
}

/* ---- differences */

struct matching {
    struct player *p;
    struct scn_value *values;
    struct match_result *result;
    size_t used;
};

static void differ(struct matching *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void differ(struct matching *m, const char *format, ...)
{
    m->result->differences++;
    size_t capacity = sizeof m->result->text;
    if (m->used && m->used < capacity)
        m->used += (size_t)snprintf(m->result->text + m->used, capacity - m->used, "; ");
    if (m->used >= capacity)
        return;
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(m->result->text + m->used, capacity - m->used, format, arguments);
    va_end(arguments);
    m->used += written > 0 ? (size_t)written : 0;
}

static void match_field(struct matching *m, const char *name, const struct scn_match *want, struct reading field)
{
    char error[PLAYER_CAUSE_MAX] = "", wanted[PLAYER_CAUSE_MAX];
    if (match_reading(m->p, want, field, m->values, error))
        return;
    if (*error) {
        m->result->impossible = true;
        differ(m, "%s: %s", name, error);
        return;
    }
    match_describe(m->p, want, m->values, wanted, sizeof wanted);
    differ(m, "%s: expected %.80s, was %" PRId64, name, wanted, field.script);
}

static struct reading plain(int64_t value) { return (struct reading){value, value, false}; }

static struct reading iut_number(const struct endpoint *e, uint32_t wire)
{
    return (struct reading){endpoint_iut_script(e, wire), wire, true};
}

static struct reading tester_number(const struct endpoint *e, uint32_t wire)
{
    return (struct reading){endpoint_tester_script(e, wire), wire, true};
}

/* ---- options */

/* Is the option of this kind and form? FOEXP and a plain kind 254 differ by their magic number. */
static bool option_is(const struct scn_option *want, const struct pkt_option *have)
{
    bool experimental = have->kind == PKT_OPT_EXPERIMENT_2 && have->data_len >= 2 && have->data[0] == 0xf9 && have->data[1] == 0x89;
    return want->kind == have->kind && (want->kind != PKT_OPT_EXPERIMENT_2 || want->experimental == experimental);
}

static uint32_t read_big_endian(const uint8_t *bytes, unsigned count)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* packetdrill's scripts count the IUT's timestamps from their own first one, and wall-clock ticks come and go. */
static void match_strict_tsval(struct matching *m, const struct scn_match *want, uint32_t wire, struct endpoint *e)
{
    enum { TICK_NS = 1000000 };
    int64_t script;
    char error[PLAYER_CAUSE_MAX];
    if (want->relation != SCN_EQ || !eval_number(m->p, m->values, want->value, &script, NULL, error))
        return;
    if (!e->ts_base_known)
        e->ts_base = wire - (uint32_t)script;
    e->ts_base_known = true;
    int64_t apart = seq_distance(e->ts_base + (uint32_t)script, wire), slack = play_slack_ns(m->p, 0) / TICK_NS + 1;
    if (apart < -slack || apart > slack)
        differ(m, "TSval: expected %" PRId64 ", was %" PRIu32, script, wire - e->ts_base);
}

static void match_option_numbers(struct matching *m, const struct scn_option *want, const struct pkt_option *have,
                                 struct endpoint *e)
{
    static const struct { enum scn_option_form form; uint8_t kind; unsigned width; const char *name; } layouts[] = {
        {SCN_OPT_NUMBER, PKT_OPT_MSS, 2, "mss"},
        {SCN_OPT_NUMBER, PKT_OPT_WSCALE, 1, "wscale"},
        {SCN_OPT_NUMBER, PKT_OPT_USER_TIMEOUT, 2, "uto"},
        {SCN_OPT_TIMESTAMP, PKT_OPT_TIMESTAMP, 4, "TS"},
        {SCN_OPT_SACK, PKT_OPT_SACK, 4, "sack"},
        {SCN_OPT_ACCECN, PKT_OPT_ACCECN0, 3, "AccECN"},
        {SCN_OPT_ACCECN, PKT_OPT_ACCECN1, 3, "AccECN"},
    };
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        if (layouts[i].form != want->form || layouts[i].kind != want->kind)
            continue;
        unsigned width = layouts[i].width, there = have->data_len / width;
        if (there != want->value_count || have->data_len % width) {
            differ(m, "%s: expected %u values, was %u octets long", layouts[i].name, want->value_count, have->data_len);
            return;
        }
        for (unsigned v = 0; v < there; v++) {
            uint32_t value = read_big_endian(have->data + v * width, width);
            struct reading field = want->form == SCN_OPT_SACK ? tester_number(e, value) : plain(value);
            if (want->form == SCN_OPT_TIMESTAMP && v == 0 && !m->p->scenario->has_front_matter)
                match_strict_tsval(m, &want->values[v], value, e);
            else
                match_field(m, layouts[i].name, &want->values[v], field);
        }
        return;
    }
}

static void match_option(struct matching *m, const struct scn_option *want, const struct pkt_option *have, struct endpoint *e)
{
    if (want->form != SCN_OPT_PLAIN && want->form != SCN_OPT_BYTES) {
        match_option_numbers(m, want, have, e);
        return;
    }
    const uint8_t *data = have->data + (want->experimental ? 2 : 0);
    unsigned len = have->data_len - (want->experimental ? 2u : 0u);
    if (want->has_bytes && (len != want->bytes_len || memcmp(data, want->bytes, len)))
        differ(m, "option kind %u: other content", want->kind);
}

/* A list that is exact: each option in its place. */
static void match_exact_options(struct matching *m, const struct scn_packet *want, const struct seen *seen)
{
    const struct pkt_tcp *tcp = &seen->packet.tcp;
    struct pkt_option have;
    uint8_t cursor = 0;
    unsigned i = 0;
    char text[200];
    pkt_format_options(tcp->options, tcp->options_len, text, sizeof text);
    for (; pkt_option_next(tcp->options, tcp->options_len, &cursor, &have) == PKT_OPTION_OK; i++) {
        if (i >= want->option_count || !option_is(&want->options[i], &have)) {
            differ(m, "options: other than expected, were <%s>", text);
            return;
        }
        match_option(m, &want->options[i], &have, seen->endpoint);
    }
    bool only_eol_left = i + 1 == want->option_count && want->options[i].kind == PKT_OPT_EOL;
    if (i < want->option_count && !only_eol_left)
        differ(m, "options: %u expected, were <%s>", want->option_count, text);
}

/* A list that ends in an ellipsis: each named option is there, whatever else is, in any order. */
static void match_open_options(struct matching *m, const struct scn_packet *want, const struct seen *seen)
{
    const struct pkt_tcp *tcp = &seen->packet.tcp;
    char text[200];
    pkt_format_options(tcp->options, tcp->options_len, text, sizeof text);
    for (unsigned i = 0; i < want->option_count; i++) {
        struct pkt_option have;
        uint8_t cursor = 0;
        bool found = false;
        while (!found && pkt_option_next(tcp->options, tcp->options_len, &cursor, &have) == PKT_OPTION_OK)
            found = option_is(&want->options[i], &have);
        if (found == want->options[i].negated)
            differ(m, "options: kind %u is %s in <%s>", want->options[i].kind, found ? "there" : "missing", text);
        else if (found)
            match_option(m, &want->options[i], &have, seen->endpoint);
    }
}

static void match_options(struct matching *m, const struct scn_packet *want, const struct seen *seen)
{
    if (want->options_any || (!want->options_given && m->p->scenario->has_front_matter))
        return;
    bool has_negated = false;
    for (unsigned i = 0; i < want->option_count; i++)
        has_negated |= want->options[i].negated;
    if (want->options_open || has_negated)
        match_open_options(m, want, seen);
    else
        match_exact_options(m, want, seen);
}

/* ---- the segment */

static void match_flags(struct matching *m, const struct scn_packet *want, uint16_t have)
{
    uint16_t flags = want->flags, care = want->flags_care;
    if (want->flags_value) {
        char error[PLAYER_CAUSE_MAX];
        int64_t value;
        if (want->flags_value->kind == SCN_EXPR_VARIABLE && m->values[want->flags_value->slot].kind == SCN_VALUE_UNSET) {
            m->values[want->flags_value->slot] = (struct scn_value){.kind = SCN_VALUE_FLAGS, .number = have & 0x1ff};
            return;
        }
        if (!eval_number(m->p, m->values, want->flags_value, &value, NULL, error)) {
            m->result->impossible = true;
            differ(m, "flags: %s", error);
            return;
        }
        flags = (uint16_t)value;
        care = 0x1ff & (uint16_t)~want->flags_open;
    }
    if (want->flags_any || (have & care) == (flags & care))
        return;
    char expected[24], was[24];
    pkt_format_flags(flags, expected, sizeof expected);
    pkt_format_flags(have & 0x1ff, was, sizeof was);
    differ(m, "flags: expected %s, was %s", expected, was);
}

static void match_ecn(struct matching *m, enum scn_ecn want, uint8_t tos)
{
    static const struct { enum scn_ecn want; uint8_t allowed; /* a bit for each ECN codepoint */ const char *name; } table[] = {
        {SCN_ECN_NOT_ECT, 1u << 0, "noecn"}, {SCN_ECN_ECT1, 1u << 1, "ect1"}, {SCN_ECN_ECT0, 1u << 2, "ect0"},
        {SCN_ECN_ECT01, 1u << 1 | 1u << 2, "ect01"}, {SCN_ECN_CE, 1u << 3, "ce"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].want == want && !(table[i].allowed >> (tos & 3) & 1))
            differ(m, "ECN: expected %s, was codepoint %u", table[i].name, tos & 3u);
}

static void match_override(struct matching *m, const struct scn_override *o, const struct packet *packet)
{
    const struct pkt_tcp *tcp = &packet->tcp;
    int64_t value = 0;
    switch (o->key) {
    case SCN_KEY_CHECKSUM:
        if (o->special != SCN_NOT_SPECIAL) {
            bool ok = packet->kind == PKT_KIND_TCP ? tcp->checksum_ok : packet->icmp.checksum_ok;
            if (ok != (o->special == SCN_GOOD))
                differ(m, "checksum: was %s", ok ? "right" : "wrong");
            return;
        }
        value = tcp->checksum;
        break;
    case SCN_KEY_PAYLOAD:
        if (tcp->payload_len != o->bytes_len || memcmp(tcp->payload, o->bytes, o->bytes_len))
            differ(m, "payload: other octets");
        return;
    case SCN_KEY_DOFF: value = tcp->data_offset; break;
    case SCN_KEY_RESERVED: value = tcp->flags >> 8 & 0xf; break;
    case SCN_KEY_SPORT: value = tcp->src_port; break;
    case SCN_KEY_DPORT: value = tcp->dst_port; break;
    case SCN_KEY_SEQ_ABS: value = tcp->seq; break;
    case SCN_KEY_ACK_ABS: value = tcp->ack; break;
    case SCN_KEY_IP_TTL: value = packet->ip.ttl; break;
    case SCN_KEY_IP_TOS: value = packet->ip.tos; break;
    case SCN_KEY_IP_ID: value = packet->ip.id; break;
    case SCN_KEY_IP_DF: value = packet->ip.version == 6 || packet->ip.dont_fragment; break;
    default: return;
    }
    match_field(m, scn_key_name(o->key), &o->value, plain(value));
}

static void match_tcp(struct matching *m, const struct scn_packet *want, const struct seen *seen)
{
    const struct pkt_tcp *tcp = &seen->packet.tcp;
    const struct endpoint *e = seen->endpoint;
    match_flags(m, want, tcp->flags);
    if (want->ace >= 0 && want->ace != (tcp->flags >> 6 & 7))
        differ(m, "ACE: expected %d, was %d", want->ace, tcp->flags >> 6 & 7);
    match_field(m, "seq", &want->seq, iut_number(e, tcp->seq));
    match_field(m, "length", &want->len, plain(tcp->payload_len));
    match_field(m, "end", &want->seq_end, iut_number(e, tcp->seq + tcp->payload_len));
    match_field(m, "ack", &want->ack, tester_number(e, tcp->ack));
    match_field(m, "win", &want->window, plain(tcp->window));
    match_field(m, "urg", &want->urgent, plain(tcp->urgent));
    match_field(m, "sport", &want->src_port, plain(tcp->src_port));
    match_field(m, "dport", &want->dst_port, plain(tcp->dst_port));
    match_options(m, want, seen);
}

static void match_icmp(struct matching *m, const struct scn_packet *want, const struct seen *seen)
{
    const struct pkt_icmp *icmp = &seen->packet.icmp;
    if (icmp_type_number(want->icmp.type, seen->packet.ip.version) != icmp->type)
        differ(m, "ICMP type: was %u", icmp->type);
    if (want->icmp.code && icmp_code_number(want->icmp.code, seen->packet.ip.version) != icmp->code)
        differ(m, "ICMP code: was %u", icmp->code);
    match_field(m, "mtu", &want->icmp.mtu, plain(icmp->rest & 0xffff));
}

void match_packet(struct player *p, const struct scn_packet *want, const struct seen *seen, struct scn_value *values,
                  struct match_result *result)
{
    struct matching m = {.p = p, .values = values, .result = result};
    *result = (struct match_result){0};
    enum pkt_kind kind = want->protocol == SCN_TCP ? PKT_KIND_TCP : PKT_KIND_ICMP;
    if (seen->packet.kind != kind) {
        result->differences = 10;
        snprintf(result->text, sizeof result->text, "another protocol");
        return;
    }
    struct endpoint *e = play_endpoint(p, &want->endpoint);
    if (!e || e != seen->endpoint) {
        result->differences = 10;
        snprintf(result->text, sizeof result->text, "for another endpoint");
        return;
    }
    if (want->protocol == SCN_TCP)
        match_tcp(&m, want, seen);
    else
        match_icmp(&m, want, seen);
    match_ecn(&m, want->ecn, seen->packet.ip.tos);
    match_field(&m, "tos", &want->tos, plain(seen->packet.ip.tos));
    match_field(&m, "ttl", &want->ttl, plain(seen->packet.ip.ttl));
    match_field(&m, "flowlabel", &want->flow_label, plain(seen->packet.ip.flow_label));
    for (unsigned i = 0; i < want->override_count; i++)
        match_override(&m, &want->overrides[i], &seen->packet);
    if (!result->differences && want->capture_at_slot >= 0)
        values[want->capture_at_slot] =
            (struct scn_value){.kind = SCN_VALUE_NUMBER, .number = play_since_start(p, seen->at.earliest)};
}
