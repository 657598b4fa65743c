/* Makes segments out of what the grammar reads: flags, options, IP fields, overrides; and says which of them make no sense. */
#include "engine/scenario/names.h"
#include "engine/scenario/parse.h"

#include <string.h>

void scn_packet_begin(struct scn_parser *parser, struct scn_span at)
{
    struct scn_packet *packet = scn_arena_alloc(parser->arena, 1, sizeof *packet);
    packet->at = (struct scn_at){ at.line, at.column };
    packet->ace = -1;
    packet->capture_at_slot = -1;
    parser->packet = packet;
    parser->options = parser->overrides = (struct scn_list){ 0 };
    parser->raw = (struct scn_bytes){ 0 };
}

struct scn_packet *scn_packet_end(struct scn_parser *parser)
{
    struct scn_packet *packet = parser->packet;
    packet->option_count = parser->options.count;
    packet->options = scn_arena_alloc(parser->arena, packet->option_count, sizeof *packet->options);
    for (unsigned i = 0; i < packet->option_count; i++)
        packet->options[i] = *(const struct scn_option *)parser->options.items[i];
    packet->override_count = parser->overrides.count;
    packet->overrides = scn_arena_alloc(parser->arena, packet->override_count, sizeof *packet->overrides);
    for (unsigned i = 0; i < packet->override_count; i++)
        packet->overrides[i] = *(const struct scn_override *)parser->overrides.items[i];
    packet->raw = parser->raw.bytes;
    packet->raw_len = parser->raw.len;
    return packet;
}

/* ---- flags ------------------------------------------------------------------------------------------------------- */

enum { ECN_FLAGS = PKT_ECE | PKT_CWR | PKT_AE };

static void wrong_flags(struct scn_parser *parser, struct scn_span at, const char *why)
{
    char quote[SCN_QUOTE_MAX];
    scn_error(parser, scn_place(at), "expected flags, found `%s`; %s", scn_quote(scn_span_piece(parser, at), quote), why);
}

/* ".5" behind the letters: the AccECN counter of RFC 9768, carried in AE, CWR and ECE. */
static void set_ace(struct scn_parser *parser, struct scn_piece ack, struct scn_span at)
{
    struct scn_packet *packet = parser->packet;
    if (ack.len != 2 || ack.start[1] > '7' || (packet->flags & ECN_FLAGS)) {
        wrong_flags(parser, at, "a counter behind the `.` is 0 to 7, and there are no E W A beside it");
        return;
    }
    packet->ace = ack.start[1] - '0';
    packet->flags |= (uint16_t)((packet->ace & 1 ? PKT_ECE : 0) | (packet->ace & 2 ? PKT_CWR : 0) | (packet->ace & 4 ? PKT_AE : 0));
}

void scn_packet_flags(struct scn_parser *parser, struct scn_piece letters, struct scn_piece ack, struct scn_span at)
{
    struct scn_packet *packet = parser->packet;
    char wrong;
    const int flags = scn_read_flags(letters, &wrong);
    if (scn_piece_is(letters, "any") && ack.len == 0)
        packet->flags_any = true;
    else if (flags < 0 || ((flags & PKT_ACK) && ack.len))
        wrong_flags(parser, at, "they are letters of S F R P . U E W A, each once, or `-` for none");
    else
        packet->flags = (uint16_t)(flags | (ack.len ? PKT_ACK : 0));
    if (ack.len > 1)
        set_ace(parser, ack, at);
}

void scn_packet_forbid(struct scn_parser *parser, struct scn_span at)
{
    const struct scn_piece letters = scn_span_piece(parser, at);
    char wrong, quote[SCN_QUOTE_MAX];
    const int flags = scn_read_flags(letters, &wrong);
    if (flags < 0)
        scn_error(parser, scn_place(at), "expected flags that must not be set after `!`, letters of S F R P . U E W A; found `%s`",
                  scn_quote(letters, quote));
    else if (parser->packet->flags_any || (parser->packet->flags & flags))
        scn_error(parser, scn_place(at), "the same flag is allowed and forbidden");
    else
        parser->packet->flags_care |= (uint16_t)flags;
}

