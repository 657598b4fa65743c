/* What SYNs of our own find out: all that a host can offer, how its initial sequence numbers are made, and how it retransmits a
 * SYN-ACK that is never acknowledged. Each SYN but that last one is taken back with RST as soon as it is answered. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "engine/probe/inside.h"

enum { PORT_OF_RESENDS = 0, PORT_OF_OFFER = 1, PORT_SAME = 2, PORT_FIRST_OF_MANY = 3 };
#define ANSWER_PATIENCE_MIN_NS (500 * NS_PER_MS)
#define ANSWER_PATIENCE_MAX_NS (3 * NS_PER_S)

static uint32_t random_number(void)
{
    uint32_t number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        number = (uint32_t)monotonic_ns();
    return number;
}

static int64_t answer_patience_ns(const struct run *run)
{
    const int64_t patience_ns = run->round_trip_ns * 3;
    return patience_ns < ANSWER_PATIENCE_MIN_NS ? ANSWER_PATIENCE_MIN_NS : patience_ns > ANSWER_PATIENCE_MAX_NS ? ANSWER_PATIENCE_MAX_NS
         : patience_ns;
}

static bool is_syn_ack(const struct film_frame *frame)
{
    return !frame->from_client && (frame->packet.tcp.flags & (PKT_SYN | PKT_ACK | PKT_RST)) == (PKT_SYN | PKT_ACK);
}

/* Waits for the SYN-ACK to a SYN of ours. NULL: none came. */
struct expected { const struct film *film; struct film_flow flow; uint32_t ack; const struct film_frame *found; };

static bool has_come(const void *context)
{
    const struct expected *expected = context;
    struct film_flow flow = expected->flow;
    for (const struct film_frame *frame; (frame = film_next(expected->film, &flow));)
        if (is_syn_ack(frame) && frame->packet.tcp.ack == expected->ack)
            return true;
    return false;
}

static const struct film_frame *exchange(struct run *run, const struct raw_syn *syn)
{
    struct expected expected = {
        .film = run->film, .flow = {.port = raw_port(run->raw, syn->index), .next = film_count(run->film)}, .ack = syn->seq + 1,
    };
    if (raw_send_syn(run->raw, syn) < 0)
        return NULL;
    wait_for_film(run, has_come, &expected, answer_patience_ns(run));
    for (const struct film_frame *frame; (frame = film_next(run->film, &expected.flow));)
        if (is_syn_ack(frame) && frame->packet.tcp.ack == expected.ack)
            return frame;
    return NULL;
}

/* ---- the offer ------------------------------------------------------------------------------------------------- */

void ask_for_everything(struct run *run)
{
    struct probe_offer *offer = &run->report->offer;
    const struct film_frame *answer = NULL;
    for (int plainer = 0; plainer < 2 && !answer && !interrupted(run); plainer++) {
        const struct raw_syn syn = {.index = PORT_OF_OFFER, .seq = random_number(), .everything = !plainer};
        answer = exchange(run, &syn);
        raw_send_reset(run->raw, PORT_OF_OFFER, syn.seq + 1);
        offer->everything_unanswered = answer && plainer;
        offer->ecn_asked = offer->fastopen_asked = answer && !plainer;
    }
    if (!answer)
        return;
    const struct pkt_tcp *t = &answer->packet.tcp;
    offer->source = PROBE_FROM_OWN_SYN;
    offer->timestamps_asked = offer->scale_asked = offer->sack_asked = true;
    offer->window = t->window;
    offer->ttl = answer->packet.ip.ttl;
    offer->ecn = (t->flags & (PKT_ECE | PKT_CWR)) == PKT_ECE; /* RFC 3168 §6.1.1 */
    pkt_options_read(t->options, t->options_len, &offer->options);
    pkt_format_options(t->options, t->options_len, offer->options_text, sizeof offer->options_text);
}

/* ---- initial sequence numbers ---------------------------------------------------------------------------------- */

struct ticks { unsigned count; int64_t first_ns, last_ns; uint32_t first, last; };

/* The clock of the timestamps, by what one pair of sockets has shown (RFC 7323 §5.4: 1 ms to 1 s a tick; some are faster). */
static void take_tick(struct ticks *ticks, const struct film_frame *frame)
{
    struct pkt_options options;
    pkt_options_read(frame->packet.tcp.options, frame->packet.tcp.options_len, &options);
    if (!options.has_timestamp)
        return;
    if (!ticks->count++) {
        ticks->first = options.ts_val;
        ticks->first_ns = frame->at_ns;
    }
    ticks->last = options.ts_val;
    ticks->last_ns = frame->at_ns;
}

