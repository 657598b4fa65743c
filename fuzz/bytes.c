/* Fuzzes the byte codec: any octets are a scenario, which prints and parses back to the same, and whose octets decode to it again.
 * A crash means that a fuzz input cannot be played, or that a finding would not be what its .pkt says.
 */
#include "engine/scenario/bytes/bytes.h"
#include "fuzz/input.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct scenario *scenario)
{
    struct scn_diagnostics diagnostics;
    char *text = scn_print(scenario);
    must(text, "there is memory to print");
    struct scenario *again = scn_parse("printed.pkt", text, strlen(text), &diagnostics);
    must(again, "what was decoded prints as a scenario");
    must(scn_equal(scenario, again), "what was printed means the same");
    scn_free(again);
    free(text);
}

static void check_octets(const struct scenario *scenario)
{
    uint8_t canonical[SCN_BYTES_MAX], twice[SCN_BYTES_MAX];
    struct scn_bytes_report report;
    const size_t len = scn_bytes_encode(scenario, 0, canonical, &report);
    must(len >= SCN_BYTES_HEADER_LEN, "there is memory to encode");
    must(report.equal && report.nearest == 0 && report.left_out == 0, "what was decoded has octets");
    struct scenario *again = scn_bytes_decode(canonical, len);
    must(again && scn_equal(scenario, again), "the octets of a decoded scenario decode to it");
    must(scn_bytes_encode(again, 0, twice, NULL) == len && memcmp(canonical, twice, len) == 0, "canonical octets stay as they are");
    scn_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scenario *scenario = scn_bytes_decode(data, size);
    must(scenario && scenario->body.count <= SCN_BYTES_STEPS_MAX + 12, "any octets are a scenario of bounded length");
    check_text(scenario);
    check_octets(scenario);
    scn_free(scenario);
    return 0;
}
