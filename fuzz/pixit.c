/* Fuzzes what stands behind the colon of a target's name.
 *
 * A crash means that an argument of the command line, or a target file, stops tcpassay instead of being refused. */
#include "fuzz/input.h"
#include "targets/tap/pixit.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct pixit pixit;
    struct target_error error = { .kind = TARGET_ERR_NONE };
    must(text != NULL, "memory");
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    if (pixit_parse(text, &pixit, &error)) {
        must(pixit.tester_count >= 1 && pixit.tester_count <= 4096, "a bounded number of addresses");
        must(memchr(pixit.word, 0, sizeof pixit.word) && memchr(pixit.lacks, 0, sizeof pixit.lacks), "text ends");
        must(pixit_default_addresses(&pixit, &error) || error.kind == TARGET_ERR_USAGE, "no addresses without a reason");
    } else {
        must(error.kind == TARGET_ERR_USAGE && *error.text, "a reason");
    }
    free(text);
    return 0;
}
