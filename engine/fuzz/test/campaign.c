/* Campaigns: a fault is found, shrunk and stored; a seed finds the same again; nothing is lost, however one ends. */
#include "engine/fuzz/campaign.h"

#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/fuzz/corpus.h"
#include "targets/reference/target_reference.h"
#include "targets/saboteur/saboteur.h"

static const struct target_driver *const drivers[] = {&reference_driver, NULL};
static const volatile sig_atomic_t never;

enum { NAMES_MAX = 64 };
struct run { /* a campaign, and what came of it */
    char out[64];
    const char *fault;             /* NULL: the reference as it is */
    const char *against;           /* a fault of the other side, "" for none; NULL: one side */
    uint64_t seed, runs;
    const struct target_driver *driver; /* instead of both */
    volatile sig_atomic_t stop;
    bool stop_at_first;

    enum campaign_end end;
    char error[1024];
    struct campaign_status status;
    char names[NAMES_MAX][FINDING_NAME_MAX];
    unsigned steps[NAMES_MAX], found;
    size_t choices;
    unsigned said;
};

static void on_found(void *context, const struct campaign_side *side, const struct finding *finding)
{
    struct run *run = context;
    (void)side;
    assert_int_equal(finding->shown, finding->plays);
    if (run->found < NAMES_MAX) {
        snprintf(run->names[run->found], FINDING_NAME_MAX, "%s", finding->name);
        run->steps[run->found++] = shrink_steps(&finding->input);
    }
    run->stop = run->stop_at_first;
}

static void on_unsaved(void *context, const struct finding *finding, const char *text, const char *why)
{
    (void)context, (void)finding, (void)text;
    fail_msg("a finding could not be saved: %s", why);
}

static void on_say(void *context, const char *what)
{
    struct run *run = context;
    (void)what;
    run->said++;
}

static struct campaign_side side_of(const struct run *run, const char *fault, char argument[static 64])
{
    snprintf(argument, 64, "%s,reference", fault ? fault : "");
    if (run->driver)
        return (struct campaign_side){.driver = run->driver, .argument = "", .name = "a target of the test"};
    if (!fault || !*fault)
        return (struct campaign_side){.driver = &reference_driver, .argument = "", .name = "reference"};
    return (struct campaign_side){.driver = saboteur_driver_for(argument), .argument = argument, .name = fault};
}

static void play(struct run *run)
{
    char corpus[96], argument[CAMPAIGN_SIDES][64];
    saboteur_use_drivers(drivers);
    snprintf(corpus, sizeof corpus, "%s/corpus", run->out);
    const struct campaign_config config = {
        .sides = {side_of(run, run->fault, argument[0]), side_of(run, run->against, argument[1])}, .side_count = run->against ? 2 : 1, .seed = run->seed,
        .runs_max = run->runs, .corpus = corpus, .out = run->out, .interrupted = run->stop_at_first ? &run->stop : &never, .say = on_say,
        .found = on_found, .unsaved = on_unsaved, .context = run,
    };
    struct campaign *campaign = campaign_new(&config, run->error, sizeof run->error);
    if (!campaign)
        fail_msg("%s", run->error);
    run->end = campaign_run(campaign, run->error, sizeof run->error);
    campaign_status(campaign, &run->status);
    run->choices = run->against ? differ_count(campaign_differ(campaign)) : 0;
    campaign_free(campaign);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st, (void)kind, (void)walk;
    return remove(path);
}

static void make_out(struct run *run)
{
    snprintf(run->out, sizeof run->out, "/tmp/campaign-test.XXXXXX");
    assert_non_null(mkdtemp(run->out));
}