void scn_packet_leave_open(struct scn_parser *parser, struct scn_span at)
{
    const struct scn_piece letters = scn_span_piece(parser, at);
    char wrong, quote[SCN_QUOTE_MAX];
    const int flags = scn_read_flags(letters, &wrong);
    if (flags < 0)
        scn_error(parser, scn_place(at),
                  "expected flags that may be set or not after `~`, letters of S F R P . U E W A; found `%s`",
                  scn_quote(letters, quote));
    else if (parser->packet->flags_any || (parser->packet->flags & flags))
        scn_error(parser, scn_place(at), "a flag that has to be set cannot be left open");
    else
        parser->packet->flags_open = (uint16_t)flags;
}

/* ---- the IP header ----------------------------------------------------------------------------------------------- */

static struct scn_match *ip_field(struct scn_packet *packet, struct scn_piece word)
{
    if (scn_piece_is(word, "ttl"))
        return &packet->ttl;
    if (scn_piece_is(word, "tos"))
        return &packet->tos;
    return scn_piece_is(word, "flowlabel") ? &packet->flow_label : NULL;
}

void scn_packet_ip_word(struct scn_parser *parser, struct scn_piece word, struct scn_span at)
{
    const char *text = scn_piece_copy(parser, word);
    char hint[SCN_HINT_MAX], quote[SCN_QUOTE_MAX];
    const enum scn_ecn ecn = scn_ecn_from_name(text);
    struct scn_packet *packet = parser->packet;
    if (ecn != SCN_ECN_NONE_GIVEN && packet->ecn != SCN_ECN_NONE_GIVEN)
        scn_error(parser, scn_place(at), "the ECN field is given twice");
    else if (ecn != SCN_ECN_NONE_GIVEN)
        packet->ecn = ecn;
    else if (ip_field(packet, word))
        scn_error(parser, scn_place(at), "expected a number after `%s`", text);
    else
        scn_error(parser, scn_place(at), "expected an IP field such as ect0, tos, ttl or flowlabel, found `%s`%s",
                  scn_quote(word, quote), scn_hint(text, scn_ip_words, scn_ip_word_count, hint));
}

void scn_packet_ip_field(struct scn_parser *parser, struct scn_piece word, struct scn_match value, struct scn_span at)
{
    struct scn_match *field = ip_field(parser->packet, word);
    char hint[SCN_HINT_MAX], quote[SCN_QUOTE_MAX];
    if (!field)
        scn_error(parser, scn_place(at), "expected an IP field such as ect0, tos, ttl or flowlabel, found `%s`%s",
                  scn_quote(word, quote), scn_hint(scn_piece_copy(parser, word), scn_ip_words, scn_ip_word_count, hint));
    else if (field->relation != SCN_NONE)
        scn_error(parser, scn_place(at), "%s is given twice", scn_quote(word, quote));
    else
        *field = value;
}

void scn_packet_encapsulation(struct scn_parser *parser, struct scn_span from, struct scn_span to)
{
    from.end = to.end;
    const struct scn_piece added = scn_span_piece(parser, from);
    const char *before = parser->packet->encapsulation;
    parser->packet->encapsulation =
        scn_arena_format(parser->arena, "%s%s%.*s", before ? before : "", before ? " " : "", (int)added.len, added.start);
    parser->packet->unsupported = "encapsulation";
}

void scn_packet_quotes_other(struct scn_parser *parser, const char *protocol, const struct scn_expr *len)
{
    parser->packet->icmp.quotes_other = scn_arena_format(parser->arena, "%s (%lld)", protocol, (long long)len->number);
    parser->packet->unsupported = "an ICMP error about UDP or a raw packet";
}

void scn_packet_raw(struct scn_parser *parser, struct scn_piece hex, struct scn_span at)
{
    char quote[SCN_QUOTE_MAX];
    if (!scn_read_hex(parser, hex, &parser->raw))
        scn_error(parser, scn_place(at), "expected octets in hexadecimal, two digits each, found `%s`", scn_quote(hex, quote));
    else if (parser->raw.len > PKT_BYTES_MAX)
        scn_error(parser, scn_place(at), "a packet has at most %d octets", PKT_BYTES_MAX);
}

/* ---- TCP options ------------------------------------------------------------------------------------------------- */

struct scn_option *scn_new_option(struct scn_parser *parser, uint8_t kind, enum scn_option_form form, struct scn_span at)
{
    struct scn_option *option = scn_arena_alloc(parser->arena, 1, sizeof *option);
    option->kind = kind;
    option->form = form;
    option->at = scn_place(at);
    return option;
}

