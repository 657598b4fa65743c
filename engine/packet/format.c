/* Packets as one line of text, in the words of the scenario language.
 *
 * Nothing that stood on the wire is left out silently: what the notation has no plain place for is said behind "with", and damage
 * in words. Writing never goes past the caller's buffer, and counts on as snprintf does (struct text). */
#include "engine/packet/packet.h"

#include "engine/packet/wire.h"

#include <stdarg.h>
#include <stdio.h>

enum { FASTOPEN_MAGIC = 0xf989 };

struct text {
    char *out;
    size_t capacity;
    size_t len; /* of the whole text, whether it fitted or not */
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
    bool room = t->len < t->capacity;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(room ? t->out + t->len : NULL, room ? t->capacity - t->len : 0, format, arguments);
    va_end(arguments);
    t->len += n > 0 ? (size_t)n : 0;
}

static struct text start(char *out, size_t capacity)
{
    if (capacity > 0)
        out[0] = '\0';
    return (struct text){ out, capacity, 0 };
}

/* ---- flags -------------------------------------------------------------------------------------------------------- */

static const struct { uint16_t bit; char letter; } flag_letters[] = {
    { PKT_FIN, 'F' }, { PKT_SYN, 'S' }, { PKT_RST, 'R' }, { PKT_PSH, 'P' }, { PKT_URG, 'U' },
    { PKT_ECE, 'E' }, { PKT_CWR, 'W' }, { PKT_AE, 'A' }, { PKT_ACK, '.' },
};

static void add_flags(struct text *t, uint16_t flags)
{
    size_t before = t->len;

    for (size_t i = 0; i < sizeof flag_letters / sizeof flag_letters[0]; i++) {
        if (flags & flag_letters[i].bit)
            add(t, "%c", flag_letters[i].letter);
    }
    if (t->len == before)
        add(t, "-");
}

int pkt_format_flags(uint16_t flags, char *out, size_t capacity)
{
    struct text t = start(out, capacity);

    add_flags(&t, flags);
    return (int)t.len;
}

/* ---- options ------------------------------------------------------------------------------------------------------ */

static void add_hex(struct text *t, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        add(t, "%02x", bytes[i]);
}

/* "NAME", then a blank and the octets in hex if there are any. */
static void add_bytes(struct text *t, const char *name, const uint8_t *bytes, size_t len)
{
    add(t, len > 0 ? "%s " : "%s", name);
    add_hex(t, bytes, len);
}

static void add_raw_option(struct text *t, const struct pkt_option *option)
{
    add(t, option->data_len > 0 ? "kind %u " : "kind %u", option->kind);
    add_hex(t, option->data, option->data_len);
}

static void add_sack(struct text *t, const struct pkt_option *option)
{
    add(t, "sack");
    for (unsigned i = 0; i + 8 <= option->data_len; i += 8)
        add(t, " %u:%u", wire_get32(option->data + i), wire_get32(option->data + i + 4));
}

/* "ECN e0b 1 ceb 2 e1b 3": up to three 24-bit counters, in the order of the kind (RFC 9768 §3.2.3). */
static void add_accecn(struct text *t, const struct pkt_option *option)
{
    static const char *const order[2][3] = { { "e0b", "ceb", "e1b" }, { "e1b", "ceb", "e0b" } };
    const char *const *names = order[option->kind == PKT_OPT_ACCECN1];

    add(t, "ECN");
    for (unsigned i = 0; i < 3 && 3 * i + 3 <= option->data_len; i++) {
        const uint8_t *at = option->data + 3 * i;
        add(t, " %s %u", names[i], (unsigned)(at[0] << 16 | at[1] << 8 | at[2]));
    }
}

/* One with data of a length that fits its kind; false when it is not of such a kind, or does not fit. */
static bool add_known_option(struct text *t, const struct pkt_option *o)
{
    uint8_t n = o->data_len;

    if (o->kind == PKT_OPT_MSS && n == 2)
        add(t, "mss %u", wire_get16(o->data));
    else if (o->kind == PKT_OPT_WSCALE && n == 1)
        add(t, "wscale %u", o->data[0]);
    else if (o->kind == PKT_OPT_SACK_PERMITTED && n == 0)
        add(t, "sackOK");
    else if (o->kind == PKT_OPT_SACK && n > 0 && n % 8 == 0)
        add_sack(t, o);
    else if (o->kind == PKT_OPT_TIMESTAMP && n == 8)
        add(t, "TS val %u ecr %u", wire_get32(o->data), wire_get32(o->data + 4));
    else if (o->kind == PKT_OPT_MD5 && n == 16)
        add_bytes(t, "md5", o->data, n);
    else if (o->kind == PKT_OPT_USER_TIMEOUT && n == 2)
        add(t, "uto %u", wire_get16(o->data));
    else if (o->kind == PKT_OPT_FASTOPEN)
        add_bytes(t, "FO", o->data, n);
    else if (o->kind == PKT_OPT_EXPERIMENT_2 && n >= 2 && wire_get16(o->data) == FASTOPEN_MAGIC)
        add_bytes(t, "FOEXP", o->data + 2, n - 2u);
    else if ((o->kind == PKT_OPT_ACCECN0 || o->kind == PKT_OPT_ACCECN1) && n > 0 && n % 3 == 0 && n <= 9)
        add_accecn(t, o);
    else
        return false;
    return true;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    while (len > 0 && bytes[len - 1] == 0)
        len--;
    return len == 0;
}

