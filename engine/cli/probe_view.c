/* What a probe found, for people: most important first, each section a few lines, as wide as the terminal. */
#include "engine/cli/probe_view.h"

#include <math.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cli/page.h"

#define NS_PER_MS 1e6
#define NS_PER_SECOND 1e9

struct view {
    struct page page;
    const struct probe_config *config;
    const struct probe_report *report;
    const struct probe_address *chosen;
};

const char *probe_answer_text(enum probe_answer answer)
{
    static const char *const words[] = {
        [PROBE_UNKNOWN] = "unknown", [PROBE_OPEN] = "open", [PROBE_CLOSED] = "closed", [PROBE_REFUSED] = "refused", [PROBE_SILENT] = "silent",
        [PROBE_NO_NEIGHBOUR] = "no-neighbour", [PROBE_UNABLE] = "unable",
    };
    return words[answer];
}

const char *probe_isn_text(enum isn_kind kind)
{
    static const char *const words[] = {
        [ISN_UNDECIDED] = "undecided", [ISN_CONSTANT] = "constant", [ISN_PREDICTABLE] = "predictable", [ISN_UNEVEN] = "uneven",
        [ISN_RANDOM] = "random",
    };
    return words[kind];
}

/* "0.061 ms", "1.250 s" */
static const char *time_text(int64_t ns, char out[static 24])
{
    if (ns < 1000000000)
        snprintf(out, 24, "%.*f ms", ns < 10000000 ? 3 : 1, (double)ns / NS_PER_MS);
    else
        snprintf(out, 24, "%.2f s", (double)ns / NS_PER_SECOND);
    return out;
}

/* ---- how it is reached ----------------------------------------------------------------------------------------- */

static enum page_style style_of(enum probe_answer answer)
{
    return answer == PROBE_OPEN ? PAGE_GOOD : answer == PROBE_CLOSED || answer == PROBE_REFUSED ? PAGE_BAD : PAGE_DOUBTFUL;
}

/* What an outcome means, in a sentence. */
static void describe(const struct probe_outcome *o, char *out, size_t size)
{
    char took[24], addr[PKT_ADDR_TEXT_MAX];
    time_text(o->took_ns, took);
    switch (o->answer) {
    case PROBE_OPEN: snprintf(out, size, "a connection opens after %s.", took); break;
    case PROBE_CLOSED: snprintf(out, size, "the host answered with RST after %s: it is there, and nothing listens on this port (or a filter "
                                           "says so in its name).", took); break;
    case PROBE_REFUSED:
        snprintf(out, size, "ICMP from %s: %s (type %u, code %u), after %s.", o->icmp_from.version ? pkt_addr_format(&o->icmp_from, addr)
                 : "a host not told", probe_icmp_text(o->icmp_from.version, o->icmp_type, o->icmp_code), o->icmp_type, o->icmp_code, took);
        break;
    case PROBE_SILENT:
        snprintf(out, size, "no answer at all in %s: a filter drops the SYN or its answer, or there is no such host.", took);
        break;
    case PROBE_NO_NEIGHBOUR:
        snprintf(out, size,
                 "nobody on the link has this address: our kernel's ARP or neighbour solicitations went unanswered (%s).", took);
        break;
    case PROBE_UNABLE: snprintf(out, size, "this machine could not try: %s.", strerror(o->error)); break;
    case PROBE_UNKNOWN: snprintf(out, size, "not tried to the end."); break;
    }
}

static void print_addresses(const struct view *v)
{
    char addr[PKT_ADDR_TEXT_MAX], took[24];
    const struct page *page = &v->page;
    if (v->report->address_count < 2)
        return;
    page_heading(page, "Addresses");
    for (unsigned i = 0; i < v->report->address_count; i++) {
        const struct probe_address *a = &v->report->addresses[i];
        fprintf(page->out, "  %s%-13s%s %9s  %s%s\n", page_style(page, style_of(a->outcome.answer)), probe_answer_text(a->outcome.answer),
                page_end(page), a->outcome.took_ns ? time_text(a->outcome.took_ns, took) : "", pkt_addr_format(&a->remote.addr, addr),
                i == v->report->chosen ? "  (all that follows)" : "");
    }
}

