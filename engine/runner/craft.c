/* A scenario's injection made into a packet: numbers filled in as a peer would, then spoiled as the scenario asks. */
#include "engine/runner/craft.h"
#include "engine/runner/icmp_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CRAFT_WINDOW_DEFAULT = 65535 };

/* The value of a field; fallback when the scenario left it out. */
static bool field(struct craft *c, const struct scn_match *want, int64_t fallback, int64_t *out, bool *absolute)
{
    *absolute = false;
    *out = fallback;
    if (want->relation == SCN_NONE)
        return true;
    if (want->relation == SCN_EQ)
        return eval_number(c->p, c->p->values, want->value, out, absolute, c->error);
    snprintf(c->error, sizeof c->error, "an injected segment needs a number, not a comparison");
    return false;
}

/* ---- options */

static void put_option_number(struct craft *c, const struct scn_option *o, const uint32_t *v)
{
    uint8_t bytes[12];
    switch (o->kind) {
    case PKT_OPT_MSS: pkt_put_mss(&c->options, (uint16_t)v[0]); return;
    case PKT_OPT_WSCALE: pkt_put_wscale(&c->options, (uint8_t)v[0]); return;
    case PKT_OPT_USER_TIMEOUT: pkt_put_user_timeout(&c->options, (uint16_t)v[0]); return;
    case PKT_OPT_TIMESTAMP: pkt_put_timestamp(&c->options, v[0], v[1] + (c->e->ts_base_known ? c->e->ts_base : 0)); return;
    case PKT_OPT_SACK: {
        uint32_t edges[SCN_OPTION_VALUES_MAX / 2][2];
        for (unsigned i = 0; i < o->value_count / 2; i++) {
            edges[i][0] = endpoint_iut_wire(c->e, v[2 * i]);
            edges[i][1] = endpoint_iut_wire(c->e, v[2 * i + 1]);
        }
        pkt_put_sack(&c->options, edges, o->value_count / 2);
        return;
    }
    default: /* AccECN: 24-bit counters */
        for (unsigned i = 0; i < o->value_count && i < 3; i++)
            for (unsigned b = 0; b < 3; b++)
                bytes[3 * i + b] = (uint8_t)(v[i] >> (16 - 8 * b));
        pkt_put_raw_option(&c->options, o->kind, (uint8_t)(2 + 3 * o->value_count), bytes, (uint8_t)(3 * o->value_count));
    }
}

static void put_option_bytes(struct craft *c, const struct scn_option *o)
{
    uint8_t bytes[PKT_TCP_OPTIONS_MAX] = {0xf9, 0x89};
    uint8_t magic = o->experimental ? 2 : 0, len = o->has_bytes ? o->bytes_len : 0;
    if (len > sizeof bytes - 2)
        len = sizeof bytes - 2;
    memcpy(bytes + magic, o->bytes ? o->bytes : (const uint8_t *)"", len);
    pkt_put_raw_option(&c->options, o->kind, (uint8_t)(2 + magic + len), bytes, (uint8_t)(magic + len));
}

static bool put_option(struct craft *c, const struct scn_option *o)
{
    uint8_t start = c->options.len;
    uint32_t values[SCN_OPTION_VALUES_MAX] = {0};
    for (unsigned i = 0; i < o->value_count; i++) {
        int64_t value;
        bool absolute;
        if (!field(c, &o->values[i], 0, &value, &absolute))
            return false;
        values[i] = (uint32_t)value;
    }
    if (o->form == SCN_OPT_PLAIN && o->kind == PKT_OPT_NOP)
        pkt_put_nop(&c->options);
    else if (o->form == SCN_OPT_PLAIN && o->kind == PKT_OPT_EOL)
        pkt_put_eol(&c->options);
    else if (o->form == SCN_OPT_PLAIN && o->kind == PKT_OPT_SACK_PERMITTED)
        pkt_put_sack_permitted(&c->options);
    else if (o->form == SCN_OPT_PLAIN || o->form == SCN_OPT_BYTES)
        put_option_bytes(c, o);
    else
        put_option_number(c, o, values);
    int64_t stated;
    if (o->stated_len && !eval_number(c->p, c->p->values, o->stated_len, &stated, NULL, c->error))
        return false;
    if (o->stated_len && c->options.len > start + 1)
        c->options.bytes[start + 1] = (uint8_t)stated;
    return true;
}

static bool put_options(struct craft *c)
{
    for (unsigned i = 0; i < c->packet->option_count; i++)
        if (!put_option(c, &c->packet->options[i]))
            return false;
    if (c->options.overflow) {
        snprintf(c->error, sizeof c->error, "the options need more than the %d octets there are", PKT_TCP_OPTIONS_MAX);
        return false;
    }
    c->spec.options = c->options.bytes;
    c->spec.options_len = c->options.len;
    return true;
}

