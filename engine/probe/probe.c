/* The order of a probe, and what it concludes.
 *
 * Theory of operation. First every address of the host is tried at once, if there are several; one is chosen for the rest. On its
 * route's interface a capture is begun, and a raw socket with the ports it needs, where we may. Then, one after the
 * other: handshakes with connect(), a SYN whose SYN-ACK will never be acknowledged (the host retransmits it while the rest goes
 * on), echoes, a SYN that asks for all there is, SYNs for sequence numbers, requests; and at the end what is left of the time to
 * watch those SYN-ACKs. Of a host that is silent, what is watched is our own kernel, retransmitting its SYN.
 *
 * What needs privilege is opened first; then all capabilities are dropped.
 *
 * Everything waits in wait_for(), which takes in what is captured meanwhile, so that no buffer overflows and nothing has to run
 * beside it. Times of calls are CLOCK_MONOTONIC, those of captured segments the kernel's stamps; the two are never subtracted. */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/probe/inside.h"

enum { TRIES_OF_REFUSALS = 3, PORTS_BESIDE_SAMPLES = 3 };
#define SETTLED_NS (50 * NS_PER_MS) /* what has happened has been captured */

/* ---- waiting --------------------------------------------------------------------------------------------------- */

int64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

bool interrupted(const struct run *run)
{
    return run->config->interrupted && *run->config->interrupted;
}

/* One poll; true when fd is ready. */
static bool wait_once(struct run *run, int fd, short events, int64_t deadline_ns)
{
    struct pollfd fds[] = {{.fd = fd, .events = events}, {.fd = run->film ? film_fd(run->film) : -1, .events = POLLIN}};
    int64_t left_ns = deadline_ns - monotonic_ns();
    left_ns = left_ns < 0 ? 0 : left_ns;
    const struct timespec timeout = {.tv_sec = left_ns / NS_PER_S, .tv_nsec = left_ns % NS_PER_S};
    const int ready = ppoll(fds, 2, &timeout, NULL);
    if (ready > 0 && fds[1].revents)
        film_take(run->film);
    return ready > 0 && fds[0].revents;
}

bool wait_for(struct run *run, int fd, short events, int64_t deadline_ns)
{
    do {
        if (wait_once(run, fd, events, deadline_ns))
            return true;
    } while (!interrupted(run) && monotonic_ns() < deadline_ns);
    return false;
}

void wait_until(struct run *run, int64_t deadline_ns)
{
    wait_for(run, -1, 0, deadline_ns);
}

void wait_for_film(struct run *run, bool (*enough)(const void *context), const void *context, int64_t patience_ns)
{
    const int64_t deadline_ns = monotonic_ns() + patience_ns;
    film_take(run->film);
    while (run->film && !enough(context) && !interrupted(run) && monotonic_ns() < deadline_ns)
        wait_once(run, -1, 0, deadline_ns);
}

static void progress(const struct run *run, const char *what)
{
    if (run->config->progress)
        run->config->progress(run->config->context, what);
}

static void miss(struct probe_report *report, const char *what, const char *mend)
{
    if (report->missing_count == PROBE_MISSING_MAX)
        return;
    struct probe_missing *missing = &report->missing[report->missing_count++];
    snprintf(missing->what, sizeof missing->what, "%s", what);
    snprintf(missing->mend, sizeof missing->mend, "%s", mend);
}

/* ---- all addresses --------------------------------------------------------------------------------------------- */

/* A connection to each address of the host at once. */
struct survey {
    struct attempt attempts[PROBE_ADDRESSES_MAX];
    struct pollfd fds[PROBE_ADDRESSES_MAX];
    unsigned open;
    int64_t deadline_ns;
};

static void begin_survey(struct run *run, struct survey *s)
{
    struct probe_report *report = run->report;
    *s = (struct survey){.deadline_ns = monotonic_ns() + run->config->wait_ns};
    for (unsigned i = 0; i < report->address_count; i++) {
        if (!attempt_begin(&report->addresses[i].remote, &report->addresses[i].local, &s->attempts[i]))
            report->addresses[i].outcome = s->attempts[i].outcome;
        s->fds[i] = (struct pollfd){.fd = s->attempts[i].fd, .events = POLLOUT};
        s->open += s->attempts[i].fd >= 0;
    }
}

static void take_answers(struct run *run, struct survey *s)
{
    for (unsigned i = 0; i < run->report->address_count; i++) {
        if (s->fds[i].fd < 0 || !s->fds[i].revents)
            continue;
        attempt_finish(&run->report->addresses[i].local, &s->attempts[i]);
        run->report->addresses[i].outcome = s->attempts[i].outcome;
        if (s->attempts[i].fd >= 0)
            close(s->attempts[i].fd);
        s->fds[i].fd = -1;
        s->open--;
    }
}

