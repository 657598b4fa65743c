/* Fuzzes target files: any octets give an argument or an error that says where, and the argument says the same to those who read
 * arguments. A crash here would let a file of the working folder stop `tcpassay targets`, which reads them all. */
#include "engine/cli/target_file.h"
#include "targets/tap/pixit.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target_error error = {0};
    struct pixit pixit;
    char *argument = target_file_read("fuzz.target", ".", (const char *)data, size, &error);
    if (!argument && !*error.text) {
        fprintf(stderr, "target file fuzzer: a refusal says why\n");
        abort();
    }
    const char *colon = argument ? strchr(argument, ':') : NULL;
    if (colon && target_file_takes_keys(argument))
        pixit_parse(colon + 1, &pixit, &error);
    free(argument);
    return 0;
}