struct scn_option *scn_kind_option(struct scn_parser *parser, const struct scn_expr *kind, enum scn_option_form form,
                                   struct scn_span at)
{
    if (kind->number < 0 || kind->number > 255)
        scn_error(parser, kind->at, "an option's kind is 0 to 255, not %lld", (long long)kind->number);
    return scn_new_option(parser, (uint8_t)kind->number, form, at);
}

void scn_option_value(struct scn_parser *parser, struct scn_option *option, struct scn_match value)
{
    if (option->value_count < SCN_OPTION_VALUES_MAX)
        option->values[option->value_count++] = value;
    else
        scn_error(parser, option->at, "an option of 40 octets has no room for more than %d numbers", SCN_OPTION_VALUES_MAX);
}

void scn_option_hex(struct scn_parser *parser, struct scn_option *option, struct scn_piece hex, struct scn_span at)
{
    struct scn_bytes bytes = { 0 };
    char quote[SCN_QUOTE_MAX];
    if (!scn_read_hex(parser, hex, &bytes)) {
        if (parser->scenario->has_front_matter || (hex.start[0] >= '0' && hex.start[0] <= '9'))
            scn_error(parser, scn_place(at), "expected octets in hexadecimal, two digits each, found `%s`", scn_quote(hex, quote));
        option->symbol = scn_piece_copy(parser, hex);
    } else if (bytes.len > PKT_TCP_OPTIONS_MAX - 2) {
        scn_error(parser, scn_place(at), "an option has at most %d octets of data", PKT_TCP_OPTIONS_MAX - 2);
    } else {
        option->has_bytes = true;
        option->bytes = bytes.bytes;
        option->bytes_len = (uint8_t)bytes.len;
    }
}

/* The order on the wire follows from the first counter: kind 172 is e0b, ceb, e1b and kind 174 e1b, ceb, e0b (RFC 9768 §3.2.3). */
void scn_option_counter(struct scn_parser *parser, struct scn_option *option, struct scn_piece field, struct scn_match value,
                        struct scn_span at)
{
    static const char *const orders[2][3] = { { "e0b", "ceb", "e1b" }, { "e1b", "ceb", "e0b" } };
    if (option->value_count == 0)
        option->kind = scn_piece_is(field, "e1b") ? PKT_OPT_ACCECN1 : PKT_OPT_ACCECN0;
    const char *const *order = orders[option->kind == PKT_OPT_ACCECN1];
    char quote[SCN_QUOTE_MAX];
    if (option->value_count == 3)
        scn_error(parser, scn_place(at), "an ECN option has three counters at most");
    else if (!scn_piece_is(field, order[option->value_count]))
        scn_error(parser, scn_place(at), "expected the counter `%s`, found `%s`; the orders are e0b ceb e1b, and e1b ceb e0b",
                  order[option->value_count], scn_quote(field, quote));
    else
        scn_option_value(parser, option, value);
}

void scn_unknown_option(struct scn_parser *parser, struct scn_piece word, struct scn_span at)
{
    char hint[SCN_HINT_MAX], quote[SCN_QUOTE_MAX];
    scn_hint(scn_piece_copy(parser, word), scn_option_words, scn_option_word_count, hint);
    scn_error(parser, scn_place(at), "unknown TCP option `%s`%s", scn_quote(word, quote),
              hint[0] ? hint : "; write one without a name as kind N HEX");
}

void scn_packet_option(struct scn_parser *parser, struct scn_option *option, struct scn_span at)
{
    if (parser->options.count < PKT_TCP_OPTIONS_MAX)
        scn_list_add(parser->arena, &parser->options, option);
    else if (parser->options.count == PKT_TCP_OPTIONS_MAX)
        scn_error(parser, scn_place(at), "%d octets of options cannot hold more than %d of them", PKT_TCP_OPTIONS_MAX,
                  PKT_TCP_OPTIONS_MAX);
}

/* ---- with -------------------------------------------------------------------------------------------------------- */

