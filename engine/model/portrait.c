/* The questions a portrait answers, and how the answers add up and read. */
#include "engine/model/portrait.h"

#include <inttypes.h>
#include <stdio.h>

static const struct choice choices[CHOICE_COUNT] = {
    [CHOICE_MSS_OFFERED] = {"mss-offered", "offers an MSS of", "RFC 9293 §3.7.1", CHOICE_OCTETS},
    [CHOICE_WINDOW_SCALE_OFFERED] = {"window-scale-offered", "offers a window scale of", "RFC 7323 §2.2", CHOICE_NUMBER},
    [CHOICE_SACK_OFFERED] = {"sack-offered", "offers SACK", "RFC 2018 §2", CHOICE_YES_NO},
    [CHOICE_TIMESTAMPS_OFFERED] = {"timestamps-offered", "offers timestamps", "RFC 7323 §3.2", CHOICE_YES_NO},
    [CHOICE_ECN_OFFERED] = {"ecn-offered", "offers ECN", "RFC 3168 §6.1.1", CHOICE_YES_NO},
    [CHOICE_FASTOPEN_OFFERED] = {"fast-open-offered", "offers fast open", "RFC 7413 §4.1", CHOICE_YES_NO},
    [CHOICE_WINDOW_INITIAL] = {"window-initial", "advertises first a window of", "RFC 9293 §3.8.6", CHOICE_OCTETS},
    [CHOICE_TTL] = {"ttl", "sends with a TTL of", "RFC 9293 §3.9.2", CHOICE_NUMBER},
    [CHOICE_DONT_FRAGMENT] = {"dont-fragment", "sets Don't Fragment", "RFC 1191 §3", CHOICE_YES_NO},
    [CHOICE_ACK_DELAY] = {"ack-delay", "delays ACKs by", "RFC 9293 §3.8.6.3", CHOICE_TIME},
    [CHOICE_ACK_EVERY] = {"ack-every", "acknowledges after full-sized segments:", "RFC 9293 §3.8.6.3", CHOICE_NUMBER},
    [CHOICE_INITIAL_WINDOW] = {"initial-window", "sends at first, unacknowledged,", "RFC 6928 §2", CHOICE_OCTETS},
    [CHOICE_RTO_INITIAL_SYN] = {"rto-syn", "retransmits a SYN first after", "RFC 6298 §2", CHOICE_TIME},
    [CHOICE_RTO_INITIAL_SYN_ACK] = {"rto-syn-ack", "retransmits a SYN,ACK first after", "RFC 6298 §2", CHOICE_TIME},
    [CHOICE_RTO_DATA] = {"rto-data", "retransmits data first after", "RFC 6298 §2", CHOICE_TIME},
    [CHOICE_SYN_TRANSMISSIONS] = {"syn-transmissions", "sends a SYN that nobody answers, times:", "RFC 9293 §3.8.3", CHOICE_NUMBER},
    [CHOICE_SYN_ACK_TRANSMISSIONS] = {"syn-ack-transmissions", "sends a SYN,ACK that nobody answers, times:", "RFC 9293 §3.8.3", CHOICE_NUMBER},
    [CHOICE_PERSIST_FIRST] = {"persist-first", "probes a zero window first after", "RFC 9293 §3.8.6.1", CHOICE_TIME},
    [CHOICE_CHALLENGE_ACK] = {"challenge-ack", "challenges a RST that is not at RCV.NXT", "RFC 5961 §3.2", CHOICE_YES_NO},
    [CHOICE_RESET_ON_SYN] = {"reset-on-syn", "resets a connection when a SYN comes in its window", "RFC 9293 §3.10.7.4", CHOICE_YES_NO},
    [CHOICE_RST_HAS_ACK] = {"rst-has-ack", "sets ACK in the RST of an abort", "RFC 9293 §3.10.5", CHOICE_YES_NO},
    [CHOICE_SYN_FIN_ANSWERED] = {"syn-fin-answered", "answers a SYN that carries a FIN", "RFC 9293 §3.10.7.2", CHOICE_YES_NO},
    [CHOICE_OUT_OF_ORDER_KEPT] = {"out-of-order-kept", "keeps segments that come out of order", "RFC 9293 §3.10.7.4", CHOICE_YES_NO},
    [CHOICE_KEEP_ALIVE_GARBAGE] = {"keep-alive-garbage", "sends a garbage octet in a keep-alive", "RFC 9293 §3.8.4", CHOICE_YES_NO},
    [CHOICE_PSH_ON_LAST] = {"psh-on-last", "sets PSH in the last segment of a SEND", "RFC 9293 §3.9.1.2", CHOICE_YES_NO},
    [CHOICE_RESET_ON_UNREAD_DATA] = {"reset-on-unread-data", "resets when data is lost by CLOSE", "RFC 9293 §3.6.1", CHOICE_YES_NO},
    [CHOICE_SYN_RECEIVED_TO_LISTEN] = {"syn-received-to-listen", "returns to LISTEN on a SYN in SYN-RECEIVED", "RFC 9293 §3.10.7.4", CHOICE_YES_NO},
    [CHOICE_TIME_WAIT_REOPENS] = {"time-wait-reopens", "takes a new SYN in TIME-WAIT", "RFC 9293 §3.6.1", CHOICE_YES_NO},
    [CHOICE_DSACK_SENT] = {"dsack-sent", "reports duplicates by D-SACK", "RFC 2883 §4", CHOICE_YES_NO},
};

