/* What a plugin built with -fsanitize-coverage calls: here nothing comes of it, so that the same library can be tested and fuzzed.
 * A fuzzer brings its own of these. Part of the program itself, and exported by it, for libraries to find. */
#include <stdint.h>

#define HOOK __attribute__((weak, visibility("default"))) void

/* What -fsanitize=fuzzer-no-link, which counts depths of the stack as well, has every function write to. */
extern _Thread_local uintptr_t __sancov_lowest_stack;
__attribute__((weak, visibility("default"), tls_model("initial-exec"))) _Thread_local uintptr_t __sancov_lowest_stack = UINTPTR_MAX;

HOOK __sanitizer_cov_8bit_counters_init(uint8_t *first, uint8_t *end);
HOOK __sanitizer_cov_bool_flag_init(uint8_t *first, uint8_t *end);
HOOK __sanitizer_cov_pcs_init(const uintptr_t *first, const uintptr_t *end);
HOOK __sanitizer_cov_trace_pc(void);
HOOK __sanitizer_cov_trace_pc_guard(uint32_t *guard);
HOOK __sanitizer_cov_trace_pc_guard_init(uint32_t *first, uint32_t *end);
HOOK __sanitizer_cov_trace_pc_indir(uintptr_t callee);
HOOK __sanitizer_cov_trace_cmp1(uint8_t a, uint8_t b);
HOOK __sanitizer_cov_trace_cmp2(uint16_t a, uint16_t b);
HOOK __sanitizer_cov_trace_cmp4(uint32_t a, uint32_t b);
HOOK __sanitizer_cov_trace_cmp8(uint64_t a, uint64_t b);
HOOK __sanitizer_cov_trace_const_cmp1(uint8_t a, uint8_t b);
HOOK __sanitizer_cov_trace_const_cmp2(uint16_t a, uint16_t b);
HOOK __sanitizer_cov_trace_const_cmp4(uint32_t a, uint32_t b);
HOOK __sanitizer_cov_trace_const_cmp8(uint64_t a, uint64_t b);
HOOK __sanitizer_cov_trace_switch(uint64_t value, const uint64_t *cases);
HOOK __sanitizer_cov_trace_div4(uint32_t value);
HOOK __sanitizer_cov_trace_div8(uint64_t value);
HOOK __sanitizer_cov_trace_gep(uintptr_t index);

HOOK __sanitizer_cov_8bit_counters_init(uint8_t *first, uint8_t *end)
{
    (void)first, (void)end;
}

HOOK __sanitizer_cov_bool_flag_init(uint8_t *first, uint8_t *end)
{
    (void)first, (void)end;
}

HOOK __sanitizer_cov_pcs_init(const uintptr_t *first, const uintptr_t *end)
{
    (void)first, (void)end;
}

HOOK __sanitizer_cov_trace_pc(void)
{
}

HOOK __sanitizer_cov_trace_pc_guard(uint32_t *guard)
{
    (void)guard;
}

HOOK __sanitizer_cov_trace_pc_guard_init(uint32_t *first, uint32_t *end)
{
    (void)first, (void)end;
}

HOOK __sanitizer_cov_trace_pc_indir(uintptr_t callee)
{
    (void)callee;
}

HOOK __sanitizer_cov_trace_cmp1(uint8_t a, uint8_t b)
{
    (void)a, (void)b;
}

HOOK __sanitizer_cov_trace_cmp2(uint16_t a, uint16_t b)
{
    (void)a, (void)b;
}

HOOK __sanitizer_cov_trace_cmp4(uint32_t a, uint32_t b)
{
    (void)a, (void)b;
}

HOOK __sanitizer_cov_trace_cmp8(uint64_t a, uint64_t b)
{
    (void)a, (void)b;
}

HOOK __sanitizer_cov_trace_const_cmp1(uint8_t a, uint8_t b)
{
    (void)a, (void)b;
}

HOOK __sanitizer_cov_trace_const_cmp2(uint16_t a, uint16_t b)
{
    (void)a, (void)b;
}

HOOK __sanitizer_cov_trace_const_cmp4(uint32_t a, uint32_t b)
{
    (void)a, (void)b;
}

HOOK __sanitizer_cov_trace_const_cmp8(uint64_t a, uint64_t b)
{
    (void)a, (void)b;
}

HOOK __sanitizer_cov_trace_switch(uint64_t value, const uint64_t *cases)
{
    (void)value, (void)cases;
}

HOOK __sanitizer_cov_trace_div4(uint32_t value)
{
    (void)value;
}

HOOK __sanitizer_cov_trace_div8(uint64_t value)
{
    (void)value;
}

HOOK __sanitizer_cov_trace_gep(uintptr_t index)
{
    (void)index;
}
