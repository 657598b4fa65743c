/* libFuzzer's custom mutator for harnesses whose inputs are scenarios as octets: engine/fuzz/mutate.h does the work.
 *
 * One mutation in eight is the engine's own, where it has one to offer (libFuzzer knows what octets were compared with); all are
 * with TCPASSAY_MUTATOR=off in the environment, for comparison (fuzz/experiments/mutator.sh). An engine that calls neither function
 * uses this file for nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/fuzz/mutate.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out, size_t max,
                                 unsigned seed);
extern size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max) __attribute__((weak));

enum { OWN_OF = 8 };

static bool is_off(void)
{
    const char *wanted = getenv("TCPASSAY_MUTATOR");
    return wanted && !strcmp(wanted, "off");
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    if (LLVMFuzzerMutate && (seed % OWN_OF == 0 || is_off()))
        return LLVMFuzzerMutate(data, size, max);
    return fuzz_mutate(data, size, max, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out, size_t max,
                                 unsigned seed)
{
    if (is_off()) /* 0: the engine tries something else */
        return 0;
    return fuzz_cross_over(a, a_len, b, b_len, out, max, seed);
}
