/* The judge on captures: what may have been missed, overtaken or begun earlier is no violation; what cannot be, is one. */
#include "engine/model/test/talk.h"

#define STAMPED "< S 0 <mss 1460,sackOK,TS 20 0>", "> S. 0 ack 1 <mss 1460,sackOK,TS 50 20>", "< . 1 ack 1 <TS 21 50>", "> . 1 ack 1 win 65535 <TS 50 21>"

static void play(const struct talk_row *rows, size_t count)
{
    struct talk *t = talk_new();
    t->host.mtu = 0;
    t->host.link = JUDGE_LOSSY;
    t->config.states = 0;
    talk_rows(t, rows, count);
    talk_free(t);
}

static void what_a_capture_may_show_of_a_sound_connection(void **state)
{
    static const struct talk_row rows[] = {
        {"all of it", TALK_SOUND,
         {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "< P. 1+10 ack 1", "> . 1 ack 11", "< F. 11 ack 1", "> F. 1 ack 12", "< . 12 ack 2"}},
        {"no answers at all", TALK_SOUND, {"< S 0", "< . 1 ack 1", "< P. 1+10 ack 1", "+1000", "< P. 1+10 ack 1"}},
        {"from the middle", TALK_SOUND, {"< P. 1000+10 ack 500", "> . 500 ack 1010", "> P. 500+10 ack 1010", "< . 1010 ack 510"}},
        {"from the middle, an ACK first", TALK_SOUND, {"> . 500 ack 1010", "< P. 1000+10 ack 500", "< P. 1010+10 ack 500"}},
        {"outputs overtaken", TALK_SOUND, {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "> P. 11+10 ack 1", "> P. 1+10 ack 1", "< . 1 ack 21"}},
        {"an older ACK after a newer one", TALK_SOUND, {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "< P. 1+20 ack 1", "> . 1 ack 21", "> . 1 ack 11"}},
        {"the SYN lost behind it", TALK_SOUND, {"< S 0", "+1000", "< S 0", "> S. 0 ack 1"}},
        {"the SYN lost, another listener's RST", TALK_SOUND, {"< S 0", "> R. =0 ack 1"}},
        {"the pair again, with another ISS", TALK_SOUND,
         {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "< R 1", "< S 90000", "> S. 70000 ack 90001", "< . 90001 ack 70001"}},
        {"a RST of an earlier life of the port", TALK_SOUND, {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "> R -5000"}},
        {"a SYN of an earlier life of the port, late", TALK_SOUND,
         {"> S 0 <mss 1460,TS 50 0>", "> S -5000 <mss 1460,TS 40 0>", "> S 0 <mss 1460,TS 51 0>", "< S. 0 ack 1 <mss 1460,TS 20 51>"}},
        {"a keep-alive behind octets that were missed", TALK_SOUND, {STAMPED, "> P. 1+10 ack 11 <TS 51 21>", "< . 10 ack 1 <TS 22 51>"}},
        {"octets after others that were missed", TALK_SOUND, {STAMPED, "> P. 1+10 ack 11 <TS 51 21>", "< P. 11+10 ack 11 <TS 22 51>"}},
        {"an ACK overtaken", TALK_SOUND, {STAMPED, "> . 1 ack 11 <TS 51 21>", "> . 1 ack 1 <TS 50 21>"}},
        {"given up, and begun with another ISS", TALK_SOUND, {"> S 0", "+3000", "> S 8000", "< S. 0 ack 8001", "> . 8001 ack 1"}},
    };
    (void)state;
    play(rows, COUNT(rows));
}

static void what_no_capture_explains(void **state)
{
    static const struct talk_row rows[] = {
        {"an ACK beyond the FIN", RULE_ACK_NOT_RECEIVED, {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "< F. 1 ack 1", "> . 1 ack 4"}},
        {"an ACK far beyond its own window", RULE_ACK_NOT_RECEIVED, {"< S 0", "> S. 0 ack 1 win 1000", "< . 1 ack 1", "> . 1 ack 200000"}},
        {"a window taken back", RULE_WINDOW_SHRUNK, {STAMPED, "> . 1 ack 1 win 1000 <TS 52 21>"}},
        {"a FIN that moves", RULE_FIN_MOVED, {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "> F. 1 ack 1", "> F. 5 ack 1"}},
        {"data beyond its FIN", RULE_DATA_AFTER_FIN, {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "> F. 1 ack 1", "> P. 2+10 ack 1"}},
        {"a SYN,ACK for another SYN", RULE_SYN_ACK_NUMBERS, {"< S 0", "> S. 0 ack 7"}},
        {"data beyond any window", RULE_WINDOW_EXCEEDED, {"< S 0 win 1000", "> S. 0 ack 1", "< . 1 ack 1 win 1000", "> P. 1+2100 ack 1"}},
        {"a RST from before the ISS", RULE_RST_NUMBERS, {"< S 0", "> S. 0 ack 1", "< . 1 ack 1", "> R. -5000 ack 1"}},
    };
    (void)state;
    play(rows, COUNT(rows));
}