static void add_option(struct text *t, const struct pkt_option *option, const uint8_t *options, uint8_t options_len)
{
    size_t rest = (size_t)options_len - option->offset;

    if (option->kind == PKT_OPT_NOP) {
        add(t, "nop");
    } else if (option->kind == PKT_OPT_EOL && all_zero(options + option->offset, rest)) {
        add(t, "eol");
    } else if (option->kind == PKT_OPT_EOL) {
        add_bytes(t, "eol (then", options + option->offset + 1, rest - 1);
        add(t, ")");
    } else if (!add_known_option(t, option)) {
        add_raw_option(t, option);
    }
}

/* With all the octets behind it, since nobody knows where it ends. */
static void add_illegal_option(struct text *t, const struct pkt_option *option, const uint8_t *options, uint8_t options_len)
{
    size_t data_at = option->offset + 2u;

    add(t, data_at < options_len ? "kind %u " : "kind %u", option->kind);
    for (; data_at < options_len; data_at++)
        add_hex(t, options + data_at, 1);
    add(t, " len %u", option->len);
}

static void add_options(struct text *t, const uint8_t *options, uint8_t options_len)
{
    enum pkt_option_status status;
    struct pkt_option option;
    uint8_t cursor = 0;

    while ((status = pkt_option_next(options, options_len, &cursor, &option)) != PKT_OPTION_END) {
        if (option.offset > 0)
            add(t, ",");
        if (status == PKT_OPTION_OK)
            add_option(t, &option, options, options_len);
        else
            add_illegal_option(t, &option, options, options_len);
    }
}

int pkt_format_options(const uint8_t *options, uint8_t options_len, char *out, size_t capacity)
{
    struct text t = start(out, capacity);

    add_options(&t, options, options_len);
    return (int)t.len;
}

/* ---- TCP ---------------------------------------------------------------------------------------------------------- */

static void add_tcp(struct text *t, const struct pkt_tcp *tcp)
{
    unsigned reserved = (tcp->flags & PKT_RESERVED) >> 8;

    add_flags(t, tcp->flags);
    add(t, " %u:%u(%u)", tcp->seq, tcp->seq + tcp->payload_len, tcp->payload_len);
    if ((tcp->flags & PKT_ACK) || tcp->ack != 0)
        add(t, " ack %u", tcp->ack);
    add(t, " win %u", tcp->window);
    if ((tcp->flags & PKT_URG) || tcp->urgent != 0)
        add(t, " urg %u", tcp->urgent);
    if (tcp->options_len > 0) {
        add(t, " <");
        add_options(t, tcp->options, tcp->options_len);
        add(t, ">");
    }
    if (reserved != 0)
        add(t, " with reserved %u", reserved);
    if (!tcp->checksum_ok)
        add(t, "%s checksum bad", reserved != 0 ? "," : " with");
}

/* ---- ICMP --------------------------------------------------------------------------------------------------------- */

struct icmp_name { uint8_t version, type; int code; const char *name; }; /* code -1 names the type; the words are packetdrill's */
static const struct icmp_name icmp_names[] = {
    { 4, 0, -1, "echo_reply" },
    { 4, 3, -1, "unreachable" },
    { 4, 3, 0, "net_unreachable" },
    { 4, 3, 1, "host_unreachable" },
    { 4, 3, 2, "protocol_unreachable" },
    { 4, 3, 3, "port_unreachable" },
    { 4, 3, 4, "frag_needed" },
    { 4, 3, 5, "source_route_failed" },
    { 4, 3, 6, "net_unknown" },
    { 4, 3, 7, "host_unknown" },
    { 4, 3, 8, "source_host_isolated" },
    { 4, 3, 9, "net_prohibited" },
    { 4, 3, 10, "host_prohibited" },
    { 4, 3, 11, "net_unreachable_for_tos" },
    { 4, 3, 12, "host_unreachable_for_tos" },
    { 4, 3, 13, "packet_filtered" },
    { 4, 3, 14, "precedence_violation" },
    { 4, 3, 15, "precedence_cutoff" },
    { 4, 4, -1, "source_quench" },
    { 4, 5, -1, "redirect" },
    { 4, 8, -1, "echo_request" },
    { 4, 11, -1, "time_exceeded" },
    { 4, 12, -1, "parameter_problem" },
    { 4, 13, -1, "timestamp_request" },
    { 4, 14, -1, "timestamp_reply" },
    { 6, 1, -1, "unreachable" },
    { 6, 1, 0, "no_route" },
    { 6, 1, 1, "admin_prohibited" },
    { 6, 1, 2, "not_neighbour" },
    { 6, 1, 3, "address_unreachable" },
    { 6, 1, 4, "port_unreachable" },
    { 6, 2, -1, "packet_too_big" },
    { 6, 3, -1, "time_exceeded" },
    { 6, 3, 0, "exceeded_hop_limit" },
    { 6, 3, 1, "exceeded_frag_time" },
    { 6, 4, -1, "parameter_problem" },
    { 6, 4, 0, "header_field" },
    { 6, 4, 1, "unknown_next_header" },
    { 6, 4, 2, "unknown_option" },
    { 6, 128, -1, "echo_request" },
    { 6, 129, -1, "echo_reply" },
    { 6, 133, -1, "router_solicitation" },
    { 6, 134, -1, "router_advertisement" },
    { 6, 135, -1, "neighbor_solicitation" },
    { 6, 136, -1, "neighbor_advertisement" },
};

