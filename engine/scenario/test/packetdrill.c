/* Reads the scripts of a checkout of google/packetdrill, which the environment variable TCPASSAY_PACKETDRILL_DIR names.
 *
 * They are another project's files and not ours to keep. Without the variable the test is skipped, and says so. What is asked: each
 * of its scripts parses, prints, and parses again to the same.
 */
#include "engine/scenario/test/support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77, TCP_SCRIPTS_LEAST = 162, FOLDERS_OPEN = 16 };

/* nftw() has no argument of ours to pass on. */
static struct { unsigned tcp, other, unsupported; } found;

static int visit(const char *path, const struct stat *status, int type, struct FTW *where)
{
    const char *dot = strrchr(path, '.');
    struct scn_diagnostics diagnostics;
    char text[512];
    (void)status;
    (void)where;
    if (type != FTW_F || !dot || strcmp(dot, ".pkt") != 0)
        return 0;
    struct scenario *scenario = scn_parse_file(path, &diagnostics);
    if (!scenario) {
        scn_format_diagnostic(path, &diagnostics.list[0], text, sizeof text);
        fail_msg("%s", text);
        return 1;
    }
    assert_false(scenario->has_front_matter);
    assert_round_trip(path, scenario);
    if (strstr(path, "/net/tcp/"))
        found.tcp++;
    else
        found.other++;
    found.unsupported += scenario->unsupported != NULL;
    scn_free(scenario);
    return 0;
}

static void every_script_of_packetdrill_parses_and_prints_as_itself(void **state)
{
    assert_int_equal(nftw(*state, visit, FOLDERS_OPEN, FTW_PHYS), 0);
    print_message("%u TCP scripts and %u others; %u of them have something that no target can do\n", found.tcp, found.other,
                  found.unsupported);
    assert_true(found.tcp >= TCP_SCRIPTS_LEAST);
}

int main(void)
{
    char *folder = getenv("TCPASSAY_PACKETDRILL_DIR");
    if (!folder || !folder[0]) {
        printf("skipped: set TCPASSAY_PACKETDRILL_DIR to a checkout of google/packetdrill to parse its scripts\n");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test_prestate(every_script_of_packetdrill_parses_and_prints_as_itself, folder) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
