/* The judge on closing (RFC 9293 §3.6, §3.10.4-5, §3.10.7.4): FIN-WAIT-1, FIN-WAIT-2, CLOSING, CLOSE-WAIT, LAST-ACK and TIME-WAIT.
 */
#include "engine/model/test/talk.h"

static void play(const char *const *preamble, const struct talk_row *rows, size_t count)
{
    struct talk *t = talk_new();
    t->host.mtu = 0;
    t->host.application_known = true;
    t->config.states = 1u << TCP_STATE_LISTEN;
    t->preamble = preamble;
    talk_rows(t, rows, count);
    talk_free(t);
}

#define OPEN "! listen", "< S 0", "> S. 0 ack 1 win 1000", "< . 1 ack 1", "! accept"

static void closing_an_open_connection(void **state)
{
    static const char *const established[] = {OPEN, NULL};
    static const struct talk_row rows[] = {
        {"CLOSE: a FIN", TALK_SOUND, {"! close", "> F. 1 ack 1 win 1000", "= FIN-WAIT-1"}},
        {"a half-close: a FIN", TALK_SOUND, {"! shutdown", "> F. 1 ack 1 win 1000", "= FIN-WAIT-1"}},
        {"the state is entered before the FIN is sent", TALK_SOUND, {"! shutdown", "= FIN-WAIT-1", "> F. 1 ack 1 win 1000"}},
        {"the FIN with the last data", TALK_SOUND, {"! send 10", "! close", "> FP. 1+10 ack 1 win 1000", "= FIN-WAIT-1"}},
        {"CLOSE with unread data: a RST", TALK_SOUND, {"< P. 1+10 ack 1", "> . 1 ack 11 win 990", "! close", "> R. 1 ack 11", "? LISTEN"}},
        {"or a FIN", TALK_SOUND, {"< P. 1+10 ack 1", "> . 1 ack 11 win 990", "! close", "> F. 1 ack 11 win 1000", "= FIN-WAIT-1"}},
        {"a FIN comes", TALK_SOUND, {"< F. 1 ack 1", "> . 1 ack 2 win 999", "= CLOSE-WAIT"}},
        {"data and FIN", TALK_SOUND, {"< FP. 1+10 ack 1", "> . 1 ack 12 win 990", "= CLOSE-WAIT"}},
        {"a FIN behind a hole", TALK_SOUND, {"< F. 11 ack 1", "|", "? ESTABLISHED", "< P. 1+10 ack 1", "> . 1 ack 12 win 990", "= CLOSE-WAIT"}},
        {"the same, the FIN dropped", TALK_SOUND, {"< F. 11 ack 1", "< P. 1+10 ack 1", "> . 1 ack 11 win 990", "= ESTABLISHED"}},
        {"a FIN beyond the window", TALK_SOUND, {"< F. 1001 ack 1", "> . 1 ack 1 win 1000", "= ESTABLISHED"}},
        {"no FIN after CLOSE", RULE_FIN_SENT, {"! close", "+600"}},
        {"no FIN after a half-close", RULE_FIN_SENT, {"! shutdown", "+600"}},
        {"a FIN in the wrong place", RULE_SEQ_GAP, {"! close", "> F. 2 ack 1 win 1000"}},
        {"silence to a FIN", RULE_FIN_ACK, {"< F. 1 ack 1", "+600"}},
        {"the FIN does not count", RULE_ACK_TOO_LOW, {"< F. 1 ack 1", "> . 1 ack 1 win 1000"}},
        {"the FIN counts twice", RULE_ACK_NOT_RECEIVED, {"< F. 1 ack 1", "> . 1 ack 3 win 1000"}},
        {"a FIN behind a hole counts", RULE_STATE_TOLD, {"< F. 11 ack 1", "= CLOSE-WAIT"}},
        {"a FIN beyond the window counts", RULE_STATE_TOLD, {"< F. 1001 ack 1", "> . 1 ack 1 win 1000", "= CLOSE-WAIT"}},
        {"a FIN before all data", RULE_FIN_BEFORE_DATA, {"! send 10", "! close", "> F. 1 ack 1 win 1000"}},
    };
    (void)state;
    play(established, rows, COUNT(rows));
}