/* ---- overrides */

static void override_checksum(struct craft *c, const struct scn_override *o, int64_t value)
{
    bool ip = o->key == SCN_KEY_IP_CHECKSUM;
    if (o->special == SCN_BAD) {
        c->spec.overrides |= ip ? PKT_SPOIL_IP_CHECKSUM : PKT_SPOIL_CHECKSUM;
    } else if (o->special == SCN_NOT_SPECIAL) {
        c->spec.overrides |= ip ? PKT_SET_IP_CHECKSUM : PKT_SET_CHECKSUM;
        if (ip)
            c->spec.ip_checksum_value = (uint16_t)value;
        else
            c->spec.checksum_value = (uint16_t)value;
    }
}

static void override_payload(struct craft *c, const struct scn_override *o, int64_t value)
{
    if (o->special == SCN_FILL) {
        memset(c->payload, (int)(uint8_t)value, c->spec.payload_len);
    } else if (o->bytes_len <= CRAFT_PAYLOAD_MAX) {
        memcpy(c->payload, o->bytes, o->bytes_len);
        c->spec.payload_len = (uint32_t)o->bytes_len;
    }
    c->e->tester_pattern_broken = true;
}

void craft_override(struct craft *c, const struct scn_override *o, int64_t value)
{
    struct pkt_spec *s = &c->spec;
    switch (o->key) {
    case SCN_KEY_CHECKSUM:
    case SCN_KEY_IP_CHECKSUM: override_checksum(c, o, value); break;
    case SCN_KEY_PAYLOAD: override_payload(c, o, value); break;
    case SCN_KEY_OPTIONS: s->options = o->bytes, s->options_len = (uint8_t)o->bytes_len; break;
    case SCN_KEY_DOFF: s->overrides |= PKT_SET_DATA_OFFSET, s->data_offset_words = (uint8_t)value; break;
    case SCN_KEY_RESERVED: s->flags = (uint16_t)((s->flags & 0xff) | (value & 0xf) << 8); break;
    case SCN_KEY_TRUNCATE: c->truncate = value < 0 ? 0 : (size_t)value; break;
    case SCN_KEY_FRAGMENT: c->fragment = value < 0 ? 0 : (size_t)value; break;
    case SCN_KEY_SPORT: s->src_port = (uint16_t)value; break;
    case SCN_KEY_DPORT: s->dst_port = (uint16_t)value; break;
    case SCN_KEY_SEQ_ABS: s->seq = (uint32_t)value; break;
    case SCN_KEY_ACK_ABS: s->ack = (uint32_t)value; break;
    case SCN_KEY_IP_LEN: s->overrides |= PKT_SET_IP_TOTAL_LEN, s->ip_total_len_value = (uint16_t)value; break;
    case SCN_KEY_IP_IHL: s->overrides |= PKT_SET_IP_HEADER_LEN, s->ip_header_words = (uint8_t)value; break;
    case SCN_KEY_IP_VERSION: s->overrides |= PKT_SET_IP_VERSION, s->ip_version_value = (uint8_t)value; break;
    case SCN_KEY_IP_PROTO: s->overrides |= PKT_SET_IP_PROTOCOL, s->ip_protocol_value = (uint8_t)value; break;
    case SCN_KEY_IP_TTL: s->ttl = (uint8_t)value; break;
    case SCN_KEY_IP_TOS: s->tos = (uint8_t)value; break;
    case SCN_KEY_IP_ID: s->ip_id = (uint16_t)value; break;
    case SCN_KEY_IP_DF: s->dont_fragment = value != 0; break;
    case SCN_KEY_IP_SRC: s->src = c->e->alias = o->address; break;
    case SCN_KEY_IP_DST: s->dst = o->address; break;
    case SCN_KEY_COUNT: break;
    }
}

static bool apply_override(struct craft *c, const struct scn_override *o)
{
    int64_t value = 0;
    bool absolute;
    if (o->value.relation != SCN_NONE && !field(c, &o->value, 0, &value, &absolute))
        return false;
    craft_override(c, o, value);
    return true;
}

/* ---- TCP */

static bool put_flags(struct craft *c)
{
    int64_t flags = c->packet->flags;
    if (c->packet->flags_value && !eval_number(c->p, c->p->values, c->packet->flags_value, &flags, NULL, c->error))
        return false;
    if (c->packet->ace >= 0)
        flags |= (c->packet->ace & 4 ? PKT_AE : 0) | (c->packet->ace & 2 ? PKT_CWR : 0) | (c->packet->ace & 1 ? PKT_ECE : 0);
    c->spec.flags = (uint16_t)flags;
    return true;
}

