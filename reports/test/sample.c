/* A small run with one test of every kind, and a hostile one. */
#include "reports/test/sample.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct result_setting target_pixit[] = { { "address", "192.0.2.1" }, { "net.ipv4.tcp_syn_retries", "6" } };
static const char *const selectors[] = { "rfc9293/3.5-establishing", "covers:RFC9293:MUST-40" };

const struct result_run sample_run = {
    .target_name = "linux",
    .target_description = "Linux 6.18 in a network namespace",
    .pixit = target_pixit,
    .pixit_count = ARRAY_LEN(target_pixit),
    .started = "2025-01-31T12:00:00Z",
    .seed = INT64_MAX,
    .profile = "full",
    .selectors = selectors,
    .selector_count = ARRAY_LEN(selectors),
    .planned = 9,
};

static const char *const must_10[] = { "RFC9293:MUST-10" };
static const char *const must_40[] = { "RFC9293:MUST-40", "RFC9293:SHLD-18" };
static const char *const shld_19[] = { "RFC9293:SHLD-19", "RFC9293:MUST-58" };
static const char *const must_13[] = { "RFC9293:MUST-13" };
static const char *const must_7[] = { "RFC9293:MUST-7" };
static const char *const own[] = { "ACME:1" };
static const struct result_setting own_pixit[] = { { "syn-retries", "2" } };

static const struct result_finding late_ack[] = {
    { .rule = "expect", .requirement = "RFC9293:MUST-40", .level = LEVEL_MUST, .message = "The ACK came too late",
      .expected = "ACK 11 by +0.500 s", .observed = "came at +0.612 s", .at_ns = 612000000, .segment = 2 },
};
static const struct result_finding few_acks[] = {
    { .rule = "ack-every-second-segment", .requirement = "RFC9293:SHLD-19", .level = LEVEL_SHOULD,
      .message = "No ACK for two full-sized segments", .expected = "an ACK", .observed = "none", .at_ns = 5 },
};
static const struct result_finding no_linger[] = {
    { .rule = "state", .requirement = "", .level = LEVEL_MUST, .message = "TIME-WAIT was left early", .expected = "TIME-WAIT",
      .observed = "CLOSED", .at_ns = 7 },
};
static const struct result_finding data_dropped[] = {
    { .rule = "expect", .requirement = "RFC9293:MUST-7", .level = LEVEL_MUST, .message = "No answer",
      .expected = "S. with ack 1", .observed = "nothing", .at_ns = 9 },
};

static const struct result_event ack_trace[] = {
    { .at_ns = 0, .kind = RESULT_CALL, .step = 12, .text = "listen(3, 1)" },
    { .at_ns = 1, .kind = RESULT_RETURN, .step = 12, .text = "0" },
    { .at_ns = 2, .kind = RESULT_SENT, .index = 1, .step = 13, .segment = "< P. 1:11(10) ack 1 win 65535" },
    { .at_ns = 612000000, .kind = RESULT_RECEIVED, .index = 2, .step = 14, .segment = "> . 1:1(0) ack 11" },
    { .at_ns = 612000001, .kind = RESULT_STATE, .text = "ESTABLISHED" },
    { .at_ns = 612000002, .kind = RESULT_NOTE, .text = "link alive" },
    { .at_ns = 612000003, .kind = RESULT_DROPPED, .index = 3, .segment = "< . 11:11(0) ack 1" },
};

static const char *const ack_transitions[] = { "ACK arrives: SYN-RECEIVED -> ESTABLISHED", "SYN arrives: LISTEN -> SYN-RECEIVED" };

