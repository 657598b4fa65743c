/* AFL++'s custom mutator library (MUTATOR_LIBRARY, its path), loaded and driven as afl-fuzz does. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/scenario/bytes/bytes.h"

struct library {
    void *handle;
    void *(*init)(void *, unsigned);
    size_t (*fuzz)(void *, uint8_t *, size_t, uint8_t **, uint8_t *, size_t, size_t);
    const char *(*describe)(void *, size_t);
    void (*deinit)(void *);
};

/* function: where its address goes. */
static void take(void *handle, const char *name, void *function)
{
    void *found = dlsym(handle, name);
    if (!found)
        fail_msg("%s has no %s", MUTATOR_LIBRARY, name);
    memcpy(function, &found, sizeof found);
}

static struct library opened(void)
{
    struct library l = {.handle = dlopen(MUTATOR_LIBRARY, RTLD_NOW)};
    if (!l.handle)
        fail_msg("%s", dlerror());
    take(l.handle, "afl_custom_init", &l.init);
    take(l.handle, "afl_custom_fuzz", &l.fuzz);
    take(l.handle, "afl_custom_describe", &l.describe);
    take(l.handle, "afl_custom_deinit", &l.deinit);
    return l;
}

static void inputs_are_whole_scenarios_within_what_afl_allows(void **unused)
{
    (void)unused;
    const struct library l = opened();
    void *mutator = l.init(NULL, 7);
    uint8_t a[200] = {0}, b[300] = {0};
    unsigned changed = 0;
    for (size_t i = 0; i < 4000; i++) {
        uint8_t *out;
        const size_t max = SCN_BYTES_HEADER_LEN + SCN_BYTES_RECORD_LEN + i % 900, size = i % sizeof a;
        const size_t len = l.fuzz(mutator, a, size, &out, i % 3 ? b : NULL, i % 3 ? sizeof b : 0, max);
        assert_true(len <= max && len > SCN_BYTES_HEADER_LEN && (len - SCN_BYTES_HEADER_LEN) % SCN_BYTES_RECORD_LEN == 0);
        changed += len != size || memcmp(out, a, len) != 0;
    }
    assert_true(changed > 3900);
    assert_int_equal(a[0] | b[0], 0);
    assert_true(strlen(l.describe(mutator, 50)) > 0 && strlen(l.describe(mutator, 3)) <= 3);
    l.deinit(mutator);
    dlclose(l.handle);
}

static void a_seed_is_a_run(void **unused)
{
    (void)unused;
    const struct library l = opened();
    void *mutators[3] = {l.init(NULL, 7), l.init(NULL, 7), l.init(NULL, 8)};
    uint8_t a[104] = {0};
    unsigned other = 0;
    for (unsigned i = 0; i < 500; i++) {
        uint8_t *out[3];
        size_t len[3];
        for (unsigned k = 0; k < 3; k++)
            len[k] = l.fuzz(mutators[k], a, sizeof a, &out[k], a, sizeof a, 1000);
        assert_int_equal(len[0], len[1]);
        assert_memory_equal(out[0], out[1], len[0]);
        other += len[0] != len[2] || memcmp(out[0], out[2], len[0]) != 0;
    }
    assert_true(other > 400);
    for (unsigned k = 0; k < 3; k++)
        l.deinit(mutators[k]);
    dlclose(l.handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_are_whole_scenarios_within_what_afl_allows),
        cmocka_unit_test(a_seed_is_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