static bool put_numbers(struct craft *c)
{
    const struct scn_packet *packet = c->packet;
    struct endpoint *e = c->e;
    int64_t seq, ack, window, urgent, len, src_port, dst_port;
    bool seq_absolute, ack_absolute, ignored, is_syn = c->spec.flags & PKT_SYN;
    int64_t next = is_syn ? 0 : endpoint_tester_script(e, e->snd_nxt);
    int64_t acknowledged = c->spec.flags & PKT_ACK ? endpoint_iut_script(e, e->rcv_nxt) : 0;
    if (!field(c, &packet->seq, next, &seq, &seq_absolute) || !field(c, &packet->ack, acknowledged, &ack, &ack_absolute) ||
        !field(c, &packet->window, CRAFT_WINDOW_DEFAULT, &window, &ignored) || !field(c, &packet->urgent, 0, &urgent, &ignored) ||
        !field(c, &packet->len, 0, &len, &ignored) || !field(c, &packet->src_port, e->tester.port, &src_port, &ignored) ||
        !field(c, &packet->dst_port, e->iut.port, &dst_port, &ignored))
        return false;
    if (len < 0 || len > CRAFT_PAYLOAD_MAX) {
        snprintf(c->error, sizeof c->error, "a payload of %lld octets; 0 to %d are possible", (long long)len, CRAFT_PAYLOAD_MAX);
        return false;
    }
    bool ack_given = packet->ack.relation != SCN_NONE;
    c->spec.seq = seq_absolute ? (uint32_t)seq : is_syn ? e->isn_base + (uint32_t)seq : endpoint_tester_wire(e, seq);
    c->spec.ack = ack_absolute || (!ack_given && !(c->spec.flags & PKT_ACK)) ? (uint32_t)ack : endpoint_iut_wire(e, ack);
    c->spec.window = (uint16_t)window;
    c->spec.urgent = (uint16_t)urgent;
    c->spec.payload_len = (uint32_t)len;
    c->spec.src_port = (uint16_t)src_port;
    c->spec.dst_port = (uint16_t)dst_port;
    return true;
}

/* The octets that belong at this place of the stream; what lies before it (a segment straddling the SYN) is pattern of offset 0 on.
 */
void craft_payload(struct craft *c)
{
    uint32_t first = c->spec.seq + (c->spec.flags & PKT_SYN ? 1u : 0u);
    uint32_t isn = c->e->tester_isn_known && !(c->spec.flags & PKT_SYN) ? c->e->tester_isn : c->spec.seq;
    int64_t offset = seq_distance(isn + 1, first);
    endpoint_fill_pattern(c->e, true, (uint64_t)offset, c->payload, c->spec.payload_len);
    c->spec.payload = c->payload;
}

void craft_ip(struct craft *c)
{
    c->spec.src = c->e->tester.addr;
    c->spec.dst = c->e->iut.addr;
    c->spec.ip_id = c->p->ip_id++;
    c->spec.dont_fragment = true;
}

static void put_ip(struct craft *c)
{
    static const uint8_t codepoint[] = {[SCN_ECN_NOT_ECT] = 0, [SCN_ECN_ECT0] = 2, [SCN_ECN_ECT1] = 1, [SCN_ECN_ECT01] = 2, [SCN_ECN_CE] = 3};
    int64_t tos, ttl, label;
    bool ignored;
    craft_ip(c);
    c->spec.tos = c->packet->ecn == SCN_ECN_NONE_GIVEN ? 0 : codepoint[c->packet->ecn];
    if (field(c, &c->packet->tos, c->spec.tos, &tos, &ignored))
        c->spec.tos = (uint8_t)tos;
    if (field(c, &c->packet->ttl, 64, &ttl, &ignored))
        c->spec.ttl = (uint8_t)ttl;
    if (field(c, &c->packet->flow_label, 0, &label, &ignored))
        c->spec.flow_label = (uint32_t)label;
}

static bool craft_tcp(struct craft *c)
{
    c->spec.protocol = PKT_PROTO_TCP;
    if (!put_flags(c) || !put_numbers(c) || !put_options(c))
        return false;
    craft_payload(c);
    return true;
}

/* ---- ICMP errors: they quote the start of a segment of the IUT (RFC 792; RFC 4443 quotes more, RFC 1122 allows it) */

ssize_t craft_quote(struct craft *c, uint32_t seq, int64_t len, uint8_t *out, size_t capacity)
{
    const struct endpoint *e = c->e;
    struct pkt_spec quoted = {
        .protocol = PKT_PROTO_TCP, .src = e->iut.addr, .dst = e->tester.addr, .src_port = e->iut.port, .dst_port = e->tester.port,
        .seq = seq, .ack = e->snd_nxt, .flags = PKT_ACK, .window = 65535,
        .dont_fragment = true, .overrides = PKT_SET_IP_TOTAL_LEN,
        .ip_total_len_value = (uint16_t)((e->iut.addr.version == 4 ? 40 : 20) + len),
    };
    return pkt_build(c->p->builder, &quoted, out, capacity);
}