static bool sent_syns(const struct probe_report *r)
{
    return r->isn_sent || r->syn_ack.seen || r->offer.source == PROBE_FROM_OWN_SYN;
}

/* The answer in a word or two. */
static const char *headline(enum probe_answer answer)
{
    return answer == PROBE_NO_NEIGHBOUR ? "no such host on the link" : answer == PROBE_REFUSED ? "refused by ICMP" : probe_answer_text(answer);
}

static void print_head(const struct view *v, const char *host, const char *port)
{
    char addr[PKT_ADDR_TEXT_MAX], local[PKT_ADDR_TEXT_MAX], sentence[512], named[280];
    const struct page *page = &v->page;
    const struct probe_outcome *o = &v->chosen->outcome;
    pkt_addr_format(&v->chosen->remote.addr, addr);
    snprintf(named, sizeof named, strcmp(host, addr) ? "%.200s (%s)" : "%.200s", host, addr);
    const bool number = *port >= '0' && *port <= '9';
    fprintf(page->out, "%s%s port %u%s%s%s%s: %s%s%s\n", page_style(page, PAGE_BOLD), named, v->chosen->remote.port, number ? "" : " (",
            number ? "" : port, number ? "" : ")", page_end(page), page_style(page, style_of(o->answer)), headline(o->answer), page_end(page));
    describe(o, sentence, sizeof sentence);
    page_text(page, 2, PAGE_PLAIN, "%c%s", sentence[0] >= 'a' && sentence[0] <= 'z' ? sentence[0] - 'a' + 'A' : sentence[0], sentence + 1);
    page_text(page, 2, PAGE_FAINT, "From %s%s%s; %s.", v->chosen->local.version ? pkt_addr_format(&v->chosen->local, local) : "no address",
              *v->chosen->interface ? " on " : "", v->chosen->interface,
              sent_syns(v->report) ? "segments captured, SYNs of our own sent" : v->report->captured ? "segments captured" : "by plain sockets only");
    if (v->report->answers_differ) {
        describe(&v->report->different, sentence, sizeof sentence);
        page_text(page, 2, PAGE_DOUBTFUL, "Not always: %u of %u further tries ended otherwise, one of them so: %s",
                  v->report->different_count, v->report->tries - 1, sentence);
    }
}

/* ---- times ----------------------------------------------------------------------------------------------------- */

static void print_times(const struct view *v, const char *name, const struct probe_times *t, const char *remark)
{
    if (t->count)
        fprintf(v->page.out, "  %-13s%8.3f %8.3f %8.3f ms  %s\n", name, (double)t->min_ns / NS_PER_MS,
                (double)t->median_ns / NS_PER_MS, (double)t->p99_ns / NS_PER_MS, remark);
}

static void print_cost(const struct view *v)
{
    const struct probe_report *r = v->report;
    const struct probe_times *way = r->echo.count ? &r->echo : r->wire.count ? &r->wire : &r->kernel_rtt;
    if (!r->connect.count || !way->count || !way->median_ns || v->chosen->outcome.answer != PROBE_OPEN)
        return;
    char extra[24];
    const int64_t extra_ns = r->connect.median_ns > way->median_ns ? r->connect.median_ns - way->median_ns : 0;
    page_text(&v->page, 2, PAGE_PLAIN,
              "Opening a connection costs an application %.1f round trips: %s beyond the way itself (by medians, %s).",
              (double)r->connect.median_ns / (double)way->median_ns, time_text(extra_ns, extra),
              r->echo.count ? "against ICMP echo" : r->wire.count ? "against the wire" : "against TCP_INFO");
}