static struct scn_override *new_override(struct scn_parser *parser, const char *key, struct scn_span at)
{
    const enum scn_key found = scn_key_from_name(key);
    char hint[SCN_HINT_MAX];
    if (found == SCN_KEY_COUNT) {
        const char *names[SCN_KEY_COUNT];
        for (unsigned i = 0; i < SCN_KEY_COUNT; i++)
            names[i] = scn_key_name((enum scn_key)i);
        scn_hint(key, names, SCN_KEY_COUNT, hint);
        scn_error(parser, scn_place(at), "`with` knows no field `%.40s`%s", key, hint);
        return NULL;
    }
    for (unsigned i = 0; i < parser->overrides.count; i++) {
        if (((const struct scn_override *)parser->overrides.items[i])->key == found) {
            scn_error(parser, scn_place(at), "`with` has %s twice", key);
            return NULL;
        }
    }
    struct scn_override *override = scn_arena_alloc(parser->arena, 1, sizeof *override);
    override->key = found;
    override->at = scn_place(at);
    scn_list_add(parser->arena, &parser->overrides, override);
    return override;
}

static bool take_word(struct scn_override *override, const struct scn_expr *value)
{
    if (override->key != SCN_KEY_CHECKSUM && override->key != SCN_KEY_IP_CHECKSUM)
        return false;
    override->special = strcmp(value->text, "bad") == 0 ? SCN_BAD : strcmp(value->text, "good") == 0 ? SCN_GOOD : SCN_NOT_SPECIAL;
    return override->special != SCN_NOT_SPECIAL;
}

static bool take_string(struct scn_override *override, const struct scn_expr *value)
{
    if (override->key == SCN_KEY_PAYLOAD) {
        override->bytes = (const uint8_t *)value->text;
        override->bytes_len = value->text_len;
        return true;
    }
    const bool is_address = override->key == SCN_KEY_IP_SRC || override->key == SCN_KEY_IP_DST;
    return is_address && strlen(value->text) == value->text_len && pkt_addr_parse(value->text, &override->address);
}

static bool takes_number(enum scn_key key)
{
    return key != SCN_KEY_PAYLOAD && key != SCN_KEY_OPTIONS && key != SCN_KEY_IP_SRC && key != SCN_KEY_IP_DST;
}

void scn_packet_override(struct scn_parser *parser, struct scn_piece key, struct scn_match value, struct scn_span at,
                         struct scn_span value_at)
{
    struct scn_override *override = new_override(parser, scn_piece_copy(parser, key), at);
    if (!override)
        return;
    const bool plain = value.relation == SCN_EQ;
    bool taken;
    if (plain && value.value->kind == SCN_EXPR_NAME) {
        taken = take_word(override, value.value);
    } else if (plain && value.value->kind == SCN_EXPR_STRING) {
        taken = take_string(override, value.value);
    } else {
        override->value = value;
        taken = takes_number(override->key);
    }
    char quote[SCN_QUOTE_MAX];
    if (!taken)
        scn_error(parser, scn_place(value_at), "expected %s for %s, found `%s`", scn_key_expects(override->key),
                  scn_key_name(override->key), scn_quote(scn_span_piece(parser, value_at), quote));
}

void scn_packet_fill(struct scn_parser *parser, struct scn_piece key, struct scn_expr *value, struct scn_span at)
{
    struct scn_override *override = new_override(parser, scn_piece_copy(parser, key), at);
    if (!override)
        return;
    override->special = SCN_FILL;
    override->value = scn_match_of(SCN_EQ, value);
    if (override->key != SCN_KEY_PAYLOAD)
        scn_error(parser, scn_place(at), "expected %s for %s, found `fill`; only the payload is filled",
                  scn_key_expects(override->key), scn_key_name(override->key));
}

void scn_packet_option_bytes(struct scn_parser *parser, struct scn_piece hex, struct scn_span at, struct scn_span value_at)
{
    struct scn_override *override = new_override(parser, "options", at);
    struct scn_bytes bytes = { 0 };
    char quote[SCN_QUOTE_MAX];
    if (!override)
        return;
    if (!scn_read_hex(parser, hex, &bytes))
        scn_error(parser, scn_place(value_at), "expected octets in hexadecimal, two digits each, found `%s`",
                  scn_quote(hex, quote));
    else if (bytes.len > PKT_TCP_OPTIONS_MAX)
        scn_error(parser, scn_place(value_at), "a TCP header has at most %d octets of options", PKT_TCP_OPTIONS_MAX);
    override->bytes = bytes.bytes;
    override->bytes_len = bytes.len;
}
