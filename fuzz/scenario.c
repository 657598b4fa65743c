/* Fuzzes the scenario language: any octets give a scenario or diagnostics, and a scenario printed and read again is the same one.
 *
 * A crash means that a scenario somebody sent stops tcpassay; one that changes when printed, that findings cannot be kept as text.
 * */
#include "engine/scenario/scenario.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(), which a release build leaves out. */
static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "scenario fuzzer: %s\n", what);
    abort();
}

static void check_diagnostics(const struct scn_diagnostics *diagnostics)
{
    char text[512];
    require(diagnostics->count > 0 && diagnostics->count <= SCN_DIAGNOSTICS_MAX, "a refusal says why");
    for (unsigned i = 0; i < diagnostics->count; i++) {
        const int len = scn_format_diagnostic("fuzz.pkt", &diagnostics->list[i], text, sizeof text);
        require(len > 0 && (size_t)len < sizeof text, "a diagnostic has a bounded length");
    }
}

/* Prints into too little room, too: what fits is the beginning of the whole, and is terminated. */
static void check_steps(const struct scenario *scenario)
{
    char text[2000], start[20];
    for (unsigned i = 0; i < scenario->body.count; i++) {
        const int len = scn_print_step(scenario, &scenario->body.steps[i], text, sizeof text);
        require(len >= 0 && strlen(text) <= (size_t)len, "a step's length is at least what was written");
        require(scn_print_step(scenario, &scenario->body.steps[i], start, sizeof start) == len, "a step is as long in little room");
        require(strncmp(start, text, strlen(start)) == 0, "little room holds the beginning");
    }
}

static void check_variants(const struct scenario *scenario)
{
    const unsigned count = scn_variant_count(scenario);
    struct scn_value *values = calloc(scenario->variable_count + 1, sizeof *values);
    struct scn_variant first, last;
    require(values && count > 0 && count <= SCN_EXPANSION_MAX, "there is a bounded number of sub-tests");
    scn_variant(scenario, 0, &first, values);
    scn_variant(scenario, count - 1, &last, values);
    require(count == 1 || strcmp(first.suffix, last.suffix) != 0, "sub-tests have different names");
    free(values);
}

static void check_round_trip(const struct scenario *scenario)
{
    struct scn_diagnostics diagnostics;
    char *text = scn_print(scenario);
    require(text, "there is memory to print");
    struct scenario *again = scn_parse("printed.pkt", text, strlen(text), &diagnostics);
    require(again, "what was printed parses");
    require(scn_equal(scenario, again) && scn_equal(again, scenario), "what was printed means the same");
    char *text_again = scn_print(again);
    require(text_again && strcmp(text, text_again) == 0, "printing is canonical");
    free(text_again);
    free(text);
    scn_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scn_diagnostics diagnostics;
    struct scenario *scenario = scn_parse("fuzz.pkt", (const char *)data, size, &diagnostics);
    if (!scenario) {
        check_diagnostics(&diagnostics);
        return 0;
    }
    check_round_trip(scenario);
    check_steps(scenario);
    check_variants(scenario);
    scn_free(scenario);
    return 0;
}
