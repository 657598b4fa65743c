/* What results are called in files, and what they add up to. */
#include "reports/results.h"

#include <assert.h>
#include <string.h>

static const char *const verdict_texts[] = {
    [VERDICT_PASS] = "pass",
    [VERDICT_FAIL] = "fail",
    [VERDICT_INCONCLUSIVE] = "inconclusive",
    [VERDICT_ERROR] = "error",
    [VERDICT_NOT_APPLICABLE] = "not_applicable",
};
static_assert(sizeof verdict_texts / sizeof verdict_texts[0] == VERDICT_COUNT, "a text for each verdict");

static const char *const event_texts[] = {
    [RESULT_SENT] = "sent",
    [RESULT_RECEIVED] = "received",
    [RESULT_CALL] = "call",
    [RESULT_RETURN] = "return",
    [RESULT_STATE] = "state",
    [RESULT_NOTE] = "note",
    [RESULT_DROPPED] = "dropped",
};
static_assert(sizeof event_texts / sizeof event_texts[0] == RESULT_EVENT_COUNT, "a text for each kind of event");

/* The index of text in texts, or count. */
static unsigned index_of(const char *text, const char *const *texts, unsigned count)
{
    unsigned i = 0;
    while (i < count && strcmp(text, texts[i]) != 0)
        i++;
    return i;
}

const char *verdict_text(enum verdict verdict)
{
    assert((unsigned)verdict < VERDICT_COUNT);
    return verdict_texts[verdict];
}

bool verdict_parse(const char *text, enum verdict *out)
{
    const unsigned i = index_of(text, verdict_texts, VERDICT_COUNT);
    if (i == VERDICT_COUNT)
        return false;
    *out = (enum verdict)i;
    return true;
}

const char *result_event_kind_text(enum result_event_kind kind)
{
    assert((unsigned)kind < RESULT_EVENT_COUNT);
    return event_texts[kind];
}

bool result_event_kind_parse(const char *text, enum result_event_kind *out)
{
    const unsigned i = index_of(text, event_texts, RESULT_EVENT_COUNT);
    if (i == RESULT_EVENT_COUNT)
        return false;
    *out = (enum result_event_kind)i;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Two runs of digits by value, moving past both; equal values by their leading zeros are left to the caller. */
static int compare_numbers(const char **left, const char **right)
{
    const char *l = *left + strspn(*left, "0"), *r = *right + strspn(*right, "0");
    const size_t l_len = strspn(l, "0123456789"), r_len = strspn(r, "0123456789");
    *left = l + l_len;
    *right = r + r_len;
    return l_len != r_len ? (l_len < r_len ? -1 : 1) : strncmp(l, r, l_len);
}

/* Where a character stands: the end, then the slash, then the others. */
static int rank_of(char c)
{
    return c == '\0' ? 0 : c == '/' ? 1 : 2 + (unsigned char)c;
}

int result_id_compare(const char *left, const char *right)
{
    const char *l = left, *r = right;
    for (;;) {
        int order = 0;
        if (is_digit(*l) && is_digit(*r))
            order = compare_numbers(&l, &r);
        else if (*l != *r || !*l)
            return *l == *r ? strcmp(left, right) : rank_of(*l) - rank_of(*r);
        else
            l++, r++;
        if (order)
            return order;
    }
}

uint32_t result_deviations(const struct result_test *test)
{
    uint32_t deviations = 0;
    if (test->verdict == VERDICT_FAIL)
        return 0;
    for (size_t i = 0; i < test->finding_count; i++)
        deviations += requirement_level_is_should(test->findings[i].level) ? 1 : 0;
    return deviations;
}

void result_model_add(struct result_model *sum, const struct result_model *more)
{
    coverage_add(&sum->coverage, &more->coverage);
    portrait_add(&sum->portrait, &more->portrait);
}

void results_summarise(const struct result_test *tests, size_t count, struct results_summary *out)
{
    *out = (struct results_summary){ .known = 0 };
    for (size_t i = 0; i < count; i++) {
        out->verdicts[tests[i].verdict]++;
        out->known += tests[i].verdict == VERDICT_FAIL && tests[i].known ? 1 : 0;
        out->deviations += result_deviations(&tests[i]);
    }
}

const struct result_test *results_find(const struct results *results, const char *id)
{
    size_t low = 0, high = results->test_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = result_id_compare(results->tests[middle].id, id);
        if (order == 0)
            return &results->tests[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
