/* The judge on CLOSED, LISTEN, SYN-SENT and SYN-RECEIVED (RFC 9293 §3.5, §3.10.1, §3.10.7.1-4): all that is permitted, and each
 * thing that is not. */
#include "engine/model/test/talk.h"

/* Without options, which are no matter here. */
static struct talk *plain(void)
{
    struct talk *t = talk_new();
    t->host.mtu = 0;
    return t;
}

static void play(enum tcp_state from, const char *const *preamble, const struct talk_row *rows, size_t count)
{
    struct talk *t = plain();
    t->host.application_known = true;
    t->config.states = 1u << from;
    t->preamble = preamble;
    talk_rows(t, rows, count);
    talk_free(t);
}

/* ---- CLOSED (§3.10.7.1) -------------------------------------------------------------------------------------------- */

static void what_comes_to_nothing_is_reset(void **state)
{
    static const struct talk_row rows[] = {
        {"a SYN: <SEQ=0><ACK=SEG.SEQ+SEG.LEN>", TALK_SOUND, {"< S 0", "> R. =0 ack 1", "|", "? CLOSED"}},
        {"a SYN with data: SEG.LEN counts both", TALK_SOUND, {"< S 0+10", "> R. =0 ack 11"}},
        {"a FIN without ACK", TALK_SOUND, {"< F 300+5", "> R. =0 ack 306"}},
        {"nothing but data", TALK_SOUND, {"< - 250+10", "> R. =0 ack 260"}},
        {"an ACK: <SEQ=SEG.ACK>, without ACK", TALK_SOUND, {"< . 1 ack 77", "> R 77"}},
        {"an ACK: <SEQ=SEG.ACK>, with some ACK", TALK_SOUND, {"< F. 1+5 ack =4294967295", "> R. =4294967295 ack 7"}},
        {"a SYN,ACK", TALK_SOUND, {"< S. 0 ack 5", "> R 5"}},
        {"a RST is discarded", TALK_SOUND, {"< R 5", "|", "< R. 5 ack 9", "+1000"}},
        {"ACK missing in the answer to a SYN", RULE_RST_NUMBERS, {"< S 0", "> R =0"}},
        {"an ACK of too little", RULE_RST_NUMBERS, {"< S 0+10", "> R. =0 ack 1"}},
        {"the FIN does not count", RULE_RST_NUMBERS, {"< F 300+5", "> R. =0 ack 305"}},
        {"SEG.SEQ instead of SEG.ACK", RULE_RST_NUMBERS, {"< . 1 ack 77", "> R =1"}},
        {"silence to a SYN", RULE_CLOSED_RST, {"< S 0", "|"}},
        {"silence to an ACK", RULE_CLOSED_RST, {"< . 1 ack 77", "|"}},
        {"silence, until latency and granularity have passed", RULE_CLOSED_RST, {"< . 1 ack 77", "+21"}},
        {"a SYN,ACK from nowhere", RULE_SYN_ACK_UNASKED, {"< S 0", "> S. 0 ack 1"}},
        {"an ACK from nowhere", RULE_SEGMENT_IN_STATE, {"< . 1 ack 77", "> . 77 ack 1"}},
        {"a RST answers a RST", RULE_RST_ANSWERED, {"< R. 5 ack 9", "> R 9"}},
        {"two RSTs for one segment", RULE_RST_UNASKED, {"< S 0", "> R. =0 ack 1", "> R. =0 ack 1"}},
        {"a SYN that nobody asked for", RULE_SYN_WITHOUT_OPEN, {"> S 0"}},
        {"a RST from nowhere", RULE_RST_UNASKED, {"> R 5"}},
    };
    (void)state;
    play(TCP_STATE_CLOSED, NULL, rows, COUNT(rows));
}

/* ---- LISTEN (§3.10.7.2) ---------------------------------------------------------------------------------------------- */

