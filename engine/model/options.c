/* Judges the options of what the IUT sends, and the size of its segments: RFC 9293 §3.1, 3.2, 3.7.1, RFC 7323 §2, RFC 2018 §2, RFC
 * 7413.
 *
 * A peer may retransmit its SYN with other options than at first, and nobody sees which of them the IUT has answered: what any of
 * its SYNs offered counts as offered. When SYNs cross, Window Scale follows the same rule (RFC 7323 §1.3).
 *
 * Left out: what is only forbidden to act upon, not to send (a fast open option nobody asked for); and segment sizes in captures,
 * which show segments before they are cut up, or merged. */
#include "engine/model/inside.h"

enum {
    MSS_DEFAULT_IPV4 = 536, MSS_DEFAULT_IPV6 = 1220, /* RFC 9293 §3.7.1 (MUST-15) */
    MSS_JUDGED_MIN = 48, /* a smaller one does not even leave room for 8 octets behind 40 of options: stacks refuse to follow it */
    WINDOW_SCALE_MAX = 14,
    HEADERS_IPV4 = 40, HEADERS_IPV6 = 60, /* IP and TCP, without options */
};

bool options_answers_syn(const struct judge *j, const struct segment *s)
{
    return j->in.begun && s->tcp->ack - (j->in.iss + 1) <= j->in.nxt - (j->in.iss + 1);
}

void options_input(struct judge *j, const struct segment *s)
{
    struct options_watch *w = &j->options;
    if (!(s->tcp->flags & PKT_SYN))
        return;
    w->peer_wscale |= s->options.has_wscale;
    w->peer_no_mss |= !s->options.has_mss;
    if (s->options.has_mss && s->options.mss > w->peer_mss)
        w->peer_mss = s->options.mss;
}

/* ---- form ------------------------------------------------------------------------------------------------------------ */

static void judge_form(struct judge *j, const struct segment *s)
{
    judge_tested(j, RULE_OPTION_FORM);
    if (s->options.illegal)
        judge_find(j, RULE_OPTION_FORM, s, 0, "kind, length and data of each option but EOL and NOP",
                   "an option has a length below 2, or beyond the header");
    judge_tested(j, RULE_OPTION_PADDING);
    if (s->options.padding_not_zero)
        judge_find(j, RULE_OPTION_PADDING, s, 0, "zeros", "there is something else behind End of Option List");
}

static bool is_mss_length(unsigned len) { return len == 4; }
static bool is_wscale_length(unsigned len) { return len == 3; }
static bool is_sack_permitted_length(unsigned len) { return len == 2; }
static bool is_sack_length(unsigned len) { return len >= 10 && len <= 34 && len % 8 == 2; }
static bool is_timestamp_length(unsigned len) { return len == 10; }
static bool is_fastopen_length(unsigned len) { return len == 2 || (len >= 6 && len <= 18 && len % 2 == 0); }
static bool is_accecn_length(unsigned len) { return len <= 11 && len % 3 == 2; }

static const struct option_length {
    uint8_t kind;
    enum rule_id rule;
    bool (*fits)(unsigned len);
    const char *permitted;
} option_lengths[] = {
    {PKT_OPT_MSS, RULE_MSS_LENGTH, is_mss_length, "a length of 4"},
    {PKT_OPT_WSCALE, RULE_WSCALE_LENGTH, is_wscale_length, "a length of 3"},
    {PKT_OPT_SACK_PERMITTED, RULE_SACK_PERMITTED_LENGTH, is_sack_permitted_length, "a length of 2"},
    {PKT_OPT_SACK, RULE_SACK_LENGTH, is_sack_length, "a length of 10, 18, 26 or 34"},
    {PKT_OPT_TIMESTAMP, RULE_TS_LENGTH, is_timestamp_length, "a length of 10"},
    {PKT_OPT_FASTOPEN, RULE_FASTOPEN_LENGTH, is_fastopen_length, "a length of 2, or an even one from 6 to 18"},
    {PKT_OPT_ACCECN0, RULE_ACCECN_LENGTH, is_accecn_length, "a length of 2, 5, 8 or 11"},
    {PKT_OPT_ACCECN1, RULE_ACCECN_LENGTH, is_accecn_length, "a length of 2, 5, 8 or 11"},
};

