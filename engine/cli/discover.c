/* Looking at a target to fill in its PICS (see discover.h).
 *
 * Theory of operation. Everything is a scenario, this too: a few connections in which the tester offers all there is, plays deaf,
 * sends data and closes, and the judge's portrait says what the target chose. How long TIME-WAIT lasts cannot be seen on one
 * connection, since looking may restart its timer (RFC 9293 §3.10.7.4): so one is left in it for each point of time, and asked
 * once: an ACK says that it is still there, a RST that it is not. */
#include "engine/cli/discover.h"
#include "engine/cli/target_file.h"
#include "engine/runner/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEAD "//: needs listen\n//: ip both\n//: patience 4\n"
#define LISTEN                                       \
    "0  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n" \
    "+0 bind(3, ..., ...) = 0\n"                     \
    "+0 listen(3, 5) = 0\n"
#define HANDSHAKE                         \
    "+0 < S 0:0(0) win 65535 <mss 1000>\n" \
    "*  > S. 0:0(0) ack 1 <...>\n"        \
    "+0 < . 1:1(0) ack 1 win 65535\n"     \
    "+0 accept(3, ..., ...) = 4\n"

/* What the judge gathers from these, whether they pass or not, is the portrait. */
static const struct { const char *id, *text; } looks[] = {
    {"discover/offers", "//: title What it answers when everything is offered\n" HEAD LISTEN
                        "+0 < SEW 0:0(0) win 65535 <mss 1000, sackOK, TS val 100 ecr 0, nop, wscale 7, FO>\n"
                        "*  > any\n"},
    {"discover/connects", "//: title What it offers itself\n//: needs connect\n//: ip both\n"
                          "0  socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                          "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
                          "+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n"
                          "*  > S ~EW 0:0(0) <...>\n"},
    {"discover/acknowledges", "//: title How it acknowledges, and what it makes of blind resets\n" HEAD LISTEN HANDSHAKE
                              "+0 < P. 1:101(100) ack 1 win 65535\n*  > . 1:1(0) ack 101\n"
                              "+0 < P. 1101:2101(1000) ack 1 win 65535\n*  > . 1:1(0) ack 101 <...>\n"
                              "+0 < P. 101:1101(1000) ack 1 win 65535\n+0.6 < R 2201:2201(0)\n+0.1 wait\n"},
    {"discover/sends", "//: title How it sends and sends again\n" HEAD LISTEN HANDSHAKE "+0 write(4, ..., 3000) = 3000\n+4 wait\n"},
    {"discover/opens", "//: title How it sends a SYN,ACK again\n" HEAD LISTEN "+0 < S 0:0(0) win 65535 <mss 1000>\n+8 wait\n"},
    {"discover/aborts", "//: title What CLOSE does with octets that nobody read\n" HEAD LISTEN HANDSHAKE
                        "+0 < P. 1:101(100) ack 1 win 65535\n*  > . 1:1(0) ack 101\n+0 close(4) = 0\n+0.1 wait\n"},
};
enum { LOOKS = sizeof looks / sizeof *looks };

static const char time_wait_text[] =
    "//: title In TIME-WAIT after so long\n//: needs listen\n//: judge off \"it is only looked at\"\n//: ip 4\n" LISTEN HANDSHAKE
    "+0 shutdown(4, SHUT_WR) = 0\n*  > F. 1:1(0) ack 1\n+0 < . 1:1(0) ack 2 win 65535\n+0 < F. 1:1(0) ack 2 win 65535\n*  > . 2:2(0) ack 2\n"
    "+0 close(4) = 0\n+0 close(3) = 0\n"
    "+%u < P. 1:2(1) ack 2 win 65535\n"
    "either {\n* > . 2:2(0) ack 2\n} or {\n* > R ~. 2:2(0)\nskip \"gone\"\n}\n";
static const unsigned time_wait_s[] = {1, 2, 4, 8, 15, 29, 31, 59, 61, 119, 121, 239, 241};
enum { TIME_WAITS = sizeof time_wait_s / sizeof *time_wait_s };

/* ---- looking */

struct looking {
    struct portrait portrait;
    size_t judged;
    unsigned there_s, gone_s;  /* TIME-WAIT: still there after so long; gone after so long; 0: not seen */
    char why[256];             /* the last test that came to nothing */
};

static int note(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct looking *looking = context;
    const struct judge_host *host = player ? player_judged(player) : NULL;
    unsigned seconds;
    if (host) {
        portrait_add(&looking->portrait, &host->portrait);
        looking->judged++;
    } else if (sscanf(test->id, "discover/time-wait-%u", &seconds) == 1 && player) {
        if (result->verdict == VERDICT_PASS && seconds > looking->there_s)
            looking->there_s = seconds;
        if (result->verdict == VERDICT_NOT_APPLICABLE && (!looking->gone_s || seconds < looking->gone_s))
            looking->gone_s = seconds;
    }
    if (result->verdict == VERDICT_ERROR || !player)
        snprintf(looking->why, sizeof looking->why, "%s", result->reason);
    return 0;
}

static bool add(struct suite *suite, const char *id, const char *text)
{
    char error[256];
    struct scn_diagnostics diagnostics = {0};
    struct scenario *scenario = scn_parse(id, text, strlen(text), &diagnostics);
    if (!scenario)
        scn_format_diagnostic(id, &diagnostics.list[0], error, sizeof error);
    bool added = scenario && suite_add(suite, id, scenario, error, sizeof error) == 0;
    if (!added)
        cli_error("targets", "%s", error);
    return added;
}