const struct result_test sample_tests[] = {
    { .id = "rfc9293/3.10-events/illegal-option-length", .title = "An option of length zero", .verdict = VERDICT_FAIL,
      .reason = "No answer", .duration_ns = 9000, .covers = must_7, .cover_count = 1, .level = LEVEL_MUST, .findings = data_dropped,
      .finding_count = 1, .known = true, .known_note = "stops reading options; see the ledger", .file = "tests-suite/a.pkt", .line = 9 },
    { .id = "rfc9293/3.5-establishing/simultaneous-open", .title = "Simultaneous open", .verdict = VERDICT_PASS, .started_ns = 77000, .duration_ns = 1500000,
      .covers = must_10, .cover_count = 1, .level = LEVEL_MUST, .file = "tests-suite/b.pkt" },
    { .id = "rfc9293/3.8-data/ack-within-500ms", .title = "A delayed ACK leaves within half a second", .verdict = VERDICT_FAIL,
      .reason = "The ACK came too late", .duration_ns = 612000003, .covers = must_40, .cover_count = 2, .level = LEVEL_MUST,
      .findings = late_ack, .finding_count = 1, .reruns = 1, .file = "tests-suite/rfc9293/3.8-data/ack-within-500ms.pkt", .line = 14,
      .pcap = "pcap/ack-within-500ms.pcap", .pixit = own_pixit, .pixit_count = 1, .trace = ack_trace, .trace_count = ARRAY_LEN(ack_trace),
      .transitions = ack_transitions, .transition_count = ARRAY_LEN(ack_transitions) },
    { .id = "rfc9293/3.8-data/ack-every-second", .title = "Every second segment is acknowledged", .verdict = VERDICT_PASS, .duration_ns = 3,
      .covers = shld_19, .cover_count = 2, .level = LEVEL_SHOULD, .findings = few_acks, .finding_count = 1 },
    { .id = "rfc9293/3.6-closing/time-wait", .title = "TIME-WAIT lasts 2 MSL", .verdict = VERDICT_FAIL, .reason = "TIME-WAIT was left early",
      .duration_ns = 4, .covers = must_13, .cover_count = 1, .level = LEVEL_MUST, .findings = no_linger, .finding_count = 1 },
    { .id = "rfc9293/3.6-closing/fin", .title = "FIN", .verdict = VERDICT_INCONCLUSIVE, .reason = "never reached ESTABLISHED",
      .duration_ns = 5, .level = LEVEL_MUST },
    { .id = "rfc9293/3.6-closing/urgent", .title = "Urgent", .verdict = VERDICT_NOT_APPLICABLE, .reason = "the target has no IPv6",
      .duration_ns = 0, .level = LEVEL_MUST },
    { .id = "loose", .title = "", .verdict = VERDICT_ERROR, .reason = "loose.pkt:3:9: expected a time", .duration_ns = 6, .covers = own,
      .cover_count = 1 },
    { .id = "rfc9293/3.10-events/once-broken", .title = "Mended since", .verdict = VERDICT_PASS, .duration_ns = 8, .covers = must_7,
      .cover_count = 1, .level = LEVEL_MUST, .known = true, .known_note = "listed, but passes" },
};
const size_t sample_count = ARRAY_LEN(sample_tests);

const char sample_hostile_text[] =
    "</testcase>]]>&amp;<script>alert(1)</script>\"'--> |*_`[x](http://x)# \\ $(id) %s%n {}\n"
    "not ok 1 - forged\n...\n---\n1..0\nBail out!\n## heading\r\ttab \x01\x02\x08\x0b\x0c\x0e\x1b[31mred\x1b[0m\x7f\xc2\x9b"
    "\xff\xfe\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82 \xe2\x80\xae reversed \xef\xbf\xbe \xef\xbf\xbf \xf0\x9f\xa6\x9e # TODO x # SKIP y";

