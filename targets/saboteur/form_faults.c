/* Faults in the form of what the IUT sends: fields of both headers that are set wrongly, options that are malformed or stand where
 * they have no place, and marks of ECN. Numbers and control bits are the matter of output_faults.c. */
#include "targets/saboteur/sabotage.h"

enum { ECN_MASK = 3, ECT_1 = 1, ECT_0 = 2 };

/* ---- which segments */

static bool any_segment(const struct segment *s) { return segment_is_tcp(s); }
static bool any_ipv4(const struct segment *s) { return segment_is_tcp(s) && s->packet.ip.version == 4; }
static bool either_syn(const struct segment *s) { return segment_has(s, PKT_SYN) && !segment_has_any(s, PKT_RST); }
static bool after_syn(const struct segment *s) { return segment_is_tcp(s) && !segment_has_any(s, PKT_SYN | PKT_RST); }
static bool data_again(const struct segment *s) { return segment_is_data(s) && s->retransmission; }
static bool probe(const struct segment *s) { return s->probe && segment_is_data(s); }

static bool with_option(const struct segment *s, uint8_t kind)
{
    struct pkt_option option;
    return segment_is_tcp(s) && segment_find_option(s, kind, &option);
}

static bool with_mss(const struct segment *s) { return with_option(s, PKT_OPT_MSS); }
static bool with_wscale(const struct segment *s) { return with_option(s, PKT_OPT_WSCALE); }
static bool with_sack_permitted(const struct segment *s) { return with_option(s, PKT_OPT_SACK_PERMITTED); }
static bool with_sack(const struct segment *s) { return with_option(s, PKT_OPT_SACK); }
static bool with_timestamp(const struct segment *s) { return with_option(s, PKT_OPT_TIMESTAMP); }
static bool reset_with_timestamp(const struct segment *s) { return segment_has(s, PKT_RST) && with_timestamp(s); }
static bool two_sack_blocks(const struct segment *s)
{
    struct pkt_option sack;
    return segment_is_tcp(s) && segment_find_option(s, PKT_OPT_SACK, &sack) && sack.data_len >= 16;
}

/* ---- the headers */

static void spoil_ip_checksum(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_spoil_ip_checksum(s);
}

static void ttl_zero(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_ttl(s, 0);
}

static void set_reserved(struct saboteur *saboteur, struct segment *s)
{
    enum { NOT_AE = 0x4 }; /* the lowest of the four is AE (RFC 9768) */
    (void)saboteur;
    segment_set_reserved(s, NOT_AE);
}

/* ---- options: a wrong length */

/* The same option, but so many octets of data. */
static void resize_option(struct segment *s, uint8_t kind, uint8_t data_len)
{
    struct pkt_option option;
    uint8_t data[PKT_TCP_OPTIONS_MAX] = {0};
    if (!segment_find_option(s, kind, &option))
        return;
    for (uint8_t i = 0; i < data_len && i < option.data_len; i++)
        data[i] = option.data[i];
    segment_remove_option(s, kind);
    segment_add_option(s, kind, data, data_len);
}

static void mss_short(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    resize_option(s, PKT_OPT_MSS, 1);
}

static void wscale_long(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    resize_option(s, PKT_OPT_WSCALE, 2);
}

static void sack_permitted_long(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    resize_option(s, PKT_OPT_SACK_PERMITTED, 1);
}

static void sack_short(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    resize_option(s, PKT_OPT_SACK, 7);
}

static void timestamp_short(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    resize_option(s, PKT_OPT_TIMESTAMP, 7);
}

static void fast_open_odd(struct saboteur *saboteur, struct segment *s)
{
    static const uint8_t cookie[] = {1, 2, 3, 4, 5};
    (void)saboteur;
    segment_add_option(s, PKT_OPT_FASTOPEN, cookie, sizeof cookie);
}

static void remove_fast_open(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_remove_option(s, PKT_OPT_FASTOPEN);
}

static void remove_timestamp(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_remove_option(s, PKT_OPT_TIMESTAMP);
}

static void accecn_odd(struct saboteur *saboteur, struct segment *s)
{
    static const uint8_t counter[] = {0, 1};
    (void)saboteur;
    segment_add_option(s, PKT_OPT_ACCECN0, counter, sizeof counter);
}