static void survey(struct run *run)
{
    struct survey s;
    struct probe_report *report = run->report;
    progress(run, "trying every address");
    begin_survey(run, &s);
    for (int64_t left_ns; s.open && !interrupted(run) && (left_ns = s.deadline_ns - monotonic_ns()) > 0;) {
        const struct timespec timeout = {.tv_sec = left_ns / NS_PER_S, .tv_nsec = left_ns % NS_PER_S};
        if (ppoll(s.fds, report->address_count, &timeout, NULL) > 0)
            take_answers(run, &s);
    }
    for (unsigned i = 0; i < report->address_count; i++) {
        if (s.fds[i].fd < 0)
            continue;
        report->addresses[i].outcome = (struct probe_outcome){.answer = interrupted(run) ? PROBE_UNKNOWN : PROBE_SILENT,
                                                              .took_ns = run->config->wait_ns};
        close(s.fds[i].fd);
    }
}

/* The first that is open; else the first that answers; else the first that could be tried. */
static unsigned choose(const struct probe_report *report)
{
    static const enum probe_answer order[] = {PROBE_OPEN, PROBE_CLOSED, PROBE_REFUSED, PROBE_SILENT, PROBE_NO_NEIGHBOUR};
    for (size_t o = 0; o < sizeof order / sizeof *order; o++)
        for (unsigned i = 0; i < report->address_count; i++)
            if (report->addresses[i].outcome.answer == order[o])
                return i;
    return 0;
}

/* ---- the capture and the raw socket ---------------------------------------------------------------------------- */

#define MEND_RAW "Root would see it, or who has CAP_NET_RAW (setcap cap_net_raw+ep on the program)."

static void open_film(struct run *run, const struct probe_address *address)
{
    char error[PROBE_TEXT_MAX] = "The interface of the route is not known.";
    if (!run->config->unprivileged && *address->interface)
        run->film = film_open(address->interface, &run->remote, error, sizeof error);
    run->report->captured = run->film != NULL;
    if (run->film)
        return;
    const bool forbidden = run->config->unprivileged || strstr(error, "not permitted");
    miss(run->report, "The segments themselves: the ladder, TTL, what the SYN-ACK offers as it stood there, times of the wire", forbidden ? MEND_RAW : error);
}

static void open_raw(struct run *run)
{
    char error[PROBE_TEXT_MAX] = "";
    const unsigned samples = run->config->isn_samples / 2 + 1, ports = PORTS_BESIDE_SAMPLES + (samples ? samples : 1);
    if (run->film)
        run->raw = raw_open(&run->local, &run->remote, ports, error, sizeof error);
    run->report->raw = run->raw != NULL;
    if (!run->raw)
        miss(run->report, "How the SYN-ACK is sent again, how initial sequence numbers are made, ECN, the fast open cookie", *error ? error : MEND_RAW);
}

/* What needed a capability is open: all that comes from the network is read without any. What cannot be dropped was not there. */
static void drop_privilege(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    syscall(SYS_capset, &header, none);
}

/* ---- handshakes ------------------------------------------------------------------------------------------------ */

struct handshakes {
    unsigned count, whole, wired, timed;
    int64_t connect_ns[PROBE_TRIES_MAX], wire_ns[PROBE_TRIES_MAX], rtt_ns[PROBE_TRIES_MAX];
    struct film_flow first; /* the segments of the first try */
};

struct answered { const struct film *film; struct film_flow flow; };

/* What the wire shows of a try: how often the SYN left, and the time to the first answer. */
struct seen { unsigned syns; int64_t first_syn_ns, answer_ns; };

static struct seen look_at(const struct film *film, struct film_flow flow)
{
    struct seen seen = {0};
    for (const struct film_frame *frame; (frame = film_next(film, &flow)) && !seen.answer_ns;) {
        if (frame->from_client && (frame->packet.tcp.flags & PKT_SYN)) {
            seen.first_syn_ns = seen.syns++ ? seen.first_syn_ns : frame->at_ns;
        } else if (!frame->from_client && (frame->packet.tcp.flags & (PKT_SYN | PKT_RST)) && seen.syns) {
            seen.answer_ns = frame->at_ns;
        }
    }
    return seen;
}

static bool has_answer(const void *context)
{
    const struct answered *answered = context;
    return look_at(answered->film, answered->flow).answer_ns != 0;
}