/* Half a second shows ten ticks of a clock of 20 Hz. */
static void settle_tick(struct probe_offer *offer, const struct ticks *ticks)
{
    const int64_t span_ns = ticks->last_ns - ticks->first_ns;
    if (offer->tick_known || ticks->count < 2 || span_ns < NS_PER_S / 2)
        return;
    offer->tick_known = true;
    offer->tick_hz = (double)(ticks->last - ticks->first) * 1e9 / (double)span_ns; /* modulo 2^32 */
}

/* Every other sample is of one and the same port. */
void sample_isns(struct run *run)
{
    struct isn_sample many[PROBE_ISN_MAX], one[PROBE_ISN_MAX];
    size_t many_count = 0, one_count = 0;
    unsigned unanswered = 0;
    struct ticks ticks = {0};
    const unsigned ports = raw_count(run->raw) - PORT_FIRST_OF_MANY;
    for (unsigned i = 0; i < run->config->isn_samples && unanswered < 4 && !interrupted(run); i++) {
        const int64_t next_ns = monotonic_ns() + PROBE_PACE_NS;
        const struct raw_syn syn = {.index = i % 2 ? PORT_SAME : PORT_FIRST_OF_MANY + i / 2 % ports, .seq = random_number()};
        const struct film_frame *answer = exchange(run, &syn);
        run->report->isn_sent++;
        raw_send_reset(run->raw, syn.index, syn.seq + 1);
        unanswered = answer ? 0 : unanswered + 1;
        if (answer) {
            const struct isn_sample sample = {answer->at_ns, answer->packet.tcp.seq};
            if (i % 2)
                take_tick(&ticks, answer);
            *(i % 2 ? &one[one_count++] : &many[many_count++]) = sample;
        }
        wait_until(run, next_ns);
    }
    run->report->isn = isn_judge(many, many_count, one, one_count);
    settle_tick(&run->report->offer, &ticks);
}

/* ---- the SYN-ACK again and again ------------------------------------------------------------------------------- */

void begin_syn_ack_schedule(struct run *run, struct film_flow *flow)
{
    *flow = (struct film_flow){.port = raw_port(run->raw, PORT_OF_RESENDS), .next = film_count(run->film)};
    const struct raw_syn syn = {.index = PORT_OF_RESENDS, .seq = random_number()};
    raw_send_syn(run->raw, &syn);
}

struct watch { const struct film *film; struct film_flow flow; };

static bool has_reset(const void *context)
{
    const struct watch *watch = context;
    struct film_flow flow = watch->flow;
    for (const struct film_frame *frame; (frame = film_next(watch->film, &flow));)
        if (!frame->from_client && (frame->packet.tcp.flags & PKT_RST))
            return true;
    return false;
}

static int64_t realtime_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Times since the first SYN-ACK. Returns the number that our RST needs, if one came. */
static bool read_schedule(struct run *run, struct film_flow flow, uint32_t *reset_seq)
{
    struct resends *schedule = &run->report->syn_ack;
    struct ticks ticks = {0};
    int64_t first_ns = 0;
    for (const struct film_frame *frame; (frame = film_next(run->film, &flow));) {
        if (is_syn_ack(frame)) {
            first_ns = first_ns ? first_ns : frame->at_ns;
            resend_add(schedule, frame->at_ns - first_ns);
            take_tick(&ticks, frame);
            *reset_seq = frame->packet.tcp.ack;
        } else if (first_ns && !frame->from_client && (frame->packet.tcp.flags & PKT_RST)) {
            schedule->end = RESEND_GAVE_UP;
            schedule->end_ns = frame->at_ns - first_ns;
        }
    }
    if (schedule->seen && schedule->end == RESEND_STILL_TRYING)
        schedule->end_ns = realtime_ns() - first_ns;
    settle_tick(&run->report->offer, &ticks);
    return schedule->seen && schedule->end == RESEND_STILL_TRYING;
}

/* What is left of the time to watch is counted from our SYN, by the clock that captured it. */
void end_syn_ack_schedule(struct run *run, struct film_flow *flow)
{
    const struct watch watch = {run->film, *flow};
    struct film_flow look = *flow;
    const struct film_frame *syn = film_next(run->film, &look);
    uint32_t reset_seq = 0;
    if (!syn)
        return;
    const int64_t passed_ns = realtime_ns() - syn->at_ns;
    if (passed_ns >= 0 && passed_ns < run->config->schedule_ns)
        wait_for_film(run, has_reset, &watch, run->config->schedule_ns - passed_ns);
    if (read_schedule(run, *flow, &reset_seq))
        raw_send_reset(run->raw, PORT_OF_RESENDS, reset_seq);
}