/* ---- options: what is in them, and where they are */

static void add_illegal(struct saboteur *saboteur, struct segment *s)
{
    static const uint8_t shorter_than_itself[] = {PKT_OPT_EXPERIMENT_1, 1, 0, 0};
    (void)saboteur;
    segment_add_raw_options(s, shorter_than_itself, sizeof shorter_than_itself);
}

static void pad_with_ones(struct saboteur *saboteur, struct segment *s)
{
    static const uint8_t garbage[] = {PKT_OPT_EOL, 0xff, 0xff, 0xff};
    (void)saboteur;
    segment_add_raw_options(s, garbage, sizeof garbage);
}

static void mss_most(struct saboteur *saboteur, struct segment *s)
{
    struct pkt_option mss;
    (void)saboteur;
    if (segment_find_option(s, PKT_OPT_MSS, &mss))
        segment_set_option16(s, &mss, 0, UINT16_MAX);
}

static void wscale_15(struct saboteur *saboteur, struct segment *s)
{
    struct pkt_option wscale;
    (void)saboteur;
    if (segment_find_option(s, PKT_OPT_WSCALE, &wscale))
        segment_set_option8(s, &wscale, 0, 15);
}

static void add_sack_permitted(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_add_option(s, PKT_OPT_SACK_PERMITTED, NULL, 0);
}

/* Swaps two parts of an option that have the same length, four octets at a time. */
static void swap_parts(struct segment *s, const struct pkt_option *option, uint8_t a, uint8_t b, uint8_t len)
{
    for (uint8_t i = 0; i < len; i++) {
        uint8_t of_a = option->data[a + i], of_b = option->data[b + i];
        segment_set_option8(s, option, (uint8_t)(a + i), of_b);
        segment_set_option8(s, option, (uint8_t)(b + i), of_a);
    }
}

static void swap_edges(struct saboteur *saboteur, struct segment *s)
{
    struct pkt_option sack;
    (void)saboteur;
    if (segment_find_option(s, PKT_OPT_SACK, &sack) && sack.data_len >= 8)
        swap_parts(s, &sack, 0, 4, 4);
}

static void swap_blocks(struct saboteur *saboteur, struct segment *s)
{
    struct pkt_option sack;
    (void)saboteur;
    if (segment_find_option(s, PKT_OPT_SACK, &sack) && sack.data_len >= 16)
        swap_parts(s, &sack, 0, 8, 8);
}

static uint32_t echo_of(const struct segment *s)
{
    struct pkt_options options;
    pkt_options_read(s->packet.tcp.options, s->packet.tcp.options_len, &options);
    return options.ts_ecr;
}

static void set_echo(struct segment *s, uint32_t echo)
{
    struct pkt_option ts;
    if (segment_find_option(s, PKT_OPT_TIMESTAMP, &ts))
        segment_set_option32(s, &ts, 4, echo);
}

static void wrong_echo(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    set_echo(s, echo_of(s) + 7);
}

static void first_echo(struct saboteur *saboteur, struct segment *s)
{
    struct connection *c = s->connection;
    (void)saboteur;
    if (!c || !segment_has(s, PKT_ACK))
        return;
    if (!c->has_ts_echoed)
        c->first_ts_echoed = echo_of(s);
    c->has_ts_echoed = true;
    set_echo(s, c->first_ts_echoed);
}

/* ---- ECN */

static void set_ecn(struct segment *s, uint8_t codepoint)
{
    segment_set_tos(s, (uint8_t)((s->packet.ip.tos & ~ECN_MASK) | codepoint));
}

static void set_ect_0(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    set_ecn(s, ECT_0);
}

static void set_ect_1(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    set_ecn(s, ECT_1);
}

static void set_ece(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags | PKT_ECE);
}

static void set_cwr(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags | PKT_CWR);
}

/* The first segment with ECE of each connection has it, no other does. */
static bool echo_again(const struct segment *s)
{
    bool echoes = after_syn(s) && segment_has(s, PKT_ECE) && s->connection;
    bool again = echoes && s->connection->ece_sent;
    if (echoes)
        s->connection->ece_sent = true;
    return again;
}

