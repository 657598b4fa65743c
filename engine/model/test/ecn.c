/* The judge of explicit congestion notification. The rows here have lines of their own, "in N" and "out N": the codepoint in the IP
 * header of the segments that follow, 1 for ECT(1), 2 for ECT(0), 3 for CE. */
#include "engine/model/test/talk.h"

#define CLASSIC "< SWE 0 <mss 1460>", "> SE. 0 ack 1 <mss 1460>", "< . 1 ack 1"
#define NONE "< S 0 <mss 1460>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1"

static void play(struct talk *t, const char *const *lines)
{
    talk_again(t);
    t->in.tos = t->out.tos = 0;
    for (unsigned i = 0; i < TALK_ROW_LINES && lines[i]; i++) {
        const char *line = lines[i];
        if (!strncmp(line, "in ", 3))
            t->in.tos = (uint8_t)(line[3] - '0');
        else if (!strncmp(line, "out ", 4))
            t->out.tos = (uint8_t)(line[4] - '0');
        else if (line[0] == '<')
            talk_in(t, line + 1);
        else
            talk_out(t, line + 1);
    }
}

static void rows_hold(struct talk *t, const struct talk_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        print_message("  %s\n", rows[i].says);
        play(t, rows[i].lines);
        if (rows[i].broken == TALK_SOUND)
            talk_expect_nothing(t);
        else
            talk_expect(t, (enum rule_id)rows[i].broken);
    }
}

static void the_handshake(void **state)
{
    static const struct talk_row rows[] = {
        {"no ECN", TALK_SOUND, {"> S 0 <mss 1460>"}},
        {"classic ECN", TALK_SOUND, {"> SWE 0 <mss 1460>"}},
        {"AccECN", TALK_SOUND, {"> SAWE 0 <mss 1460>"}},
        {"ECE alone", RULE_ECN_SYN_FLAGS, {"> SE 0 <mss 1460>"}},
        {"CWR alone", RULE_ECN_SYN_FLAGS, {"> SW 0 <mss 1460>"}},
        {"asked and agreed", TALK_SOUND, {CLASSIC}},
        {"asked and not agreed", TALK_SOUND, {"< SWE 0", "> S. 0 ack 1 <mss 1460>"}},
        {"AccECN asked, classic agreed", TALK_SOUND, {"< SAWE 0", "> SE. 0 ack 1 <mss 1460>"}},
        {"AccECN asked and agreed: 010", TALK_SOUND, {"< SAWE 0", "> SW. 0 ack 1 <mss 1460>"}},
        {"AccECN asked and agreed: 110", TALK_SOUND, {"< SAWE 0", "> SAW. 0 ack 1 <mss 1460>"}},
        {"flags of the future, taken for AccECN", TALK_SOUND, {"< SA 0", "> SW. 0 ack 1 <mss 1460>"}},
        {"nobody asked", RULE_ECN_UNASKED, {"< S 0", "> SE. 0 ack 1 <mss 1460>"}},
        {"ECE alone does not ask", RULE_ECN_UNASKED, {"< SE 0", "> SE. 0 ack 1 <mss 1460>"}},
        {"asked first, not any more", TALK_SOUND, {"< SWE 0", "< S 0", "> SE. 0 ack 1 <mss 1460>"}},
        {"flags thrown back", RULE_ECN_ANSWER_FLAGS, {"< SWE 0", "> SWE. 0 ack 1 <mss 1460>"}},
        {"CWR for nothing", RULE_ECN_ANSWER_FLAGS, {"< S 0", "> SW. 0 ack 1 <mss 1460>"}},
        {"ECT on a SYN without ECN", RULE_ECN_SYN_ECT, {"out 2", "> S 0 <mss 1460>"}},
        {"ECT on a SYN that asks (an experiment)", TALK_SOUND, {"out 2", "> SWE 0 <mss 1460>"}},
    };
    rows_hold(*state, rows, COUNT(rows));
}

static void codepoints(void **state)
{
    static const struct talk_row rows[] = {
        {"ECT(0) on data", TALK_SOUND, {CLASSIC, "out 2", "> P. 1+10 ack 1"}},
        {"Not-ECT on data", TALK_SOUND, {CLASSIC, "> P. 1+10 ack 1"}},
        {"ECT(1) on data", RULE_ECN_ECT_1, {CLASSIC, "out 1", "> P. 1+10 ack 1"}},
        {"ECT on data without ECN", RULE_ECN_ECT_UNASKED, {NONE, "out 2", "> P. 1+10 ack 1"}},
        {"ECT on data, when the peer did not agree", RULE_ECN_ECT_UNASKED,
         {"> SWE 0 <mss 1460>", "< S. 0 ack 1 <mss 1460>", "> . 1 ack 1", "out 2", "> P. 1+10 ack 1"}},
        {"ECT on a pure ACK", RULE_ECN_PURE_ACK, {CLASSIC, "< P. 1+10 ack 1", "out 2", "> . 1 ack 11"}},
        {"the same without ECN", RULE_ECN_PURE_ACK, {NONE, "< P. 1+10 ack 1", "out 2", "> . 1 ack 11"}},
        {"ECT on a pure ACK of AccECN", TALK_SOUND,
         {"< SAWE 0", "> SW. 0 ack 1 <mss 1460>", "< .A 1 ack 1", "< P.A 1+10 ack 1", "out 2", "> .A 1 ack 11"}},
        {"ECT on a RST", TALK_SOUND, {CLASSIC, "out 2", "> R. 1 ack 1"}},
        {"a retransmission", TALK_SOUND, {CLASSIC, "out 2", "> P. 1+10 ack 1", "out 0", "> P. 1+10 ack 1"}},
        {"ECT on a retransmission", RULE_ECN_RETRANSMISSION, {CLASSIC, "out 2", "> P. 1+10 ack 1", "> P. 1+10 ack 1"}},
        {"ECT on old and new data", TALK_SOUND, {CLASSIC, "out 2", "> P. 1+10 ack 1", "> P. 1+20 ack 1"}},
        {"CWR on new data", TALK_SOUND, {CLASSIC, "out 2", "> PW. 1+10 ack 1"}},
        {"CWR on a retransmission", RULE_ECN_CWR_RETRANSMISSION, {CLASSIC, "> P. 1+10 ack 1", "> PW. 1+10 ack 1"}},
        {"ECT on a window probe", RULE_ECN_PROBE,
         {"< SWE 0 win 10 <mss 1460>", "> SE. 0 ack 1 <mss 1460>", "< . 1 ack 1 win 10", "> P. 1+10 ack 1", "< . 1 ack 11 win 0", "out 2",
          "> P. 11+1 ack 1"}},
    };
    rows_hold(*state, rows, COUNT(rows));
}