static void print_latency(const struct view *v)
{
    const struct probe_report *r = v->report;
    char tries[40], echoes[40], lost_text[24];
    const bool open = v->chosen->outcome.answer == PROBE_OPEN;
    if (!r->connect.count && !r->echo.count && !r->echo_silent && !r->lost)
        return;
    page_heading(&v->page, "Time");
    snprintf(tries, sizeof tries, "%u of %u tries", r->connect.count, r->tries);
    snprintf(echoes, sizeof echoes, "%u of %u answers", r->echo.count, PROBE_ECHOES);
    if (r->connect.count || r->echo.count)
        fprintf(v->page.out, "%s  %-13s%8s %8s %8s%s\n", page_style(&v->page, PAGE_FAINT), "", "min", "median", "p99",
                page_end(&v->page));
    print_times(v, "connect()", &r->connect, tries);
    print_times(v, open ? "SYN, SYN-ACK" : "SYN, RST", &r->wire, "on the wire");
    if (!r->wire.count)
        print_times(v, "kernel's RTT", &r->kernel_rtt, "TCP_INFO");
    print_times(v, "ICMP echo", &r->echo, echoes);
    if (r->echo_silent)
        page_text(&v->page, 2, PAGE_PLAIN, "ICMP echo: no answer (many hosts and filters give none).");
    print_cost(v);
    if (r->lost)
        page_text(&v->page, 2, PAGE_DOUBTFUL,
                  "In %u of %u tries the SYN had to be sent again, which costs a second each (median of the others: %s): "
                  "packets are lost on the way, or the host's queue of half-open connections is full.",
                  r->lost, r->tries, time_text(r->connect.median_ns, lost_text));
}

/* ---- the ladder ------------------------------------------------------------------------------------------------ */

static const char *state_text(enum tcp_state state)
{
    return state == LADDER_UNKNOWN ? "?" : tcp_state_name(state);
}

static void flags_text(uint16_t flags, char out[static 40])
{
    static const struct { uint16_t flag; const char *name; } names[] = {
        {PKT_SYN, "SYN"}, {PKT_FIN, "FIN"}, {PKT_RST, "RST"}, {PKT_PSH, "PSH"}, {PKT_ACK, "ACK"}, {PKT_URG, "URG"}, {PKT_ECE, "ECE"}, {PKT_CWR, "CWR"},
    };
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (flags & names[i].flag && len + 5 < 40)
            len += (size_t)snprintf(out + len, 40 - len, "%s%s", len ? "," : "", names[i].name);
}

/* "──── SYN ─────────▶", columns wide */
static void print_arrow(const struct page *page, bool to_right, const char *label, int columns)
{
    const char *dash = page->utf8 ? "\u2500" : "-";
    const int dashes = columns - page_columns(label) - 3, before = dashes > 3 ? dashes / 2 : 1;
    fputs(to_right ? "" : page->utf8 ? "\u25c0" : "<", page->out);
    for (int i = 0; i < before; i++)
        fputs(dash, page->out);
    fprintf(page->out, " %s ", label);
    for (int i = before; i < dashes; i++)
        fputs(dash, page->out);
    fputs(!to_right ? "" : page->utf8 ? "\u25b6" : ">", page->out);
}

enum { LADDER_TIME = 9, LADDER_STATE = 13, LADDER_DETAIL = LADDER_TIME + 3 };

static void print_rung(const struct view *v, const struct ladder_rung *rung)
{
    const struct page *page = &v->page;
    char flags[40], label[64], acked[48] = "";
    flags_text(rung->flags, flags);
    if (rung->payload_len)
        snprintf(label, sizeof label, "%s %u octets", flags, rung->payload_len);
    else
        snprintf(label, sizeof label, "%s", flags);
    fprintf(page->out, "%*.3f %-*s", LADDER_TIME, (double)rung->at_ns / NS_PER_MS, LADDER_STATE, state_text(rung->client));
    print_arrow(page, rung->from_client, label, page->width - LADDER_TIME - 2 - 2 * LADDER_STATE);
    fprintf(page->out, " %s\n", state_text(rung->server));
    if (rung->flags & PKT_ACK)
        snprintf(acked, sizeof acked, " ack %u (%u)", rung->rel_ack, rung->ack);
    page_text(page, LADDER_DETAIL, PAGE_FAINT, "seq %u (%u)%s win %u", rung->rel_seq, rung->seq, acked, rung->window);
    if (*rung->options)
        page_text(page, LADDER_DETAIL, PAGE_FAINT, "<%s>", rung->options);
}

