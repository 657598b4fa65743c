/* Prints segments in the order of the grammar. */
#include "engine/scenario/names.h"
#include "engine/scenario/sink.h"

/* ---- flags ------------------------------------------------------------------------------------------------------- */

static void put_packet_flags(struct scn_sink *sink, const struct scn_packet *packet, bool injection)
{
    enum { COMPARED_ALWAYS = PKT_SYN | PKT_FIN | PKT_RST | PKT_ACK, ECN_FLAGS = PKT_ECE | PKT_CWR | PKT_AE };
    unsigned forbidden = packet->flags_care & ~(unsigned)(packet->flags | COMPARED_ALWAYS);
    if (packet->flags_any) {
        scn_put(sink, "any");
    } else if (packet->flags_value) {
        scn_put_expr(sink, packet->flags_value);
    } else if (packet->ace >= 0) {
        if (packet->flags & ~(unsigned)(ECN_FLAGS | PKT_ACK))
            scn_put_flags(sink, packet->flags & ~(unsigned)(ECN_FLAGS | PKT_ACK));
        scn_put(sink, ".%d", packet->ace);
        forbidden &= ~(unsigned)ECN_FLAGS;
    } else {
        scn_put_flags(sink, packet->flags);
    }
    if (forbidden && !injection && sink->scenario->has_front_matter) { /* without, every flag that is not written is forbidden */
        scn_put(sink, " !");
        scn_put_flags(sink, forbidden);
    }
    if (packet->flags_open) {
        scn_put(sink, " ~");
        scn_put_flags(sink, packet->flags_open);
    }
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

/* Has it a name that goes with what it holds? Otherwise it is written as kind N. */
static bool has_name(const struct scn_option *option)
{
    if (option->form != SCN_OPT_BYTES)
        return scn_option_name(option->kind, option->experimental) != NULL;
    if (option->kind == PKT_OPT_MD5) /* whose name does not go without octets */
        return option->has_bytes || option->symbol;
    return option->kind == PKT_OPT_FASTOPEN || option->experimental;
}

static void put_option_name(struct scn_sink *sink, const struct scn_option *option)
{
    if (has_name(option))
        scn_put(sink, "%s", scn_option_name(option->kind, option->experimental));
    else
        scn_put(sink, "kind %u", option->kind);
}

static void put_counters(struct scn_sink *sink, const struct scn_option *option)
{
    static const char *const orders[2][3] = { { "e0b", "ceb", "e1b" }, { "e1b", "ceb", "e0b" } };
    scn_put(sink, "ECN");
    for (unsigned i = 0; i < option->value_count && i < 3; i++) {
        scn_put(sink, " %s ", orders[option->kind == PKT_OPT_ACCECN1][i]);
        scn_put_match(sink, &option->values[i]);
    }
}

static void put_edge(struct scn_sink *sink, const struct scn_match *edge)
{
    scn_put(sink, "%s", edge->relation == SCN_ANY ? "*" : "");
    if (edge->value)
        scn_put_closed(sink, edge->value);
    if (edge->upper) {
        scn_put(sink, "..");
        scn_put_closed(sink, edge->upper);
    }
}

static void put_option(struct scn_sink *sink, const struct scn_option *option)
{
    scn_put(sink, "%s", option->negated ? "!" : "");
    if (option->form == SCN_OPT_ACCECN) {
        put_counters(sink, option);
    } else {
        put_option_name(sink, option);
        for (unsigned i = 0; i < option->value_count; i++) {
            scn_put(sink, "%s", option->form == SCN_OPT_TIMESTAMP ? (i ? " ecr " : " val ") : option->form == SCN_OPT_SACK && i % 2 ? ":" : " ");
            if (option->form == SCN_OPT_SACK)
                put_edge(sink, &option->values[i]);
            else
                scn_put_match(sink, &option->values[i]);
        }
    }
    if (option->symbol)
        scn_put(sink, " %s", option->symbol);
    else if (option->has_bytes) {
        scn_put(sink, " ");
        scn_put_hex(sink, option->bytes, option->bytes_len);
    }
    if (option->stated_len) {
        scn_put(sink, " len ");
        scn_put_arith(sink, option->stated_len);
    }
}

static void put_options(struct scn_sink *sink, const struct scn_packet *packet)
{
    scn_put(sink, " <");
    for (unsigned i = 0; i < packet->option_count; i++) {
        scn_put(sink, "%s", i ? ", " : "");
        put_option(sink, &packet->options[i]);
    }
    scn_put(sink, packet->options_any ? "...>" : packet->options_open ? ", ...>" : ">");
}

/* ---- the IP header ----------------------------------------------------------------------------------------------- */

static void put_ip(struct scn_sink *sink, const struct scn_packet *packet)
{
    const struct { const char *name; const struct scn_match *value; } fields[] = {
        { "tos", &packet->tos }, { "ttl", &packet->ttl }, { "flowlabel", &packet->flow_label },
    };
    const char *before = " [";
    if (packet->ecn != SCN_ECN_NONE_GIVEN) {
        scn_put(sink, "%s%s", before, scn_ecn_name(packet->ecn));
        before = ", ";
    }
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].value->relation == SCN_NONE)
            continue;
        scn_put(sink, "%s%s ", before, fields[i].name);
        scn_put_match(sink, fields[i].value);
        before = ", ";
    }
    if (before[0] == ',')
        scn_put(sink, "]");
}