static bool add_all(struct suite *suite, uint64_t patience_s)
{
    char id[64], text[sizeof time_wait_text + 16], error[256];
    for (unsigned i = 0; i < LOOKS; i++)
        if (!add(suite, looks[i].id, looks[i].text))
            return false;
    for (unsigned i = 0; i < TIME_WAITS && time_wait_s[i] <= patience_s; i++) {
        snprintf(id, sizeof id, "discover/time-wait-%u", time_wait_s[i]);
        snprintf(text, sizeof text, time_wait_text, time_wait_s[i]);
        if (!add(suite, id, text))
            return false;
    }
    bool expanded = suite_expand(suite, error, sizeof error) == 0;
    if (!expanded)
        cli_error("targets", "%s", error);
    return expanded;
}

static int look(const struct cli_target *target, uint64_t patience_s, struct looking *looking)
{
    struct suite suite = {0};
    struct target_error error = {0};
    if (!add_all(&suite, patience_s)) {
        suite_release(&suite);
        return EXIT_UNABLE;
    }
    const struct suite_test **tests = calloc(suite.test_count, sizeof(struct suite_test *));
    for (size_t i = 0; tests && i < suite.test_count; i++)
        tests[i] = &suite.tests[i];
    struct schedule schedule = {.driver = target->driver, .argument = target->argument, .tests = tests, .test_count = tests ? suite.test_count : 0,
                                .seed = 1, .judged = true, .interrupted = &cli_interrupted, .finished = note, .context = looking};
    cli_catch_interrupts();
    enum schedule_end end = schedule_run(&schedule, &error);
    free(tests);
    suite_release(&suite);
    if (end == SCHEDULE_FAILED)
        cli_error("targets", "%s", error.text);
    return end == SCHEDULE_INTERRUPTED ? EXIT_INTERRUPTED : end == SCHEDULE_DONE ? EXIT_OK : EXIT_UNABLE;
}

/* ---- telling */

/* Asked for and never done: not claimed. What was not seen at all is left open. */
static void print_lacks(const struct looking *looking, const char *mark)
{
    static const struct { enum choice_id choice; const char *feature; } told[] = {
        {CHOICE_TIMESTAMPS_OFFERED, "timestamps"}, {CHOICE_SACK_OFFERED, "sack"}, {CHOICE_ECN_OFFERED, "ecn"},
        {CHOICE_FASTOPEN_OFFERED, "fastopen"}, {CHOICE_CHALLENGE_ACK, "challenge-ack"}};
    const struct portrait_entry *all = looking->portrait.choices;
    const char *between = "lacks       = ";
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (all[told[i].choice].count && !all[told[i].choice].sum) {
            printf("%s%s%s", *between == '+' ? "" : mark, between, told[i].feature);
            between = "+";
        }
    if (all[CHOICE_TIMESTAMPS_OFFERED].count && !all[CHOICE_WINDOW_SCALE_OFFERED].count) {
        printf("%s%swindow-scaling", *between == '+' ? "" : mark, between);
        between = "+";
    }
    if (*between == '+')
        putchar('\n');
}

static void print_msl(const struct looking *looking, const char *mark)
{
    if (looking->there_s && looking->gone_s) {
        printf("# TIME-WAIT was over after %u s, and not yet after %u s: 2 MSL\n", looking->gone_s, looking->there_s);
        printf("%smsl-s       = %g\n", mark, (looking->there_s + looking->gone_s) / 4.0);
    } else if (looking->there_s) {
        printf("# TIME-WAIT still lasted after %u s: with a longer --patience its end may be seen\n", looking->there_s);
    } else if (looking->gone_s) {
        printf("# TIME-WAIT was over after %u s or less: RFC 9293 §3.6.1 asks for 2 MSL (MUST-13)\n", looking->gone_s);
    } else {
        printf("# how long TIME-WAIT lasts could not be seen\n");
    }
}

/* The keys that were given, a line each, as they stand in a target file. */
static void print_given(const struct cli_target *target)
{
    const char *colon = strchr(target->text, ':'), *at = target->text + strcspn(target->text, ",");
    printf("target      = %.*s\n", (int)(at - target->text), target->text);
    while (*at && colon) {
        at++;
        size_t key = strcspn(at, "=,"), value = key + (at[key] == '=');
        bool own = !strncmp(at, "lacks=", 6) || !strncmp(at, "msl-s=", 6); /* found anew */
        if (!own)
            printf("%-11.*s = ", (int)key, at);
        for (at += value; *at && *at != ','; at++) {
            at += *at == '\\' && at[1] == ',';
            if (!own)
                putchar(*at);
        }
        if (!own)
            putchar('\n');
    }
}

int discover(const struct cli_target *target, const char *name, uint64_t patience_s)
{
    struct looking looking = {0};
    char text[256], day[16];
    time_t now = time(NULL);
    struct tm utc;
    int code = look(target, patience_s, &looking);
    if (code != EXIT_OK)
        return code;
    if (!looking.judged) {
        cli_error("targets", "nothing could be seen of %s: %s", name, *looking.why ? looking.why : "no connection came about");
        return EXIT_UNABLE;
    }
    strftime(day, sizeof day, "%Y-%m-%d", gmtime_r(&now, &utc));
    printf("# %s, as it showed itself to tcpassay %s on %s. Save this as NAME.target, then: tcpassay run --target NAME\n", name,
           TCPASSAY_VERSION, day);
    print_given(target);
    const char *mark = target_file_takes_keys(target->text) ? "" : "# "; /* what it does not take is told all the same */
    print_lacks(&looking, mark);
    print_msl(&looking, mark);
    printf("#\n# Seen, and its own choice:\n");
    for (unsigned i = 0; i < CHOICE_COUNT; i++)
        if (portrait_describe(&looking.portrait, (enum choice_id)i, text, sizeof text) > 0)
            printf("#   %s (%s)\n", text, choice_at((enum choice_id)i)->source);
    return EXIT_OK;
}
