/* When what comes out comes out: virtual time and real. */
#include "targets/saboteur/test/world.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

/* The IUT sends a segment at 0, and again at 1000 ms and 3000 ms if it is so stubborn; meanwhile the tester may answer. */
static const struct row {
    const char *fault;
    enum situation situation;
    struct seg seg;
    bool again;
    struct seg answer;      /* no flags: none; */
    int64_t answer_at_ms;
    const char *comes;      /* within four seconds; "" for the text of what was sent stands "=" */
} rows[] = {
    {"all-late-600ms", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, false, {0}, 0, "600: P. 1:11(10) ack 1 win 1000"},
    {"ack-late-600ms", OPEN, {A_, 1, .ack = 1, .win = 1000}, false, {0}, 0, "600: . 1:1(0) ack 1 win 1000"},
    {"syn-early", NOTHING, {S_, 0, .win = 9}, true, {0}, 0, "0: S 0:0(0) win 9 | 100: S 0:0(0) win 9 | 1000: S 0:0(0) win 9 | 3000: S 0:0(0) win 9"},
    {"syn-early", NOTHING, {S_, 0, .win = 9}, false, {S_ | A_, 0, .ack = 1, .win = 9}, 50, "0: S 0:0(0) win 9"},
    {"synack-early", NOTHING, {S_ | A_, 0, .ack = 1, .win = 9}, false, {0}, 0, "0: S. 0:0(0) ack 1 win 9 | 100: S. 0:0(0) ack 1 win 9"},
    {"synack-early", NOTHING, {S_ | A_, 0, .ack = 1, .win = 9}, true, {0}, 0,
     "0: S. 0:0(0) ack 1 win 9 | 100: S. 0:0(0) ack 1 win 9 | 1000: S. 0:0(0) ack 1 win 9 | 3000: S. 0:0(0) ack 1 win 9"},
    {"fin-early", OPEN, {F_ | A_, 1, .ack = 1, .win = 9}, false, {0}, 0, "0: F. 1:1(0) ack 1 win 9 | 100: F. 1:1(0) ack 1 win 9"},
    {"fin-early", OPEN, {F_ | A_, 1, .ack = 1, .win = 9}, false, {A_, 1, .ack = 2, .win = 9}, 99, "0: F. 1:1(0) ack 1 win 9"},
    {"data-early", OPEN, {A_, 1, .len = 5, .ack = 1, .win = 9}, true, {0}, 0, "0: . 1:6(5) ack 1 win 9 | 100: . 1:6(5) ack 1 win 9 | 1000: . 1:6(5) ack 1 win 9 | 3000: . 1:6(5) ack 1 win 9"},
    {"data-early", OPEN, {A_, 1, .len = 5, .ack = 1, .win = 9}, false, {A_, 1, .ack = 6, .win = 9}, 99, "0: . 1:6(5) ack 1 win 9"},
    {"data-early", OPEN, {A_, 1, .len = 5, .ack = 1, .win = 9}, false, {A_, 1, .ack = 5, .win = 9}, 99, "0: . 1:6(5) ack 1 win 9 | 100: . 1:6(5) ack 1 win 9"},
    {"syn-linear", NOTHING, {S_, 0, .win = 9}, true, {0}, 0,
     "0: S 0:0(0) win 9 | 1000: S 0:0(0) win 9 | 2000: S 0:0(0) win 9 | 3000: S 0:0(0) win 9 | 4000: S 0:0(0) win 9"},
    {"syn-linear", NOTHING, {S_, 0, .win = 9}, true, {R_ | A_, 0, .ack = 1}, 1500, "0: S 0:0(0) win 9 | 1000: S 0:0(0) win 9"},
    {"synack-linear", NOTHING, {S_ | A_, 0, .ack = 1, .win = 9}, true, {A_, 1, .ack = 1, .win = 9}, 2500,
     "0: S. 0:0(0) ack 1 win 9 | 1000: S. 0:0(0) ack 1 win 9 | 2000: S. 0:0(0) ack 1 win 9"},
    {"data-linear", OPEN, {A_, 1, .len = 5, .ack = 1, .win = 9}, true, {A_, 1, .ack = 6, .win = 9}, 2500,
     "0: . 1:6(5) ack 1 win 9 | 1000: . 1:6(5) ack 1 win 9 | 2000: . 1:6(5) ack 1 win 9"},
    {"fin-linear", OPEN, {F_ | A_, 1, .ack = 1, .win = 9}, true, {A_, 1, .ack = 2, .win = 9}, 2500,
     "0: F. 1:1(0) ack 1 win 9 | 1000: F. 1:1(0) ack 1 win 9 | 2000: F. 1:1(0) ack 1 win 9"},
    {"probe-linear", CLOSED_WINDOW, {A_, 1, .len = 1, .ack = 1, .win = 9}, true, {A_, 1, .ack = 1, .win = 0}, 1500,
     "0: . 1:2(1) ack 1 win 9 | 1000: . 1:2(1) ack 1 win 9 | 2000: . 1:2(1) ack 1 win 9 | 3000: . 1:2(1) ack 1 win 9 | 4000: . 1:2(1) ack 1 win 9"},
    {"probe-linear", CLOSED_WINDOW, {A_, 1, .len = 1, .ack = 1, .win = 9}, false, {A_, 1, .ack = 1, .win = 9}, 1500, "0: . 1:2(1) ack 1 win 9 | 1000: . 1:2(1) ack 1 win 9"},
    {"syn-forever", NOTHING, {S_, 0, .win = 9}, false, {S_ | A_, 0, .ack = 1, .win = 9}, 500,
     "0: S 0:0(0) win 9 | 1000: S 0:0(0) win 9 | 2000: S 0:0(0) win 9 | 3000: S 0:0(0) win 9 | 4000: S 0:0(0) win 9"},
    {"synack-forever", NOTHING, {S_ | A_, 0, .ack = 1, .win = 9}, false, {A_, 1, .ack = 1, .win = 9}, 500,
     "0: S. 0:0(0) ack 1 win 9 | 1000: S. 0:0(0) ack 1 win 9 | 2000: S. 0:0(0) ack 1 win 9 | 3000: S. 0:0(0) ack 1 win 9 | 4000: S. 0:0(0) ack 1 win 9"},
    {"data-forever", OPEN, {A_, 1, .len = 5, .ack = 1, .win = 9}, false, {A_, 1, .ack = 6, .win = 9}, 500,
     "0: . 1:6(5) ack 1 win 9 | 1000: . 1:6(5) ack 1 win 9 | 2000: . 1:6(5) ack 1 win 9 | 3000: . 1:6(5) ack 1 win 9 | 4000: . 1:6(5) ack 1 win 9"},
    {"fin-forever", OPEN, {F_ | A_, 1, .ack = 1, .win = 9}, false, {A_, 1, .ack = 2, .win = 9}, 500,
     "0: F. 1:1(0) ack 1 win 9 | 1000: F. 1:1(0) ack 1 win 9 | 2000: F. 1:1(0) ack 1 win 9 | 3000: F. 1:1(0) ack 1 win 9 | 4000: F. 1:1(0) ack 1 win 9"},
    {"fin-forever", OPEN, {F_ | A_, 1, .ack = 1, .win = 9}, false, {.flags = R_, .seq = 1}, 1500, "0: F. 1:1(0) ack 1 win 9 | 1000: F. 1:1(0) ack 1 win 9"},
    {"fin-again", OPEN, {F_ | A_, 1, .ack = 1, .win = 9}, false, {A_, 1, .ack = 2, .win = 9}, 1500, "0: F. 1:1(0) ack 1 win 9 | 2500: F. 1:1(0) ack 1 win 9"},
    {"fin-again", OPEN, {F_ | A_, 1, .ack = 1, .win = 9}, false, {0}, 0, "0: F. 1:1(0) ack 1 win 9"},
};
enum { ROWS = sizeof rows / sizeof *rows };

