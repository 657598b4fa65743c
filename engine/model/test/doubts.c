/* The judge where a peer contradicts itself, or nobody can tell what the IUT has made of a segment: random plays (fuzz/sequences.c)
 * have found each of these, and each permits more than one reading. */
#include "engine/model/test/talk.h"

#define OPEN "! listen", "< S 0", "> S. 0 ack 1", "< . 1 ack 1", "! accept"
#define OPEN_STAMPED \
    "! listen", "< S 0 <TS 1000 0,sackOK>", "> S. 0 ack 1 <TS 5 1000,sackOK>", "< . 1 ack 1 <TS 1000 5>", "! accept"

static void play(unsigned states, const char *const *preamble, const struct talk_row *rows, size_t count)
{
    struct talk *t = talk_new();
    t->host.mtu = 0;
    t->host.application_known = true;
    t->config.states = states;
    t->preamble = preamble;
    talk_rows(t, rows, count);
    talk_free(t);
}

static void a_peer_may_contradict_its_own_fin(void **state)
{
    static const char *const open[] = {OPEN, NULL};
    static const struct talk_row rows[] = {
        {"text behind a FIN that waits: the FIN counts", TALK_SOUND,
         {"< F. 107 ack 1", "> . 1 ack 1", "< . 108+512 ack 1", "> . 1 ack 1", "< . 1+700 ack 1", "> . 1 ack 108", "= CLOSE-WAIT"}},
        {"or it does not", TALK_SOUND,
         {"< F. 107 ack 1", "> . 1 ack 1", "< . 108+512 ack 1", "> . 1 ack 1", "< . 1+700 ack 1", "> . 1 ack 701", "= ESTABLISHED"}},
        {"two FINs: the first counts",
         TALK_SOUND,
         {"< F. 2 ack 1", "> . 1 ack 1", "< F. 3 ack 1", "> . 1 ack 1", "< . 1+2 ack 1", "> . 1 ack 3", "= CLOSE-WAIT"}},
        {"or the second", TALK_SOUND, {"< F. 2 ack 1", "> . 1 ack 1", "< F. 3 ack 1", "> . 1 ack 1", "< . 1+2 ack 1", "> . 1 ack 4", "= CLOSE-WAIT"}},
        {"a FIN where there is text: what was received is received", TALK_SOUND,
         {"< . 1+11 ack 1", "> . 1 ack 12", "< F. 11 ack 1", "> . 1 ack 12", "! receive 11"}},
        {"two FINs, and neither counts", RULE_ACK_TOO_LOW,
         {"< F. 2 ack 1", "> . 1 ack 1", "< F. 3 ack 1", "> . 1 ack 1", "< . 1+1 ack 1", "> . 1 ack 1"}},
    };
    static const char *const sacking[] = {"! listen", "< S 0 <sackOK>", "> S. 0 ack 1 <sackOK>", "< . 1 ack 1", "! accept", NULL};
    static const struct talk_row reports[] = {
        {"what lies behind a FIN need not be kept, nor reported", TALK_SOUND,
         {"< F. 194 ack 1", "> . 1 ack 1 <sack 194:195>", "< . 195+115 ack 1", "> . 1 ack 1 <sack 194:195>", "< . 310+90 ack 1", "> . 1 ack 1 <sack 194:195>"}},
    };
    static const char *const with_octet[] = {"! listen", "< S 0+1", "> S. 0 ack 1", NULL};
    static const struct talk_row half_open[] = {
        {"a FIN in place of an octet that came with the SYN", TALK_SOUND, {"< F. 1 ack 1", "> . 1 ack 2", "= CLOSE-WAIT"}},
        {"or the octet", TALK_SOUND, {"< F. 1 ack 1", "> . 1 ack 2", "= ESTABLISHED"}},
    };
    (void)state;
    play(1u << TCP_STATE_LISTEN, open, rows, COUNT(rows));
    play(1u << TCP_STATE_LISTEN, sacking, reports, COUNT(reports));
    play(1u << TCP_STATE_LISTEN, with_octet, half_open, COUNT(half_open));
}

