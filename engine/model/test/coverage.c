/* What a judge counts as transitions (RFC 9293 §3.3.2): calls when their segment leaves, timeouts when the IUT tells of them. */
#include "engine/model/test/talk.h"

#define OPEN "! listen", "< S 0", "> S. 0 ack 1 win 1000", "< . 1 ack 1", "! accept"
enum { CHANGES_MAX = 5 };

static const struct row { const char *says, *lines[TALK_ROW_LINES], *changes[CHANGES_MAX + 1]; } rows[] = {
    {"a handshake of the peer's", {OPEN}, {"SYN arrives: LISTEN -> SYN-RECEIVED", "ACK arrives: SYN-RECEIVED -> ESTABLISHED"}},
    {"CLOSE before its FIN", {OPEN, "! shutdown"}, {"SYN arrives: LISTEN -> SYN-RECEIVED", "ACK arrives: SYN-RECEIVED -> ESTABLISHED"}},
    {"CLOSE, the FIN, the FIN again", {OPEN, "! shutdown", "> F. 1 ack 1 win 1000", "+1000", "> F. 1 ack 1 win 1000"},
     {"SYN arrives: LISTEN -> SYN-RECEIVED", "ACK arrives: SYN-RECEIVED -> ESTABLISHED", "CLOSE call: ESTABLISHED -> FIN-WAIT-1"}},
    {"CLOSE of the second side", {OPEN, "< F. 1 ack 1", "> . 1 ack 2 win 999", "! close", "> F. 1 ack 2 win 999"},
     {"SYN arrives: LISTEN -> SYN-RECEIVED", "ACK arrives: SYN-RECEIVED -> ESTABLISHED", "FIN arrives: ESTABLISHED -> CLOSE-WAIT",
      "CLOSE call: CLOSE-WAIT -> LAST-ACK"}},
    {"TIME-WAIT, and its end", {OPEN, "! shutdown", "> F. 1 ack 1 win 1000", "< F. 1 ack 2", "> . 2 ack 2 win 999", "+240000", "= LISTEN"},
     {"SYN arrives: LISTEN -> SYN-RECEIVED", "ACK arrives: SYN-RECEIVED -> ESTABLISHED", "CLOSE call: ESTABLISHED -> FIN-WAIT-1",
      "FIN arrives: FIN-WAIT-1 -> TIME-WAIT", "timeout: TIME-WAIT -> LISTEN"}},
};

static void changes_of_state_are_counted_when_they_show(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk *t = talk_new();
        t->host.mtu = 0;
        t->host.application_known = true;
        t->config.states = 1u << TCP_STATE_LISTEN;
        struct talk_row row = {.says = rows[i].says, .broken = TALK_SOUND};
        memcpy(row.lines, rows[i].lines, sizeof row.lines);
        talk_rows(t, &row, 1);
        char texts[COVERAGE_TRANSITIONS_MAX][COVERAGE_TRANSITION_TEXT_MAX];
        size_t count = coverage_changes(&t->host.coverage, texts), wanted = 0;
        for (; rows[i].changes[wanted]; wanted++)
            if (wanted >= count || strcmp(texts[wanted], rows[i].changes[wanted]) != 0)
                fail_msg("%s: expected \"%s\", found %s", rows[i].says, rows[i].changes[wanted], wanted < count ? texts[wanted] : "nothing");
        if (count != wanted)
            fail_msg("%s: \"%s\" too", rows[i].says, texts[wanted]);
        talk_free(t);
    }
}

static void an_open_shows_in_its_syn(void **state)
{
    (void)state;
    struct talk *t = talk_new();
    t->host.application_known = true;
    t->config.states = 1u << TCP_STATE_CLOSED;
    talk_call(t, JUDGE_CALL_CONNECT, 0);
    talk_out(t, "S 0 win 1000 <mss 1460>");
    char texts[COVERAGE_TRANSITIONS_MAX][COVERAGE_TRANSITION_TEXT_MAX];
    assert_int_equal(coverage_changes(&t->host.coverage, texts), 1);
    assert_string_equal(texts[0], "OPEN call: CLOSED -> SYN-SENT");
    talk_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(changes_of_state_are_counted_when_they_show), cmocka_unit_test(an_open_shows_in_its_syn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