static void print_ladder(const struct view *v)
{
    const struct ladder *ladder = &v->report->ladder;
    const struct page *page = &v->page;
    char local[PKT_ADDR_TEXT_MAX];
    if (!ladder->count)
        return;
    page_heading(page, "Handshake");
    const int space = page->width - LADDER_TIME - 2 - 2 * LADDER_STATE;
    fprintf(page->out, "%s%*s %-*s%*s %s%s\n", page_style(page, PAGE_FAINT), LADDER_TIME, "ms", LADDER_STATE, "client", space, "",
            "server", page_end(page));
    for (unsigned i = 0; i < ladder->count; i++)
        print_rung(v, &ladder->rungs[i]);
    page_text(page, 2, PAGE_FAINT,
              "The client is %s port %u; states as its segments and the answers tell, once each segment has arrived; numbers are "
              "relative to each side's first, and those of the wire in brackets; windows as stated.%s",
              pkt_addr_format(&v->report->ladder_local.addr, local), v->report->ladder_local.port, ladder->cut ? " More followed." : "");
}

/* ---- the offer ------------------------------------------------------------------------------------------------- */

static void print_window(const struct view *v)
{
    const struct probe_offer *o = &v->report->offer;
    if (o->source == PROBE_FROM_TCP_INFO)
        page_item(&v->page, "window scale", o->options.has_wscale ? "shift %u" : "none", o->options.wscale);
    else if (o->options.has_wscale)
        page_item(&v->page, "window", "%u octets at first; scale %u, so up to %.1f MB%s", o->window, o->options.wscale,
                  65535.0 * (double)(1u << (o->options.wscale > 14 ? 14 : o->options.wscale)) / 1e6,
                  o->options.wscale > 14 ? " (RFC 7323 allows no more than 14)" : "");
    else
        page_item(&v->page, "window", "%u octets at first; %s", o->window, o->scale_asked ? "no scale: never more than 65535" : "scale not asked for");
}

/* To two digits: 998.7 is 1000. */
static double rounded(double value)
{
    const double unit = pow(10, floor(log10(value)) - 1);
    return value >= 1 ? round(value / unit) * unit : value;
}

static void print_timestamps(const struct view *v)
{
    const struct probe_offer *o = &v->report->offer;
    if (!o->options.has_timestamp)
        page_item(&v->page, "timestamps", "%s", o->source == PROBE_FROM_TCP_INFO || o->timestamps_asked ? "no" : "not asked for");
    else if (o->tick_known && o->tick_hz < 0.01)
        page_item(&v->page, "timestamps", "yes, of a clock that stands still");
    else if (o->tick_known)
        page_item(&v->page, "timestamps", "yes, about %.0f ticks a second", rounded(o->tick_hz));
    else
        page_item(&v->page, "timestamps", "yes");
}

/* Common hosts begin with 64, 128 or 255. */
static void print_ttl(const struct view *v)
{
    static const unsigned firsts[] = {32, 64, 128, 255};
    const unsigned ttl = v->report->offer.ttl;
    unsigned i = 0;
    if (!ttl)
        return;
    while (ttl > firsts[i])
        i++;
    const unsigned routers = firsts[i] - ttl;
    const char *name = v->chosen->remote.addr.version == 6 ? "hop limit" : "TTL";
    if (routers)
        page_item(&v->page, name, "%u: sent as %u, it came through %u router%s", ttl, firsts[i], routers, routers > 1 ? "s" : "");
    else
        page_item(&v->page, name, "%u: no router in between", ttl);
}

static void print_fastopen(const struct view *v)
{
    const struct probe_offer *o = &v->report->offer;
    const char *experimental = o->options.fastopen_experimental ? " (in the experimental option)" : "";
    if (!o->fastopen_asked)
        page_item(&v->page, "fast open", "not asked for");
    else if (o->options.has_fastopen && o->options.fastopen_cookie_len)
        page_item(&v->page, "fast open", "yes: a cookie of %u octets%s", o->options.fastopen_cookie_len, experimental);
    else
        page_item(&v->page, "fast open", "no cookie");
}

