/* The set of hypotheses: what is joined, what is kept apart, and what happens at its bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/model/inside.h"

struct set_under_test {
    struct judge_host host;
    struct judge *judge;
    unsigned findings;
};

static void count(void *context, const struct judge_finding *finding)
{
    (void)finding;
    ((struct set_under_test *)context)->findings++;
}

static int setup(void **state)
{
    static struct set_under_test t;
    t = (struct set_under_test){.host = {.link = JUDGE_SYNCHRONOUS}};
    t.judge = judge_new(&(struct judge_config){.host = &t.host, .states = 1u << TCP_STATE_CLOSED, .report = count, .context = &t,
                                               .iut.addr = {4, {192, 0, 2, 1}}, .peer.addr = {4, {192, 0, 2, 2}}});
    *state = &t;
    return t.judge ? 0 : -1;
}

static int teardown(void **state)
{
    judge_free(((struct set_under_test *)*state)->judge);
    return 0;
}

static struct hypothesis owing(uint8_t state, uint32_t cause, uint32_t low, uint32_t high)
{
    return (struct hypothesis){.state = state, .rcv_nxt_low = low, .rcv_nxt_high = high, .due_count = 1,
                               .dues = {{.kind = DUE_ACK, .rule = RULE_DATA_ACK, .deadline_ns = cause, .cause = cause, .ack = low}}};
}

static void situations_alike_are_joined_to_the_hull_of_their_bounds(void **state)
{
    struct set_under_test *t = *state;
    struct hypotheses set = {0};
    struct hypothesis a = owing(TCP_STATE_ESTABLISHED, 7, UINT32_MAX - 1, 3), b = owing(TCP_STATE_ESTABLISHED, 7, 2, 9);
    hypotheses_add(t->judge, &set, &a);
    hypotheses_add(t->judge, &set, &b);
    assert_int_equal(set.count, 1);
    assert_int_equal(set.of[0].rcv_nxt_low, UINT32_MAX - 1);
    assert_int_equal(set.of[0].rcv_nxt_high, 9);
    assert_int_equal(set.of[0].dues[0].ack, UINT32_MAX - 1);
}

static void other_states_and_other_debts_are_kept_apart(void **state)
{
    struct set_under_test *t = *state;
    struct hypotheses set = {0};
    struct hypothesis a = owing(TCP_STATE_ESTABLISHED, 7, 1, 1), b = owing(TCP_STATE_ESTABLISHED, 8, 1, 1);
    struct hypothesis c = owing(TCP_STATE_CLOSE_WAIT, 7, 1, 1), d = {.state = TCP_STATE_ESTABLISHED};
    hypotheses_add(t->judge, &set, &a);
    hypotheses_add(t->judge, &set, &b);
    hypotheses_add(t->judge, &set, &c);
    hypotheses_add(t->judge, &set, &d);
    assert_int_equal(set.count, 4);
    assert_int_equal(hypotheses_states(&set), 1u << TCP_STATE_ESTABLISHED | 1u << TCP_STATE_CLOSE_WAIT);
}

static void beyond_the_bound_it_says_inconclusive_and_is_silent(void **state)
{
    struct set_under_test *t = *state;
    for (uint32_t i = 0; i < HYPOTHESES_MAX - 1; i++) { /* one is there: CLOSED */
        struct hypothesis h = owing(TCP_STATE_ESTABLISHED, i + 1, 1, 1);
        hypotheses_add(t->judge, t->judge->now, &h);
    }
    assert_null(judge_inconclusive(t->judge));
    struct hypothesis more = owing(TCP_STATE_ESTABLISHED, 1000, 1, 1);
    hypotheses_add(t->judge, t->judge->now, &more);
    assert_non_null(judge_inconclusive(t->judge));
    assert_int_equal(t->judge->now->count, HYPOTHESES_MAX);
    judge_state(t->judge, TCP_STATE_TIME_WAIT, 1); /* nothing leads there */
    judge_end(t->judge, 1000000000000);
    assert_int_equal(t->findings, 0);
}

static void below_the_bound_the_same_is_found(void **state)
{
    struct set_under_test *t = *state;
    judge_state(t->judge, TCP_STATE_TIME_WAIT, 1);
    assert_int_equal(t->findings, 1);
    assert_null(judge_inconclusive(t->judge));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(situations_alike_are_joined_to_the_hull_of_their_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(other_states_and_other_debts_are_kept_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(beyond_the_bound_it_says_inconclusive_and_is_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(below_the_bound_the_same_is_found, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