static void congestion_is_echoed(void **state)
{
    static const struct talk_row rows[] = {
        {"ECE for CE", TALK_SOUND, {CLASSIC, "in 3", "< P. 1+10 ack 1", "> E. 1 ack 11"}},
        {"no ECE for CE", RULE_ECN_ECHO_MISSING, {CLASSIC, "in 3", "< P. 1+10 ack 1", "> . 1 ack 11"}},
        {"a delayed ACK covers two", RULE_ECN_ECHO_MISSING, {CLASSIC, "in 3", "< P. 1+10 ack 1", "in 2", "< P. 11+10 ack 1", "> . 1 ack 21"}},
        {"ECE for nothing", RULE_ECN_ECHO_UNASKED, {CLASSIC, "in 2", "< P. 1+10 ack 1", "> E. 1 ack 11"}},
        {"ECE without ECN", RULE_ECN_ECHO_UNASKED, {NONE, "in 3", "< P. 1+10 ack 1", "> E. 1 ack 11"}},
        {"CWR without ECN", RULE_ECN_ECHO_UNASKED, {NONE, "> PW. 1+10 ack 1"}},
        {"ECE goes on", TALK_SOUND, {CLASSIC, "in 3", "< P. 1+10 ack 1", "> E. 1 ack 11", "in 2", "< P. 11+10 ack 1", "> E. 1 ack 21"}},
        {"ECE ends too early", RULE_ECN_ECHO_ENDS,
         {CLASSIC, "in 3", "< P. 1+10 ack 1", "> E. 1 ack 11", "in 2", "< P. 11+10 ack 1", "> . 1 ack 21"}},
        {"ECE ends with CWR", TALK_SOUND,
         {CLASSIC, "in 3", "< P. 1+10 ack 1", "> E. 1 ack 11", "in 2", "< PW. 11+10 ack 1", "> . 1 ack 21"}},
        {"CWR with CE begins anew", RULE_ECN_ECHO_MISSING,
         {CLASSIC, "in 3", "< P. 1+10 ack 1", "> E. 1 ack 11", "< PW. 11+10 ack 1", "> . 1 ack 21"}},
        {"CE on what is out of order: as it likes", TALK_SOUND, {CLASSIC, "in 3", "< P. 11+10 ack 1", "> . 1 ack 1"}},
        {"CE on what had come before: as it likes", TALK_SOUND,
         {CLASSIC, "in 2", "< P. 1+10 ack 1", "> . 1 ack 11", "in 3", "< P. 1+10 ack 1", "> . 1 ack 11"}},
        {"no ECE without ECN", TALK_SOUND, {NONE, "in 3", "< P. 1+10 ack 1", "> . 1 ack 11"}},
    };
    rows_hold(*state, rows, COUNT(rows));
}

/* Routers set CE behind the capture, and a segment that looks sent before may have been doubled on the way. */
static void a_capture_knows_less(void **state)
{
    static const struct talk_row rows[] = {
        {"ECE", TALK_SOUND, {CLASSIC, "in 2", "< P. 1+10 ack 1", "> E. 1 ack 11"}},
        {"no ECE", TALK_SOUND, {CLASSIC, "in 3", "< P. 1+10 ack 1", "> . 1 ack 11"}},
        {"the SYN was not seen", TALK_SOUND, {"> SE. 0 ack 1 <mss 1460>"}},
        {"ECT on data, nothing known", TALK_SOUND, {"out 2", "> P. 1+10 ack 1"}},
        {"twice the same", TALK_SOUND, {CLASSIC, "out 2", "> P. 1+10 ack 1", "> P. 1+10 ack 1"}},
        {"ECT without ECN", RULE_ECN_ECT_UNASKED, {NONE, "out 2", "> P. 1+10 ack 1"}},
    };
    struct talk *t = *state;
    t->host.link = JUDGE_LOSSY;
    rows_hold(t, rows, COUNT(rows));
    assert_int_equal(talk_finding(t, RULE_ECN_ECT_UNASKED)->needs, JUDGE_NEEDS_COMPLETE);
}

static int setup(void **state)
{
    *state = talk_new();
    return 0;
}

static int teardown(void **state)
{
    talk_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_handshake, setup, teardown),
        cmocka_unit_test_setup_teardown(codepoints, setup, teardown),
        cmocka_unit_test_setup_teardown(congestion_is_echoed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_capture_knows_less, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
