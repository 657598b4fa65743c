/* libFuzzer's custom mutator for harnesses whose inputs are scenarios as octets: engine/fuzz/mutate.h does the work.
 *
 * One mutation in eight is the engine's own, where it has one to offer (libFuzzer knows what octets were compared with). An engine that
 * calls neither function uses this file for nothing.
 */
#include <stddef.h>
#include <stdint.h>

#include "engine/fuzz/mutate.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out, size_t max, unsigned seed);
extern size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max) __attribute__((weak));

enum { OWN_OF = 8 };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    if (LLVMFuzzerMutate && seed % OWN_OF == 0)
        return LLVMFuzzerMutate(data, size, max);
    return fuzz_mutate(data, size, max, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t *out, size_t max, unsigned seed)
{
    return fuzz_cross_over(a, a_len, b, b_len, out, max, seed);
}