static void remove_out(const struct run *run)
{
    nftw(run->out, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static bool is_stored(const struct run *run, const char *name, const char *ending)
{
    char path[512];
    struct stat st;
    snprintf(path, sizeof path, "%s/findings/%s.%s", run->out, name, ending);
    return stat(path, &st) == 0 && st.st_size > 0;
}

/* ---- */

static void a_fault_is_found_and_made_small(void **unused)
{
    static const struct { const char *fault, *rule; } rows[] = {
        {"ack-plus-one", "ack-of-what-was-not-received"}, {"fin-dropped", "close-sends-fin"}, {"checksum-bad", "checksum"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct run run = {.fault = rows[i].fault, .seed = 1, .runs = 1500};
        bool found = false;
        make_out(&run);
        play(&run);
        assert_int_equal(run.end, CAMPAIGN_DONE);
        for (unsigned k = 0; k < run.found; k++) {
            assert_true(run.steps[k] <= 12 && is_stored(&run, run.names[k], "pkt") && is_stored(&run, run.names[k], "pcap"));
            found |= !strncmp(run.names[k], rows[i].rule, strlen(rows[i].rule));
        }
        if (!found)
            fail_msg("%s: %s was not found in %d plays", rows[i].fault, rows[i].rule, (int)run.runs);
        remove_out(&run);
    }
}

static void a_finding_says_where_it_was_found(void **unused)
{
    struct run run = {.fault = "ack-plus-one", .seed = 5, .runs = 300};
    struct finding_head head;
    char path[512];
    (void)unused;
    make_out(&run);
    play(&run);
    assert_true(run.found > 0);
    snprintf(path, sizeof path, "%s/findings/%s.pkt", run.out, run.names[0]);
    assert_true(finding_read_head(path, &head));
    assert_string_equal(head.target, "ack-plus-one");
    assert_int_equal(head.seed, 5);
    remove_out(&run);
}

static void one_place_is_one_finding_however_often_it_is_met(void **unused)
{
    struct run run = {.fault = "ack-plus-one", .seed = 2, .runs = 1500};
    (void)unused;
    make_out(&run);
    play(&run);
    for (unsigned i = 0; i < run.found; i++)
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(run.names[i], run.names[k]);
    assert_int_equal(run.status.findings, run.found);
    remove_out(&run);
}

static void the_reference_gives_no_finding(void **unused)
{
    struct run run = {.seed = 3, .runs = 2000};
    (void)unused;
    make_out(&run);
    play(&run);
    assert_int_equal(run.end, CAMPAIGN_DONE);
    if (run.found)
        fail_msg("found on the reference: %s", run.names[0]);
    assert_int_equal(run.status.doubted, 0);
    assert_true(run.status.plays == run.runs && run.status.tuples > 100 && run.status.inputs > 50);
    remove_out(&run);
}

/* The names of a folder's files, and what they hold: one number. */
static uint64_t sum_of(const struct run *run, const char *folder)
{
    char path[600];
    uint8_t octets[1 << 16];
    uint64_t sum = 0;
    snprintf(path, sizeof path, "%s/%s", run->out, folder);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s/%s", run->out, folder, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (!file)
            continue;
        const size_t len = fread(octets, 1, sizeof octets, file);
        sum += corpus_hash(octets, len) ^ corpus_hash((const uint8_t *)entry->d_name, strlen(entry->d_name));
        fclose(file);
    }
    if (dir)
        closedir(dir);
    return sum;
}

static void the_same_seed_finds_the_same(void **unused)
{
    struct run a = {.fault = "ack-plus-one", .seed = 7, .runs = 1200}, b = a, c = a;
    (void)unused;
    c.seed = 8;
    make_out(&a), make_out(&b), make_out(&c);
    play(&a), play(&b), play(&c);
    assert_true(a.found > 0 && a.found == b.found);
    assert_memory_equal(a.names, b.names, sizeof a.names);
    assert_true(sum_of(&a, "corpus") == sum_of(&b, "corpus") && sum_of(&a, "findings") == sum_of(&b, "findings"));
    assert_true(sum_of(&a, "corpus") != sum_of(&c, "corpus"));
    remove_out(&a), remove_out(&b), remove_out(&c);
}

static void a_campaign_goes_on_with_its_corpus(void **unused)
{
    struct run run = {.seed = 1, .runs = 1000}, again = {.seed = 2};
    (void)unused;
    make_out(&run);
    play(&run);
    memcpy(again.out, run.out, sizeof again.out);
    again.runs = run.status.inputs; /* no more than what is there already */
    play(&again);
    assert_true(run.status.inputs > 50 && again.status.tuples * 20 >= run.status.tuples * 19);
    remove_out(&run);
}

static void an_interrupted_campaign_keeps_what_it_found(void **unused)
{
    struct run run = {.fault = "ack-plus-one", .seed = 1, .runs = 1000000, .stop_at_first = true};
    (void)unused;
    make_out(&run);
    play(&run);
    assert_int_equal(run.end, CAMPAIGN_INTERRUPTED);
    assert_true(run.found >= 1 && is_stored(&run, run.names[0], "pkt") && run.status.plays < 100000);
    remove_out(&run);
}

/* ---- a target that cannot be opened any more after a while */

static unsigned openings_left;

static struct target *open_for_a_while(const char *argument, const struct target_config *config, struct target_error *error)
{
    static struct target_ops ops;
    struct target *target = openings_left ? reference_driver.open(argument, config, error) : NULL;
    if (!target) {
        *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "somebody has pulled the plug"};
        return NULL;
    }
    openings_left--;
    ops = *target->ops;
    ops.restart = NULL; /* opened anew for each play */
    target->ops = &ops;
    return target;
}

static void a_target_that_is_lost_ends_it_and_loses_nothing(void **unused)
{
    const struct target_driver mortal = {.name = "mortal", .virtual_time = true, .many = true, .open = open_for_a_while};
    struct run run = {.driver = &mortal, .seed = 1, .runs = 100000};
    (void)unused;
    make_out(&run);
    openings_left = 200;
    play(&run);
    assert_int_equal(run.end, CAMPAIGN_UNABLE);
    assert_string_equal(run.error, "somebody has pulled the plug");
    assert_true(run.status.plays >= 100 && run.status.plays <= 200 && run.status.inputs > 10);
    assert_true(sum_of(&run, "corpus") != 0);
    remove_out(&run);
}

/* ---- two sides */

static void two_of_a_kind_do_the_same(void **unused)
{
    struct run run = {.against = "", .seed = 1, .runs = 500};
    (void)unused;
    make_out(&run);
    play(&run);
    assert_int_equal(run.end, CAMPAIGN_DONE);
    assert_int_equal(run.choices, 0);
    assert_int_equal(run.status.plays, 2 * run.runs);
    remove_out(&run);
}

static void what_both_may_and_do_not_do_the_same_is_a_choice(void **unused)
{
    struct shrink_input input = {.len = 8};
    struct reactions a = {0}, b = {0};
    struct differ *d = differ_new();
    (void)unused;
    a.counts[TCP_STATE_ESTABLISHED][REACTION_DATA * REACTION_PLACES][REACTION_IS_ACK] = 2;
    b.counts[TCP_STATE_ESTABLISHED][REACTION_DATA * REACTION_PLACES][REACTION_NOTHING] = 1;
    b.counts[TCP_STATE_CLOSING][REACTION_DATA * REACTION_PLACES][REACTION_NOTHING] = 1; /* a was never there */
    differ_note(d, &input, &a, &b);
    differ_note(d, &input, &a, &b);
    assert_int_equal(differ_count(d), 1);
    const struct differ_choice *c = differ_at(d, 0);
    assert_true(c->state == TCP_STATE_ESTABLISHED && c->event == REACTION_DATA * REACTION_PLACES && c->plays == 2);
    assert_true(c->did[0] == 1u << REACTION_IS_ACK && c->did[1] == 1u << REACTION_NOTHING);
    differ_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_is_found_and_made_small), cmocka_unit_test(a_finding_says_where_it_was_found),
        cmocka_unit_test(one_place_is_one_finding_however_often_it_is_met), cmocka_unit_test(the_reference_gives_no_finding),
        cmocka_unit_test(the_same_seed_finds_the_same), cmocka_unit_test(a_campaign_goes_on_with_its_corpus),
        cmocka_unit_test(an_interrupted_campaign_keeps_what_it_found), cmocka_unit_test(a_target_that_is_lost_ends_it_and_loses_nothing),
        cmocka_unit_test(two_of_a_kind_do_the_same), cmocka_unit_test(what_both_may_and_do_not_do_the_same_is_a_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
