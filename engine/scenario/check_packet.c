/* Checks segments: what can be sent, what can be compared, numbers that fit their fields. */
#include "engine/scenario/check.h"
#include "engine/scenario/names.h"

static const int64_t u8_max = 0xff, u16_max = 0xffff, u24_max = 0xffffff, u32_max = UINT32_MAX;

static void check_field(struct scn_checker *checker, struct scn_match *match, bool injection, const char *what, int64_t min,
                        int64_t max)
{
    if (injection)
        scn_check_sent(checker, match, what, min, max);
    else
        scn_check_compared(checker, match, what, min, max);
}

static bool is_constant(const struct scn_match *match)
{
    return match->relation == SCN_EQ && match->value->kind == SCN_EXPR_NUMBER;
}

/* ---- what a segment is about ------------------------------------------------------------------------------------- */

static void check_sequence(struct scn_checker *checker, struct scn_packet *packet, bool injection)
{
    const int64_t least = -(INT64_C(1) << 31); /* relative numbers may lie before the SYN */
    check_field(checker, &packet->seq, injection, "a sequence number", least, u32_max);
    check_field(checker, &packet->seq_end, injection, "a sequence number", least, u32_max);
    check_field(checker, &packet->len, injection, "the length", 0, u16_max);
    if (!is_constant(&packet->seq) || !is_constant(&packet->seq_end) || !is_constant(&packet->len))
        return;
    const uint32_t end = (uint32_t)(packet->seq.value->number + packet->len.value->number);
    if (end != (uint32_t)packet->seq_end.value->number)
        scn_error(checker->parser, packet->seq_end.value->at, "%lld octets from %lld end at %u, not at %lld",
                  (long long)packet->len.value->number, (long long)packet->seq.value->number, end,
                  (long long)packet->seq_end.value->number);
}