const struct choice *choice_at(enum choice_id id)
{
    return &choices[id];
}

static void note_entry(struct portrait_entry *a, const struct portrait_entry *b)
{
    if (!b->count)
        return;
    a->min = a->count && a->min < b->min ? a->min : b->min;
    a->max = a->count && a->max > b->max ? a->max : b->max;
    a->sum += b->sum;
    a->count += b->count;
}

void portrait_note(struct portrait *portrait, enum choice_id id, int64_t value)
{
    note_entry(&portrait->choices[id], &(struct portrait_entry){1, value, value, value});
}

void portrait_add(struct portrait *sum, const struct portrait *more)
{
    for (unsigned i = 0; i < CHOICE_COUNT; i++)
        note_entry(&sum->choices[i], &more->choices[i]);
}

static int describe_time(int64_t ns, char *out, size_t capacity)
{
    if (ns >= 1000000000)
        return snprintf(out, capacity, "%.3g s", (double)ns / 1e9);
    return snprintf(out, capacity, "%.3g ms", (double)ns / 1e6);
}

int portrait_describe(const struct portrait *portrait, enum choice_id id, char *out, size_t capacity)
{
    const struct portrait_entry *e = &portrait->choices[id];
    const char *question = choices[id].question;
    char low[32], high[32];
    if (!e->count)
        return snprintf(out, capacity, "%s", "");
    switch (choices[id].unit) {
    case CHOICE_YES_NO:
        if (e->sum > 0 && (uint64_t)e->sum < e->count)
            return snprintf(out, capacity, "%s: sometimes (%" PRId64 " of %" PRIu64 ")", question, e->sum, e->count);
        return snprintf(out, capacity, "%s: %s", question, e->sum ? "yes" : "no");
    case CHOICE_TIME:
        describe_time(e->min, low, sizeof low);
        describe_time(e->max, high, sizeof high);
        if (e->max - e->min <= e->min / 100)
            return snprintf(out, capacity, "%s %s", question, high);
        return snprintf(out, capacity, "%s %s to %s", question, low, high);
    case CHOICE_NUMBER:
    case CHOICE_OCTETS:
        break;
    }
    const char *unit = choices[id].unit == CHOICE_OCTETS ? " octets" : "";
    if (e->min == e->max)
        return snprintf(out, capacity, "%s %" PRId64 "%s", question, e->min, unit);
    return snprintf(out, capacity, "%s %" PRId64 " to %" PRId64 "%s", question, e->min, e->max, unit);
}