/* A try that needed a retransmission says more of loss than of latency: it is counted, and kept out of the times. */
static void take_try(struct run *run, struct handshakes *h, const struct attempt *a, const struct film_flow *flow)
{
    const struct answered answered = {run->film, *flow};
    if (run->film)
        wait_for_film(run, has_answer, &answered, SETTLED_NS);
    const struct seen seen = look_at(run->film, *flow);
    const bool lost = a->retransmits > 0 || seen.syns > 1;
    run->report->lost += lost;
    if (lost)
        return;
    h->connect_ns[h->whole++] = a->outcome.took_ns;
    if (seen.answer_ns)
        h->wire_ns[h->wired++] = seen.answer_ns - seen.first_syn_ns;
    if (a->has_info)
        h->rtt_ns[h->timed++] = a->rtt_ns;
    if (!run->round_trip_ns)
        run->round_trip_ns = a->outcome.took_ns;
}

static void take_agreed(struct probe_report *report, const struct attempt *a)
{
    report->mss_known = a->has_info;
    report->snd_mss = a->snd_mss;
    report->path_mtu = a->path_mtu;
    report->offer = (struct probe_offer){.source = a->has_info ? PROBE_FROM_TCP_INFO : PROBE_NOWHERE, .options = a->agreed, .ecn = a->ecn};
}

/* What the SYN-ACK to our kernel's SYN offers; only what that SYN asked for. */
static void take_offer(struct run *run, struct film_flow flow)
{
    struct probe_offer *offer = &run->report->offer;
    struct pkt_options asked;
    for (const struct film_frame *frame; (frame = film_next(run->film, &flow));) {
        const struct pkt_tcp *t = &frame->packet.tcp;
        if (frame->from_client && (t->flags & PKT_SYN)) {
            pkt_options_read(t->options, t->options_len, &asked);
            offer->ecn_asked = t->flags & PKT_ECE;
            offer->fastopen_asked = asked.has_fastopen;
            offer->timestamps_asked = asked.has_timestamp;
            offer->scale_asked = asked.has_wscale;
            offer->sack_asked = asked.sack_permitted;
        } else if (!frame->from_client && (t->flags & PKT_SYN)) {
            offer->source = PROBE_FROM_KERNEL;
            offer->window = t->window;
            offer->ttl = frame->packet.ip.ttl;
            offer->ecn = (t->flags & (PKT_ECE | PKT_CWR)) == PKT_ECE;
            pkt_options_read(t->options, t->options_len, &offer->options);
            pkt_format_options(t->options, t->options_len, offer->options_text, sizeof offer->options_text);
            return;
        }
    }
}

static bool is_same(const struct probe_outcome *a, const struct probe_outcome *b)
{
    return a->answer == b->answer && (a->answer != PROBE_REFUSED || (a->icmp_type == b->icmp_type && a->icmp_code == b->icmp_code));
}

/* A refusal by ICMP is not asked for again: hosts send such errors at a low rate only (RFC 1812 §4.3.2.8). */
static void shake_hands(struct run *run, struct handshakes *h)
{
    struct probe_report *report = run->report;
    struct probe_outcome *outcome = &report->addresses[report->chosen].outcome;
    unsigned tries = 1;
    progress(run, "shaking hands");
    for (unsigned i = 0; i < tries && !interrupted(run); i++) {
        struct attempt a;
        struct film_flow flow = {.next = run->film ? film_count(run->film) : 0};
        const int64_t next_ns = monotonic_ns() + run->config->interval_ns;
        attempt(run, &run->remote, run->config->wait_ns, &a);
        flow.port = a.local.port;
        h->count++;
        if (i == 0) {
            *outcome = a.outcome;
            h->first = flow;
            const unsigned some = run->config->tries < TRIES_OF_REFUSALS ? run->config->tries : TRIES_OF_REFUSALS;
            tries = a.outcome.answer == PROBE_OPEN ? run->config->tries : a.outcome.answer == PROBE_CLOSED ? some : 1;
            if (a.outcome.answer == PROBE_OPEN)
                take_agreed(report, &a);
        } else if (!is_same(&a.outcome, outcome)) {
            report->answers_differ = true;
            report->different = a.outcome;
            report->different_count++;
        }
        if (is_same(&a.outcome, outcome) && (a.outcome.answer == PROBE_OPEN || a.outcome.answer == PROBE_CLOSED))
            take_try(run, h, &a, &flow);
        if (a.fd >= 0)
            close(a.fd);
        if (i + 1 < tries)
            wait_until(run, next_ns);
    }
    report->tries = h->count;
    report->connect = times_of(h->connect_ns, h->whole);
    report->wire = times_of(h->wire_ns, h->wired);
    report->kernel_rtt = times_of(h->rtt_ns, h->timed);
    if (run->film && h->wired && report->addresses[report->chosen].outcome.answer == PROBE_OPEN)
        take_offer(run, h->first);
}