static void fin_wait_1_and_after(void **state)
{
    static const char *const fin_wait_1[] = {OPEN, "! shutdown", "> F. 1 ack 1 win 1000", NULL};
    static const struct talk_row rows[] = {
        {"the FIN is acknowledged", TALK_SOUND, {"< . 1 ack 2", "|", "= FIN-WAIT-2"}},
        {"the FIN again", TALK_SOUND, {"+1000", "> F. 1 ack 1 win 1000", "= FIN-WAIT-1"}},
        {"data still comes", TALK_SOUND, {"< P. 1+10 ack 1", "> . 2 ack 11 win 990", "= FIN-WAIT-1"}},
        {"data still comes, with the ACK", TALK_SOUND, {"< P. 1+10 ack 2", "> . 2 ack 11 win 990", "= FIN-WAIT-2"}},
        {"a FIN that does not acknowledge ours", TALK_SOUND, {"< F. 1 ack 1", "> . 2 ack 2 win 1000", "= CLOSING"}},
        {"a FIN that does", TALK_SOUND, {"< F. 1 ack 2", "> . 2 ack 2 win 1000", "= TIME-WAIT"}},
        {"CLOSING ends with the ACK", TALK_SOUND, {"< F. 1 ack 1", "> . 2 ack 2 win 1000", "< . 2 ack 2", "|", "= TIME-WAIT"}},
        {"in CLOSING the FIN may come again", TALK_SOUND, {"< F. 1 ack 1", "> . 2 ack 2 win 1000", "+1000", "> F. 1 ack 2 win 1000"}},
        {"a SYN", TALK_SOUND, {"< S 0", "> . 2 ack 1 win 1000", "= FIN-WAIT-1"}},
        {"a RST", TALK_SOUND, {"< R 1", "|", "= LISTEN"}},
        {"ABORT", TALK_SOUND, {"! abort", "> R 2", "? LISTEN"}},
        {"silence to data", RULE_DATA_ACK, {"< P. 1+10 ack 2", "+600"}},
        {"silence to a FIN", RULE_FIN_ACK, {"< F. 1 ack 2", "+600"}},
        {"ACK of what was not sent", RULE_ACK_OF_FUTURE, {"< . 1 ack 3", "|"}},
        {"a FIN that does not acknowledge ours ends it", RULE_STATE_TOLD, {"< F. 1 ack 1", "> . 2 ack 2 win 1000", "= TIME-WAIT"}},
        {"data after the FIN", RULE_DATA_AFTER_FIN, {"! send 30", "> P. 2+10 ack 1 win 1000"}},
        {"data over the FIN", RULE_DATA_AFTER_FIN, {"! send 30", "> P. 1+10 ack 1 win 1000"}},
        {"a second FIN", RULE_FIN_MOVED, {"> F. 2 ack 1 win 1000"}},
        {"the FIN again after it was acknowledged", RULE_SEGMENT_IN_STATE, {"< . 1 ack 2", "> F. 1 ack 1 win 1000"}},
        {"data in FIN-WAIT-2", RULE_DATA_AFTER_FIN, {"! send 30", "< . 1 ack 2", "> P. 2+10 ack 1 win 1000"}},
        {"ACK of the FIN, but it tells FIN-WAIT-1", RULE_STATE_TOLD, {"< . 1 ack 2", "= FIN-WAIT-1"}},
    };
    (void)state;
    play(fin_wait_1, rows, COUNT(rows));
}