/* The name of a type (code -1) or of a code, or its number. */
static void add_icmp_name(struct text *t, uint8_t version, uint8_t type, int code)
{
    for (size_t i = 0; i < sizeof icmp_names / sizeof icmp_names[0]; i++) {
        const struct icmp_name *n = &icmp_names[i];
        if (n->version == version && n->type == type && n->code == code) {
            add(t, " %s", n->name);
            return;
        }
    }
    add(t, " %d", code < 0 ? type : code);
}

static bool is_echo(uint8_t version, uint8_t type)
{
    return version == 4 ? type == 0 || type == 8 : type == 128 || type == 129;
}

static bool is_error(uint8_t version, uint8_t type)
{
    return version == 4 ? (type >= 3 && type <= 5) || type == 11 || type == 12 : type < 128;
}

/* "[100:1560(1460)]": the TCP segment an error is about, as far as it quotes one. */
static void add_quoted_segment(struct text *t, const struct pkt_icmp *icmp)
{
    struct packet quoted;
    uint32_t headers_len, payload_len;

    if (pkt_parse_quoted(icmp->body, icmp->body_len, &quoted) != PKT_OK || quoted.kind != PKT_KIND_TCP)
        return;
    headers_len = quoted.ip.header_len + quoted.tcp.data_offset * 4u;
    if (quoted.tcp.data_offset == 0 || quoted.ip.total_len < headers_len) { /* cut short: the length is not known */
        add(t, " [%u:...]", quoted.tcp.seq);
        return;
    }
    payload_len = quoted.ip.total_len - headers_len;
    add(t, " [%u:%u(%u)]", quoted.tcp.seq, quoted.tcp.seq + payload_len, payload_len);
}

static void add_icmp(struct text *t, uint8_t version, const struct pkt_icmp *icmp)
{
    add(t, "icmp");
    add_icmp_name(t, version, icmp->type, -1);
    if (is_echo(version, icmp->type)) {
        add(t, " id %u seq %u (%u)", icmp->rest >> 16, icmp->rest & 0xffff, icmp->body_len);
    } else if (is_error(version, icmp->type)) {
        add_icmp_name(t, version, icmp->type, icmp->code);
        if (version == 4 ? icmp->type == 3 && icmp->code == 4 : icmp->type == 2)
            add(t, " mtu %u", version == 4 ? icmp->rest & 0xffff : icmp->rest);
        add_quoted_segment(t, icmp);
    } else {
        add(t, " %u (%u)", icmp->code, icmp->body_len);
    }
    if (!icmp->checksum_ok)
        add(t, " with checksum bad");
}

/* ---- the rest ----------------------------------------------------------------------------------------------------- */

static void add_fragment(struct text *t, const struct packet *p)
{
    add(t, "fragment id %u %u:%u(%u)%s proto %u", p->ip.id, p->ip.fragment_offset, p->ip.fragment_offset + p->payload_len, p->payload_len,
        p->ip.more_fragments ? " more" : "", p->ip.protocol);
}

static void add_ip_only(struct text *t, const struct packet *p)
{
    bool damaged = p->ip.protocol == PKT_PROTO_TCP || p->ip.protocol == (p->ip.version == 4 ? PKT_PROTO_ICMP : PKT_PROTO_ICMP6);

    add(t, "ip proto %u (%u)%s", p->ip.protocol, p->payload_len, damaged ? " damaged" : "");
}

int pkt_format(const struct packet *packet, char *out, size_t capacity)
{
    struct text t = start(out, capacity);

    switch (packet->kind) {
    case PKT_KIND_TCP:
        add_tcp(&t, &packet->tcp);
        break;
    case PKT_KIND_ICMP:
        add_icmp(&t, packet->ip.version, &packet->icmp);
        break;
    case PKT_KIND_FRAGMENT:
        add_fragment(&t, packet);
        break;
    case PKT_KIND_IP_ONLY:
        add_ip_only(&t, packet);
        break;
    case PKT_KIND_UNPARSED:
        add(&t, "not an IP packet (%zu)", packet->len);
        break;
    }
    return (int)t.len;
}
