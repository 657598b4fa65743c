/* The state×event matrix: enough cases, every state by every way, ids that are unique and say what they are, scenarios that anybody
 * can read and run, and combinations as events.c promises them. */
#include "engine/scenario/matrix/inside.h"
#include "engine/scenario/test/support.h"

#include <stdlib.h>
#include <string.h>

enum { CASES_MIN = 10000, WAYS_MAX = 128 };

static struct scenario *ways[WAYS_MAX];

static int make_all(void **state)
{
    (void)state;
    if (matrix_way_count() > WAYS_MAX)
        return -1;
    for (unsigned way = 0; way < matrix_way_count(); way++) {
        struct scn_diagnostics diagnostics;
        char text[512];
        ways[way] = matrix_scenario(way, &diagnostics);
        if (!ways[way]) {
            scn_format_diagnostic(matrix_way_name(way), &diagnostics.list[0], text, sizeof text);
            fprintf(stderr, "%s\n", text);
            return -1;
        }
    }
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    for (unsigned way = 0; way < matrix_way_count(); way++)
        scn_free(ways[way]);
    return 0;
}

static unsigned find_way(const char *name)
{
    for (unsigned way = 0; way < matrix_way_count(); way++)
        if (!strcmp(matrix_way_name(way), name))
            return way;
    fail_msg("there is no way %s", name);
    return 0;
}