static ssize_t quote_segment(struct craft *c, uint8_t *out, size_t capacity)
{
    int64_t seq, len;
    bool absolute, ignored;
    if (!field(c, &c->packet->seq, 0, &seq, &absolute) || !field(c, &c->packet->len, 0, &len, &ignored))
        return -1;
    return craft_quote(c, absolute ? (uint32_t)seq : endpoint_iut_wire(c->e, seq), len, out, capacity);
}

static bool craft_icmp(struct craft *c)
{
    const struct scn_icmp *icmp = &c->packet->icmp;
    uint8_t version = c->p->variant.ip_version;
    int type = icmp_type_number(icmp->type, version), code = icmp->code ? icmp_code_number(icmp->code, version) : 0;
    int64_t mtu, id;
    bool ignored;
    if (type < 0 || code < 0) {
        snprintf(c->error, sizeof c->error, "this ICMP type or code does not exist in ICMPv%u", version);
        return false;
    }
    if (!field(c, &icmp->mtu, 0, &mtu, &ignored) || !field(c, &icmp->id, 0, &id, &ignored))
        return false;
    c->spec.protocol = version == 4 ? PKT_PROTO_ICMP : PKT_PROTO_ICMP6;
    c->spec.icmp_type = (uint8_t)type;
    c->spec.icmp_code = (uint8_t)code;
    c->spec.icmp_rest = icmp->id.relation != SCN_NONE ? (uint32_t)id << 16 : (uint32_t)mtu;
    if (icmp->quotes_segment) {
        ssize_t len = quote_segment(c, c->payload, CRAFT_PAYLOAD_MAX);
        if (len < 0) {
            if (!*c->error)
                snprintf(c->error, sizeof c->error, "%s", pkt_builder_error(c->p->builder));
            return false;
        }
        c->spec.payload_len = (uint32_t)len;
    }
    c->spec.payload = c->payload;
    return true;
}

/* ---- onto the link */

static void send_fragment(void *context, const uint8_t *fragment, size_t len)
{
    struct craft *c = context;
    play_send(c->p, c->e, fragment, len);
}

/* A header length that lies makes other octets the text than those at payload. */
static void note_sent(struct craft *c, const struct pkt_tcp *tcp, const uint8_t *payload)
{
    endpoint_note_sent(c->e, tcp);
    if (tcp->payload_len > 0 && tcp->payload != payload)
        c->e->tester_pattern_broken = true;
}

bool craft_send(struct craft *c)
{
    if (c->fragment)
        c->spec.dont_fragment = false;
    static _Thread_local uint8_t bytes[PKT_BYTES_MAX];
    ssize_t len = pkt_build(c->p->builder, &c->spec, bytes, sizeof bytes);
    if (len < 0) {
        snprintf(c->error, sizeof c->error, "%s", pkt_builder_error(c->p->builder));
        return false;
    }
    size_t out = c->truncate && c->truncate < (size_t)len ? c->truncate : (size_t)len;
    struct packet built;
    if (pkt_parse(bytes, out, &built) == PKT_OK && built.kind == PKT_KIND_TCP && built.tcp.checksum_ok && built.ip.checksum_ok)
        note_sent(c, &built.tcp, bytes + len - c->spec.payload_len);
    if (!c->fragment)
        play_send(c->p, c->e, bytes, out);
    else if (pkt_fragment(bytes, out, c->fragment, c->p->ip_id++, send_fragment, c) < 0) {
        snprintf(c->error, sizeof c->error, "it cannot be cut into fragments of %zu octets", c->fragment);
        return false;
    }
    return true;
}

static bool spoil_and_send(struct craft *c)
{
    for (unsigned i = 0; i < c->packet->override_count; i++)
        if (!apply_override(c, &c->packet->overrides[i]))
            return false;
    return craft_send(c);
}

bool craft_and_send(struct player *p, const struct scn_packet *packet)
{
    struct craft c = {.p = p, .packet = packet, .e = play_endpoint(p, &packet->endpoint)};
    if (!c.e)
        return false;
    if (packet->protocol == SCN_RAW) {
        play_send(p, c.e, packet->raw, packet->raw_len);
        return true;
    }
    c.payload = malloc(CRAFT_PAYLOAD_MAX);
    if (!c.payload) {
        play_stop(p, VERDICT_ERROR, "out of memory");
        return false;
    }
    put_ip(&c);
    bool sent = (packet->protocol == SCN_TCP ? craft_tcp(&c) : craft_icmp(&c)) && spoil_and_send(&c);
    free(c.payload);
    if (!sent)
        play_stop(p, VERDICT_ERROR, "line %d: this segment cannot be injected: %s", packet->at.line, c.error);
    return sent;
}
