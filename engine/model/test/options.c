/* The judge of options: their form, which segments they may be in, and how much a segment may hold. */
#include "engine/model/test/talk.h"

#define ESTABLISHED "< S 0 <mss 1460>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1"

static void options_have_their_form(void **state)
{
    static const struct talk_row rows[] = {
        {"any order, padded with NOP", TALK_SOUND, {"> S 0 <nop,wscale 7,mss 1460,sackOK,TS 5 0>"}},
        {"padded with EOL", TALK_SOUND, {"> S 0 <mss 1460,wscale 7,eol>"}},
        {"an unknown one with a length", TALK_SOUND, {"> S 0 <mss 1460,raw 4c 04 01 02>"}},
        {"length 0", RULE_OPTION_FORM, {"> S 0 <mss 1460,raw 4c 00 01 02>"}},
        {"length 1", RULE_OPTION_FORM, {"> S 0 <mss 1460,raw 4c 01 01 02>"}},
        {"a length beyond the header", RULE_OPTION_FORM, {"> S 0 <mss 1460,raw 4c 05 01 02>"}},
        {"a length that just fits", TALK_SOUND, {"> S 0 <mss 1460,raw 4c 04 01 02>"}},
        {"something behind EOL", RULE_OPTION_PADDING, {"> S 0 <mss 1460,eol,nop,nop,nop>"}},
        {"a Fast Open request", TALK_SOUND, {"> S 0 <mss 1460,fastopen>"}},
        {"a Fast Open cookie", TALK_SOUND, {"> S 0 <mss 1460,fastopen 0102030405060708>"}},
        {"a Fast Open cookie next to something unknown", TALK_SOUND, {"> S 0 <mss 1460,fastopen 0102030405060708,raw 4c 02>"}},
        {"a Fast Open cookie of 3 octets", RULE_FASTOPEN_LENGTH, {"> S 0 <mss 1460,raw 22 05 01 02 03>"}},
        {"a Fast Open cookie of 2 octets", RULE_FASTOPEN_LENGTH, {"> S 0 <mss 1460,raw 22 04 01 02>"}},
        {"MSS of length 3", RULE_MSS_LENGTH, {"> S 0 <mss 1460,raw 02 03 01>"}},
        {"Window Scale of length 4", RULE_WSCALE_LENGTH, {"> S 0 <mss 1460,raw 03 04 01 01>"}},
        {"SACK-permitted of length 3", RULE_SACK_PERMITTED_LENGTH, {"> S 0 <mss 1460,raw 04 03 01>"}},
        {"Timestamps of length 8", RULE_TS_LENGTH, {"> S 0 <mss 1460,raw 08 08 01 01 01 01 01 01>"}},
        {"SACK with half a block", RULE_SACK_LENGTH, {ESTABLISHED, "< P. 1+10 ack 1", "> . 1 ack 11 <raw 05 06 00 00 00 00>"}},
        {"SACK without block", RULE_SACK_LENGTH, {ESTABLISHED, "< P. 1+10 ack 1", "> . 1 ack 11 <raw 05 02>"}},
        {"AccECN with two fields and a bit", RULE_ACCECN_LENGTH, {"> SAWE 0 <mss 1460,raw ac 09 00 00 00 00 00 00 00>"}},
    };
    talk_rows(*state, rows, COUNT(rows));
}

static void options_are_where_they_belong(void **state)
{
    static const struct talk_row rows[] = {
        {"MSS outside a SYN", RULE_MSS_OUTSIDE_SYN, {ESTABLISHED, "< P. 1+10 ack 1", "> . 1 ack 11 <mss 1460>"}},
        {"SACK-permitted outside a SYN", RULE_SACK_PERMITTED_OUTSIDE_SYN, {ESTABLISHED, "< P. 1+10 ack 1", "> . 1 ack 11 <sackOK>"}},
        {"SACK-permitted in a SYN,ACK nobody asked for it", TALK_SOUND, {"< S 0", "> S. 0 ack 1 <mss 1460,sackOK>"}},
        {"Window Scale outside a SYN", RULE_WSCALE_UNASKED,
         {"< S 0 <wscale 2>", "> S. 0 ack 1 <mss 1460,wscale 2>", "< . 1 ack 1", "< P. 1+10 ack 1", "> . 1 ack 11 <wscale 2>"}},
        {"Window Scale answers Window Scale", TALK_SOUND, {"< S 0 <wscale 2>", "> S. 0 ack 1 <mss 1460,wscale 14>"}},
        {"Window Scale that nobody asked for", RULE_WSCALE_UNASKED, {"< S 0", "> S. 0 ack 1 <mss 1460,wscale 2>"}},
        {"a SYN that comes again without it", TALK_SOUND, {"< S 0 <wscale 2>", "< S 0", "> S. 0 ack 1 <mss 1460,wscale 2>"}},
        {"a SYN that comes again with it", TALK_SOUND, {"< S 0", "< S 0 <wscale 2>", "> S. 0 ack 1 <mss 1460,wscale 2>"}},
        {"a simultaneous open repeats its own", RULE_WSCALE_UNASKED, {"> S 0 <mss 1460,wscale 2>", "< S 0", "> S. 0 ack 1 <mss 1460,wscale 2>"}},
        {"Window Scale beyond 14", RULE_WSCALE_LIMIT, {"> S 0 <mss 1460,wscale 15>"}},
        {"a SYN without MSS", RULE_MSS_OFFERED, {"> S 0"}},
        {"an MSS below that of the link", TALK_SOUND, {"> S 0 <mss 536>"}},
        {"an MSS beyond the link", RULE_MSS_TOO_LARGE, {"> S 0 <mss 1461>"}},
    };
    talk_rows(*state, rows, COUNT(rows));
}