static void what_may_have_been_refused_changes_nothing_for_certain(void **state)
{
    static const char *const open[] = {OPEN, NULL}, *const stamped[] = {OPEN_STAMPED, NULL};
    static const struct talk_row rows[] = {
        {"no FIN into a window that was taken back", TALK_SOUND, {"< . 1 ack 1 win 0", "! close", "+600"}},
        {"nor where an older segment opens it again (SND.WL1)", TALK_SOUND, {"< . 2 ack 1 win 0", "|", "< . 1 ack 1 win 500", "! close", "+600"}},
        {"a FIN is due when the window is open", RULE_FIN_SENT, {"< . 1 ack 1 win 500", "! close", "+600"}},
        {"an ACK from outside the window: what it covers is sent again and again, and what is queued waits", TALK_SOUND,
         {"! send 100", "> P. 1+100 ack 1", "< . 100000 ack 101", "> . 101 ack 1", "! send 100", "+1000", "> . 1+100 ack 1", "+2000", "> . 1+100 ack 1",
          "+4000",
          "> . 1+100 ack 1", "+8000", "> . 1+100 ack 1", "+16000", "> . 1+100 ack 1", "+16000"}},
        {"the same of a part of it", TALK_SOUND,
         {"! send 200", "> P. 1+200 ack 1", "< . 100000 ack 101", "> . 201 ack 1", "+1000", "> P. 1+200 ack 1", "+2000", "> P. 1+200 ack 1", "+4000",
          "> P. 1+200 ack 1", "+8000", "> P. 1+200 ack 1", "+16000", "> P. 1+200 ack 1", "+16000"}},
        {"but silence is no care", RULE_RETRANSMITTED, {"! send 200", "> P. 1+200 ack 1", "< . 100000 ack 101", "> . 201 ack 1", "+20000"}},
    };
    static const char *const narrow[] = {"! listen", "< S 0", "> S. 0 ack 1 win 1000", "< . 1 ack 1", "! accept", NULL};
    static const struct talk_row edge[] = {
        {"a RST at the end of what a small window may have taken", TALK_SOUND, {"< . 1+500 ack 1", "< . 501+1000 ack 1", "< R 1001", "|", "= LISTEN"}},
    };
    static const struct talk_row stamps[] = {
        {"the timestamp of a SYN that was challenged does not count", TALK_SOUND,
         {"< S. 0+10 ack 1 <TS 9000 5>", "> . 1 ack 1 <TS 5 1000>", "< . 101+100 ack 1 <TS 1000 5>", "> . 1 ack 1 <TS 5 1000,sack 101:201>"}},
        {"nor is what comes after it unacceptable", TALK_SOUND,
         {"< S. 0+10 ack 1 <TS 9000 5>", "> . 1 ack 1 <TS 5 1000>", "< P. 1+10 ack 1 <TS 1500 5>", "> . 1 ack 11 <TS 5 1500>"}},
        {"that of a segment without ACK may count: R3 of RFC 7323 §5.3 comes first", TALK_SOUND,
         {"< - 1 <TS 2000 5>", "|", "< P. 1+10 ack 1 <TS 1500 5>", "> . 1 ack 1 <TS 5 2000>"}},
        {"or not", TALK_SOUND, {"< - 1 <TS 2000 5>", "|", "< P. 1+10 ack 1 <TS 1500 5>", "> . 1 ack 11 <TS 5 1500>"}},
        {"24 days later it does not", TALK_SOUND, {"+2100000000", "< P. 1+10 ack 1 <TS 500 5>", "> . 1 ack 11 <TS 2000 500>"}},
        {"a RST that answers for no connection has no timestamp", TALK_SOUND, {"< R 1", "|", "< . 1 ack 1", "> R 1"}},
        {"one that ends a connection has", RULE_TS_RST, {"! abort", "> R 1"}},
    };
    (void)state;
    play(1u << TCP_STATE_LISTEN, open, rows, COUNT(rows));
    play(1u << TCP_STATE_LISTEN, narrow, edge, COUNT(edge));
    play(1u << TCP_STATE_LISTEN, stamped, stamps, COUNT(stamps));
}

static void an_acknowledgment_from_nowhere_grants_no_window(void **state)
{
    static const char *const open[] = {"! listen", "< S 0 win 65535 <wscale 14>", "> S. 0 ack 1 win 1000 <wscale 0>",
                                       "< . 1 ack 1 win 65535", "! accept", NULL};
    static const struct talk_row rows[] = {
        {"nor takes one back", TALK_SOUND, {"< SP. 0+10 ack =2960456705 win 53830", "> . 1 ack 1", "! send 524", "> P. 1+524 ack 1"}},
    };
    (void)state;
    play(1u << TCP_STATE_LISTEN, open, rows, COUNT(rows));
}

