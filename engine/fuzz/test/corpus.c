/* The corpus of a campaign: what is kept, what is chosen, and what becomes of files that are damaged, foreign, or too many for the
 * disk. */
#include "engine/fuzz/corpus.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FEATURES = 100 };

static char folder[64];

static int make_folder(void **unused)
{
    (void)unused;
    snprintf(folder, sizeof folder, "/tmp/corpus-test.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused)
{
    char path[512];
    (void)unused;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (dir)
        closedir(dir);
    return rmdir(folder);
}

static struct corpus *open_corpus(const char *where)
{
    char error[256];
    struct corpus *c = corpus_new(where, FEATURES, error, sizeof error);
    assert_non_null(c);
    return c;
}

/* An input of its own for each number. */
static size_t input_of(unsigned number, uint8_t octets[static 32])
{
    memset(octets, 0, 32);
    memcpy(octets, scn_bytes_magic, SCN_BYTES_MAGIC_LEN);
    octets[8] = (uint8_t)number;
    return 32;
}

static bool offer(struct corpus *c, unsigned number, uint32_t feature, uint64_t cost)
{
    uint8_t octets[32];
    const size_t len = input_of(number, octets);
    return corpus_offer(c, octets, len, &feature, 1, cost);
}

static void an_input_is_kept_when_it_shows_something_new_or_for_half_the_price(void **unused)
{
    static const struct row { const char *says; uint32_t feature; uint64_t cost; bool kept; } rows[] = {
        {"a feature that none had", 7, 100, true},      {"the same again, as dear", 7, 100, false},
        {"the same, a little cheaper", 7, 51, false},   {"the same for half", 7, 50, true},
        {"the next half is of the new price", 7, 26, false}, {"another feature, however dear", 8, 100000, true},
    };
    struct corpus *c = open_corpus(NULL);
    (void)unused;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        if (offer(c, i, rows[i].feature, rows[i].cost) != rows[i].kept)
            fail_msg("%s: expected it to be %s", rows[i].says, rows[i].kept ? "kept" : "left");
    assert_int_equal(corpus_count(c), 3);
    assert_int_equal(corpus_features(c, FEATURES), 2);
    assert_int_equal(corpus_features(c, 8), 1);
    assert_int_equal(corpus_hits(c, 7), 5);
    corpus_free(c);
}

/* 99 plays had the one feature, one play had the other: it is drawn nearly always, and any input now and then. */
static void the_input_of_a_rare_feature_is_chosen_more_often(void **unused)
{
    struct corpus *c = open_corpus(NULL);
    unsigned rare = 0;
    (void)unused;
    for (unsigned i = 0; i < 99; i++)
        offer(c, 1, 1, 10);
    offer(c, 2, 2, 10);
    for (uint64_t i = 0; i < 1000; i++)
        rare += corpus_choose(c, i)->octets[8] == 2;
    assert_in_range(rare, 700, 950);
    assert_int_equal(corpus_at(c, 1)->chosen, rare);
    corpus_free(c);
}

struct taken { unsigned count; uint8_t first[8]; unsigned skipped; char said[8][256]; };

static bool take(void *context, const uint8_t *octets, size_t len)
{
    struct taken *taken = context;
    assert_int_equal(len, 32);
    if (taken->count < sizeof taken->first)
        taken->first[taken->count] = octets[8];
    taken->count++;
    return true;
}

static void note_skipped(void *context, const char *path, const char *why)
{
    struct taken *taken = context;
    const char *name = strrchr(path, '/');
    if (taken->skipped < 8)
        snprintf(taken->said[taken->skipped], sizeof taken->said[0], "%s: %s", name + 1, why);
    taken->skipped++;
}

static struct taken load(struct corpus *c)
{
    struct taken taken = {0};
    char error[256];
    assert_int_equal(corpus_load(c, take, note_skipped, &taken, error, sizeof error), 0);
    return taken;
}

static void what_was_kept_is_there_again_in_the_same_order(void **unused)
{
    struct corpus *c = open_corpus(folder);
    (void)unused;
    for (unsigned i = 0; i < 5; i++)
        assert_true(offer(c, i, i, 1));
    corpus_free(c);
    c = open_corpus(folder);
    const struct taken once = load(c), again = load(c);
    assert_int_equal(once.count, 5);
    assert_int_equal(once.skipped, 0);
    assert_memory_equal(once.first, again.first, 5);
    corpus_free(c);
}

static void put_file(const char *name, const void *octets, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(octets, 1, len, file), len);
    fclose(file);
}

static bool is_there(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void damaged_and_foreign_files_are_told_and_left_alone(void **unused)
{
    static uint8_t long_one[SCN_BYTES_MAX + 1];
    uint8_t octets[32];
    struct corpus *c = open_corpus(folder);
    (void)unused;
    input_of(1, octets);
    memcpy(long_one, scn_bytes_magic, SCN_BYTES_MAGIC_LEN);
    put_file("0123456789abcdef", octets, sizeof octets); /* named as no hash of it */
    put_file("a-seed-of-mine", octets, sizeof octets);   /* foreign, and welcome */
    put_file("empty", "", 0);
    put_file("letter", "Dear friend", 11);
    put_file("long", long_one, sizeof long_one);
    put_file("cut-short.new", octets, 3);                /* ours, of a run that was killed */
    const struct taken taken = load(c);
    assert_int_equal(taken.count, 1);
    assert_int_equal(taken.skipped, 4);
    assert_string_equal(taken.said[0], "0123456789abcdef: it is damaged: what it holds is not what its name says");
    assert_string_equal(taken.said[1], "empty: it is empty");
    assert_string_equal(taken.said[2], "letter: it is no input: it does not begin with TAB and a version");
    assert_string_equal(taken.said[3], "long: it is longer than any input");
    assert_true(is_there("0123456789abcdef") && is_there("empty") && is_there("letter") && is_there("long"));
    corpus_free(c);
}

static void a_file_that_cannot_be_written_is_told_and_leaves_nothing_half(void **unused)
{
    struct rlimit before, small = {.rlim_cur = 16};
    struct corpus *c = open_corpus(folder);
    (void)unused;
    assert_true(offer(c, 1, 1, 1));
    assert_null(corpus_failure(c));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_true(offer(c, 2, 2, 1)); /* in memory at least */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_non_null(corpus_failure(c));
    assert_non_null(strstr(corpus_failure(c), "File too large"));
    corpus_free(c);
    c = open_corpus(folder);
    const struct taken taken = load(c);
    assert_int_equal(taken.count, 1);
    assert_int_equal(taken.skipped, 0);
    corpus_free(c);
}

static void blind_as_many_are_kept_but_not_those(void **unused)
{
    struct corpus *c = open_corpus(NULL);
    unsigned kept_new = 0, kept = 0;
    (void)unused;
    corpus_be_blind(c, 1);
    for (unsigned i = 0; i < 4000; i++) {
        const bool is_new = i < 50, was_kept = offer(c, i, is_new ? i : 0, 10);
        kept += was_kept;
        kept_new += was_kept && is_new;
    }
    assert_int_equal(kept, 50);
    assert_true(kept_new < 10);
    corpus_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_input_is_kept_when_it_shows_something_new_or_for_half_the_price),
        cmocka_unit_test(the_input_of_a_rare_feature_is_chosen_more_often),
        cmocka_unit_test_setup_teardown(what_was_kept_is_there_again_in_the_same_order, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(damaged_and_foreign_files_are_told_and_left_alone, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_written_is_told_and_leaves_nothing_half, make_folder, remove_folder),
        cmocka_unit_test(blind_as_many_are_kept_but_not_those),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
