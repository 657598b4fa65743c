/* The judge on ESTABLISHED: the checks of RFC 9293 §3.10.7.4 one by one, with every class of sequence number, acknowledgment, RST
 * and SYN; and what the IUT sends of itself. */
#include "engine/model/test/talk.h"

static struct talk *opened(const char *const *preamble)
{
    struct talk *t = talk_new();
    t->host.mtu = 0;
    t->host.application_known = true;
    t->config.states = 1u << TCP_STATE_LISTEN;
    t->preamble = preamble;
    return t;
}

/* The IUT's window is 1000 octets: RCV.NXT 1, right edge 1001; what it sends may reach 65536. */
static const char *const established[] = {"! listen", "< S 0", "> S. 0 ack 1 win 1000", "< . 1 ack 1", "! accept", NULL};
/* The same, and the window is full. */
static const char *const full[] = {"! listen", "< S 0", "> S. 0 ack 1 win 1000", "< . 1 ack 1", "! accept", "< P. 1+1000 ack 1",
                                   "> . 1 ack 1001 win 0", NULL};

static void play(const char *const *preamble, const struct talk_row *rows, size_t count)
{
    struct talk *t = opened(preamble);
    talk_rows(t, rows, count);
    talk_free(t);
}

/* ---- first: the sequence number ------------------------------------------------------------------------------------- */

static void each_class_of_sequence_numbers(void **state)
{
    static const struct talk_row rows[] = {
        {"in order", TALK_SOUND, {"< P. 1+10 ack 1", "> . 1 ack 11 win 990", "|"}},
        {"in order, acknowledged later", TALK_SOUND, {"< P. 1+10 ack 1", "+400", "> . 1 ack 11 win 990"}},
        {"up to the right edge", TALK_SOUND, {"< P. 1+1000 ack 1", "> . 1 ack 1001 win 0"}},
        {"beyond it: cut", TALK_SOUND, {"< P. 1+1010 ack 1", "> . 1 ack 1001 win 0"}},
        {"beyond it: dropped", TALK_SOUND, {"< P. 1+1010 ack 1", "> . 1 ack 1 win 1000"}},
        {"straddling the left edge", TALK_SOUND, {"< P. 1+10 ack 1", "> . 1 ack 11 win 990", "< P. 6+10 ack 1", "> . 1 ack 16 win 985"}},
        {"wider than the window: taken", TALK_SOUND, {"< P. -9+1100 ack 1", "> . 1 ack 1001 win 0"}},
        {"wider than the window: refused", TALK_SOUND, {"< P. -9+1100 ack 1", "> . 1 ack 1 win 1000"}},
        {"out of order: silence, or an ACK", TALK_SOUND, {"< P. 11+10 ack 1", "|", "< P. 31+10 ack 1", "> . 1 ack 1 win 1000"}},
        {"and kept", TALK_SOUND, {"< P. 11+10 ack 1", "< P. 1+10 ack 1", "> . 1 ack 21 win 980"}},
        {"or not", TALK_SOUND, {"< P. 11+10 ack 1", "< P. 1+10 ack 1", "> . 1 ack 11 win 990", "< P. 11+10 ack 1", "> . 1 ack 21 win 980"}},
        {"old: an ACK", TALK_SOUND, {"< P. 0+1 ack 1", "> . 1 ack 1 win 1000"}},
        {"a keep-alive: an ACK", TALK_SOUND, {"< . 0 ack 1", "> . 1 ack 1 win 1000"}},
        {"at the right edge: an ACK", TALK_SOUND, {"< P. 1001+10 ack 1", "> . 1 ack 1 win 1000"}},
        {"far away: an ACK", TALK_SOUND, {"< P. 2147483000+10 ack 1", "> . 1 ack 1 win 1000"}},
        {"a second one soon after: perhaps silence", TALK_SOUND, {"< . 0 ack 1", "> . 1 ack 1 win 1000", "+100", "< . 0 ack 1", "|"}},
        {"across the wrap", TALK_SOUND, {"< P. 1+255 ack 1", "> . 1 ack 256 win 745", "< P. 256+10 ack 1", "> . 1 ack 266 win 735"}},
        {"no ACK of data for half a second", RULE_DATA_ACK, {"< P. 1+10 ack 1", "+530"}},
        {"no ACK of what fills the window", RULE_DATA_ACK, {"< P. 1+1000 ack 1", "+530"}},
        {"only a duplicate ACK of it", RULE_ACK_TOO_LOW, {"< P. 1+10 ack 1", "> . 1 ack 1 win 1000"}},
        {"not all of it is acknowledged", RULE_ACK_TOO_LOW, {"< P. 1+10 ack 1", "> . 1 ack 10 win 1000"}},
        {"more is acknowledged than came", RULE_ACK_NOT_RECEIVED, {"< P. 1+10 ack 1", "> . 1 ack 12 win 1000"}},
        {"what lies behind a hole is acknowledged", RULE_ACK_NOT_RECEIVED, {"< P. 11+10 ack 1", "> . 1 ack 21 win 1000"}},
        {"more than the kept", RULE_ACK_NOT_RECEIVED, {"< P. 11+10 ack 1", "< P. 1+9 ack 1", "> . 1 ack 21 win 980"}},
        {"what lies beyond the window is taken", RULE_ACK_NOT_RECEIVED, {"< P. 1001+10 ack 1", "> . 1 ack 1011 win 1000"}},
        {"silence to what is old", RULE_UNACCEPTABLE_ACK, {"< P. 0+1 ack 1", "|"}},
        {"silence at the right edge", RULE_UNACCEPTABLE_ACK, {"< P. 1001+10 ack 1", "|"}},
        {"silence far away", RULE_UNACCEPTABLE_ACK, {"< P. 2147483000+10 ack 1", "|"}},
        {"a RST to what is old", RULE_RST_UNASKED, {"< P. 0+1 ack 1", "> R. 1 ack 1"}},
    };
    (void)state;
    play(established, rows, COUNT(rows));
}