/* Only called when some option was not understood. */
static void judge_lengths(struct judge *j, const struct segment *s)
{
    struct pkt_option option;
    uint8_t cursor = 0;
    while (pkt_option_next(s->tcp->options, s->tcp->options_len, &cursor, &option) == PKT_OPTION_OK)
        for (size_t i = 0; i < sizeof option_lengths / sizeof *option_lengths; i++) {
            const struct option_length *l = &option_lengths[i];
            if (l->kind == option.kind && !l->fits(option.len))
                judge_find(j, l->rule, s, 0, l->permitted, "length %u", (unsigned)option.len);
        }
}

static void count_lengths(struct judge *j, const struct pkt_options *o)
{
    if (o->has_mss)
        judge_tested(j, RULE_MSS_LENGTH);
    if (o->has_wscale)
        judge_tested(j, RULE_WSCALE_LENGTH);
    if (o->sack_permitted)
        judge_tested(j, RULE_SACK_PERMITTED_LENGTH);
    if (o->sack_count)
        judge_tested(j, RULE_SACK_LENGTH);
    if (o->has_timestamp)
        judge_tested(j, RULE_TS_LENGTH);
    if (o->has_fastopen)
        judge_tested(j, RULE_FASTOPEN_LENGTH);
}

/* ---- in which segments ------------------------------------------------------------------------------------------------ */

static void judge_outside_syn(struct judge *j, const struct segment *s)
{
    judge_tested(j, RULE_MSS_OUTSIDE_SYN);
    if (s->options.has_mss)
        judge_find(j, RULE_MSS_OUTSIDE_SYN, s, 0, "the Maximum Segment Size option in a SYN or SYN,ACK",
                   "it is in a segment without SYN");
    judge_tested(j, RULE_SACK_PERMITTED_OUTSIDE_SYN);
    if (s->options.sack_permitted)
        judge_find(j, RULE_SACK_PERMITTED_OUTSIDE_SYN, s, 0, "the SACK-permitted option in a SYN or SYN,ACK",
                   "it is in a segment without SYN");
    if (s->options.has_wscale)
        judge_find(j, RULE_WSCALE_UNASKED, s, 0, "the Window Scale option in a SYN, or in a SYN,ACK when the SYN had it",
                   "it is in a segment without SYN");
}

static void judge_wscale(struct judge *j, const struct segment *s)
{
    const struct options_watch *w = &j->options;
    bool offered = w->peer_wscale || j->in.offer.has_wscale;
    judge_tested(j, RULE_WSCALE_LIMIT);
    if (s->options.wscale > WINDOW_SCALE_MAX)
        judge_find(j, RULE_WSCALE_LIMIT, s, 0, "a shift of 0 to 14", "shift %u", (unsigned)s->options.wscale);
    if (!(s->tcp->flags & PKT_ACK) || !j->in.offer.seen || !options_answers_syn(j, s))
        return;
    judge_tested(j, RULE_WSCALE_UNASKED);
    if (!offered)
        judge_find(j, RULE_WSCALE_UNASKED, s, JUDGE_NEEDS_COMPLETE, "a SYN,ACK without Window Scale option",
                   "the SYN it answers had none");
}

/* The MSS that the link allows for, or 0 when it is not known. */
static uint32_t mss_of_link(const struct judge *j)
{
    uint32_t headers = j->iut.addr.version == 6 ? HEADERS_IPV6 : HEADERS_IPV4;
    if (judge_is_lossy(j) || j->host->mtu <= headers)
        return 0;
    return j->host->mtu - headers;
}

static uint32_t mss_default(const struct judge *j)
{
    return j->iut.addr.version == 6 ? MSS_DEFAULT_IPV6 : MSS_DEFAULT_IPV4;
}