static void print_offer(const struct view *v)
{
    const struct probe_offer *o = &v->report->offer;
    static const char *const titles[] = {[PROBE_FROM_TCP_INFO] = "Agreed on, as our kernel says", [PROBE_FROM_KERNEL] = "The SYN-ACK offers",
                                         [PROBE_FROM_OWN_SYN] = "The SYN-ACK offers, asked for all there is"};
    if (o->source == PROBE_NOWHERE)
        return;
    page_heading(&v->page, titles[o->source]);
    if (o->source == PROBE_FROM_TCP_INFO)
        page_item(&v->page, "segments", "%u octets of payload; path MTU %u", v->report->snd_mss, v->report->path_mtu);
    else if (o->options.has_mss)
        page_item(&v->page, "MSS", "%u octets", o->options.mss);
    else
        page_item(&v->page, "MSS", "none, so %u octets", v->chosen->remote.addr.version == 6 ? 1220 : 536);
    print_window(v);
    page_item(&v->page, "SACK", "%s", o->options.sack_permitted ? "yes" : o->source == PROBE_FROM_TCP_INFO || o->sack_asked ? "no" : "not asked for");
    print_timestamps(v);
    page_item(&v->page, "ECN", "%s", o->ecn ? "yes" : o->ecn_asked ? "no" : "not asked for");
    if (o->source != PROBE_FROM_TCP_INFO)
        print_fastopen(v);
    print_ttl(v);
    if (*o->options_text)
        page_item(&v->page, "options", "%s", o->options_text);
    if (o->everything_unanswered)
        page_text(&v->page, 2, PAGE_DOUBTFUL,
                  "A SYN that asked for ECN and fast open got no answer, a plainer one did: something on the way drops what "
                                              "it does not know.");
}

/* ---- sending again --------------------------------------------------------------------------------------------- */

/* A line of time with a dot for each transmission. */
static void print_timeline(const struct page *page, const struct resends *s)
{
    char dots[PAGE_WIDTH_MAX] = "";
    const int columns = page->width - 6;
    const int64_t whole_ns = s->end_ns > s->at_ns[s->count - 1] ? s->end_ns : s->at_ns[s->count - 1];
    if (whole_ns <= 0)
        return;
    for (unsigned i = 0; i < s->count; i++)
        dots[(int64_t)(columns - 1) * s->at_ns[i] / whole_ns] = 1;
    fputs("  ", page->out);
    for (int i = 0; i < columns; i++)
        fputs(dots[i] ? (page->utf8 ? "\u25cf" : "*") : page->utf8 ? "\u2500" : "-", page->out);
    fputs(s->end == RESEND_GAVE_UP ? (page->utf8 ? "\u2573\n" : "X\n") : page->utf8 ? "\u2504\n" : ".\n", page->out);
}

static void times_list(const int64_t *at_ns, unsigned count, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < count && len + 16 < size; i++)
        len += (size_t)snprintf(out + len, size - len, i ? " +%.2f" : "0", (double)at_ns[i] / NS_PER_SECOND);
    snprintf(out + len, size - len, " s");
}

static const char *shape_text(enum resend_shape shape)
{
    static const char *const words[] = {
        [RESEND_TOO_FEW] = "", [RESEND_DOUBLING] = ", then twice as long each time, as RFC 6298 §5.5 says", [RESEND_LINEAR_FIRST] =
        ", some alike before the time doubles (RFC 6298 §5.5 doubles at once)", [RESEND_CONSTANT] = ", always the same (RFC 6298 §5.5 doubles)",
        [RESEND_IRREGULAR] = ", then irregular (RFC 6298 §5.5 doubles)",
    };
    return words[shape];
}

static void print_judgement(const struct page *page, const struct resends *s)
{
    static const char *const firsts[] = {
        [RESEND_FIRST_NONE] = "", [RESEND_FIRST_EARLY] = " (RFC 6298 §2.1: not before 1 s)", [RESEND_FIRST_ONE_SECOND] = " (RFC 6298 §2.1: 1 s)",
        [RESEND_FIRST_THREE_SECONDS] = " (the 3 s of RFC 2988)", [RESEND_FIRST_OTHER] = " (RFC 6298 §2.1: 1 s)",
    };
    if (s->count > 1)
        page_text(page, 2, PAGE_PLAIN, "First again after %.2f s%s%s.", (double)s->at_ns[1] / NS_PER_SECOND,
                  firsts[resend_first(s)], shape_text(resend_shape(s)));
}

static void print_syn_acks(const struct view *v)
{
    const struct resends *s = &v->report->syn_ack;
    char list[256];
    if (!s->seen)
        return;
    page_heading(&v->page, "A SYN-ACK that nobody acknowledges");
    print_timeline(&v->page, s);
    times_list(s->at_ns, s->count, list, sizeof list);
    page_text(&v->page, 2, PAGE_PLAIN, "Sent at %s; %s %.1f s.", list, s->end == RESEND_GAVE_UP ? "given up with RST after" : "still trying after",
              (double)s->end_ns / NS_PER_SECOND);
    print_judgement(&v->page, s);
    if (s->end == RESEND_STILL_TRYING)
        page_text(&v->page, 2, PAGE_FAINT, "--time SECONDS watches longer.");
}