static void a_capture_that_missed_the_syn_says_nothing(void **state)
{
    struct talk *t = *state;
    t->host.link = JUDGE_LOSSY;
    talk_out(t, "S. 0 ack 1 <mss 1460,wscale 2>");
    talk_expect_nothing(t);
    talk_again(t);
    talk_in(t, "S 0");
    talk_out(t, "S. 0 ack 1 <mss 1460,wscale 2>");
    assert_int_equal(talk_finding(t, RULE_WSCALE_UNASKED)->needs, JUDGE_NEEDS_COMPLETE);
}

static void segments_fit_what_the_peer_takes(void **state)
{
    static const struct talk_row rows[] = {
        {"just", TALK_SOUND, {"< S 0 <mss 1000>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1", "> . 1+1000 ack 1"}},
        {"one octet more", RULE_MSS_EXCEEDED, {"< S 0 <mss 1000>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1", "> . 1+1001 ack 1"}},
        {"options count", RULE_MSS_EXCEEDED,
         {"< S 0 <mss 1000,TS 1 0>", "> S. 0 ack 1 <mss 1460,TS 7 1>", "< . 1 ack 1 <TS 1 7>", "> . 1+989 ack 1 <nop,nop,TS 7 1>"}},
        {"options just fit", TALK_SOUND,
         {"< S 0 <mss 1000,TS 1 0>", "> S. 0 ack 1 <mss 1460,TS 7 1>", "< . 1 ack 1 <TS 1 7>", "> . 1+988 ack 1 <nop,nop,TS 7 1>"}},
        {"no MSS: 536", TALK_SOUND, {"< S 0", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1", "> . 1+536 ack 1"}},
        {"no MSS: 537", RULE_MSS_DEFAULT, {"< S 0", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1", "> . 1+537 ack 1"}},
        {"two SYNs: the larger", TALK_SOUND,
         {"< S 0 <mss 700>", "< S 0 <mss 1000>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1", "> . 1+1000 ack 1"}},
        {"a SYN,ACK with text (fast open) is not measured", TALK_SOUND,
         {"< S 0+10 <mss 600,fastopen 0102030405060708>", "> S. 0+700 ack 11 <mss 1460>"}},
        {"an MSS that nobody can follow", TALK_SOUND, {"< S 0 <mss 40>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1", "> . 1+48 ack 1"}},
        {"the link is smaller than the MSS", RULE_MSS_EXCEEDED, {"< S 0 <mss 9000>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1", "> . 1+1461 ack 1"}},
    };
    talk_rows(*state, rows, COUNT(rows));
}

static void ipv6_has_a_default_of_1220(void **state)
{
    struct talk *t = *state;
    assert_true(pkt_addr_parse("2001:db8::1", &t->config.iut.addr));
    assert_true(pkt_addr_parse("2001:db8::2", &t->config.peer.addr));
    t->in.src = t->out.dst = t->config.peer.addr;
    t->in.dst = t->out.src = t->config.iut.addr;
    static const struct talk_row rows[] = {
        {"1220", TALK_SOUND, {"< S 0", "> S. 0 ack 1 <mss 1440>", "< . 1 ack 1", "> . 1+1220 ack 1"}},
        {"1221", RULE_MSS_DEFAULT, {"< S 0", "> S. 0 ack 1 <mss 1440>", "< . 1 ack 1", "> . 1+1221 ack 1"}},
    };
    talk_rows(t, rows, COUNT(rows));
}

static void merged_segments_are_not_measured(void **state)
{
    static const struct talk_row rows[] = {
        {"merged", TALK_SOUND, {"< S 0 <mss 1000>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1", "> . 1+8000 ack 1"}},
    };
    struct talk *t = *state;
    t->host.offload = true;
    talk_rows(t, rows, COUNT(rows));
    talk_again(t);
    t->host.offload = false;
    t->host.link = JUDGE_LOSSY;
    talk_rows(t, rows, COUNT(rows));
}

static void the_portrait_knows_the_offer(void **state)
{
    struct talk *t = *state;
    char text[128];
    talk_in(t, "S 0 <mss 1460,wscale 3,sackOK>");
    talk_out(t, "S. 0 ack 1 <mss 1400,nop,wscale 9>");
    const struct portrait_entry *choices = t->host.portrait.choices;
    assert_int_equal(choices[CHOICE_MSS_OFFERED].max, 1400);
    assert_int_equal(choices[CHOICE_WINDOW_SCALE_OFFERED].max, 9);
    assert_int_equal(choices[CHOICE_SACK_OFFERED].count, 1);
    assert_int_equal(choices[CHOICE_SACK_OFFERED].sum, 0);
    assert_int_equal(choices[CHOICE_TIMESTAMPS_OFFERED].count, 0); /* nobody asked */
    assert_true(portrait_describe(&t->host.portrait, CHOICE_WINDOW_SCALE_OFFERED, text, sizeof text) > 0);
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
        cmocka_unit_test_setup_teardown(options_have_their_form, setup, teardown),
        cmocka_unit_test_setup_teardown(options_are_where_they_belong, setup, teardown),
        cmocka_unit_test_setup_teardown(a_capture_that_missed_the_syn_says_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(segments_fit_what_the_peer_takes, setup, teardown),
        cmocka_unit_test_setup_teardown(ipv6_has_a_default_of_1220, setup, teardown),
        cmocka_unit_test_setup_teardown(merged_segments_are_not_measured, setup, teardown),
        cmocka_unit_test_setup_teardown(the_portrait_knows_the_offer, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