static void judge_mss_offer(struct judge *j, const struct segment *s)
{
    uint32_t mss = mss_of_link(j);
    if (!mss)
        return;
    if (mss != mss_default(j)) {
        judge_tested(j, RULE_MSS_OFFERED);
        if (!s->options.has_mss)
            judge_find(j, RULE_MSS_OFFERED, s, 0, "a Maximum Segment Size option", "there is none, and the link takes %u octets",
                       mss);
    }
    judge_tested(j, RULE_MSS_TOO_LARGE);
    if (s->options.has_mss && s->options.mss > mss)
        judge_find(j, RULE_MSS_TOO_LARGE, s, 0, "an MSS of the link's MTU less the headers of IP and TCP",
                   "MSS %u, but the link takes %u", (unsigned)s->options.mss, mss);
}

static void note_offer(struct judge *j, const struct segment *s)
{
    struct portrait *p = &j->host->portrait;
    const struct pkt_options *o = &s->options;
    const struct offer *asked = s->tcp->flags & PKT_ACK ? &j->in.offer : NULL; /* a SYN,ACK may only have what was asked for */
    if (j->out.offer.seen)
        return;
    if (o->has_mss)
        portrait_note(p, CHOICE_MSS_OFFERED, o->mss);
    if (o->has_wscale)
        portrait_note(p, CHOICE_WINDOW_SCALE_OFFERED, o->wscale);
    if (!asked || asked->sack_permitted)
        portrait_note(p, CHOICE_SACK_OFFERED, o->sack_permitted);
    if (!asked || asked->has_timestamp)
        portrait_note(p, CHOICE_TIMESTAMPS_OFFERED, o->has_timestamp);
    if (!asked || asked->has_fastopen)
        portrait_note(p, CHOICE_FASTOPEN_OFFERED, o->has_fastopen);
}

static void syn_output(struct judge *j, const struct segment *s)
{
    if (s->options.has_wscale)
        judge_wscale(j, s);
    judge_mss_offer(j, s);
    note_offer(j, s);
}

/* ---- how large ------------------------------------------------------------------------------------------------------- */

/* What counts against the peer's MSS: the text, and options of TCP and IP (RFC 9293 §3.7.1, RFC 6691 §2). */
static uint32_t size_of(const struct segment *s)
{
    const struct pkt_ip *ip = &s->packet->ip;
    uint32_t fixed = ip->version == 6 ? 40 : 20;
    return s->tcp->payload_len + s->tcp->options_len + ip->header_len - fixed;
}

static void judge_size(struct judge *j, const struct segment *s)
{
    const struct options_watch *w = &j->options;
    bool none = w->peer_no_mss || !j->in.offer.has_mss;
    uint32_t mss = w->peer_mss > j->in.offer.mss ? w->peer_mss : j->in.offer.mss, size = size_of(s);
    enum rule_id rule = mss ? RULE_MSS_EXCEEDED : RULE_MSS_DEFAULT;
    if (none && mss < mss_default(j))
        mss = mss_default(j);
    if (mss < MSS_JUDGED_MIN)
        return;
    judge_tested(j, rule);
    if (size > mss)
        judge_find(j, rule, s, 0, "text and options of at most the peer's MSS (without one, 536 or, with IPv6, 1220 octets)",
                   "%u octets, but the MSS is %u", size, mss);
}

static void judge_link_size(struct judge *j, const struct segment *s)
{
    if (s->packet->ip.total_len > j->host->mtu)
        judge_find(j, RULE_MSS_EXCEEDED, s, 0, "a packet that the link takes in one piece", "%u octets, but its MTU is %u",
                   s->packet->ip.total_len, (unsigned)j->host->mtu);
}

void options_output(struct judge *j, const struct segment *s)
{
    unsigned flags = s->tcp->flags;
    if (s->tcp->options_len) {
        judge_form(j, s);
        count_lengths(j, &s->options);
        if (s->options.unknown_count)
            judge_lengths(j, s);
    }
    if (flags & PKT_SYN)
        syn_output(j, s);
    else if (s->tcp->options_len)
        judge_outside_syn(j, s);
    if (!s->tcp->payload_len || flags & PKT_RST || j->host->offload || judge_is_lossy(j))
        return;
    if (!(flags & PKT_SYN) && j->in.offer.seen)
        judge_size(j, s);
    if (j->host->mtu)
        judge_link_size(j, s);
}