static void closing_waits_for_what_may_not_be_sent(void **state)
{
    static const char *const open[] = {OPEN, NULL}, *const closed[] = {NULL};
    static const struct talk_row rows[] = {
        {"FIN-WAIT-1 is entered without a FIN, and left for CLOSING", TALK_SOUND,
         {"< . 1 ack 1 win 0", "! shutdown", "= FIN-WAIT-1", "< F. 1 ack 1 win 500", "> F. 1 ack 2", "= CLOSING"}},
        {"CLOSE with unread data in CLOSING", TALK_SOUND,
         {"< . 1+10 ack 1", "> . 1 ack 11", "! shutdown", "> F. 1 ack 11", "< F. 11 ack 1", "> . 2 ack 12", "! close", "= LISTEN"}},
        {"with a RST, since data is lost", TALK_SOUND,
         {"< . 1+10 ack 1", "> . 1 ack 11", "! shutdown", "> F. 1 ack 11", "< F. 11 ack 1", "> . 2 ack 12", "! close", "> R 2", "= LISTEN"}},
        {"ABORT of what may have been given up", TALK_SOUND, {"! send 94", "> P. 1+94 ack 1", "+2000", "! abort", "|"}},
        {"ABORT of what has not", RULE_ABORT_RST, {"! send 94", "> P. 1+94 ack 1", "! abort", "|"}},
    };
    static const struct talk_row opening[] = {
        {"closed in SYN-RECEIVED: the SYN,ACK goes on until it is acknowledged", TALK_SOUND,
         {"! connect", "> S 0", "< S 0", "> S. 0 ack 1", "! close", "> F. 1 ack 1", "+1000", "> S. 0 ack 1"}},
        {"and no longer", RULE_SYN_ACK_UNASKED,
         {"! connect", "> S 0", "< S 0", "> S. 0 ack 1", "! close", "> F. 1 ack 1", "< . 1 ack 1", "+1000", "> S. 0 ack 1"}},
        {"the FIN that came with the other's SYN counts with its SYN,ACK", TALK_SOUND,
         {"! connect", "> S 0", "< SF 0", "> S. 0 ack 1", "< S. 0 ack 1", "> . 1 ack 2", "= CLOSE-WAIT"}},
        {"another OPEN at the same time has the same ISS", TALK_SOUND, {"! connect", "> S 0", "! close", "! connect", "> S 0"}},
    };
    (void)state;
    play(1u << TCP_STATE_LISTEN, open, rows, COUNT(rows));
    play(1u << TCP_STATE_CLOSED, closed, opening, COUNT(opening));
}

static void one_connection_after_the_other(void **state)
{
    static const char *const time_wait[] = {OPEN, "! shutdown", "> F. 1 ack 1", "< F. 1 ack 2", "> . 2 ack 2", NULL};
    static const struct talk_row rows[] = {
        {"the SYN of the one before begins another", TALK_SOUND, {"< S 0 <TS 5 0>", "> S. =3000 ack 1 <TS 1 5>", "= SYN-RECEIVED"}},
        {"which goes back to TIME-WAIT, and nobody knows its numbers any more", TALK_SOUND,
         {"< S 5000 <TS 5 0>", "> S. =3000 ack 5001 <TS 1 5>", "< R 5001", "|", "< . 2 ack 2 <TS 9 0>", "> . 2 ack 2"}},
        {"a SYN that is dropped: what is unread is read", TALK_SOUND, {"< S 0", "|", "! receive 0"}},
    };
    static const char *const scaled[] = {"! listen", "< S 0 <wscale 0>", "> S. 0 ack 1 win 65535 <wscale 2>", NULL};
    static const struct talk_row half_open[] = {
        {"a SYN,ACK that comes again cannot say a scaled window",
         TALK_SOUND,
         {"< . 300000 ack 1", "> . 1 ack 1 win 32768", "+1000", "> S. 0 ack 1 win 65535 <wscale 2>"}},
    };
    (void)state;
    play(1u << TCP_STATE_LISTEN, time_wait, rows, COUNT(rows));
    play(1u << TCP_STATE_LISTEN, scaled, half_open, COUNT(half_open));
}

static void two_segments_may_have_two_acks(void **state)
{
    static const char *const open[] = {OPEN, NULL};
    static const struct talk_row rows[] = {
        {"though both come after the second", TALK_SOUND, {"< . 1+10 ack 1", "< . 1+10 ack 1", "> . 1 ack 11", "> . 1 ack 11"}},
        {"but not three", RULE_ACK_ONCE, {"< . 1+10 ack 1", "< . 1+10 ack 1", "> . 1 ack 11", "> . 1 ack 11", "> . 1 ack 11"}},
        {"nor one two", RULE_ACK_ONCE, {"< . 1+10 ack 1", "> . 1 ack 11", "< . 1+10 ack 1", "> . 1 ack 11", "> . 1 ack 11"}},
    };
    (void)state;
    play(1u << TCP_STATE_LISTEN, open, rows, COUNT(rows));
}

static void what_an_ack_lets_out_may_leave_before_the_text_is_taken(void **state)
{
    static const char *const sending[] = {OPEN, "! send 200", "> . 1+100 ack 1", "> P. 101+100 ack 1", NULL};
    static const struct talk_row rows[] = {
        {"a retransmission", TALK_SOUND, {"< . 1+50 ack 101", "> P. 101+100 ack 1", "> . 201 ack 51"}},
        {"but no empty segment", RULE_ACK_TOO_LOW, {"< . 1+50 ack 101", "> . 201 ack 1"}},
        {"nor later", RULE_ACK_TOO_LOW, {"< . 1+50 ack 101", "|", "+100", "> P. 101+100 ack 1"}},
    };
    (void)state;
    play(1u << TCP_STATE_LISTEN, sending, rows, COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_may_contradict_its_own_fin),
        cmocka_unit_test(what_may_have_been_refused_changes_nothing_for_certain),
        cmocka_unit_test(an_acknowledgment_from_nowhere_grants_no_window),
        cmocka_unit_test(closing_waits_for_what_may_not_be_sent),
        cmocka_unit_test(one_connection_after_the_other),
        cmocka_unit_test(two_segments_may_have_two_acks),
        cmocka_unit_test(what_an_ack_lets_out_may_leave_before_the_text_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