static void a_closed_window(void **state)
{
    static const struct talk_row rows[] = {
        {"a probe is acknowledged", TALK_SOUND, {"< P. 1001+1 ack 1", "> . 1 ack 1001 win 0"}},
        {"or taken", TALK_SOUND, {"< P. 1001+1 ack 1", "> . 1 ack 1002 win 0"}},
        {"an ACK is taken", TALK_SOUND, {"! send 10", "> P. 1+10 ack 1001 win 0", "< . 1001 ack 11", "|"}},
        {"an ACK in a probe as well", TALK_SOUND, {"! send 10", "> P. 1+10 ack 1001 win 0", "< P. 1001+1 ack 11", "> . 11 ack 1001 win 0"}},
        {"a RST counts", TALK_SOUND, {"< R 1001", "|", "? LISTEN"}},
        {"it has opened silently", TALK_SOUND, {"! receive 1000", "< P. 1001+1 ack 1", "> . 1 ack 1002 win 999"}},
        {"silence to a probe", RULE_UNACCEPTABLE_ACK, {"< P. 1001+1 ack 1", "|"}},
        {"silence to a larger one", RULE_UNACCEPTABLE_ACK, {"< P. 1001+100 ack 1", "|"}},
        {"more is taken than came", RULE_ACK_NOT_RECEIVED, {"< P. 1001+1 ack 1", "> . 1 ack 1003 win 0"}},
    };
    (void)state;
    play(full, rows, COUNT(rows));
}

static void a_window_taken_back_is_a_deviation_and_no_more(void **state)
{
    static const struct talk_row rows[] = {
        {"said once", RULE_WINDOW_SHRUNK, {"> . 1 ack 1 win 400"}},
        {"what lay in it need not be taken", RULE_WINDOW_SHRUNK, {"> . 1 ack 1 win 400", "< P. 1+900 ack 1", "+400", "> . 1 ack 1 win 400", "+600"}},
    };
    (void)state;
    play(established, rows, COUNT(rows));
}

/* ---- second to fourth: RST, SYN --------------------------------------------------------------------------------------- */