struct account { struct world *w; int64_t began_ns; char *out; };

static void add_to_account(struct account *a, const char *text)
{
    size_t used = strlen(a->out);
    long long at_ms = (a->w->now_ns - a->began_ns) / MS;
    if (*text)
        assert_true(snprintf(a->out + used, TEXT_MAX - used, "%s%lld: %s", used ? " | " : "", at_ms, text) < (int)(TEXT_MAX - used));
}

/* Steps from one thing that happens to the next, each at its own millisecond. */
static void run_until(struct account *a, int64_t until_ms)
{
    struct world *w = a->w;
    char came[TEXT_MAX];
    int64_t until_ns = a->began_ns + until_ms * MS, next_ns;
    while ((next_ns = w->t->ops->deadline(w->t)) <= until_ns) {
        w->now_ns = next_ns > w->now_ns ? next_ns : w->now_ns;
        w->t->ops->advance(w->t, w->now_ns);
        world_collect(w, came);
        add_to_account(a, came);
    }
    w->now_ns = until_ns;
    w->t->ops->advance(w->t, until_ns);
}

static void each_comes_at_its_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        for (unsigned way = 0; way < WAYS; way++) {
            static const int64_t sent_ms[] = {0, 1000, 3000};
            const struct row *row = &rows[i];
            struct world w;
            char out[TEXT_MAX] = "", came[TEXT_MAX];
            world_open(&w, row->fault, &ways[way]);
            world_bring(&w, row->situation);
            world_pass_time(&w, 1000 * MS, came); /* with what the situation left behind */
            struct account a = {&w, w.now_ns, out};
            bool answered = !row->answer.flags;
            for (unsigned n = 0; n < (row->again ? 3u : 1u); n++) {
                if (!answered && row->answer_at_ms < sent_ms[n]) {
                    run_until(&a, row->answer_at_ms);
                    world_to_iut(&w, row->answer, came);
                    answered = true;
                }
                run_until(&a, sent_ms[n]);
                if (answered && row->answer.flags && row->answer.win != 0)
                    break; /* the IUT is content */
                world_from_iut(&w, row->seg, came);
                add_to_account(&a, came);
            }
            if (!answered) {
                run_until(&a, row->answer_at_ms);
                world_to_iut(&w, row->answer, came);
            }
            run_until(&a, 4000);
            if (strcmp(out, row->comes))
                fail_msg("%s (row %zu), way %u:\ncame     %s\nexpected %s", row->fault, i, way, out, row->comes);
            world_close(&w);
        }
}

