/* The judge of selective acknowledgments: blocks report what has come, the newest first, and duplicates in the first block only. */
#include "engine/model/test/talk.h"

#define OPEN "< S 0 <mss 1460,sackOK>", "> S. 0 ack 1 <mss 1460,sackOK>", "< . 1 ack 1"

static void blocks_report_what_has_come(void **state)
{
    static const struct talk_row rows[] = {
        {"what has come", TALK_SOUND, {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:201>"}},
        {"an octet more", RULE_SACK_NOT_RECEIVED, {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:202>"}},
        {"an octet below", RULE_SACK_NOT_RECEIVED, {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 100:201>"}},
        {"a hole inside", RULE_SACK_NOT_RECEIVED,
         {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:201>", "< . 301+100 ack 1", "> . 1 ack 1 <sack 101:401>"}},
        {"the second block, never sent", RULE_SACK_NOT_RECEIVED, {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:201 301:401>"}},
        {"two blocks that touch became one", TALK_SOUND,
         {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:201>", "< . 201+100 ack 1", "> . 1 ack 1 <sack 101:301>"}},
        {"over the wrap", TALK_SOUND, {OPEN, "< . 201+200 ack 1", "> . 1 ack 1 <sack 201:401>"}},
        {"a FIN counts, or does not", TALK_SOUND, {OPEN, "< F. 101+100 ack 1", "> . 1 ack 1 <sack 101:202>", "> . 1 ack 1 <sack 101:201>"}},
        {"edges swapped", RULE_SACK_EDGES, {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 201:101>"}},
        {"an empty block", RULE_SACK_EDGES, {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:101>"}},
        {"nobody permitted it", RULE_SACK_UNASKED,
         {"< S 0 <mss 1460>", "> S. 0 ack 1 <mss 1460,sackOK>", "< . 1 ack 1", "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:201>"}},
        {"the second SYN permitted it", TALK_SOUND,
         {"< S 0 <mss 1460>", "< S 0 <mss 1460,sackOK>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1", "< . 101+100 ack 1",
          "> . 1 ack 1 <sack 101:201>"}},
        {"the IUT itself need not have permitted it", TALK_SOUND,
         {"< S 0 <mss 1460,sackOK>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1", "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:201>"}},
    };
    talk_rows(*state, rows, COUNT(rows));
}

static void duplicates_are_reported_first(void **state)
{
    static const struct talk_row rows[] = {
        {"below SEG.ACK", TALK_SOUND, {OPEN, "< . 1+100 ack 1", "> . 1 ack 101", "< . 1+100 ack 1", "> . 1 ack 101 <sack 1:101>"}},
        {"not necessarily", TALK_SOUND, {OPEN, "< . 1+100 ack 1", "> . 1 ack 101", "< . 1+100 ack 1", "> . 1 ack 101"}},
        {"inside the second block", TALK_SOUND,
         {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:201>", "< . 151+50 ack 1", "> . 1 ack 1 <sack 151:201 101:201>"}},
        {"the second block is none", RULE_SACK_BELOW_ACK,
         {OPEN, "< . 1+100 ack 1", "> . 1 ack 101", "< . 201+100 ack 1", "> . 1 ack 101 <sack 201:301 1:101>"}},
        {"half below SEG.ACK", RULE_SACK_BELOW_ACK,
         {OPEN, "< . 1+100 ack 1", "> . 1 ack 101", "< . 201+100 ack 1", "> . 1 ack 101 <sack 100:301>"}},
        {"of what lies before the connection", TALK_SOUND, {OPEN, "< . -99+50 ack 1", "> . 1 ack 1 <sack -99:-49>"}},
    };
    talk_rows(*state, rows, COUNT(rows));
}

static void the_newest_segment_is_in_the_first_block(void **state)
{
    static const struct talk_row rows[] = {
        {"it is", TALK_SOUND,
         {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:201>", "< . 301+100 ack 1", "> . 1 ack 1 <sack 301:401 101:201>"}},
        {"it comes second", RULE_SACK_FIRST_BLOCK,
         {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:201>", "< . 301+100 ack 1", "> . 1 ack 1 <sack 101:201 301:401>"}},
        {"half of it", RULE_SACK_FIRST_BLOCK, {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:151>"}},
        {"there is no SACK at all", RULE_SACK_MISSING, {OPEN, "< . 101+100 ack 1", "> . 1 ack 1"}},
        {"it filled the hole: any order", TALK_SOUND,
         {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:201>", "< . 301+100 ack 1", "> . 1 ack 1 <sack 301:401 101:201>",
          "< . 1+100 ack 1", "> . 1 ack 201 <sack 301:401>"}},
        {"a part had come before", TALK_SOUND,
         {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:201>", "< . 151+100 ack 1", "> . 1 ack 1 <sack 151:201 101:251>"}},
        {"it lies beyond the window", TALK_SOUND,
         {"< S 0 <mss 1460,sackOK>", "> S. 0 ack 1 win 150 <mss 1460,sackOK>", "< . 1 ack 1", "< . 101+100 ack 1", "> . 1 ack 1 win 150"}},
        {"it just fits the window", RULE_SACK_MISSING,
         {"< S 0 <mss 1460,sackOK>", "> S. 0 ack 1 win 200 <mss 1460,sackOK>", "< . 1 ack 1", "< . 101+100 ack 1", "> . 1 ack 1 win 200"}},
        {"its acknowledgment is of the future", TALK_SOUND, {OPEN, "< . 101+100 ack 2", "> . 1 ack 1"}},
        {"SACK was not agreed upon", TALK_SOUND, {"< S 0 <mss 1460>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1", "< . 101+100 ack 1", "> . 1 ack 1"}},
        {"data may have been on its way out", TALK_SOUND,
         {OPEN, "< . 101+100 ack 1", "> P. 1+10 ack 1", "> . 11 ack 1 <sack 101:201>"}},
        {"but not the ACK behind it", RULE_SACK_MISSING, {OPEN, "< . 101+100 ack 1", "> P. 1+10 ack 1", "> . 11 ack 1"}},
        {"an ACK that repeats it says nothing new", TALK_SOUND,
         {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:201>", "> . 1 ack 1"}},
    };
    talk_rows(*state, rows, COUNT(rows));
}

/* In a capture a segment may be on its way, or lost behind it: only what was never sent counts, if nothing was missed. */
static void a_capture_knows_only_what_was_sent(void **state)
{
    static const struct talk_row rows[] = {
        {"no SACK", TALK_SOUND, {OPEN, "< . 101+100 ack 1", "> . 1 ack 1"}},
        {"from the middle of a connection", TALK_SOUND, {"< . 101+100 ack 1", "> . 1 ack 1 <sack 11:21>"}},
        {"another order", TALK_SOUND, {OPEN, "< . 101+100 ack 1", "< . 301+100 ack 1", "> . 1 ack 1 <sack 101:201 301:401>"}},
        {"within the window: perhaps missed", TALK_SOUND, {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:202>"}},
        {"beyond what the window let through", RULE_SACK_NOT_RECEIVED, {OPEN, "< . 101+100 ack 1", "> . 1 ack 1 <sack 101:2000000001>"}},
    };
    struct talk *t = *state;
    t->host.link = JUDGE_LOSSY;
    talk_rows(t, rows, COUNT(rows));
    assert_int_equal(talk_finding(t, RULE_SACK_NOT_RECEIVED)->needs, JUDGE_NEEDS_COMPLETE);
}

static void the_portrait_knows_whether_duplicates_are_reported(void **state)
{
    struct talk *t = *state;
    for (int said = 0; said < 2; said++) {
        talk_again(t);
        talk_open(t, "mss 1460,sackOK", "mss 1460,sackOK");
        talk_in(t, ". 1 ack 1");
        talk_in(t, ". 1+100 ack 1");
        talk_out(t, ". 1 ack 101");
        talk_in(t, ". 1+100 ack 1");
        talk_out(t, said ? ". 1 ack 101 <sack 1:101>" : ". 1 ack 101");
        assert_int_equal(t->host.portrait.choices[CHOICE_DSACK_SENT].sum, said);
    }
    assert_int_equal(t->host.portrait.choices[CHOICE_DSACK_SENT].count, 2);
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
        cmocka_unit_test_setup_teardown(blocks_report_what_has_come, setup, teardown),
        cmocka_unit_test_setup_teardown(duplicates_are_reported_first, setup, teardown),
        cmocka_unit_test_setup_teardown(the_newest_segment_is_in_the_first_block, setup, teardown),
        cmocka_unit_test_setup_teardown(a_capture_knows_only_what_was_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(the_portrait_knows_whether_duplicates_are_reported, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