static void each_class_of_resets(void **state)
{
    static const struct talk_row rows[] = {
        {"at RCV.NXT: gone", TALK_SOUND, {"< R 1", "|", "= LISTEN", "< . 1 ack 1", "> R 1"}},
        {"with ACK too, whatever it acknowledges", TALK_SOUND, {"< R. 1 ack 9999", "|", "= LISTEN"}},
        {"inside the window: a challenge", TALK_SOUND, {"< R 2", "> . 1 ack 1 win 1000", "= ESTABLISHED"}},
        {"inside the window: by RFC 793 gone", TALK_SOUND, {"< R 1000", "|", "= LISTEN"}},
        {"left of it: nothing", TALK_SOUND, {"< R 0", "|", "= ESTABLISHED"}},
        {"at the right edge: nothing", TALK_SOUND, {"< R 1001", "|", "= ESTABLISHED"}},
        {"far away: nothing", TALK_SOUND, {"< R -2147483647", "|", "= ESTABLISHED"}},
        {"with a SYN: nothing else", TALK_SOUND, {"< RS 1", "|", "= LISTEN"}},
        {"at RCV.NXT, but it goes on", RULE_AFTER_RST, {"< R 1", "> . 1 ack 1 win 1000"}},
        {"at RCV.NXT, but it tells ESTABLISHED", RULE_AFTER_RST, {"< R 1", "= ESTABLISHED"}},
        {"left of it, but it is gone", RULE_STATE_TOLD, {"< R 0", "= LISTEN"}},
        {"at the right edge, but it is gone", RULE_STATE_TOLD, {"< R 1001", "= LISTEN"}},
        {"answered by a RST", RULE_RST_ANSWERED, {"< R 0", "> R. 1 ack 1"}},
        {"inside the window: no challenge, no reset", RULE_CHALLENGE_RST, {"< R 2", "|", "= ESTABLISHED"}},
    };
    (void)state;
    play(established, rows, COUNT(rows));
}

static void a_syn_is_challenged(void **state)
{
    static const struct talk_row rows[] = {
        {"inside the window", TALK_SOUND, {"< S 10", "> . 1 ack 1 win 1000", "= ESTABLISHED"}},
        {"inside the window, by RFC 793", TALK_SOUND, {"< S 10", "> R. =0 ack 11", "= LISTEN"}},
        {"the same with ACK", TALK_SOUND, {"< S. 10 ack 1", "> R 1", "= LISTEN"}},
        {"the same with SND.NXT", TALK_SOUND, {"< S 10", "> R. 1 ack 1", "= LISTEN"}},
        {"outside of it", TALK_SOUND, {"< S 5000", "> . 1 ack 1 win 1000", "= ESTABLISHED"}},
        {"the first one again", TALK_SOUND, {"< S 0", "> . 1 ack 1 win 1000", "= ESTABLISHED"}},
        {"silence inside the window", RULE_CHALLENGE_SYN, {"< S 10", "|"}},
        {"silence outside of it", RULE_UNACCEPTABLE_ACK, {"< S 5000", "|"}},
        {"a reset outside of it", RULE_RST_UNASKED, {"< S 5000", "> R. =0 ack 5001"}},
        {"SYN,ACK", RULE_SYN_ACK_UNASKED, {"< S 10", "> S. 0 ack 11"}},
        {"a reset with a number from nowhere", RULE_RST_NUMBERS, {"< S 10", "> R. 12345 ack 11"}},
    };
    (void)state;
    play(established, rows, COUNT(rows));
}

/* ---- fifth: the acknowledgment ---------------------------------------------------------------------------------------- */