static void print_syns(const struct view *v)
{
    const struct resends *s = &v->report->syn;
    const struct resend_plan *plan = &v->report->syn_plan;
    const enum probe_answer answer = v->chosen->outcome.answer;
    char list[256];
    if (answer != PROBE_SILENT)
        return;
    page_heading(&v->page, "How long this machine goes on trying");
    if (s->seen) {
        print_timeline(&v->page, s);
        times_list(s->at_ns, s->count, list, sizeof list);
        page_text(&v->page, 2, PAGE_PLAIN, "Observed: SYNs at %s.", list);
        if (resend_shape(s) == RESEND_CONSTANT && plan->linear)
            page_text(&v->page, 2, PAGE_PLAIN,
                      "All alike so far: this kernel sends the first %u a second apart before it doubles the time.",
                      plan->linear + 1);
        else
            print_judgement(&v->page, s);
    }
    if (s->end == RESEND_GAVE_UP)
        page_text(&v->page, 2, PAGE_PLAIN, "Observed: connect() failed after %.1f s: %s.", (double)s->end_ns / NS_PER_SECOND,
                  strerror(v->chosen->outcome.error));
    else
        page_text(&v->page, 2, PAGE_PLAIN, "Observed: connect() was still waiting after %.1f s (--wait SECONDS waits longer).",
                  (double)s->end_ns / NS_PER_SECOND);
    if (!plan->known) {
        page_text(&v->page, 2, PAGE_PLAIN, "Nothing could be computed: net.ipv4.tcp_syn_retries is not to be read.");
        return;
    }
    times_list(plan->at_ns, plan->count, list, sizeof list);
    page_text(&v->page, 2, PAGE_PLAIN,
              "Computed, of net.ipv4.tcp_syn_retries = %u and tcp_syn_linear_timeouts = %u: SYNs at %s; the application is told "
              "ETIMEDOUT after %.0f s.",
              plan->retries, plan->linear, list, (double)plan->gives_up_ns / NS_PER_SECOND);
}

/* ---- sequence numbers ------------------------------------------------------------------------------------------ */

static void print_isn_ports(const struct view *v)
{
    static const char *const how[] = {[ISN_BY_SAME] = "the last one again", [ISN_BY_STEP] = "the last one and a fixed step",
                                      [ISN_BY_CLOCK] = "the last one and a clock", [ISN_BY_TREND] = "the last change again"};
    const struct isn_judgement *j = &v->report->isn;
    switch (j->kind) {
    case ISN_UNDECIDED:
        page_text(&v->page, 2, PAGE_DOUBTFUL, "%u samples of different ports are too few to tell; %d are the least.", j->ports,
                  ISN_SAMPLES_MIN);
        return;
    case ISN_CONSTANT:
        page_text(&v->page, 2, PAGE_BAD,
                  "Constant: every connection begins with the same number. Anybody can guess it, and forge segments (RFC 6528).");
        return;
    case ISN_PREDICTABLE:
        page_text(&v->page, 2, PAGE_BAD, "Predictable: of another port, the next ISN is %s, within %s%u nine times of ten (%u samples). RFC 6528 wants "
                  "an offset that only the host knows.", how[j->predictor], v->page.utf8 ? "\u00b1" : "+/-", j->error, j->ports);
        return;
    case ISN_UNEVEN:
        page_text(&v->page, 2, PAGE_DOUBTFUL,
                  "Uneven: no rule was found that predicts the next one, but chance would hardly give these %u numbers.", j->ports);
        break;
    case ISN_RANDOM: page_text(&v->page, 2, PAGE_GOOD, "Random from port to port, as far as %u samples can tell.", j->ports); break;
    }
    page_text(
        &v->page, 2, PAGE_PLAIN,
        "The best guess (%s) is off by %.0f million; entropy by spacing %.1f of 32 bits; strongest spectral line %.2f (beyond "
        "%.2f it is no chance).",
        how[j->predictor], (double)j->error / 1e6, j->entropy_bits, j->line, j->line_by_chance);
}