static void draw_ladder(struct run *run, const struct film_flow *first)
{
    struct film_flow flow = *first;
    struct ladder *ladder = &run->report->ladder;
    for (const struct film_frame *frame; (frame = film_next(run->film, &flow));)
        ladder_add(ladder, &frame->packet, frame->from_client, frame->at_ns);
    ladder_end(ladder);
    run->report->ladder_local = (struct pkt_endpoint){.addr = run->local, .port = first->port};
}

/* ---- our own kernel's patience --------------------------------------------------------------------------------- */

static void watch_syns(struct run *run, const struct film_flow *first, const struct probe_outcome *outcome)
{
    struct resends *schedule = &run->report->syn;
    struct film_flow flow = *first;
    int64_t first_ns = 0;
    run->report->syn_plan = resend_plan_here();
    film_take(run->film);
    for (const struct film_frame *frame; (frame = film_next(run->film, &flow));) {
        if (!frame->from_client || !(frame->packet.tcp.flags & PKT_SYN))
            continue;
        first_ns = first_ns ? first_ns : frame->at_ns;
        resend_add(schedule, frame->at_ns - first_ns);
    }
    schedule->end = outcome->error ? RESEND_GAVE_UP : RESEND_STILL_TRYING;
    schedule->end_ns = outcome->took_ns;
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

static void measure_open_port(struct run *run)
{
    progress(run, "asking for all it can do");
    if (run->raw)
        ask_for_everything(run);
    if (run->raw && run->config->isn_samples) {
        progress(run, "sampling initial sequence numbers");
        sample_isns(run);
    }
    if (run->config->request_path) {
        progress(run, "sending requests");
        measure_requests(run);
    }
}

static void measure(struct run *run)
{
    struct probe_report *report = run->report;
    struct handshakes *h = calloc(1, sizeof *h);
    struct film_flow unacknowledged = {0};
    if (!h)
        return;
    const bool watch = run->raw && run->config->schedule_ns;
    shake_hands(run, h);
    const struct probe_outcome *outcome = &report->addresses[report->chosen].outcome;
    if (watch && outcome->answer == PROBE_OPEN)
        begin_syn_ack_schedule(run, &unacknowledged);
    if (outcome->answer != PROBE_NO_NEIGHBOUR && outcome->answer != PROBE_UNABLE && !interrupted(run)) {
        progress(run, "sending echoes");
        if (run->echo)
            measure_echo(run);
        else
            miss(report, "The round trip by ICMP echo", MEND_RAW " So would a group in net.ipv4.ping_group_range.");
    }
    if (outcome->answer == PROBE_OPEN)
        measure_open_port(run);
    if (watch && outcome->answer == PROBE_OPEN && !interrupted(run)) {
        progress(run, "watching its SYN-ACK come again");
        end_syn_ack_schedule(run, &unacknowledged);
    }
    if (outcome->answer == PROBE_SILENT || outcome->answer == PROBE_NO_NEIGHBOUR)
        watch_syns(run, &h->first, outcome);
    if (run->film) {
        film_take(run->film);
        draw_ladder(run, &h->first);
    }
    free(h);
}

enum probe_end probe(const struct probe_config *config, struct probe_report *report, char error[static PROBE_TEXT_MAX])
{
    struct run run = {.config = config, .report = report};
    *report = (struct probe_report){.address_count = config->remote_count};
    bool any = false;
    for (unsigned i = 0; i < config->remote_count; i++) {
        struct probe_address *address = &report->addresses[i];
        address->remote = config->remotes[i];
        const int refused = route_to(&address->remote, &address->local, address->interface);
        if (refused)
            address->outcome = (struct probe_outcome){.answer = PROBE_UNABLE, .error = -refused};
        any |= !refused;
    }
    if (!any) {
        snprintf(error, PROBE_TEXT_MAX, "there is no way there from this machine: %s",
                 strerror(report->addresses[0].outcome.error));
        return PROBE_FAILED;
    }
    if (config->remote_count > 1) {
        survey(&run);
        report->chosen = choose(report);
    }
    run.remote = report->addresses[report->chosen].remote;
    run.local = report->addresses[report->chosen].local;
    open_film(&run, &report->addresses[report->chosen]);
    open_raw(&run);
    run.echo = config->unprivileged ? NULL : echo_open(&run.remote);
    drop_privilege();
    measure(&run);
    echo_close(run.echo);
    raw_close(run.raw);
    film_close(run.film);
    const struct probe_outcome *outcome = &report->addresses[report->chosen].outcome;
    if (outcome->answer == PROBE_UNABLE)
        snprintf(error, PROBE_TEXT_MAX, "this machine could not try: %s", strerror(outcome->error));
    return interrupted(&run) ? PROBE_INTERRUPTED : outcome->answer == PROBE_UNABLE ? PROBE_FAILED : PROBE_DONE;
}