static void deadlines_of_both_count_and_time_reaches_the_wrapped(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    (void)state;
    world_open(&w, "all-late-600ms", &ways[0]);
    assert_true(w.t->ops->deadline(w.t) == INT64_MAX);
    int64_t now_ns = w.now_ns;
    w.p->deadline_ns = now_ns + 700 * MS;
    assert_true(w.t->ops->deadline(w.t) == now_ns + 700 * MS);
    world_from_iut(&w, (struct seg){S_, 0, .win = 9}, text);
    assert_true(w.t->ops->deadline(w.t) == now_ns + 600 * MS);
    w.p->deadline_ns = now_ns + 500 * MS;
    assert_true(w.t->ops->deadline(w.t) == now_ns + 500 * MS);
    w.t->ops->advance(w.t, now_ns + 500 * MS);
    assert_true(w.p->now_ns == now_ns + 500 * MS);
    assert_true(w.t->ops->deadline(w.t) == now_ns + 600 * MS);
    world_close(&w);
}

/* A timer of the wrapped target that is due now runs, though the runner has not moved the clock. */
static void a_timer_due_now_runs_when_there_is_nothing_to_receive(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    (void)state;
    world_open(&w, "ack-dropped", &ways[0]);
    w.p->deadline_ns = w.now_ns;
    world_collect(&w, text);
    assert_true(w.p->deadline_ns == INT64_MAX);
    world_close(&w);
}

static void late_packets_keep_their_order(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    (void)state;
    world_open(&w, "all-late-600ms", &ways[0]);
    world_from_iut(&w, (struct seg){S_, 0, .win = 1}, text);
    world_from_iut(&w, (struct seg){S_, 0, .win = 2}, text);
    world_pass_time(&w, 100 * MS, text);
    world_from_iut(&w, (struct seg){S_, 0, .win = 3}, text);
    world_pass_time(&w, 1000 * MS, text);
    assert_string_equal(text, "500: S 0:0(0) win 1 | S 0:0(0) win 2 | 600: S 0:0(0) win 3");
    world_close(&w);
}