static void print_isn(const struct view *v)
{
    const struct isn_judgement *j = &v->report->isn;
    if (!v->report->isn_sent)
        return;
    page_heading(&v->page, "Initial sequence numbers");
    print_isn_ports(v);
    if (j->kind == ISN_CONSTANT || j->kind == ISN_PREDICTABLE)
        return; /* whatever makes them look like a clock */
    if (j->same_clock)
        page_text(&v->page, 2, PAGE_PLAIN,
                  "One and the same pair of ports: a clock of %.4g MHz, as RFC 6528 §3 has it, so that an old connection's "
                  "segments are not taken for the new one's (%u samples).",
                  j->same_clock_hz / 1e6, j->same);
    else if (j->same >= ISN_SAMPLES_MIN && j->same_repeats)
        page_text(&v->page, 2, PAGE_DOUBTFUL,
                  "One and the same pair of ports gets the same number again: an old connection's segments may be taken for "
                                              "the new one's (RFC 9293 §3.4.1).");
    else if (j->same >= ISN_SAMPLES_MIN)
        page_text(&v->page, 2, PAGE_PLAIN, "One and the same pair of ports: no clock to be seen; random there too (%u samples).",
                  j->same);
}

/* ---- requests -------------------------------------------------------------------------------------------------- */

static void print_request(const struct view *v, enum probe_request_kind kind, const char *name)
{
    const struct probe_request *r = &v->report->requests[kind];
    if (r->whole.count) {
        fprintf(v->page.out, "  %-21s", name);
        if (r->connect.count)
            fprintf(v->page.out, "%9.3f", (double)r->connect.median_ns / NS_PER_MS);
        else
            fprintf(v->page.out, "%9s", "");
        fprintf(v->page.out, " %9.3f %9.3f ms\n", (double)r->first_byte.median_ns / NS_PER_MS,
                (double)r->whole.median_ns / NS_PER_MS);
    } else if (*r->why_not) {
        char text[64];
        snprintf(text, sizeof text, "%s:", name);
        page_text(&v->page, 2, PAGE_PLAIN, "%s %s.", text, r->why_not);
    }
}

static void print_requests(const struct view *v)
{
    const struct probe_report *r = v->report;
    if (!r->requested)
        return;
    page_heading(&v->page, "A request");
    page_text(&v->page, 2, PAGE_PLAIN, "GET %.200s: %s", v->config->request_path, *r->request_status ? r->request_status : "no answer");
    if (r->requests[PROBE_REQUEST_NEW].whole.count)
        fprintf(v->page.out, "%s  %-21s%9s %9s %9s%s\n", page_style(&v->page, PAGE_FAINT), "medians", "connect", "1st octet",
                "whole", page_end(&v->page));
    print_request(v, PROBE_REQUEST_NEW, "new connection");
    print_request(v, PROBE_REQUEST_REUSED, "the same, used again");
    print_request(v, PROBE_REQUEST_FASTOPEN, "fast open");
}

/* ---- all ------------------------------------------------------------------------------------------------------- */

static void print_missing(const struct view *v)
{
    if (!v->report->missing_count)
        return;
    page_heading(&v->page, "Not seen");
    for (unsigned i = 0; i < v->report->missing_count; i++) {
        const struct probe_missing *m = &v->report->missing[i];
        page_text(&v->page, 2, PAGE_PLAIN, "%s.", m->what);
        if (*m->mend && (i + 1 == v->report->missing_count || strcmp(m->mend, m[1].mend) != 0)) /* what mends several is said once */
            page_text(&v->page, 4, PAGE_FAINT, "%s", m->mend);
    }
}

void probe_print(const struct probe_config *config, const struct probe_report *report, const char *host, const char *port,
                 FILE *out)
{
    const struct view v = {.page = page_for(out), .config = config, .report = report, .chosen = &report->addresses[report->chosen]};
    print_head(&v, host, port);
    print_addresses(&v);
    print_latency(&v);
    print_ladder(&v);
    print_offer(&v);
    print_requests(&v);
    print_syns(&v);
    print_syn_acks(&v);
    print_isn(&v);
    print_missing(&v);
}
