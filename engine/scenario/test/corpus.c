/* Reads the scripts beside this file: those in corpus/ use every construct of the language, those in wrong/ misuse it. */
#include "engine/scenario/test/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char corpus[] = "engine/scenario/test/corpus", wrong[] = "engine/scenario/test/wrong";

/* ---- right scripts ----------------------------------------------------------------------------------------------- */

static void check_right(const char *path, void *context)
{
    struct scn_diagnostics diagnostics;
    char text[512];
    (void)context;
    struct scenario *scenario = scn_parse_file(path, &diagnostics);
    if (!scenario) {
        scn_format_diagnostic(path, &diagnostics.list[0], text, sizeof text);
        fail_msg("%s", text);
        return;
    }
    assert_string_equal(scenario->file, path);
    assert_round_trip(path, scenario);
    scn_free(scenario);
}

static void every_construct_parses_and_prints_as_itself(void **state)
{
    (void)state;
    assert_true(each_script(corpus, check_right, NULL) >= 14);
}

/* ---- the corpus is what it says ---------------------------------------------------------------------------------- */

struct seen { unsigned steps, exprs, options, protocols, keys; };

static void look_at_expr(struct seen *seen, const struct scn_expr *expr)
{
    if (!expr)
        return;
    seen->exprs |= 1u << expr->kind;
    for (unsigned i = 0; i < expr->child_count; i++)
        look_at_expr(seen, expr->child[i]);
}

static void look_at_packet(struct seen *seen, const struct scn_packet *packet)
{
    seen->protocols |= 1u << packet->protocol;
    for (unsigned i = 0; i < packet->option_count; i++)
        seen->options |= 1u << packet->options[i].form;
    for (unsigned i = 0; i < packet->override_count; i++)
        seen->keys |= 1u << packet->overrides[i].key;
    look_at_expr(seen, packet->ack.value);
    look_at_expr(seen, packet->window.value);
}

static void look_at_block(struct seen *seen, const struct scn_block *block)
{
    for (unsigned i = 0; i < block->count; i++) {
        const struct scn_step *step = &block->steps[i];
        seen->steps |= 1u << step->kind;
        if (step->kind == SCN_STEP_INJECT || step->kind == SCN_STEP_EXPECT)
            look_at_packet(seen, step->packet);
        if (step->kind == SCN_STEP_LET)
            look_at_expr(seen, step->let.value);
        for (unsigned j = 0; step->kind == SCN_STEP_CALL && j < step->call.argument_count; j++)
            look_at_expr(seen, step->call.arguments[j]);
        for (unsigned j = 0; step->kind == SCN_STEP_EITHER && j < step->either.count; j++)
            look_at_block(seen, &step->either.branches[j]);
    }
}

static void look_at_file(const char *path, void *context)
{
    struct scn_diagnostics diagnostics;
    struct scenario *scenario = scn_parse_file(path, &diagnostics);
    assert_non_null(scenario);
    look_at_block(context, &scenario->body);
    scn_free(scenario);
}

static void the_corpus_has_every_kind_of_step_expression_option_and_override(void **state)
{
    struct seen seen = { 0 };
    (void)state;
    each_script(corpus, look_at_file, &seen);
    assert_int_equal(seen.steps, (1u << SCN_STEP_KIND_COUNT) - 1);
    assert_int_equal(seen.exprs, (1u << (SCN_EXPR_CONCAT + 1)) - 1);
    assert_int_equal(seen.options, (1u << (SCN_OPT_ACCECN + 1)) - 1);
    assert_int_equal(seen.protocols, (1u << (SCN_UDP + 1)) - 1);
    assert_int_equal(seen.keys, (1u << SCN_KEY_COUNT) - 1);
}

/* ---- wrong scripts ----------------------------------------------------------------------------------------------- */

/* Lines "// expect 3:9: message" say what is to be found, all of it, in order. */
static const char *next_expected(const char *text, char *out, size_t capacity)
{
    static const char mark[] = "// expect ";
    const char *start = strstr(text, mark);
    if (!start)
        return NULL;
    start += sizeof mark - 1;
    const size_t len = strcspn(start, "\n");
    snprintf(out, capacity, "%.*s", (int)len, start);
    return start + len;
}

static void check_wrong(const char *path, void *context)
{
    struct scn_diagnostics diagnostics;
    char expected[512], found[512];
    size_t len;
    (void)context;
    char *text = read_file(path, &len);
    struct scenario *scenario = scn_parse_file(path, &diagnostics);
    if (scenario)
        fail_msg("%s: parses, and should not", path);
    const char *rest = text;
    for (unsigned i = 0; i < diagnostics.count; i++) {
        const struct scn_diagnostic *d = &diagnostics.list[i];
        snprintf(found, sizeof found, "%d:%d: %s", d->at.line, d->at.column, d->message);
        rest = next_expected(rest, expected, sizeof expected);
        if (!rest)
            fail_msg("%s: nobody expects %s", path, found);
        if (strcmp(expected, found) != 0)
            fail_msg("%s: expected\n%s\nbut found\n%s", path, expected, found);
    }
    if (next_expected(rest, expected, sizeof expected))
        fail_msg("%s: expected, and not found: %s", path, expected);
    free(text);
}

static void every_wrong_script_gets_the_diagnostics_it_names(void **state)
{
    (void)state;
    assert_true(each_script(wrong, check_wrong, NULL) >= 39);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_construct_parses_and_prints_as_itself),
        cmocka_unit_test(the_corpus_has_every_kind_of_step_expression_option_and_override),
        cmocka_unit_test(every_wrong_script_gets_the_diagnostics_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