static void fin_wait_2(void **state)
{
    static const char *const half_closed[] = {OPEN, "! shutdown", "> F. 1 ack 1 win 1000", "< . 1 ack 2", NULL};
    static const struct talk_row rows[] = {
        {"data comes for long", TALK_SOUND, {"+5000", "< P. 1+10 ack 2", "> . 2 ack 11 win 990", "= FIN-WAIT-2"}},
        {"a FIN", TALK_SOUND, {"< F. 1 ack 2", "> . 2 ack 2 win 1000", "= TIME-WAIT"}},
        {"a RST", TALK_SOUND, {"< R 1", "|", "= LISTEN"}},
        {"after CLOSE data is reset", TALK_SOUND, {"! close", "< P. 1+10 ack 2", "> R 2", "|", "= LISTEN"}},
        {"after CLOSE it may be gone in a while", TALK_SOUND, {"! close", "+61000", "= LISTEN"}},
        {"but not at once", RULE_STATE_TOLD, {"! close", "= LISTEN"}},
        {"silence to a FIN", RULE_FIN_ACK, {"< F. 1 ack 2", "+600"}},
        {"a RST to data, though half of it is open", RULE_RST_UNASKED, {"< P. 1+10 ack 2", "> R 2"}},
    };
    (void)state;
    play(half_closed, rows, COUNT(rows));
}

static void close_wait_and_last_ack(void **state)
{
    static const char *const close_wait[] = {OPEN, "< F. 1 ack 1", "> . 1 ack 2 win 1000", NULL};
    static const struct talk_row rows[] = {
        {"data goes on", TALK_SOUND, {"! send 10", "> P. 1+10 ack 2 win 1000", "= CLOSE-WAIT", "< . 2 ack 11", "|", "= CLOSE-WAIT"}},
        {"CLOSE: a FIN", TALK_SOUND, {"! close", "> F. 1 ack 2 win 1000", "= LAST-ACK"}},
        {"its ACK: gone", TALK_SOUND, {"! close", "> F. 1 ack 2 win 1000", "< . 2 ack 2", "|", "= LISTEN", "< . 2 ack 2", "> R 2"}},
        {"the FIN again", TALK_SOUND, {"! close", "> F. 1 ack 2 win 1000", "+1000", "> F. 1 ack 2 win 1000"}},
        {"the peer's FIN again", TALK_SOUND, {"< F. 1 ack 1", "> . 1 ack 2 win 1000", "= CLOSE-WAIT"}},
        {"text behind the FIN is ignored", TALK_SOUND, {"< P. 2+10 ack 1", "|", "> . 1 ack 2 win 1000", "= CLOSE-WAIT"}},
        {"a RST", TALK_SOUND, {"< R 2", "|", "= LISTEN"}},
        {"the FIN's number may have moved the window", TALK_SOUND, {"< . 1002 ack 1", "|", "= CLOSE-WAIT"}},
        {"by one", RULE_UNACCEPTABLE_ACK, {"< . 1003 ack 1", "|"}},
        {"an ACK of the future", TALK_SOUND, {"< . 2 ack 2147483649", "> . 1 ack 2 win 1000", "= CLOSE-WAIT"}},
        {"in silence", RULE_ACK_OF_FUTURE, {"< . 2 ack 2147483647", "|"}},
        {"half of the number space away it is of the past as well", TALK_SOUND, {"< . 2 ack 2147483649", "|", "= CLOSE-WAIT"}},
        {"ABORT", TALK_SOUND, {"! abort", "> R 1"}},
        {"in LAST-ACK a RST", TALK_SOUND, {"! close", "> F. 1 ack 2 win 1000", "< R 2", "|", "= LISTEN"}},
        {"ABORT in LAST-ACK says nothing", TALK_SOUND, {"! close", "> F. 1 ack 2 win 1000", "! abort", "|"}},
        {"silence to the peer's FIN again", RULE_UNACCEPTABLE_ACK, {"< F. 1 ack 1", "|"}},
        {"no FIN after CLOSE", RULE_FIN_SENT, {"! close", "+600"}},
        {"text behind the FIN is taken", RULE_ACK_NOT_RECEIVED, {"< P. 2+10 ack 1", "> . 1 ack 12 win 1000"}},
        {"LAST-ACK does not end", RULE_STATE_TOLD, {"! close", "> F. 1 ack 2 win 1000", "< . 2 ack 2", "= LAST-ACK"}},
        {"LAST-ACK ends by an ACK of less", RULE_STATE_TOLD, {"! close", "> F. 1 ack 2 win 1000", "< . 2 ack 1", "= LISTEN"}},
        {"an ACK after the end", RULE_SEGMENT_IN_STATE, {"! close", "> F. 1 ack 2 win 1000", "< . 2 ack 2", "> . 2 ack 2 win 1000"}},
        {"a second FIN", RULE_FIN_MOVED, {"! close", "> F. 1 ack 2 win 1000", "> F. 2 ack 2 win 1000"}},
    };
    (void)state;
    play(close_wait, rows, COUNT(rows));
}

