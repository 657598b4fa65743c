/* Pacing by fences: how a play on a host some way off is judged as exactly as one on a synchronous link.
 *
 * Theory of operation. On a link that is in order, the answer to an echo proves that everything sent before it has been dealt with.
 * So on a fenced target (TARGET_FENCED) each packet and each call of a play waits until an echo sent behind the one before has come
 * back, and so does the end. An output can then only be confused with the one input before it, and the judge knows how that may be
 * (judge_output's earliest_ns: the round trip is what is not known of it).
 *
 * Host and network card may deal with echo and TCP on different processors, so that the echo overtakes what TCP says by a moment.
 * Where the judge waits for something that is due at once, the fence counts only after the latency of the link has passed as well.
 */
#include "engine/runner/judging.h"

enum { SETTLE_PATIENCE_RTTS = 8 };
static const int64_t settle_patience_ns = 500000000;

void play_stirred(struct player *p)
{
    p->settling = (struct settling){.stirred = true};
}

static bool ask(struct player *p)
{
    uint16_t sequence = play_send_echo(p);
    p->settling = (struct settling){
        .stirred = true, .asked = true, .sequence = sequence,
        .give_up_ns = p->now_ns + settle_patience_ns + SETTLE_PATIENCE_RTTS * p->target->info.rtt_ns,
    };
    return !p->finished;
}

static bool wait_until(struct player *p, int64_t at_ns)
{
    if (p->now_ns >= at_ns)
        return false;
    play_wake_at(p, at_ns);
    return true;
}

bool play_settled(struct player *p)
{
    struct settling *settling = &p->settling;
    if (!(p->target->info.capabilities & TARGET_FENCED) || !settling->stirred)
        return true;
    if (!settling->asked && !ask(p))
        return false;
    if (!play_echo_answered(p, settling->sequence)) {
        if (wait_until(p, settling->give_up_ns))
            return false;
        play_note(p, "an echo was not answered: something was lost on the way");
        p->fences_lost++;
        *settling = (struct settling){0};
        return true;
    }
    if (!settling->answered_ns)
        settling->answered_ns = p->now_ns;
    if (judging_owed(p) && wait_until(p, settling->answered_ns + p->target->info.latency_ns))
        return false;
    *settling = (struct settling){0};
    judging_fence(p);
    play_note_state(p, play_endpoint_at(p, 0, 0));
    return true;
}