static void a_listener_takes_a_syn_and_nothing_else(void **state)
{
    static const char *const listening[] = {"! listen", NULL};
    static const struct talk_row rows[] = {
        {"a SYN", TALK_SOUND, {"< S 0", "> S. 0 ack 1", "|", "= SYN-RECEIVED"}},
        {"its data may be taken", TALK_SOUND, {"< S 0+10", "> S. 0 ack 11"}},
        {"or in part", TALK_SOUND, {"< S 0+10", "> S. 0 ack 5"}},
        {"or not", TALK_SOUND, {"< S 0+10", "> S. 0 ack 1", "< . 1+10 ack 1", "> . 1 ack 11"}},
        {"a SYN with FIN", TALK_SOUND, {"< FS 0", "> S. 0 ack 2"}},
        {"a RST is ignored", TALK_SOUND, {"< R 5", "|", "< RS 5", "|", "? LISTEN"}},
        {"an ACK is reset", TALK_SOUND, {"< . 1 ack 77", "> R 77", "|", "? LISTEN"}},
        {"a SYN,ACK is reset", TALK_SOUND, {"< S. 1 ack 77", "> R 77", "|", "? LISTEN"}},
        {"anything else is dropped", TALK_SOUND, {"< F 5", "|", "< - 5+10", "|", "? LISTEN"}},
        {"the listener goes", TALK_SOUND, {"! unlisten", "? CLOSED", "< S 0", "> R. =0 ack 1"}},
        {"active OPEN in LISTEN", TALK_SOUND, {"! connect", "> S 0", "= SYN-SENT"}},
        {"silence to a SYN", RULE_SYN_ANSWER, {"< S 0", "|"}},
        {"silence to an ACK", RULE_LISTEN_ACK_RST, {"< . 1 ack 77", "|"}},
        {"a SYN is reset", RULE_RST_UNASKED, {"< S 0", "> R. =0 ack 1"}},
        {"an ACK of less than the SYN", RULE_SYN_ACK_NUMBERS, {"< S 0", "> S. 0 ack 0"}},
        {"an ACK of more than came", RULE_SYN_ACK_NUMBERS, {"< S 0+10", "> S. 0 ack 12"}},
        {"a RST with a wrong number", RULE_RST_NUMBERS, {"< . 1 ack 77", "> R 78"}},
        {"a RST answers a RST", RULE_RST_ANSWERED, {"< R. 1 ack 77", "> R 77"}},
        {"an answer to what should be dropped", RULE_SEGMENT_IN_STATE, {"< - 5+10", "> . 1 ack 5"}},
        {"SYN,ACK to an ACK", RULE_SYN_ACK_UNASKED, {"< . 1 ack 77", "> S. 0 ack 1"}},
        {"it tells ESTABLISHED", RULE_STATE_TOLD, {"= ESTABLISHED"}},
    };
    (void)state;
    play(TCP_STATE_LISTEN, listening, rows, COUNT(rows));
}

static void under_pressure_a_listener_may_be_silent(void **state)
{
    static const struct talk_row rows[] = {
        {"silence", TALK_SOUND, {"< S 0", "|", "? LISTEN SYN-RECEIVED"}},
        {"an answer", TALK_SOUND, {"< S 0", "> S. 0 ack 1"}},
        {"no record of an answer by a cookie", TALK_SOUND, {"< S 0", "> S. 0 ack 1", "< R 1", "|", "< . 1 ack 1", "> . 1 ack 1"}},
        {"and the ACK may be passed over", TALK_SOUND, {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "|", "> S. 0 ack 1"}},
        {"a listener whose queue is full may reset", TALK_SOUND, {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "> R 1"}},
        {"but numbers hold", RULE_SYN_ACK_NUMBERS, {"< S 0", "> S. 0 ack 3"}},
    };
    struct talk *t = plain();
    (void)state;
    t->host.application_known = t->host.pressed = true;
    t->config.states = 1u << TCP_STATE_LISTEN;
    talk_rows(t, rows, COUNT(rows));
    talk_free(t);
}

