/* The portrait of reactions: which of two permitted things the IUT did, and nothing where that cannot be told. */
#include "engine/model/test/talk.h"

#define OPEN "< S 0 win 65535", "> S. 0 ack 1 win 10000 <mss 1460>", "< . 1 ack 1"

enum seen { UNSEEN, NO, YES };
struct choice_row {
    const char *says;
    enum choice_id choice;
    enum seen seen;
    const char *lines[12];
};

static const struct choice_row rows[] = {
    {"a reset inside is challenged", CHOICE_CHALLENGE_ACK, YES, {OPEN, "< R 100", "> . 1 ack 1", "|"}},
    {"a reset inside is taken", CHOICE_CHALLENGE_ACK, NO, {OPEN, "< R 100", "|"}},
    {"a reset at RCV.NXT is no question", CHOICE_CHALLENGE_ACK, UNSEEN, {OPEN, "< R 1", "|"}},
    {"nor one beyond the window", CHOICE_CHALLENGE_ACK, UNSEEN, {OPEN, "< R 20000", "|"}},
    {"a SYN inside is challenged", CHOICE_RESET_ON_SYN, NO, {OPEN, "< S 100", "> . 1 ack 1"}},
    {"a SYN inside resets", CHOICE_RESET_ON_SYN, YES, {OPEN, "< S 100", "> R 1"}},
    {"a SYN with FIN is answered", CHOICE_SYN_FIN_ANSWERED, YES, {"< SF 0", "> S. 0 ack 1 <mss 1460>"}},
    {"a SYN alone is no question", CHOICE_SYN_FIN_ANSWERED, UNSEEN, {"< S 0", "> S. 0 ack 1 <mss 1460>"}},
    {"a SYN in SYN-RECEIVED returns to LISTEN", CHOICE_SYN_RECEIVED_TO_LISTEN, YES,
     {"< S 0 win 65535", "> S. 0 ack 1 win 10000 <mss 1460>", "< S 100", "|"}},
    {"a SYN in SYN-RECEIVED is challenged", CHOICE_SYN_RECEIVED_TO_LISTEN, NO,
     {"< S 0 win 65535", "> S. 0 ack 1 win 10000 <mss 1460>", "< S 100", "> . 1 ack 1"}},
    {"what came out of order was kept", CHOICE_OUT_OF_ORDER_KEPT, YES,
     {OPEN, "< . 101+100 ack 1", "> . 1 ack 1", "< . 1+100 ack 1", "> . 1 ack 201"}},
    {"what came out of order was dropped", CHOICE_OUT_OF_ORDER_KEPT, NO,
     {OPEN, "< . 101+100 ack 1", "> . 1 ack 1", "< . 1+100 ack 1", "> . 1 ack 101"}},
    {"a gap closed in part is no question", CHOICE_OUT_OF_ORDER_KEPT, UNSEEN,
     {OPEN, "< . 101+100 ack 1", "> . 1 ack 1", "< . 1+50 ack 1", "> . 1 ack 51"}},
    {"the RST of an abort has ACK", CHOICE_RST_HAS_ACK, YES, {OPEN, "! accept", "! abort", "> R. 1 ack 1"}},
    {"the RST of an abort has none", CHOICE_RST_HAS_ACK, NO, {OPEN, "! accept", "! abort", "> R 1"}},
    {"octets unread at CLOSE reset", CHOICE_RESET_ON_UNREAD_DATA, YES,
     {OPEN, "! accept", "< P. 1+100 ack 1", "> . 1 ack 101", "! close", "> R. 1 ack 101"}},
    {"octets unread at CLOSE are forgotten", CHOICE_RESET_ON_UNREAD_DATA, NO,
     {OPEN, "! accept", "< P. 1+100 ack 1", "> . 1 ack 101", "! close", "> F. 1 ack 101"}},
    {"all read: no question", CHOICE_RESET_ON_UNREAD_DATA, UNSEEN,
     {OPEN, "! accept", "< P. 1+100 ack 1", "> . 1 ack 101", "! receive 100", "! close", "> F. 1 ack 101"}},
    {"the first window", CHOICE_WINDOW_INITIAL, YES, {"< S 0", "> S. 0 ack 1 win 10000 <mss 1460>"}},
    {"what comes in between withdraws the question", CHOICE_CHALLENGE_ACK, UNSEEN, {OPEN, "< R 100", "< . 1 ack 1"}},
};

static void each_reaction_is_seen_for_what_it_is(void **state)
{
    struct talk *t = *state;
    t->host.application_known = true;
    t->config.states = 1u << TCP_STATE_LISTEN;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk_row row = {.says = rows[i].says, .broken = TALK_SOUND};
        memcpy(row.lines, rows[i].lines, sizeof rows[i].lines);
        memset(&t->host.portrait, 0, sizeof t->host.portrait);
        talk_rows(t, &row, 1);
        const struct portrait_entry *entry = &t->host.portrait.choices[rows[i].choice];
        if ((entry->count > 0) != (rows[i].seen != UNSEEN) || (entry->sum > 0) != (rows[i].seen == YES))
            fail_msg("%s: seen %u times, %d of them yes", rows[i].says, (unsigned)entry->count, (int)entry->sum);
    }
}

static int begin(void **state)
{
    *state = talk_new();
    return *state ? 0 : -1;
}

static int end(void **state)
{
    talk_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(each_reaction_is_seen_for_what_it_is, begin, end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