static void clear_ece(struct saboteur *saboteur, struct segment *s)
{
    (void)saboteur;
    segment_set_flags(s, s->packet.tcp.flags & (uint16_t)~PKT_ECE);
}

static const struct fault faults[] = {
    {"ip-checksum-bad", "sends wrong checksums of the IPv4 header", .matches = any_ipv4, .act = spoil_ip_checksum},
    {"ttl-zero", "sends every segment with a TTL of 0", .matches = any_segment, .act = ttl_zero},
    {"reserved-bit-set", "sets one of the reserved bits of every segment", .matches = any_segment, .act = set_reserved},

    {"option-illegal", "sends with each segment an option whose length is 1", .matches = any_segment, .act = add_illegal},
    {"option-padding-ones", "pads its options, behind End of Option List, with ones", .matches = any_segment, .act = pad_with_ones},
    {"mss-length-3", "sends an MSS option of length 3", .matches = with_mss, .act = mss_short},
    {"wscale-length-4", "sends a Window Scale option of length 4", .matches = with_wscale, .act = wscale_long},
    {"sack-permitted-length-3", "sends a SACK-permitted option of length 3", .matches = with_sack_permitted, .act = sack_permitted_long},
    {"sack-length-9", "sends SACK options of length 9", .matches = with_sack, .act = sack_short},
    {"ts-length-9", "sends Timestamps options of length 9", .matches = with_timestamp, .act = timestamp_short},
    {"fast-open-length-7", "sends in each SYN and SYN-ACK a Fast Open option of length 7", .matches = either_syn, .act = fast_open_odd},
    {"fast-open-missing", "leaves the Fast Open option out of SYN and SYN-ACK", .matches = either_syn, .act = remove_fast_open},
    {"accecn-length-4", "sends in each segment after the SYN an AccECN option of length 4", .matches = after_syn, .act = accecn_odd},
    {"mss-too-large", "offers an MSS of 65535, whatever its link takes", .matches = with_mss, .act = mss_most},
    {"wscale-15", "offers a window scale of 15", .matches = with_wscale, .act = wscale_15},
    {"sack-permitted-on-data", "sends the SACK-permitted option in segments without SYN, too", .matches = after_syn, .act = add_sack_permitted},
    {"sack-edges-swapped", "sends SACK blocks with the right edge first", .matches = with_sack, .act = swap_edges},
    {"sack-blocks-swapped", "reports an older block before the newest", .matches = two_sack_blocks, .act = swap_blocks},
    {"ts-echo-first", "echoes for the whole connection the first timestamp it got", .matches = with_timestamp, .act = first_echo},
    {"rst-ts-missing", "leaves timestamps out of RSTs", .matches = reset_with_timestamp, .act = remove_timestamp},
    {"rst-ts-echo-wrong", "echoes in a RST another timestamp than it got", .matches = reset_with_timestamp, .act = wrong_echo},

    {"ect-on-data", "sends data as ECN-capable, ECT(0), asked or not", .matches = segment_is_data, .act = set_ect_0},
    {"ect-1-on-data", "sends data as ECN-capable, ECT(1)", .matches = segment_is_data, .act = set_ect_1},
    {"ect-on-pure-ack", "sends ACKs that are nothing else as ECN-capable, ECT(0)", .matches = segment_is_pure_ack, .act = set_ect_0},
    {"ect-on-retransmission", "retransmits data as ECN-capable, ECT(0)", .matches = data_again, .act = set_ect_0},
    {"ect-on-probe", "sends window probes as ECN-capable, ECT(0)", .matches = probe, .act = set_ect_0},
    {"ece-always", "sets ECE in every segment after the SYN, without a mark of congestion", .matches = after_syn, .act = set_ece},
    {"ece-once", "echoes a mark of congestion in one segment only", .matches = echo_again, .act = clear_ece},
    {"cwr-on-retransmission", "sets CWR in retransmissions of data", .matches = data_again, .act = set_cwr},
    {"cwr-in-synack", "sets CWR in every SYN-ACK", .matches = segment_is_synack, .act = set_cwr},
};
const struct fault_group form_faults = {SABOTEUR_FORM, faults, sizeof faults / sizeof *faults};