static void without_knowledge_of_the_application_either_will_do(void **state)
{
    static const struct talk_row rows[] = {
        {"a listener", TALK_SOUND, {"< S 0", "> S. 0 ack 1", "|", "? SYN-RECEIVED"}},
        {"no listener", TALK_SOUND, {"< S 0", "> R. =0 ack 1", "|", "? CLOSED LISTEN", "< . 1 ack 7", "> R 7"}},
        {"it may open", TALK_SOUND, {"> S 0", "? SYN-SENT"}},
        {"it may close", TALK_SOUND, {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "> F. 1 ack 1", "? FIN-WAIT-1"}},
        {"it may abort", TALK_SOUND, {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "> R. 1 ack 1", "? CLOSED LISTEN"}},
        {"after a reset by SYN both again", TALK_SOUND,
         {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "< S 10 ack 1", "> R. =0 ack 11", "|", "? CLOSED LISTEN", "< S 5000", "> S. 700 ack 5001", "|"}},
        {"silence is neither", RULE_CLOSED_RST, {"< S 0", "|"}},
    };
    struct talk *t = plain();
    (void)state;
    talk_rows(t, rows, COUNT(rows));
    talk_free(t);
}

/* ---- SYN-SENT (§3.10.7.3) ----------------------------------------------------------------------------------------- */