/* The IUT claims what was not seen, and the line after that shows that it was never sent. */
static void what_comes_next_shows(void **state)
{
    static const char *const opening[] = {STAMPED};
    static const struct { const char *says; enum rule_id rule; const char *claim, *next; } rows[] = {
        {"the peer sends it, and leaves nothing out", RULE_ACK_NOT_RECEIVED, ". 1 ack 70000 <TS 51 21>", "< P. 1+10 ack 1 <TS 21 50>"},
        {"the peer has it, and sends this", RULE_ACK_NOT_RECEIVED, "P. 1+10 ack 11 <TS 50 21>", "< P. 1+10 ack 11 <TS 22 50>"},
        {"the peer has it, and sends what it reaches into", RULE_ACK_NOT_RECEIVED, "P. 1+10 ack 2 <TS 50 21>", "< P. 1+10 ack 11 <TS 22 50>"},
        {"the peer has it, and SND.NXT below it", RULE_ACK_NOT_RECEIVED, "P. 1+10 ack 11 <TS 50 21>", "< . 1 ack 11 <TS 22 50>"},
        {"its timestamp comes back", RULE_ACK_NOT_RECEIVED, ". 1 ack 11 <TS 51 21>", "< P. 1+10 ack 1 <TS 22 51>"},
        {"taken back", RULE_ACK_NOT_RECEIVED, ". 1 ack 11 <TS 51 21>", "> . 1 ack 1 <TS 52 21>"},
        {"the peer's FIN is below", RULE_ACK_NOT_RECEIVED, ". 1 ack 11 <TS 51 21>", "< F. 1 ack 1 <TS 22 50>"},
        {"a SACK, and the peer's SND.NXT below", RULE_SACK_NOT_RECEIVED, "P. 1+10 ack 1 <TS 51 21,sack 101:111>", "< . 1 ack 11 <TS 22 51>"},
        {"a SACK, and the peer's FIN below", RULE_SACK_NOT_RECEIVED, ". 1 ack 1 <TS 51 21,sack 101:111>", "< F. 1 ack 1 <TS 22 50>"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk *t = talk_new();
        t->host.mtu = 0;
        t->host.link = JUDGE_LOSSY;
        t->config.states = 0;
        print_message("%s\n", rows[i].says);
        for (size_t line = 0; line < COUNT(opening); line++)
            (opening[line][0] == '<' ? talk_in : talk_out)(t, opening[line] + 2);
        talk_out(t, rows[i].claim);
        talk_expect_nothing(t);
        (rows[i].next[0] == '<' ? talk_in : talk_out)(t, rows[i].next + 2);
        assert_int_equal(talk_finding(t, rows[i].rule)->segment, t->index - 1);
        talk_free(t);
    }
}

static void an_early_acknowledgment_is_evidence_until_it_is_resolved(void **state)
{
    static const char *const lines[] = {"S. 0 ack 1", ". 1 ack 11"};
    struct talk *t = talk_new();
    (void)state;
    t->host.mtu = 0;
    t->host.link = JUDGE_LOSSY;
    t->config.states = 0;
    talk_in(t, "S 0");
    talk_out(t, lines[0]);
    talk_in(t, ". 1 ack 1");
    talk_out(t, lines[1]); /* of what was not seen */
    talk_expect_nothing(t);
    talk_in(t, "P. 11+10 ack 1"); /* the peer goes on behind it: the capture has missed it */
    judge_end(t->judge, t->now_ns);
    talk_expect_nothing(t);
    assert_true(judge_evidence(t->judge) & JUDGE_NEEDS_COMPLETE);
    talk_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_capture_may_show_of_a_sound_connection),
        cmocka_unit_test(what_no_capture_explains),
        cmocka_unit_test(what_comes_next_shows),
        cmocka_unit_test(an_early_acknowledgment_is_evidence_until_it_is_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