void sample_dir_make(char out[static SAMPLE_DIR_MAX])
{
    snprintf(out, SAMPLE_DIR_MAX, "/tmp/tcpassay-test-XXXXXX");
    if (!mkdtemp(out))
        abort();
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void sample_dir_remove(const char *dir)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A test whose strings are text, those that a line has room for long_text; ids must differ, so the verdict follows. */
static void write_hostile(struct results_writer *w, const char *text, const char *long_text, enum verdict verdict, bool known)
{
    const struct result_setting pixit = { text, text };
    const char *const covers[] = { text };
    const struct result_event events[] = {
        { .kind = RESULT_SENT, .index = 1, .segment = text, .text = text }, { .kind = RESULT_NOTE, .segment = text, .text = text },
    };
    const struct result_finding findings[] = {
        { .rule = text, .requirement = text, .level = LEVEL_MUST, .message = long_text, .expected = text, .observed = long_text,
          .segment = 1 },
        { .rule = text, .requirement = "RFC9293:MUST-1", .level = LEVEL_SHOULD, .message = text, .expected = text, .observed = text },
    };
    char id[256];
    snprintf(id, sizeof id, "%.100s/%s%d", text, verdict_text(verdict), known);
    const struct result_test test = {
        .id = id, .title = long_text, .verdict = verdict, .reason = long_text, .covers = covers, .cover_count = 1, .level = LEVEL_MUST,
        .findings = findings, .finding_count = verdict == VERDICT_FAIL ? 2 : 0, .known = known, .known_note = long_text, .file = text,
        .line = 1, .pcap = text, .pixit = &pixit, .pixit_count = 1, .trace = events, .trace_count = 2,
    };
    if (results_writer_test(w, &test) != 0) {
        fprintf(stderr, "%s\n", results_writer_error(w));
        abort();
    }
}

void sample_model(struct result_model *out)
{
    *out = (struct result_model){0};
    out->coverage.tested[0] = 3;
    out->coverage.tested[RULE_COUNT - 1] = 7;
    out->coverage.violated[RULE_COUNT - 1] = 1;
    out->coverage.transitions[TCP_STATE_LISTEN][EVENT_SYN][TCP_STATE_SYN_RECEIVED] = 2;
    out->coverage.transitions[TCP_STATE_TIME_WAIT][EVENT_TIMEOUT][TCP_STATE_CLOSED] = 1;
    portrait_note(&out->portrait, CHOICE_SACK_OFFERED, 1);
    portrait_note(&out->portrait, CHOICE_WINDOW_SCALE_OFFERED, 7);
    portrait_note(&out->portrait, CHOICE_MSS_OFFERED, 1440);
    portrait_note(&out->portrait, CHOICE_MSS_OFFERED, 1460);
    portrait_note(&out->portrait, CHOICE_ACK_DELAY, 40000000);
}

static void write_run(struct results_writer *w, const char *hostile)
{
    for (size_t i = 0; i < sample_count && !hostile; i++)
        if (results_writer_test(w, &sample_tests[i]) != 0)
            abort();
    for (int v = 0; v < VERDICT_COUNT && hostile; v++)
        write_hostile(w, sample_hostile_text, v == VERDICT_FAIL ? hostile : sample_hostile_text, (enum verdict)v, false);
    if (hostile)
        write_hostile(w, sample_hostile_text, sample_hostile_text, VERDICT_FAIL, true);
    struct result_model model;
    sample_model(&model);
    if (results_writer_model(w, &model) != 0 || results_writer_end(w, 612500000) != 0)
        abort();
}

static char *huge_text(void)
{
    enum { HUGE = 1 << 20 };
    char *text = malloc(HUGE + 1);
    if (!text)
        abort();
    for (size_t i = 0; i < HUGE; i++)
        text[i] = "<&x|\xff\x01"[i % 6];
    text[HUGE] = '\0';
    return text;
}

struct results *sample_results(enum sample_kind kind)
{
    char dir[SAMPLE_DIR_MAX], error[512];
    char *huge = kind == SAMPLE_HUGE ? huge_text() : NULL;
    const char *hostile = kind == SAMPLE_HOSTILE ? sample_hostile_text : huge;
    struct result_run run = sample_run;
    if (hostile) {
        run.target_description = hostile;
        run.target_name = run.started = run.profile = run.tcpassay = sample_hostile_text;
    }
    sample_dir_make(dir);
    struct results_writer *w = results_writer_open(dir, RESULTS_REPLACE, &run, error, sizeof error);
    if (!w)
        abort();
    if (kind != SAMPLE_EMPTY)
        write_run(w, hostile);
    results_writer_close(w);
    struct results *results = results_read(dir, error, sizeof error);
    if (!results)
        fprintf(stderr, "%s\n", error);
    sample_dir_remove(dir);
    free(huge);
    if (!results)
        abort();
    return results;
}

char *sample_slurp(const char *path, size_t *len)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return NULL;
    enum { BYTES_MAX = 128 << 20 };
    char *bytes = malloc(BYTES_MAX);
    if (!bytes)
        abort();
    *len = fread(bytes, 1, BYTES_MAX - 1, in);
    bytes[*len] = '\0';
    fclose(in);
    char *fitted = realloc(bytes, *len + 1);
    return fitted ? fitted : bytes;
}