static void a_connection_is_opened_actively(void **state)
{
    static const char *const opening[] = {"! connect", "> S 0", NULL};
    static const struct talk_row rows[] = {
        {"SYN,ACK, ACK", TALK_SOUND, {"< S. 0 ack 1", "> . 1 ack 1", "|", "= ESTABLISHED"}},
        {"data may come with the ACK", TALK_SOUND, {"! send 10", "< S. 0 ack 1", "> P. 1+10 ack 1", "|", "? ESTABLISHED"}},
        {"data of the SYN,ACK taken", TALK_SOUND, {"< S. 0+10 ack 1", "> . 1 ack 11", "|"}},
        {"or not", TALK_SOUND, {"< S. 0+10 ack 1", "> . 1 ack 1", "+600"}},
        {"the SYN acknowledged first, the rest in its turn", TALK_SOUND, {"< S. 0+10 ack 1", "> . 1 ack 1", "> . 1 ack 11"}},
        {"a FIN with the SYN,ACK", TALK_SOUND, {"< FS. 0 ack 1", "> . 1 ack 2", "|", "? CLOSE-WAIT"}},
        {"the SYN again, with the same ISS", TALK_SOUND, {"+1000", "> S 0", "+2000", "> S 0"}},
        {"simultaneous opening", TALK_SOUND, {"< S 0", "> S. 0 ack 1", "|", "? SYN-RECEIVED", "< S. 0 ack 1", "> . 1 ack 1", "= ESTABLISHED"}},
        {"and the answer again", TALK_SOUND, {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "|", "? ESTABLISHED"}},
        {"refused", TALK_SOUND, {"< R. =0 ack 1", "|", "? CLOSED", "< . 1 ack 1", "> R 1"}},
        {"a RST without ACK is dropped", TALK_SOUND, {"< R 0", "|", "? SYN-SENT"}},
        {"a RST with a bad ACK is dropped", TALK_SOUND, {"< R. 0 ack 2", "|", "? SYN-SENT", "< R. 0 ack 0", "|", "? SYN-SENT"}},
        {"ACK of ISS: reset, and nothing else", TALK_SOUND, {"< S. 0 ack 0", "> R 0", "|", "? SYN-SENT", "< S. 0 ack 1", "> . 1 ack 1"}},
        {"ACK beyond SND.NXT", TALK_SOUND, {"< S. 0 ack 2", "> R 2", "|", "? SYN-SENT"}},
        {"ACK far off, across the wrap", TALK_SOUND, {"< . 0 ack 2147483646", "> R 2147483646", "|", "? SYN-SENT"}},
        {"ACK alone is dropped", TALK_SOUND, {"< . 0 ack 1", "|", "? SYN-SENT"}},
        {"so are data and FIN", TALK_SOUND, {"< F. 0+10 ack 1", "|", "< F 0", "|", "? SYN-SENT"}},
        {"CLOSE deletes it", TALK_SOUND, {"! close", "|", "? CLOSED", "< S. 0 ack 1", "> R 1"}},
        {"ABORT deletes it without a RST", TALK_SOUND, {"! abort", "|", "+1000", "? CLOSED"}},
        {"opened again when it had failed", TALK_SOUND, {"+1000", "> S 0", "! error 113", "! connect", "> S 9000", "? SYN-SENT"}},
        {"silence to the SYN,ACK", RULE_SYN_SENT_ACK, {"< S. 0 ack 1", "|"}},
        {"silence to a SYN", RULE_SIMULTANEOUS_OPEN, {"< S 0", "|"}},
        {"an ACK is no answer to a SYN", RULE_SIMULTANEOUS_OPEN, {"< S 0", "> . 1 ack 1", "|"}},
        {"silence to a bad ACK", RULE_SYN_SENT_BAD_ACK_RST, {"< S. 0 ack 0", "|"}},
        {"silence to an ACK beyond SND.NXT", RULE_SYN_SENT_BAD_ACK_RST, {"< . 0 ack 2", "|"}},
        {"a wrong RST", RULE_RST_NUMBERS, {"< S. 0 ack 2", "> R 1"}},
        {"a bad RST refuses", RULE_CLOSED_RST, {"< R. 0 ack 1", "|", "< . 1 ack 1", "|"}},
        {"a RST is answered", RULE_RST_ANSWERED, {"< R. 0 ack 2", "> R 2"}},
        {"it goes on after it was refused", RULE_AFTER_RST, {"< R. =0 ack 1", "> . 1 ack 1"}},
        {"another ISS", RULE_SYN_CHANGED, {"+1000", "> S 1"}},
        {"an ACK of what did not come", RULE_ACK_NOT_RECEIVED, {"< S. 0 ack 1", "> . 1 ack 2"}},
        {"the SYN itself not acknowledged", RULE_ACK_TOO_LOW, {"< S. 0 ack 1", "> . 1 ack 0"}},
        {"ACK before there is anything to acknowledge", RULE_SEGMENT_IN_STATE, {"> . 1 ack 1"}},
        {"data before the connection is open", RULE_SEGMENT_IN_STATE, {"! send 10", "> P. 1+10 ack 1"}},
        {"SYN,ACK in answer to SYN,ACK", RULE_SYN_ACK_UNASKED, {"< S. 0 ack 1", "> S. 0 ack 1"}},
        {"SYN,ACK with another ISS", RULE_SYN_CHANGED, {"< S 0", "> S. 5 ack 1"}},
        {"it tells ESTABLISHED too early", RULE_STATE_TOLD, {"= ESTABLISHED"}},
    };
    (void)state;
    play(TCP_STATE_CLOSED, opening, rows, COUNT(rows));
}

/* ---- SYN-RECEIVED (§3.10.7.4) ----------------------------------------------------------------------------------------- */