static void an_answer_ends_the_repeats_of_its_own_connection_only(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    (void)state;
    world_open(&w, "syn-linear", &ways[0]);
    world_from_iut(&w, (struct seg){S_, 0, .win = 1}, text);
    w.tester_port++;
    world_from_iut(&w, (struct seg){S_, 0, .win = 2}, text);
    world_to_iut(&w, (struct seg){S_ | A_, 0, .ack = 1, .win = 9}, text);
    world_pass_time(&w, 1000 * MS, text);
    assert_string_equal(text, "1000: S 0:0(0) win 1");
    world_close(&w);
}

/* ---- real time: what fd() says. Nothing here looks at a clock. */

static bool readable(struct target *t, int timeout_ms)
{
    struct pollfd fd = {.fd = t->ops->fd(t), .events = POLLIN};
    return poll(&fd, 1, timeout_ms) == 1;
}

static struct target *open_real(const char *argument)
{
    struct target_config config = {.seed = 1};
    struct target_error error;
    const struct target_driver *driver = saboteur_driver_for(argument);
    assert_false(driver->virtual_time);
    struct target *t = driver->open(argument, &config, &error);
    assert_non_null(t);
    return t;
}

static void fd_is_readable_for_the_wrapped_and_for_the_timer(void **state)
{
    struct world w; /* to build segments with */
    uint8_t bytes[200], out[200];
    int64_t at_ns;
    (void)state;
    world_open(&w, "syn-early", &ways[0]);
    size_t len = world_build(&w, true, &(struct seg){S_, 0, .win = 9}, bytes, sizeof bytes);
    struct target *t = open_real("syn-early,puppet-real");
    struct puppet *p = puppet_last();
    assert_false(readable(t, 0));
    puppet_emits(p, bytes, len);
    assert_true(readable(t, 0));
    assert_int_equal(t->ops->receive(t, out, sizeof out, &at_ns), len);
    assert_int_equal(t->ops->receive(t, out, sizeof out, &at_ns), 0);
    assert_false(readable(t, 0));
    assert_true(readable(t, -1)); /* the timer, 100 ms later */
    assert_int_equal(t->ops->receive(t, out, sizeof out, &at_ns), len);
    assert_int_equal(memcmp(out, bytes, len), 0);
    assert_int_equal(t->ops->receive(t, out, sizeof out, &at_ns), 0);
    assert_false(readable(t, 0));
    t->ops->close(t);
    world_close(&w);
}

static void what_a_sent_segment_causes_makes_fd_readable_at_once(void **state)
{
    struct world w;
    uint8_t bytes[200], out[200];
    int64_t at_ns;
    (void)state;
    world_open(&w, "rst-extra", &ways[1]);
    size_t len = world_build(&w, false, &(struct seg){S_, 0, .win = 9}, bytes, sizeof bytes);
    struct target *t = open_real("rst-extra,puppet-real");
    assert_int_equal(t->ops->send(t, bytes, len), 0);
    assert_true(readable(t, -1));
    assert_true(t->ops->receive(t, out, sizeof out, &at_ns) > 0);
    assert_int_equal(t->ops->receive(t, out, sizeof out, &at_ns), 0);
    assert_false(readable(t, 0));
    t->ops->close(t);
    world_close(&w);
}

bool timing_test_fault(const char *name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (!strcmp(rows[i].fault, name))
            return true;
    return false;
}

int timing_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_comes_at_its_times),
        cmocka_unit_test(deadlines_of_both_count_and_time_reaches_the_wrapped),
        cmocka_unit_test(a_timer_due_now_runs_when_there_is_nothing_to_receive),
        cmocka_unit_test(late_packets_keep_their_order),
        cmocka_unit_test(an_answer_ends_the_repeats_of_its_own_connection_only),
        cmocka_unit_test(fd_is_readable_for_the_wrapped_and_for_the_timer),
        cmocka_unit_test(what_a_sent_segment_causes_makes_fd_readable_at_once),
    };
    return cmocka_run_group_tests_name("timing", tests, NULL, NULL);
}
