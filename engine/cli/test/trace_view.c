/* The text ladder against golden texts (test/ladder/NAME.txt): wide, narrow, in a pipe, folded, in colour, and of hostile results.
 * TCPASSAY_WRITE_GOLDEN=1 writes them anew; look at what changed before it is committed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/cli/trace_view.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char scenario[] = "//: title      A SYN is answered\n"
    "+0      socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
    "+0      listen(3, 1) = 0\n"
    "+0      < S  0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>\n"
    "+0~+1   > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val $a ecr 1,nop,wscale $b>\n"
    "+0      < .  1:1(0) ack 1 win 65535\n"
    "+0~+.5  > .  1:1(0) ack 11\n";

static const struct result_event events[] = {
    {.at_ns = 3000, .kind = RESULT_CALL, .step = 2, .segment = "", .text = "socket(..., SOCK_STREAM, IPPROTO_TCP) = 3"},
    {.at_ns = 3000, .kind = RESULT_RETURN, .step = 2, .segment = "", .text = "3"},
    {.at_ns = 3000, .kind = RESULT_STATE, .step = 2, .segment = "", .text = "IUT: CLOSED"},
    {.at_ns = 9000, .kind = RESULT_CALL, .step = 3, .segment = "", .text = "listen(3, 1) = 0"},
    {.at_ns = 9000, .kind = RESULT_STATE, .step = 3, .segment = "", .text = "IUT: LISTEN"},
    {.at_ns = 9000, .kind = RESULT_RETURN, .step = 3, .segment = "", .text = "-1 EINVAL (Invalid argument)"},
    {.at_ns = 20000, .kind = RESULT_SENT, .index = 1, .step = 4, .segment = "< S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>",
     .text = "seq 4000000000 ack 0 on the wire"},
    {.at_ns = 31000, .kind = RESULT_RECEIVED, .index = 2, .step = 5, .segment = "> S. 0:0(0) ack 2 win 64240 <mss 1460,sackOK,TS val 77 ecr 1,nop,wscale 7>",
     .text = "seq 7 ack 4000000002 on the wire"},
    {.at_ns = 31000, .kind = RESULT_STATE, .step = 5, .segment = "", .text = "IUT: SYN-RECEIVED"},
    {.at_ns = 31000, .kind = RESULT_NOTE, .step = 5, .segment = "",
     .text = "the model, segment 2: does not acknowledge the SYN (rule syn-ack-numbers, RFC9293:3.10.7.2-c, RULE)"},
    {.at_ns = 1031000000, .kind = RESULT_DROPPED, .index = 3, .step = 6, .segment = "< . 1:1(0) ack 1 win 65535", .text = "seq 4000000001 ack 8 on the wire"},
    {.at_ns = 1031000000, .kind = RESULT_NOTE, .step = 6, .segment = "", .text = "link alive"},
};

static const struct result_finding findings[] = {
    {.rule = "expect", .requirement = "RFC9293:MUST-40", .level = LEVEL_MUST,
     .message = "expected `+0~+.5 > . 1:1(0) ack 11`, came: nothing",
     .expected = "+0~+.5 > . 1:1(0) ack 11", .observed = "nothing", .at_ns = 1531000000},
    {.rule = "syn-ack-numbers", .requirement = "RFC9293:3.10.7.2-c", .level = LEVEL_RULE,
     .message = "does not acknowledge the SYN: SEG.ACK is 2",
     .expected = "SEG.ACK 1 in SYN-RECEIVED", .observed = "S. 0:0(0) ack 2", .at_ns = 31000, .segment = 2},
    {.rule = "x", .requirement = "", .level = LEVEL_SHOULD, .message = "An option that no RFC knows", .expected = "", .observed = "", .at_ns = 10000},
};

static const struct result_test failing = {.id = "a/b", .findings = findings, .finding_count = COUNT(findings), .trace = events, .trace_count = COUNT(events)};

static char hostile[] = "\033[2J\nnot ok 1\r\xe2\x80\xae"
                        "abc\xff <script> %s%n \xe6\x97\xa5\xe6\x9c\xac";
static const struct result_event hostile_events[] = {
    {.kind = RESULT_SENT, .index = 1, .step = UINT32_MAX, .segment = hostile, .text = hostile},
    {.kind = RESULT_CALL, .step = 1, .segment = hostile, .text = hostile},
    {.kind = RESULT_RETURN, .step = 1, .segment = NULL, .text = hostile},
    {.kind = RESULT_NOTE, .segment = NULL, .text = NULL},
};
static const struct result_finding hostile_findings[] = {
    {.requirement = hostile, .message = hostile, .expected = hostile, .observed = hostile, .segment = 1},
    {.requirement = NULL, .message = NULL, .segment = 9},
};
static const struct result_test evil = {.findings = hostile_findings, .finding_count = 2, .trace = hostile_events, .trace_count = COUNT(hostile_events)};

static char *shown(const struct result_test *test, const struct trace_view *view)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    trace_view(test, view, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_golden(const char *name, const char *text)
{
    char path[512], golden[65536];
    snprintf(path, sizeof path, "%s/engine/cli/test/ladder/%s.txt", TCPASSAY_SOURCE_DIR, name);
    FILE *file = fopen(path, getenv("TCPASSAY_WRITE_GOLDEN") ? "w+" : "r");
    if (!file)
        fail_msg("%s cannot be opened", path);
    if (getenv("TCPASSAY_WRITE_GOLDEN"))
        fputs(text, file);
    rewind(file);
    golden[fread(golden, 1, sizeof golden - 1, file)] = '\0';
    fclose(file);
    if (strcmp(golden, text) != 0)
        fail_msg("%s.txt is\n%sbut what is shown is\n%s", name, golden, text);
}

static void assert_fits(const char *text, size_t columns, const char *name)
{
    size_t used = 0;
    for (const char *c = text; *c; c++) {
        used = *c == '\n' ? 0 : used + (((unsigned char)*c & 0xc0) != 0x80);
        if (used > columns)
            fail_msg("%s: a line has more than %zu columns:\n%s", name, columns, text);
        if (((unsigned char)*c < ' ' && *c != '\n') || strstr(text, "\xe2\x80\xae"))
            fail_msg("%s: a control got through", name);
    }
}

static void the_ladder_is_the_golden_one(void **state)
{
    static const struct { const char *name; const struct result_test *test; struct trace_view view; } rows[] = {
        {"pipe", &failing, {.scenario = scenario}},
        {"40", &failing, {.columns = 40, .scenario = scenario}},
        {"80", &failing, {.columns = 80, .scenario = scenario}},
        {"120", &failing, {.columns = 120, .scenario = scenario}},
        {"200", &failing, {.columns = 200, .scenario = scenario}},
        {"color", &failing, {.columns = 120, .scenario = scenario, .color = true}},
        {"no-scenario", &failing, {.columns = 120}},
        {"hostile", &evil, {.columns = 120, .scenario = hostile}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = shown(rows[i].test, &rows[i].view);
        if (rows[i].view.columns && !rows[i].view.color)
            assert_fits(text, rows[i].view.columns, rows[i].name);
        assert_golden(rows[i].name, text);
        free(text);
    }
}

static void no_line_is_too_long(void **state)
{
    (void)state;
    for (unsigned columns = 40; columns <= 200; columns++) {
        const struct trace_view view = {.columns = columns, .scenario = scenario};
        char *text = shown(&failing, &view), name[16];
        snprintf(name, sizeof name, "%u", columns);
        assert_fits(text, columns, name);
        free(text);
        text = shown(&evil, &view);
        assert_fits(text, columns, name);
        free(text);
    }
    char *text = shown(&failing, &(struct trace_view){.columns = 3});
    assert_fits(text, 40, "less than there is room for");
    free(text);
}

static void a_long_trace_is_folded_around_its_finding(void **state)
{
    enum { EVENTS = 3000, FOUND = 1500 };
    struct result_event *many = calloc(EVENTS, sizeof *many);
    (void)state;
    assert_non_null(many);
    for (uint32_t i = 0; i < EVENTS; i++)
        many[i] = (struct result_event){.at_ns = i, .kind = RESULT_SENT, .index = i + 1, .segment = "< . 1:1(0)", .text = ""};
    const struct result_finding found = {.message = "here", .segment = FOUND};
    const struct result_test test = {.findings = &found, .finding_count = 1, .trace = many, .trace_count = EVENTS};
    char *text = shown(&test, &(struct trace_view){.events_max = 40});
    assert_non_null(strstr(text, "#1500"));
    assert_non_null(strstr(text, "here"));
    assert_non_null(strstr(text, "... 1469 more ..."));
    assert_non_null(strstr(text, "#3000"));
    assert_null(strstr(text, "#1000 "));
    free(text);
    text = shown(&test, &(struct trace_view){0});
    assert_non_null(strstr(text, "#1000 "));
    free(text);
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ladder_is_the_golden_one),
        cmocka_unit_test(no_line_is_too_long),
        cmocka_unit_test(a_long_trace_is_folded_around_its_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