static void a_connection_half_open_becomes_open_or_nothing(void **state)
{
    static const char *const half_open[] = {"! listen", "< S 0", "> S. 0 ack 1", NULL};
    static const struct talk_row rows[] = {
        {"ACK", TALK_SOUND, {"< . 1 ack 1", "|", "= ESTABLISHED"}},
        {"data and ACK", TALK_SOUND, {"< . 1+10 ack 1", "> . 1 ack 11", "? ESTABLISHED"}},
        {"FIN and ACK", TALK_SOUND, {"< F. 1 ack 1", "> . 1 ack 2", "? CLOSE-WAIT"}},
        {"the SYN,ACK again", TALK_SOUND, {"+1000", "> S. 0 ack 1", "+2000", "> S. 0 ack 1", "? SYN-RECEIVED"}},
        {"the SYN again: SYN,ACK", TALK_SOUND, {"< S 0", "> S. 0 ack 1", "? SYN-RECEIVED"}},
        {"the SYN again: ACK", TALK_SOUND, {"< S 0", "> . 1 ack 1", "? SYN-RECEIVED"}},
        {"an old SYN outside the window: ACK", TALK_SOUND, {"< S -1000", "> . 1 ack 1", "|", "? SYN-RECEIVED"}},
        {"a SYN in the window: back to LISTEN", TALK_SOUND, {"< S 100", "|", "= LISTEN"}},
        {"or a RST", TALK_SOUND, {"< S 100", "> R. =0 ack 101", "|", "? LISTEN"}},
        {"or an ACK", TALK_SOUND, {"< S 100", "> . 1 ack 1", "= SYN-RECEIVED"}},
        {"a RST: back to LISTEN", TALK_SOUND, {"< R 1", "|", "? LISTEN"}},
        {"a RST inside the window: a challenge", TALK_SOUND, {"< R 100", "> . 1 ack 1", "= SYN-RECEIVED"}},
        {"or back to LISTEN", TALK_SOUND, {"< R 100", "|", "= LISTEN"}},
        {"a RST outside of it: nothing", TALK_SOUND, {"< R 0", "|", "? SYN-RECEIVED", "< R 65600", "|", "? SYN-RECEIVED"}},
        {"no ACK bit: dropped", TALK_SOUND, {"< - 1+10", "|", "= SYN-RECEIVED"}},
        {"a bad ACK: RST, and it stays", TALK_SOUND, {"< . 1 ack 0", "> R 0", "= SYN-RECEIVED", "< . 1 ack 1", "|", "= ESTABLISHED"}},
        {"or by RFC 5961 an ACK", TALK_SOUND, {"< . 1 ack 2", "> . 1 ack 1", "= SYN-RECEIVED"}},
        {"outside the window: ACK", TALK_SOUND, {"< . 70000 ack 1", "> . 1 ack 1", "= SYN-RECEIVED"}},
        {"and a bad ACK there: RST", TALK_SOUND, {"< . 70000 ack 9", "> R 9", "= SYN-RECEIVED"}},
        {"the listener goes, and it with it", TALK_SOUND, {"! unlisten", "> R. 1 ack 1", "? CLOSED"}},
        {"CLOSE sends a FIN", TALK_SOUND, {"! accept", "! close", "> F. 1 ack 1", "? FIN-WAIT-1"}},
        {"ABORT", TALK_SOUND, {"! accept", "! abort", "> R 1", "|"}},
        {"given up, and opened anew", TALK_SOUND,
         {"+1000", "> S. 0 ack 1", "+2000", "> S. 0 ack 1", "+3500", "< S 5000", "> S. 900 ack 5001", "< . 5001 ack 901", "|", "= ESTABLISHED"}},
        {"silence to a bad ACK", RULE_SYN_RECEIVED_BAD_ACK_RST, {"< . 1 ack 0", "|"}},
        {"silence outside the window", RULE_UNACCEPTABLE_ACK, {"< . 70000 ack 1", "|"}},
        {"silence to the old SYN", RULE_UNACCEPTABLE_ACK, {"< S 0", "|"}},
        {"a RST outside the window counts", RULE_STATE_TOLD, {"< R 0", "|", "= LISTEN"}},
        {"a RST is answered by a RST", RULE_RST_ANSWERED, {"< R 70000", "> R 1"}},
        {"a RST at RCV.NXT does not count", RULE_AFTER_RST, {"< R 1", "> . 1 ack 1"}},
        {"no RST without a cause", RULE_RST_UNASKED, {"> R. 1 ack 1"}},
        {"a bad ACK opens", RULE_STATE_TOLD, {"< . 1 ack 2", "> R 2", "= ESTABLISHED"}},
        {"a wrong RST", RULE_RST_NUMBERS, {"< . 1 ack 2", "> R 3"}},
        {"another ISS", RULE_SYN_CHANGED, {"+1000", "> S. 1 ack 1"}},
        {"data before it is open", RULE_SEGMENT_IN_STATE, {"! send 10", "> P. 1+10 ack 1"}},
        {"a FIN that nobody asked for", RULE_FIN_UNASKED, {"> F. 1 ack 1"}},
        {"the SYN again takes more", RULE_SYN_ACK_NUMBERS, {"< S 0+10", "> S. 0 ack 12"}},
        {"ABORT without a RST", RULE_ABORT_RST, {"! accept", "! abort", "|"}},
        {"SYN,ACK after the ACK", RULE_SYN_ACK_UNASKED, {"< . 1 ack 1", "> S. 0 ack 1"}},
    };
    (void)state;
    play(TCP_STATE_LISTEN, half_open, rows, COUNT(rows));
}