static void each_class_of_acknowledgments(void **state)
{
    static const char *const in_flight[] = {"! listen", "< S 0", "> S. 0 ack 1 win 1000", "< . 1 ack 1 win 2000", "! accept", "! send 1500",
                                            "> P. 1+500 ack 1 win 1000", "> P. 501+500 ack 1 win 1000", "> P. 1001+500 ack 1 win 1000", NULL};
    static const struct talk_row rows[] = {
        {"some of it", TALK_SOUND, {"< . 1 ack 501 win 2000", "|", "> P. 501+500 ack 1 win 1000"}},
        {"amid a segment", TALK_SOUND, {"< . 1 ack 700 win 2000", "> P. 501+500 ack 1 win 1000"}},
        {"all of it", TALK_SOUND, {"< . 1 ack 1501 win 2000", "|", "+1000"}},
        {"a duplicate", TALK_SOUND, {"< . 1 ack 1 win 2000", "< . 1 ack 1 win 2000", "|", "> P. 1+500 ack 1 win 1000"}},
        {"less than before is old", TALK_SOUND, {"< . 1 ack 1001 win 2000", "< . 1 ack 501 win 2000", "|", "> P. 1001+500 ack 1 win 1000"}},
        {"of what was not sent", TALK_SOUND, {"< . 1 ack 1502 win 2000", "> . 1501 ack 1 win 1000", "> P. 1+500 ack 1 win 1000"}},
        {"and what came with it is dropped", TALK_SOUND, {"< P. 1+10 ack 1502 win 2000", "> . 1501 ack 1 win 1000"}},
        {"no ACK bit: dropped", TALK_SOUND, {"< - 1+10", "|", "+600", "> . 1501 ack 1 win 1000"}},
        {"silence to one of what was not sent", RULE_ACK_OF_FUTURE, {"< . 1 ack 1502 win 2000", "|"}},
        {"it counts", RULE_SEQ_GAP, {"! send 1000", "< . 1 ack 2000 win 2000", "> P. 2000+10 ack 1 win 1000"}},
        {"the data with it counts", RULE_ACK_NOT_RECEIVED, {"< P. 1+10 ack 1502 win 2000", "> . 1501 ack 11 win 1000"}},
        {"data without ACK counts", RULE_NO_ACK_BIT, {"< - 1+10", "> . 1501 ack 11 win 1000"}},
        {"what was acknowledged is sent again", RULE_SEQ_BELOW_UNA, {"< . 1 ack 501 win 2000", "> P. 1+500 ack 1 win 1000"}},
        {"a pure ACK below", RULE_SEQ_BELOW_UNA, {"< . 1 ack 1001 win 2000", "> . 501 ack 1 win 1000"}},
        {"a pure ACK beyond", RULE_SEQ_BEYOND_NXT, {"> . 1502 ack 1 win 1000"}},
        {"a gap", RULE_SEQ_GAP, {"! send 100", "> P. 1502+99 ack 1 win 1000"}},
        {"beyond the window", RULE_WINDOW_EXCEEDED, {"! send 1000", "> P. 1501+501 ack 1 win 1000"}},
    };
    (void)state;
    play(in_flight, rows, COUNT(rows));
}

/* RFC 5961 §5.2: SND.UNA - MAX.SND.WND =< SEG.ACK. */
static void an_ack_too_old_may_be_refused_or_taken_for_a_duplicate(void **state)
{
    static const struct talk_row rows[] = {
        {"refused", TALK_SOUND, {"< P. 1+10 ack -65600", "> . 1 ack 1 win 1000", "= ESTABLISHED"}},
        {"a duplicate", TALK_SOUND, {"< P. 1+10 ack -65600", "> . 1 ack 11 win 990"}},
        {"a FIN refused", TALK_SOUND, {"< F. 1 ack -65600", "> . 1 ack 1 win 1000", "= ESTABLISHED"}},
        {"a FIN taken", TALK_SOUND, {"< F. 1 ack -65600", "> . 1 ack 2 win 1000", "= CLOSE-WAIT"}},
        {"ignored", RULE_UNACCEPTABLE_ACK, {"< P. 1+10 ack -65600", "+600"}},
    };
    (void)state;
    play(established, rows, COUNT(rows));
}

/* ---- the IUT of itself ------------------------------------------------------------------------------------------------- */