static void settle_flags(struct scn_checker *checker, struct scn_packet *packet, bool injection)
{
    enum { EVERY = 0x1ff, COMPARED_ALWAYS = PKT_SYN | PKT_FIN | PKT_RST | PKT_ACK };
    if (injection && packet->flags_any)
        scn_error(checker->parser, packet->at, "`any` is for segments that are expected; what is sent has flags");
    if (injection && packet->flags_open)
        scn_error(checker->parser, packet->at, "`~` is for segments that are expected; what is sent has flags");
    if (injection && packet->flags_care)
        scn_error(checker->parser, packet->at, "`!` is for segments that are expected; flags that are not written are not sent");
    if (packet->flags_value)
        scn_check_expr(checker, packet->flags_value);
    if (injection || packet->flags_any)
        packet->flags_care = 0;
    else if (!checker->parser->scenario->has_front_matter)
        packet->flags_care = EVERY;
    else
        packet->flags_care |= (uint16_t)(packet->flags | COMPARED_ALWAYS);
    if (packet->ace >= 0 && !injection)
        packet->flags_care |= PKT_AE | PKT_CWR | PKT_ECE;
    packet->flags_care &= (uint16_t)~packet->flags_open;
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static int64_t option_value_max(const struct scn_option *option)
{
    switch (option->form) {
    case SCN_OPT_NUMBER: return option->kind == PKT_OPT_WSCALE ? u8_max : u16_max;
    case SCN_OPT_ACCECN: return u24_max;
    default: return u32_max;
    }
}

static void check_option(struct scn_checker *checker, struct scn_option *option, bool injection)
{
    if (injection && option->negated)
        scn_error(checker->parser, option->at, "`!` is for segments that are expected; options that are not written are not sent");
    for (unsigned i = 0; i < option->value_count; i++)
        check_field(checker, &option->values[i], injection, "the value of an option", option->form == SCN_OPT_SACK ? -(INT64_C(1) << 31) : 0,
                    option_value_max(option));
    if (option->symbol && !checker->symbol)
        checker->symbol = option->symbol;
    if (option->stated_len)
        scn_check_number(checker, option->stated_len, "the stated length of an option", 0, u8_max);
}

static void check_options(struct scn_checker *checker, struct scn_packet *packet, bool injection)
{
    if (injection && (packet->options_any || packet->options_open))
        scn_error(checker->parser, packet->at,
                  "`...` among options is for segments that are expected; what is sent is written in full");
    for (unsigned i = 0; i < packet->option_count; i++) {
        checker->place = packet->options[i].at;
        check_option(checker, &packet->options[i], injection);
    }
}

/* ---- overrides --------------------------------------------------------------------------------------------------- */

static void check_payload(struct scn_checker *checker, const struct scn_packet *packet, const struct scn_override *override)
{
    if (override->special != SCN_FILL && is_constant(&packet->len) && packet->len.value->number != (int64_t) override->bytes_len)
        scn_error(checker->parser, override->at, "the payload has %zu octets, and the segment %lld", override->bytes_len,
                  (long long)packet->len.value->number);
}

static void check_override(struct scn_checker *checker, const struct scn_packet *packet, struct scn_override *override,
                           bool injection)
{
    const char *name = scn_key_name(override->key);
    const bool raw_allows = override->key == SCN_KEY_TRUNCATE || override->key == SCN_KEY_FRAGMENT;
    checker->place = override->at;
    if (injection ? !scn_key_in_injection(override->key) : !scn_key_in_expectation(override->key))
        scn_error(checker->parser, override->at, injection ? "%s cannot be set" : "%s is not compared in an expectation", name);
    else if (packet->protocol == SCN_RAW && !raw_allows)
        scn_error(checker->parser, override->at, "a raw packet is sent as it is; only truncate and fragment change it");
    if (injection ? override->special == SCN_GOOD : override->special == SCN_BAD)
        scn_error(checker->parser, override->at,
                  injection ? "a good checksum needs no `with`; it is what is sent" : "a checksum is expected to be `good`");
    if (override->key == SCN_KEY_PAYLOAD)
        check_payload(checker, packet, override);
    check_field(checker, &override->value, injection, name, 0, scn_key_max(override->key));
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void check_ip(struct scn_checker *checker, struct scn_packet *packet, bool injection)
{
    if (injection && packet->ecn == SCN_ECN_ECT01)
        scn_error(checker->parser, packet->at, "[ect01] is for segments that are expected; send ect0 or ect1");
    check_field(checker, &packet->tos, injection, "tos", 0, u8_max);
    check_field(checker, &packet->ttl, injection, "ttl", 0, u8_max);
    check_field(checker, &packet->flow_label, injection, "flowlabel", 0, 0xfffff);
    check_field(checker, &packet->src_port, injection, "a port", 0, u16_max);
    check_field(checker, &packet->dst_port, injection, "a port", 0, u16_max);
}

static void check_icmp_name(struct scn_checker *checker, const struct scn_expr *name, bool code)
{
    char hint[SCN_HINT_MAX], quote[SCN_QUOTE_MAX];
    if (scn_is_icmp_name(name->text, code))
        return;
    if (!checker->parser->scenario->has_front_matter)
        checker->symbol = name->text;
    else
        scn_error(checker->parser, name->at, "unknown ICMP %s `%s`%s", code ? "code" : "type",
                  scn_quote(scn_piece_of(name->text), quote), scn_hint(name->text, scn_icmp_words, scn_icmp_word_count, hint));
}

static void check_icmp(struct scn_checker *checker, struct scn_packet *packet, bool injection)
{
    struct scn_expr *const words[] = { packet->icmp.type, packet->icmp.code };
    for (unsigned i = 0; i < 2; i++)
        if (words[i] && words[i]->kind == SCN_EXPR_NUMBER)
            scn_check_number(checker, words[i], "a type or code of ICMP", 0, u8_max);
    for (unsigned i = 0; i < 2; i++)
        if (words[i] && words[i]->kind == SCN_EXPR_NAME)
            check_icmp_name(checker, words[i], i == 1);
    check_field(checker, &packet->icmp.mtu, injection, "mtu", 0, u32_max);
    check_field(checker, &packet->icmp.id, injection, "id", 0, u16_max);
}

void scn_check_packet(struct scn_checker *checker, struct scn_packet *packet, bool injection)
{
    checker->place = packet->at;
    scn_check_endpoint(checker, &packet->endpoint);
    check_ip(checker, packet, injection);
    if (packet->protocol == SCN_ICMP)
        check_icmp(checker, packet, injection);
    if (packet->protocol == SCN_TCP)
        settle_flags(checker, packet, injection);
    if (packet->protocol == SCN_RAW && !injection)
        scn_error(checker->parser, packet->at, "raw packets are only sent");
    if (packet->protocol == SCN_UDP)
        packet->unsupported = "UDP";
    check_sequence(checker, packet, injection);
    check_field(checker, &packet->ack, injection, "ack", -(INT64_C(1) << 31), u32_max);
    check_field(checker, &packet->window, injection, "win", 0, u16_max);
    check_field(checker, &packet->urgent, injection, "urg", 0, u16_max);
    check_options(checker, packet, injection);
    for (unsigned i = 0; i < packet->override_count; i++)
        check_override(checker, packet, &packet->overrides[i], injection);
    if (packet->capture_at_slot >= 0 && injection)
        scn_error(checker->parser, packet->at,
                  "`at` is for segments that are expected; use let $t = now() before one that is sent");
    if (packet->capture_at_slot >= 0)
        scn_set_variable(checker, (unsigned)packet->capture_at_slot);
}