static void after_simultaneous_opening_a_reset_means_closed(void **state)
{
    static const char *const crossed[] = {"! connect", "> S 0", "< S 0", "> S. 0 ack 1", NULL};
    static const struct talk_row rows[] = {
        {"the SYN,ACK of the other", TALK_SOUND, {"< S. 0 ack 1", "> . 1 ack 1", "= ESTABLISHED"}},
        {"is not acceptable by its number alone", TALK_SOUND, {"< S. 0 ack 1", "> . 1 ack 1", "= SYN-RECEIVED"}},
        {"its ACK", TALK_SOUND, {"< . 1 ack 1", "|", "= ESTABLISHED"}},
        {"a RST", TALK_SOUND, {"< R 1", "|", "? CLOSED"}},
        {"a SYN in the window: challenge", TALK_SOUND, {"< S 100", "> . 1 ack 1", "= SYN-RECEIVED"}},
        {"or RST", TALK_SOUND, {"< S 100", "> R. =0 ack 101", "= CLOSED"}},
        {"but not silence", RULE_CHALLENGE_SYN, {"< S 100", "|"}},
    };
    (void)state;
    play(TCP_STATE_CLOSED, crossed, rows, COUNT(rows));
}

static void what_was_given_up_may_be_begun_again(void **state)
{
#define AGAIN "> S. 0 ack 1 <mss 1460>"
    static const char *const half_open[] = {"< S 0", AGAIN, "+1000", AGAIN, "+2000", AGAIN, "+4000", AGAIN, "+8000", AGAIN, "+16000", AGAIN,
                                            "+32000", AGAIN, NULL};
    static const struct talk_row rows[] = {
        {"by the same SYN, long after", TALK_SOUND, {"+60000", "< S 0", "> S. 5000 ack 1 <mss 1460>"}},
        {"or it is still the first", TALK_SOUND, {"+60000", "< S 0", AGAIN}},
        {"but not at once", RULE_SYN_CHANGED, {"+10000", "< S 0", "> S. 5000 ack 1 <mss 1460>"}},
    };
#undef AGAIN
    (void)state;
    play(TCP_STATE_LISTEN, half_open, rows, COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_to_nothing_is_reset),
        cmocka_unit_test(a_listener_takes_a_syn_and_nothing_else),
        cmocka_unit_test(under_pressure_a_listener_may_be_silent),
        cmocka_unit_test(without_knowledge_of_the_application_either_will_do),
        cmocka_unit_test(a_connection_is_opened_actively),
        cmocka_unit_test(a_connection_half_open_becomes_open_or_nothing),
        cmocka_unit_test(after_simultaneous_opening_a_reset_means_closed),
        cmocka_unit_test(what_was_given_up_may_be_begun_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
