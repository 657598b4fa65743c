/* Checks what a grammar cannot say: that a scenario's steps can mean something in the order in which they stand.
 *
 * The steps are walked once, in order, with the set of variables that may have a value by then. A branch starts from the set before
 * the `either`, and behind it any branch may have been the one taken. So what is refused can really not work; what passes may still
 * fail when it is played, as when a branch that captures is not the one taken.
 */
#include "engine/scenario/check.h"
#include "engine/scenario/names.h"

#include <string.h>

static void check_block(struct scn_checker *checker, struct scn_block *block);

/* ---- what no target can do --------------------------------------------------------------------------------------- */

static void note_unsupported(struct scn_checker *checker, struct scn_at at, const char *what, const char *detail)
{
    struct scenario *scenario = checker->parser->scenario;
    if (!scenario->unsupported)
        scenario->unsupported = scn_arena_format(checker->parser->arena, "line %d: %.80s%.60s", at.line, what, detail);
}

static void note_packet(struct scn_checker *checker, struct scn_packet *packet)
{
    if (checker->symbol) {
        packet->unsupported = scn_arena_format(checker->parser->arena, "the symbol %.40s, which nothing defines", checker->symbol);
        checker->symbol = NULL;
    }
    if (packet->unsupported)
        note_unsupported(checker, packet->at, packet->unsupported, "");
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static void check_time(struct scn_checker *checker, const struct scn_step *step)
{
    struct scn_parser *parser = checker->parser;
    const struct scn_time *time = &step->time;
    const bool is_packet = step->kind == SCN_STEP_INJECT || step->kind == SCN_STEP_EXPECT;
    if (time->kind == SCN_TIME_NONE && (is_packet || step->kind == SCN_STEP_CALL))
        scn_error(parser, step->at, "expected a time before the %s, as in `+0 %s`", is_packet ? "segment" : "call",
                  step->kind == SCN_STEP_INJECT ? "< S 0:0(0)" : is_packet ? "> S. 0:0(0)" : "close(3) = 0");
    const bool awaits = step->kind == SCN_STEP_EXPECT || step->kind == SCN_STEP_GATHER || step->kind == SCN_STEP_STATE;
    if (time->kind == SCN_TIME_ANY && !awaits)
        scn_error(parser, step->at, "the time `*` is only for what is awaited: segments, `gather` and `state`");
    if (time->is_range && !awaits && step->kind != SCN_STEP_NEVER)
        scn_error(parser, step->at, "a time range is only for what is awaited: segments, `gather`, `state` and `never`");
    if (time->has_return && step->kind != SCN_STEP_CALL)
        scn_error(parser, step->at, "only a call blocks and returns at a second time");
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static void check_errno(struct scn_checker *checker, const struct scn_step *step)
{
    char hint[SCN_HINT_MAX], quote[SCN_QUOTE_MAX];
    const char *name = step->call.error;
    if (name && !scn_is_errno_name(name))
        scn_error(checker->parser, step->at, "`%s` is no error name of Linux%s", scn_quote(scn_piece_of(name), quote),
                  scn_hint(name, scn_errno_words, scn_errno_word_count, hint));
}

/* The place of the value that a call gives back: [$x] there takes it. */
static bool is_given_back(const struct scn_call *call, unsigned argument)
{
    const struct scn_expr *place = call->arguments[argument];
    bool gives = (!strcmp(call->name, "getsockopt") && argument == 3) || (!strcmp(call->name, "ioctl") && argument == 2);
    return gives && place->kind == SCN_EXPR_LIST && place->child_count == 1 && place->child[0]->kind == SCN_EXPR_VARIABLE;
}

static void check_call(struct scn_checker *checker, struct scn_step *step)
{
    struct scn_call *call = &step->call;
    char hint[SCN_HINT_MAX], quote[SCN_QUOTE_MAX];
    switch (scn_call_support(call->name)) {
    case SCN_CALL_UNKNOWN:
        scn_error(checker->parser, step->at, "unknown call `%s`%s", scn_quote(scn_piece_of(call->name), quote),
                  scn_hint(call->name, scn_call_words, scn_call_word_count, hint));
        return;
    case SCN_CALL_PARSED_ONLY:
        note_unsupported(checker, step->at, "the call ", call->name);
        break;
    case SCN_CALL_SUPPORTED:
        break;
    }
    for (unsigned i = 0; i < call->argument_count; i++)
        if (is_given_back(call, i))
            scn_set_variable(checker, call->arguments[i]->child[0]->slot);
        else
            scn_check_argument(checker, call->arguments[i]);
    scn_check_compared(checker, &call->result, "the result", INT64_MIN, INT64_MAX);
    check_errno(checker, step);
}

static void check_never(struct scn_checker *checker, struct scn_step *step)
{
    if (step->never.has_block && step->time.is_range)
        scn_error(checker->parser, step->at, "a `never` with a block lasts as long as its steps; it has no time range");
    else if (!step->never.has_block && !step->time.is_range)
        scn_error(checker->parser, step->at,
                  "expected a time range before `never`, as in `+0~+1 never > R.`, or a block behind it");
    checker->may_capture = false;
    for (unsigned i = 0; i < step->never.count; i++) {
        scn_check_packet(checker, step->never.packets[i], false);
        note_packet(checker, step->never.packets[i]);
    }
    checker->may_capture = true;
    if (step->never.has_block)
        check_block(checker, &step->never.block);
}

static bool can_choose(const struct scn_step *step)
{
    return step->kind == SCN_STEP_EXPECT || step->kind == SCN_STEP_NEVER || step->kind == SCN_STEP_GATHER || step->kind == SCN_STEP_STATE ||
           step->kind == SCN_STEP_ASSERT;
}

static void check_either(struct scn_checker *checker, struct scn_step *step)
{
    const struct scn_variable_set before = checker->set;
    struct scn_variable_set after = before;
    for (unsigned i = 0; i < step->either.count; i++) {
        struct scn_block *branch = &step->either.branches[i];
        if (branch->count == 0 && i + 1 < step->either.count)
            scn_error(checker->parser, step->at, "only the last branch of `either` may be empty");
        if (branch->count > 0 && !can_choose(&branch->steps[0]))
            scn_error(checker->parser, branch->steps[0].at,
                      "a branch begins with what decides on it: `>`, `never`, `gather`, `state` or `assert`");
        checker->set = before;
        check_block(checker, branch);
        for (unsigned w = 0; w < sizeof after.bits / sizeof *after.bits; w++)
            after.bits[w] |= checker->set.bits[w];
    }
    checker->set = after;
}

static void check_repeat(struct scn_checker *checker, struct scn_step *step)
{
    const int64_t turns_outside = checker->turns;
    const struct scn_expr *times = step->repeat.times;
    scn_check_number(checker, step->repeat.times, "the number of turns", 0, SCN_REPEAT_MAX);
    if (step->repeat.slot >= 0)
        scn_set_variable(checker, (unsigned)step->repeat.slot);
    if (times->kind == SCN_EXPR_NUMBER && times->number > 0 && times->number <= SCN_REPEAT_MAX) {
        checker->turns *= times->number; /* neither factor is above SCN_REPEAT_MAX */
        if (checker->turns > SCN_REPEAT_MAX) {
            scn_error(checker->parser, step->at, "the repeats around here make more than %d turns", SCN_REPEAT_MAX);
            checker->turns = SCN_REPEAT_MAX;
        }
    }
    check_block(checker, &step->repeat.block);
    checker->turns = turns_outside;
}

static void check_gather(struct scn_checker *checker, struct scn_step *step)
{
    scn_check_endpoint(checker, &step->gather.endpoint);
    if (step->gather.from.relation != SCN_EQ || step->gather.to.relation != SCN_EQ) {
        scn_error(checker->parser, step->at, "`gather` needs two numbers, as in `gather 1:1001`");
        return;
    }
    scn_check_number(checker, step->gather.from.value, "a sequence number", 0, UINT32_MAX);
    scn_check_number(checker, step->gather.to.value, "a sequence number", 0, UINT32_MAX);
}

static void check_packet_step(struct scn_checker *checker, struct scn_step *step)
{
    scn_check_packet(checker, step->packet, step->kind == SCN_STEP_INJECT);
    note_packet(checker, step->packet);
}

static void check_step(struct scn_checker *checker, struct scn_step *step)
{
    checker->place = step->at;
    check_time(checker, step);
    switch (step->kind) {
    case SCN_STEP_INJECT: case SCN_STEP_EXPECT: check_packet_step(checker, step); break;
    case SCN_STEP_CALL: check_call(checker, step); break;
    case SCN_STEP_COMMAND: note_unsupported(checker, step->at, "a command in backquotes", ""); break;
    case SCN_STEP_CODE: note_unsupported(checker, step->at, "a code block", ""); break;
    case SCN_STEP_STATE: scn_check_endpoint(checker, &step->state.endpoint); break;
    case SCN_STEP_NEVER: check_never(checker, step); break;
    case SCN_STEP_FENCE: scn_check_endpoint(checker, &step->fence.endpoint); break;
    case SCN_STEP_INCARNATION: scn_check_endpoint(checker, &step->incarnation.endpoint); break;
    case SCN_STEP_EITHER: check_either(checker, step); break;
    case SCN_STEP_REPEAT: check_repeat(checker, step); break;
    case SCN_STEP_GATHER: check_gather(checker, step); break;
    case SCN_STEP_LET:
        scn_check_expr(checker, step->let.value);
        scn_set_variable(checker, step->let.slot);
        break;
    case SCN_STEP_ASSERT: scn_check_expr(checker, step->assertion.condition); break;
    case SCN_STEP_LINK: scn_check_number(checker, step->link.nth, "which segment `link` is about", 1, SCN_REPEAT_MAX); break;
    case SCN_STEP_PHASE: case SCN_STEP_COVERS: case SCN_STEP_WAIT: case SCN_STEP_SKIP: case SCN_STEP_KIND_COUNT: break;
    }
}

static void check_block(struct scn_checker *checker, struct scn_block *block)
{
    for (unsigned i = 0; i < block->count && !checker->parser->stop; i++)
        check_step(checker, &block->steps[i]);
}

void scn_check(struct scn_parser *parser)
{
    struct scn_checker checker = { .parser = parser, .turns = 1, .may_capture = true };
    for (unsigned i = 0; i < parser->tables.count; i++) {
        const struct scn_table *table = parser->tables.items[i];
        for (unsigned j = 0; j < table->slot_count; j++)
            scn_set_variable(&checker, table->slots[j]);
    }
    check_block(&checker, &parser->scenario->body);
}