static void time_wait(void **state)
{
    static const char *const waiting[] = {OPEN, "! close", "> F. 1 ack 1 win 1000", "< F. 1 ack 2", "> . 2 ack 2 win 1000", NULL};
    static const struct talk_row rows[] = {
        {"the FIN again is acknowledged", TALK_SOUND, {"< F. 1 ack 2", "> . 2 ack 2 win 1000", "= TIME-WAIT"}},
        {"an ACK needs no answer", TALK_SOUND, {"< . 2 ack 2", "|", "= TIME-WAIT"}},
        {"a RST ends it, or not", TALK_SOUND, {"< R 2", "|", "? TIME-WAIT LISTEN"}},
        {"a SYN with a higher number opens", TALK_SOUND, {"< S 5000", "> S. 99000 ack 5001", "< . 5001 ack 99001", "|", "= ESTABLISHED"}},
        {"or is acknowledged", TALK_SOUND, {"< S 5000", "> . 2 ack 2 win 1000", "= TIME-WAIT"}},
        {"or passed over", TALK_SOUND, {"< S 5000", "|", "= TIME-WAIT"}},
        {"in the window it may be reset (RFC 793)", TALK_SOUND, {"< S 500", "> R. =0 ack 501", "|", "= LISTEN"}},
        {"and then it is gone", RULE_STATE_TOLD, {"< S 500", "> R. =0 ack 501", "|", "= TIME-WAIT"}},
        {"when two MSL have passed it is gone", TALK_SOUND, {"+240000", "= LISTEN", "< S 5000", "> S. 99000 ack 5001"}},
        {"gone for some, an ACK is reset", TALK_SOUND, {"+60000", "< . 2 ack 2", "> R 2"}},
        {"silence to the FIN", RULE_TIME_WAIT_FIN, {"< F. 1 ack 2", "|"}},
        {"data in TIME-WAIT", RULE_SEGMENT_IN_STATE, {"! send 30", "> P. 2+10 ack 2 win 1000"}},
        {"a FIN in TIME-WAIT", RULE_SEGMENT_IN_STATE, {"> F. 1 ack 2 win 1000"}},
        {"a new SYN,ACK with wrong numbers", RULE_SYN_ACK_NUMBERS, {"< S 5000", "> S. 99000 ack 5002"}},
        {"it is gone at once", RULE_STATE_TOLD, {"= LISTEN"}},
    };
    (void)state;
    play(waiting, rows, COUNT(rows));
}

static void a_pair_may_be_opened_again_by_the_iut(void **state)
{
    static const char *const closed[] = {"! connect", "> S 0", "< S. 0 ack 1", "> . 1 ack 1", "! close", "> F. 1 ack 1", "< F. 1 ack 2", "> . 2 ack 2", NULL};
    static const struct talk_row rows[] = {
        {"from TIME-WAIT", TALK_SOUND, {"! connect", "> S 99000", "< S. 7000 ack 99001", "> . 99001 ack 7001", "= ESTABLISHED"}},
        {"when it has passed", TALK_SOUND, {"+240000", "! connect", "> S 99000", "= SYN-SENT"}},
        {"but not of itself", RULE_SYN_WITHOUT_OPEN, {"> S 99000"}},
    };
    struct talk *t = talk_new();
    (void)state;
    t->host.mtu = 0;
    t->host.application_known = true;
    t->config.states = 1u << TCP_STATE_CLOSED;
    t->preamble = closed;
    talk_rows(t, rows, COUNT(rows));
    talk_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closing_an_open_connection),
        cmocka_unit_test(fin_wait_1_and_after),
        cmocka_unit_test(fin_wait_2),
        cmocka_unit_test(close_wait_and_last_ack),
        cmocka_unit_test(time_wait),
        cmocka_unit_test(a_pair_may_be_opened_again_by_the_iut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