static const char *suffix(unsigned way, unsigned index, char out[static 160])
{
    struct scn_variant variant;
    struct scn_value values[SCN_VARIABLES_MAX];
    scn_variant(ways[way], index, &variant, values);
    snprintf(out, 160, "%s", variant.suffix);
    return out;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static void there_are_ten_thousand_cases_and_more(void **state)
{
    unsigned count = 0;
    (void)state;
    for (unsigned way = 0; way < matrix_way_count(); way++)
        count += scn_variant_count(ways[way]);
    assert_true(count >= CASES_MIN);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void ids_are_unique_and_have_seven_parts(void **state)
{
    char **ids = calloc(4 * CASES_MIN, sizeof *ids), text[160];
    unsigned count = 0;
    (void)state;
    assert_non_null(ids);
    for (unsigned way = 0; way < matrix_way_count(); way++)
        for (unsigned i = 0; i < scn_variant_count(ways[way]); i++) {
            unsigned strokes = 0;
            assert_true(count < 4 * CASES_MIN);
            assert_true(asprintf(&ids[count], "%s%s", matrix_way_name(way), suffix(way, i, text)) > 0);
            for (const char *c = ids[count]; *c; c++)
                strokes += *c == '/';
            if (strokes != 7 || strncmp(ids[count], "matrix/", 7) != 0 || strchr(ids[count], ' '))
                fail_msg("%s", ids[count]);
            count++;
        }
    qsort(ids, count, sizeof *ids, by_text);
    for (unsigned i = 1; i < count; i++)
        if (!strcmp(ids[i - 1], ids[i]))
            fail_msg("twice: %s", ids[i]);
    for (unsigned i = 0; i < count; i++)
        free(ids[i]);
    free(ids);
}

/* A row a state: the ways that RFC 9293 §3.5 and §3.6 know of, and what else may be the case. */
static void every_state_is_reached_by_every_way(void **state)
{
    static const struct { enum tcp_state state; const char *names; } rows[] = {
        {TCP_STATE_CLOSED, "closed/no-listener closed/refused closed/reset closed/aborted closed/last-ack closed/ipv6"},
        {TCP_STATE_LISTEN, "listen/passive listen/returned listen/ipv6"},
        {TCP_STATE_SYN_SENT, "syn-sent/active syn-sent/ipv6"},
        {TCP_STATE_SYN_RECEIVED, "syn-received/passive syn-received/simultaneous syn-received/wrap syn-received/stamped syn-received/ipv6"},
        {TCP_STATE_ESTABLISHED, "established/passive established/active established/simultaneous established/data established/blocked "
                                "established/zero-window established/small-window established/out-of-order established/wrap established/wrap-at"},
        {TCP_STATE_FIN_WAIT_1, "fin-wait-1/passive fin-wait-1/active fin-wait-1/simultaneous fin-wait-1/closed fin-wait-1/data "
                               "fin-wait-1/zero-window fin-wait-1/out-of-order fin-wait-1/wrap fin-wait-1/stamped fin-wait-1/ipv6"},
        {TCP_STATE_FIN_WAIT_2, "fin-wait-2/passive fin-wait-2/active fin-wait-2/simultaneous fin-wait-2/closed fin-wait-2/zero-window "
                               "fin-wait-2/out-of-order fin-wait-2/wrap fin-wait-2/stamped fin-wait-2/ipv6"},
        {TCP_STATE_CLOSE_WAIT, "close-wait/passive close-wait/active close-wait/simultaneous close-wait/data close-wait/wrap close-wait/ipv6"},
        {TCP_STATE_CLOSING, "closing/passive closing/active closing/closed closing/data closing/wrap closing/stamped closing/ipv6"},
        {TCP_STATE_LAST_ACK, "last-ack/passive last-ack/active last-ack/closed last-ack/data last-ack/wrap last-ack/stamped last-ack/ipv6"},
        {TCP_STATE_TIME_WAIT, "time-wait/passive-fin-wait-2 time-wait/active-fin-wait-2 time-wait/passive-closing time-wait/active-closing "
                              "time-wait/passive-fin-wait-1 time-wait/active-fin-wait-1 time-wait/closed time-wait/wrap time-wait/ipv6"},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        char names[512], full[MATRIX_NAME_MAX];
        snprintf(names, sizeof names, "%s", rows[i].names);
        for (char *rest, *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
            snprintf(full, sizeof full, "matrix/%s", name);
            assert_int_equal(matrix_way_state(find_way(full)), rows[i].state);
        }
    }
}

static void a_way_is_named_after_its_state(void **state)
{
    (void)state;
    for (unsigned way = 0; way < matrix_way_count(); way++) {
        const char *name = strchr(matrix_way_name(way), '/') + 1;
        char text[MATRIX_NAME_MAX];
        snprintf(text, sizeof text, "%.*s", (int)strcspn(name, "/"), name);
        if (tcp_state_from_name(text) != matrix_way_state(way))
            fail_msg("%s", matrix_way_name(way));
    }
}

/* ---- scenarios ----------------------------------------------------------------------------------------------------- */

static void scenarios_are_portable_and_complete(void **state)
{
    (void)state;
    for (unsigned way = 0; way < matrix_way_count(); way++) {
        const struct scenario *s = ways[way];
        assert_true(s->has_front_matter);
        assert_null(s->unsupported);
        assert_true(s->cover_count > 0);
        assert_true(s->killed_by_count > 0);
        assert_true(s->has_isn);
        assert_int_equal(s->table_count, 1);
        assert_int_equal(s->ipv4 + s->ipv6, 1);
        assert_int_equal(s->needs & (SCN_NEEDS_EXCLUSIVE | SCN_NEEDS_DISRUPTIVE | SCN_NEEDS_VIRTUAL_TIME), 0);
        assert_int_equal(s->setting_count, 0); /* all may share one instance */
    }
}

static bool expects_after_the_preamble(const struct scn_block *block)
{
    bool body = false;
    for (unsigned i = 0; i < block->count; i++) {
        body |= block->steps[i].kind == SCN_STEP_PHASE && block->steps[i].phase == SCN_BODY;
        if (body && (block->steps[i].kind == SCN_STEP_EXPECT || block->steps[i].kind == SCN_STEP_NEVER ||
                     block->steps[i].kind == SCN_STEP_STATE))
            return true;
    }
    return false;
}

static void the_judge_alone_decides(void **state)
{
    (void)state;
    for (unsigned way = 0; way < matrix_way_count(); way++)
        if (expects_after_the_preamble(&ways[way]->body))
            fail_msg("%s expects something of the IUT", matrix_way_name(way));
}

static void a_case_as_text_is_that_case(void **state)
{
    (void)state;
    for (unsigned way = 0; way < matrix_way_count(); way++) {
        unsigned count = scn_variant_count(ways[way]), columns = ways[way]->tables[0].slot_count;
        for (unsigned i = 0; i < count; i += 97) {
            char *text = matrix_case_text(way, i);
            assert_non_null(text);
            struct scenario *alone = parse_text(text);
            assert_round_trip(matrix_way_name(way), alone);
            assert_int_equal(scn_variant_count(alone), 1);
            assert_int_equal(alone->tables[0].slot_count, columns);
            for (unsigned c = 1; c < columns; c++) { /* the first is its name */
                assert_int_equal(alone->tables[0].cells[c].kind, ways[way]->tables[0].cells[i * columns + c].kind);
                assert_int_equal(alone->tables[0].cells[c].number, ways[way]->tables[0].cells[i * columns + c].number);
            }
            scn_free(alone);
            free(text);
        }
    }
}

static void deriving_twice_gives_the_same(void **state)
{
    struct scn_diagnostics diagnostics;
    (void)state;
    for (unsigned way = 0; way < matrix_way_count(); way += 7) {
        struct scenario *again = matrix_scenario(way, &diagnostics);
        assert_non_null(again);
        assert_true(scn_equal(ways[way], again));
        scn_free(again);
    }
}

/* ---- events -------------------------------------------------------------------------------------------------------- */

static bool has_case(unsigned way, const char *wanted)
{
    char text[160];
    for (unsigned i = 0; i < scn_variant_count(ways[way]); i++)
        if (!strcmp(suffix(way, i, text) + 1, wanted))
            return true;
    return false;
}

/* The products where checks interact: in full, in each state that has a window. */
static void products_are_complete(void **state)
{
    static const char *const seqs[] = {"2g-old", "old", "left", "nxt", "nxt+1", "inside", "last", "edge", "beyond", "2g-ahead"};
    static const char *const acks[] = {"ack-2g-old", "ack-old", "ack-below-una", "ack-nxt", "ack-nxt+1", "ack-beyond", "ack-2g-ahead"};
    static const char *const names[] = {
        "matrix/syn-received/passive", "matrix/established/passive", "matrix/fin-wait-1/passive", "matrix/fin-wait-2/passive",
        "matrix/close-wait/passive",   "matrix/closing/passive",     "matrix/last-ack/passive",   "matrix/time-wait/passive-fin-wait-2"};
    char wanted[MATRIX_EVENT_MAX];
    (void)state;
    for (unsigned n = 0; n < ARRAY_LEN(names); n++)
        for (unsigned s = 0; s < ARRAY_LEN(seqs); s++) {
            snprintf(wanted, sizeof wanted, "rst/%s/no-ack/0/no-ts", seqs[s]);
            if (!has_case(find_way(names[n]), wanted))
                fail_msg("%s lacks %s", names[n], wanted);
            for (unsigned a = 0; a < ARRAY_LEN(acks); a++) {
                snprintf(wanted, sizeof wanted, "ack/%s/%s/0/no-ts", seqs[s], acks[a]);
                if (!has_case(find_way(names[n]), wanted))
                    fail_msg("%s lacks %s", names[n], wanted);
            }
        }
}

enum { CLASSES = 32 };

/* The number of a name among those met in this part of an id. */
static unsigned number_of(char names[static CLASSES][40], unsigned *count, const char *text, size_t len)
{
    for (unsigned i = 0; i < *count; i++)
        if (strlen(names[i]) == len && !strncmp(names[i], text, len))
            return i;
    assert_true(*count < CLASSES);
    snprintf(names[*count], sizeof names[*count], "%.*s", (int)len, text);
    return (*count)++;
}

/* Each flag set meets each place in the window, of what a segment of such a length can lie at. */
static void each_flag_set_meets_each_place_in_the_window(void **state)
{
    static char names[2][CLASSES][40];
    static bool met[CLASSES][CLASSES];
    unsigned counts[2] = {0}, way = find_way("matrix/established/passive");
    char text[160];
    (void)state;
    for (unsigned i = 0; i < scn_variant_count(ways[way]); i++) {
        const char *flags = suffix(way, i, text) + 1, *seq = flags + strcspn(flags, "/") + 1;
        unsigned f = number_of(names[0], &counts[0], flags, strcspn(flags, "/")),
                 s = number_of(names[1], &counts[1], seq, strcspn(seq, "/"));
        met[f][s] = true;
    }
    assert_int_equal(counts[0], 22);
    assert_int_equal(counts[1], 13);
    for (unsigned f = 0; f < counts[0]; f++)
        for (unsigned s = 0; s < counts[1]; s++)
            if (!met[f][s] && !(strstr(names[0][f], "syn") && strstr(names[0][f], "fin") && !strcmp(names[1][s], "last")) &&
                !(!strcmp(names[0][f], "all-flags") && !strcmp(names[1][s], "last"))) /* two octets at least */
                fail_msg("%s never is at %s", names[0][f], names[1][s]);
}

static struct segment_class class_named(const char *way_name, const char *event)
{
    const struct way *way = &matrix_ways[find_way(way_name)];
    struct segment_class found = {0};
    unsigned count;
    struct event *events = matrix_events(way, &count);
    assert_non_null(events);
    for (unsigned i = 0; i < count && strcmp(found.name, event) != 0; i++)
        matrix_event_class(way, &events[i], &found);
    free(events);
    assert_string_equal(found.name, event);
    return found;
}

/* What the words mean in numbers: from RCV.NXT or the right edge, and from the IUT's ISS. */
static void classes_mean_what_they_say(void **state)
{
    static const struct { const char *way, *event; int64_t seq; bool from_edge; int octets; int64_t ack; } rows[] = {
        {"matrix/established/passive", "rst/left/no-ack/0/no-ts", -1, false, 0, 1},
        {"matrix/established/passive", "rst/left/no-ack/10/no-ts", -10, false, 10, 1},
        {"matrix/established/passive", "rst/across-left/no-ack/10/no-ts", -5, false, 10, 1},
        {"matrix/established/passive", "fin-ack/left/ack-nxt/10/no-ts", -11, false, 10, 1},
        {"matrix/established/passive", "rst/last/no-ack/0/no-ts", -1, true, 0, 1},
        {"matrix/established/passive", "rst/fits/no-ack/10/no-ts", -10, true, 10, 1},
        {"matrix/established/passive", "rst/across-right/no-ack/10/no-ts", -5, true, 10, 1},
        {"matrix/established/passive", "rst/edge/no-ack/0/no-ts", 0, true, 0, 1},
        {"matrix/established/passive", "ack/2g-old/ack-2g-ahead/0/no-ts", -INT64_C(0x7fffffff), false, 0, INT64_C(0x80000000)},
        {"matrix/established/passive", "ack/nxt/ack-nxt+1/0/no-ts", 0, false, 0, 2},
        {"matrix/fin-wait-1/passive", "ack/nxt/ack-una/0/no-ts", 0, false, 0, 1},
        {"matrix/fin-wait-1/data", "ack/nxt/ack-inside/0/no-ts", 0, false, 0, 51},
        {"matrix/fin-wait-1/data", "ack/nxt/ack-nxt/0/no-ts", 0, false, 0, 102},
        {"matrix/syn-sent/active", "syn-ack/max/ack-una/0/no-ts", UINT32_MAX, false, 0, 0},
        {"matrix/closed/no-listener", "psh-ack/wraps/ack-max/10/no-ts", INT64_C(0x100000000) - 5, false, 10, UINT32_MAX},
    };
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct segment_class c = class_named(rows[i].way, rows[i].event);
        if (c.seq != rows[i].seq || c.from_edge != rows[i].from_edge || c.octets != rows[i].octets || c.ack != rows[i].ack)
            fail_msg("%s %s: seq %lld, edge %d, octets %d, ack %lld", rows[i].way, rows[i].event, (long long)c.seq, c.from_edge,
                     c.octets, (long long)c.ack);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_ten_thousand_cases_and_more),
        cmocka_unit_test(ids_are_unique_and_have_seven_parts),
        cmocka_unit_test(every_state_is_reached_by_every_way),
        cmocka_unit_test(a_way_is_named_after_its_state),
        cmocka_unit_test(scenarios_are_portable_and_complete),
        cmocka_unit_test(the_judge_alone_decides),
        cmocka_unit_test(a_case_as_text_is_that_case),
        cmocka_unit_test(deriving_twice_gives_the_same),
        cmocka_unit_test(products_are_complete),
        cmocka_unit_test(each_flag_set_meets_each_place_in_the_window),
        cmocka_unit_test(classes_mean_what_they_say),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