static void put_carrier(struct scn_sink *sink, const struct scn_packet *packet)
{
    if (packet->endpoint.slot || packet->endpoint.subscript) {
        scn_put(sink, " ");
        scn_put_endpoint(sink, &packet->endpoint);
    }
    if (packet->encapsulation)
        scn_put(sink, " %s", packet->encapsulation);
    put_ip(sink, packet);
}

static void put_ports(struct scn_sink *sink, const struct scn_packet *packet)
{
    if (packet->src_port.relation == SCN_NONE)
        return;
    scn_put(sink, " ");
    scn_put_match(sink, &packet->src_port);
    scn_put(sink, " > ");
    scn_put_match(sink, &packet->dst_port);
}

/* ---- overrides --------------------------------------------------------------------------------------------------- */

static void put_override(struct scn_sink *sink, const struct scn_override *override)
{
    char address[PKT_ADDR_TEXT_MAX];
    scn_put(sink, "%s ", scn_key_name(override->key));
    if (override->special == SCN_BAD || override->special == SCN_GOOD) {
        scn_put(sink, "%s", override->special == SCN_BAD ? "bad" : "good");
    } else if (override->key == SCN_KEY_OPTIONS) {
        scn_put_hex(sink, override->bytes, override->bytes_len);
    } else if (override->key == SCN_KEY_IP_SRC || override->key == SCN_KEY_IP_DST) {
        scn_put(sink, "\"%s\"", pkt_addr_format(&override->address, address));
    } else if (override->special == SCN_FILL) {
        scn_put(sink, "fill ");
        scn_put_arith(sink, override->value.value);
    } else if (override->key == SCN_KEY_PAYLOAD) {
        scn_put_quoted(sink, (const char *) override->bytes, override->bytes_len);
    } else {
        scn_put_match(sink, &override->value);
    }
}

/* ---- what is carried --------------------------------------------------------------------------------------------- */

static void put_field(struct scn_sink *sink, const char *name, const struct scn_match *match)
{
    if (match->relation == SCN_NONE)
        return;
    scn_put(sink, " %s ", name);
    scn_put_match(sink, match);
}

static void put_sequence(struct scn_sink *sink, const struct scn_packet *packet)
{
    scn_put_match(sink, &packet->seq);
    scn_put(sink, ":");
    scn_put_match_closed(sink, &packet->seq_end);
    scn_put(sink, "(");
    scn_put_match(sink, &packet->len);
    scn_put(sink, ")");
}

static void put_tcp(struct scn_sink *sink, const struct scn_packet *packet, bool injection)
{
    put_ports(sink, packet);
    scn_put(sink, " ");
    put_packet_flags(sink, packet, injection);
    if (packet->seq.relation != SCN_NONE) {
        scn_put(sink, " ");
        put_sequence(sink, packet);
    }
    put_field(sink, "ack", &packet->ack);
    put_field(sink, "win", &packet->window);
    put_field(sink, "urg", &packet->urgent);
    if (packet->options_given)
        put_options(sink, packet);
}

static void put_icmp(struct scn_sink *sink, const struct scn_packet *packet)
{
    scn_put(sink, " icmp ");
    scn_put_expr(sink, packet->icmp.type);
    if (packet->icmp.code) {
        scn_put(sink, " ");
        scn_put_expr(sink, packet->icmp.code);
    }
    put_field(sink, "mtu", &packet->icmp.mtu);
    put_field(sink, "id", &packet->icmp.id);
    if (packet->icmp.quotes_segment) {
        scn_put(sink, " [");
        put_sequence(sink, packet);
        scn_put(sink, "]");
    }
    if (packet->icmp.quotes_other)
        scn_put(sink, " [%s]", packet->icmp.quotes_other);
}

static void put_udp(struct scn_sink *sink, const struct scn_packet *packet)
{
    scn_put(sink, " udp");
    put_ports(sink, packet);
    scn_put(sink, " (");
    scn_put_match(sink, &packet->len);
    scn_put(sink, ")");
}

void scn_put_packet(struct scn_sink *sink, const struct scn_packet *packet, bool injection)
{
    scn_put(sink, injection ? "<" : ">");
    put_carrier(sink, packet);
    switch (packet->protocol) {
    case SCN_TCP: put_tcp(sink, packet, injection); break;
    case SCN_ICMP: put_icmp(sink, packet); break;
    case SCN_UDP: put_udp(sink, packet); break;
    case SCN_RAW: scn_put(sink, " raw "); scn_put_hex(sink, packet->raw, packet->raw_len); break;
    }
    for (unsigned i = 0; i < packet->override_count; i++) {
        scn_put(sink, i ? ", " : " with ");
        put_override(sink, &packet->overrides[i]);
    }
    if (packet->capture_at_slot >= 0)
        scn_put(sink, " at $%s", sink->scenario->variables[packet->capture_at_slot]);
}