static void what_an_open_connection_sends_unasked(void **state)
{
    static const struct talk_row rows[] = {
        {"a window update", TALK_SOUND, {"> . 1 ack 1 win 2000"}},
        {"a RST when its application aborts", TALK_SOUND, {"! abort", "> R 1", "|", "? LISTEN"}},
        {"the same with ACK", TALK_SOUND, {"! abort", "> R. 1 ack 1", "|"}},
        {"abort, before what came is acknowledged", TALK_SOUND, {"< P. 1+10 ack 1", "! abort", "> R. 1 ack 11"}},
        {"no RST after ABORT", RULE_ABORT_RST, {"! abort", "|"}},
        {"a FIN after ABORT", RULE_SEGMENT_IN_STATE, {"! abort", "> F. 1 ack 1 win 1000"}},
        {"ABORT, with a wrong number", RULE_RST_NUMBERS, {"! abort", "> R 2"}},
        {"a RST of itself", RULE_RST_UNASKED, {"> R. 1 ack 1"}},
        {"a FIN of itself", RULE_FIN_UNASKED, {"> F. 1 ack 1"}},
        {"a SYN", RULE_SYN_WITHOUT_OPEN, {"> S 1"}},
        {"data behind the peer's back", RULE_DATA_WITHOUT_SEND, {"> P. 1+10 ack 1 win 1000"}},
        {"an ACK for nothing", RULE_ACK_NOT_RECEIVED, {"> . 1 ack 2 win 1000"}},
    };
    (void)state;
    play(established, rows, COUNT(rows));
}

/* ---- time ------------------------------------------------------------------------------------------------------------------ */

static void an_output_may_be_older_than_the_last_input(void **state)
{
    static const struct talk_row rows[] = {
        {"then it does not know it", TALK_SOUND, {"< P. 1+10 ack 1", "+5", "~6", "> . 1 ack 1 win 1000", "~0", "> . 1 ack 11 win 990"}},
        {"but owes the answer still", RULE_DATA_ACK, {"< P. 1+10 ack 1", "+5", "~6", "> . 1 ack 1 win 1000", "+600"}},
        {"at the same time it is not older", RULE_ACK_TOO_LOW, {"< P. 1+10 ack 1", "+5", "~5", "> . 1 ack 1 win 1000"}},
        {"it explains nothing that was wrong before as well", RULE_ACK_NOT_RECEIVED, {"< P. 1+10 ack 1", "+5", "~6", "> . 1 ack 12 win 1000"}},
    };
    (void)state;
    play(established, rows, COUNT(rows));
}

static void many_holes_do_not_confuse(void **state)
{
    struct talk *t = opened(established);
    static const struct talk_row nothing[] = {{"opened", TALK_SOUND, {"+1"}}};
    char line[64];
    (void)state;
    talk_rows(t, nothing, 1);
    for (unsigned i = 20; i-- > 0;) {
        snprintf(line, sizeof line, "P. %u+10 ack 1", 11 + i * 20);
        talk_in(t, line);
    }
    for (unsigned i = 0; i < 20; i++) {
        snprintf(line, sizeof line, "P. %u+10 ack 1", 1 + i * 20);
        talk_in(t, line);
        snprintf(line, sizeof line, ". 1 ack %u win %u", 21 + i * 20, 980 - i * 20);
        talk_out(t, line);
    }
    talk_expect_nothing(t);
    talk_free(t);
}

/* A connection that is there already: its numbers are not known, and nothing is said of them. */
static void from_the_middle_nothing_is_exact(void **state)
{
    static const struct talk_row rows[] = {
        {"an answer", TALK_SOUND, {"< P. 1000+10 ack 500", "> . 500 ack 1010"}},
        {"no answer", TALK_SOUND, {"< P. 1000+10 ack 500", "|", "+1000"}},
        {"a RST", TALK_SOUND, {"< P. 1000+10 ack 500", "> R 500"}},
    };
    struct talk *t = talk_new();
    (void)state;
    t->config.states = 0;
    talk_rows(t, rows, COUNT(rows));
    t->config.states = 1u << TCP_STATE_ESTABLISHED;
    talk_rows(t, rows, COUNT(rows));
    talk_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_of_sequence_numbers),
        cmocka_unit_test(a_closed_window),
        cmocka_unit_test(a_window_taken_back_is_a_deviation_and_no_more),
        cmocka_unit_test(each_class_of_resets),
        cmocka_unit_test(a_syn_is_challenged),
        cmocka_unit_test(each_class_of_acknowledgments),
        cmocka_unit_test(an_ack_too_old_may_be_refused_or_taken_for_a_duplicate),
        cmocka_unit_test(what_an_open_connection_sends_unasked),
        cmocka_unit_test(an_output_may_be_older_than_the_last_input),
        cmocka_unit_test(many_holes_do_not_confuse),
        cmocka_unit_test(from_the_middle_nothing_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
