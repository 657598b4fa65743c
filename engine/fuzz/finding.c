/* Findings, stored (see finding.h). What is stored is what is played last: the scenario is printed, the text is read again, and its
 * plays decide what is told of it, so that a replay of the file cannot differ from what the file says. */
#include "engine/fuzz/finding.h"

#include "engine/fuzz/apart.h"
#include "engine/fuzz/store.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char head_line[] = "// tcpassay fuzz finding";

/* ---- names */

static bool is_death(const char *rule)
{
    return !strcmp(rule, "crash") || !strcmp(rule, "hang");
}

/* How it died, without what differs from one death to the next: numbers and addresses. */
static uint32_t place_of_death(const char *how)
{
    uint32_t hash = UINT32_C(2166136261);
    for (; *how; how++)
        if (!isxdigit((unsigned char)*how))
            hash = (hash ^ (uint8_t)*how) * UINT32_C(16777619);
    return hash;
}

uint32_t finding_place(const char *rule, const char *observed)
{
    return is_death(rule) ? place_of_death(observed) : 0;
}

uint64_t finding_key(const struct fuzz_finding *found)
{
    return found->key | (uint64_t)finding_place(found->rule, found->observed) << 32;
}

bool finding_is(const struct finding *finding, const char *rule, const char *requirement, const char *observed)
{
    return !strcmp(finding->rule, rule) && (!*finding->requirement || !strcmp(finding->requirement, requirement)) &&
           finding_place(rule, observed) == finding->key >> 32;
}

/* "ESTABLISHED", "data, ahead" → "established", "data-ahead". */
static void append_words(char *name, size_t capacity, const char *words)
{
    size_t len = strlen(name);
    if (len && len + 1 < capacity)
        name[len++] = '-';
    for (bool gap = false; *words && len + 2 < capacity; words++) {
        if (isalnum((unsigned char)*words)) {
            if (gap)
                name[len++] = '-';
            name[len++] = (char)tolower((unsigned char)*words);
        }
        gap = !isalnum((unsigned char)*words) && len && name[len - 1] != '-';
    }
    name[len] = '\0';
}

static void make_name(struct finding *finding, const char *suffix)
{
    char event[REACTION_EVENT_TEXT_MAX], number[16] = "";
    finding->name[0] = '\0';
    append_words(finding->name, sizeof finding->name, finding->rule);
    if (!is_death(finding->rule) || finding->state != REACTION_STATE_UNCERTAIN) {
        append_words(finding->name, sizeof finding->name, reaction_state_name(finding->state));
        append_words(finding->name, sizeof finding->name, reaction_event_name(finding->event, event));
    }
    if (is_death(finding->rule)) {
        snprintf(number, sizeof number, "%08" PRIx32, (uint32_t)(finding->key >> 32));
        append_words(finding->name, sizeof finding->name, number);
    }
    if (*suffix)
        append_words(finding->name, sizeof finding->name, suffix);
}

void finding_plain_text(char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            *text = ' ';
}

void finding_begin(struct finding *finding, const struct fuzz_finding *found, const struct shrink_input *input)
{
    *finding = (struct finding){.level = found->level, .state = found->state, .event = found->event, .key = finding_key(found), .input = *input};
    snprintf(finding->rule, sizeof finding->rule, "%s", found->rule);
    snprintf(finding->requirement, sizeof finding->requirement, "%s", found->requirement);
    snprintf(finding->message, sizeof finding->message, "%s", found->message);
    finding_plain_text(finding->message);
}

/* ---- playing what is stored */

struct keeping {
    struct finding *finding;
    const struct finding_store *store;
    const struct trial *trial;
    const char *title;
    char pkt[FINDING_NAME_MAX + 32], pcap[FINDING_NAME_MAX + 32]; /* within DIR */
    char failure[600];
    struct apart *apart;          /* of what kills; NULL: it does not */
};

static int write_result(struct keeping *k, const struct result_test *result, const struct result_finding *found)
{
    char id[FINDING_NAME_MAX + 8];
    snprintf(id, sizeof id, "fuzz/%s", k->finding->name);
    struct result_test test = *result;
    test.id = id;
    test.title = k->title;
    test.findings = found;
    test.finding_count = 1;
    test.file = k->pkt;
    test.pcap = k->pcap;
    test.line = 0;
    const char *known = k->store->ledger ? ledger_find(k->store->ledger, &test, k->trial->strict) : NULL;
    test.known = known != NULL;
    test.known_note = known;
    snprintf(k->finding->known_note, sizeof k->finding->known_note, "%s", known ? known : "");
    if (!k->store->writer || results_writer_test(k->store->writer, &test) == 0)
        return 0;
    snprintf(k->failure, sizeof k->failure, "%s", results_writer_error(k->store->writer));
    return -1;
}

/* The first play that shows it is the one that is kept. */
static bool on_seen(void *context, size_t index, struct result_test *result, const struct player *player)
{
    struct keeping *k = context;
    char path[4096];
    (void)index;
    k->finding->plays++;
    const struct result_finding *found = result->verdict == VERDICT_FAIL ? trial_find(result, k->finding->rule, k->trial->strict) : NULL;
    if (!found || k->finding->shown++)
        return true;
    snprintf(k->finding->message, sizeof k->finding->message, "%s", found->message);
    finding_plain_text(k->finding->message);
    snprintf(path, sizeof path, "%s/%s", k->store->out, k->pcap);
    if (player && player_write_pcap(player, path, k->failure, sizeof k->failure) < 0)
        return false;
    return write_result(k, result, found) == 0;
}

/* ---- writing it down */

static void print_head(FILE *out, const struct keeping *k)
{
    const struct finding *f = k->finding;
    char event[REACTION_EVENT_TEXT_MAX];
    fprintf(out, "%s\n", head_line);
    fprintf(out, "//   rule     %s%s%s (%s)\n", f->rule, *f->requirement ? ", " : "", f->requirement, requirement_level_text(f->level));
    fprintf(out, "//   says     %s\n", f->message);
    fprintf(out, "//   where    %s, on %s\n", reaction_state_name(f->state), reaction_event_name(f->event, event));
    fprintf(out, "//   target   %s\n", k->store->target);
    fprintf(out, "//   seed     %" PRIu64 "\n", k->trial->seed);
    fprintf(out, "//   steps %u\n", shrink_steps(&f->input));
    fprintf(out, "//   shown    in %u of %u plays%s\n", f->shown, f->plays, f->shown < f->plays ? ": it does not always happen" : "");
    if (*f->known_note)
        fprintf(out, "//   known    %s\n", f->known_note);
}

static char *text_with_head(const struct keeping *k, const char *body)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return NULL;
    print_head(out, k);
    fputs(body, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static int write_text(const struct keeping *k, const char *text, char *error, size_t error_size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", k->store->out, k->pkt);
    return store_write(path, text, strlen(text), error, error_size);
}

static char *printed(const struct finding *finding, const char *title)
{
    struct scenario *scenario = scn_bytes_decode(finding->input.octets, finding->input.len);
    if (!scenario)
        return NULL;
    scenario->title = title;
    char *text = scn_print(scenario);
    scn_free(scenario);
    return text;
}

static int keep(struct keeping *k, const char *body, char *error, size_t error_size)
{
    struct scn_diagnostics diagnostics = {0};
    struct target_error target_error = {0};
    struct scenario *scenario = scn_parse(k->pkt, body, strlen(body), &diagnostics);
    if (!scenario) {
        snprintf(error, error_size, "%s: the shrunk scenario cannot be read again: %s", k->pkt, diagnostics.count ? diagnostics.list[0].message : "out of memory");
        return -1;
    }
    const size_t times = k->trial->driver->virtual_time ? 1 : FINDING_PLAYS_REAL;
    const enum trial_end end = trial_repeat(k->trial, scenario, times, on_seen, k, &target_error);
    scn_free(scenario);
    if (*k->failure || end == TRIAL_UNABLE) {
        snprintf(error, error_size, "%s", *k->failure ? k->failure : target_error.text);
        return -1;
    }
    return 0;
}

/* All but the play: names, and afterwards the text. 0, or -1 with what could not be written in *unsaved. */
typedef int keep_play(struct keeping *k, const char *body, char *error, size_t error_size);

static int keep_by(keep_play *play, struct keeping *k, char **unsaved, char *error, size_t error_size)
{
    char title[256], event[REACTION_EVENT_TEXT_MAX], folder[4096];
    struct finding *finding = k->finding;
    make_name(finding, k->store->suffix);
    snprintf(title, sizeof title, "Found by fuzzing: %s in %s, on %s", finding->rule, reaction_state_name(finding->state),
             reaction_event_name(finding->event, event));
    k->title = title;
    snprintf(k->pkt, sizeof k->pkt, "findings/%s.pkt", finding->name);
    snprintf(k->pcap, sizeof k->pcap, "findings/%s.pcap", finding->name);
    finding->plays = finding->shown = 0;
    *unsaved = NULL;
    snprintf(error, error_size, "out of memory");
    char *body = printed(finding, title);
    if (!body)
        return -1;
    snprintf(folder, sizeof folder, "%s/findings", k->store->out);
    int failed = store_make_folder(folder, error, error_size);
    if (!failed)
        failed = play(k, body, error, error_size);
    char *text = text_with_head(k, body);
    if (!failed && text)
        failed = write_text(k, text, error, error_size);
    free(body);
    if (failed)
        *unsaved = text;
    else
        free(text);
    return failed || !text ? -1 : 0;
}

int finding_keep(struct finding *finding, const struct finding_store *store, const struct trial *trial, char **unsaved, char *error,
                 size_t error_size)
{
    struct keeping k = {.finding = finding, .store = store, .trial = trial};
    return keep_by(keep, &k, unsaved, error, error_size);
}

void finding_forget(const struct finding *finding, const struct finding_store *store)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/findings/%s.pkt", store->out, finding->name);
    unlink(path);
}

/* ---- deaths */

static size_t dies(void *context, const struct shrink_input *inputs, size_t count)
{
    struct keeping *k = context;
    for (size_t i = 0; i < count && !*k->trial->interrupted; i++) {
        const struct apart_outcome *outcome = apart_play(k->apart, &inputs[i]);
        const struct fuzz_finding found = outcome && outcome->finding_count ? apart_finding(&outcome->findings[0]) : (struct fuzz_finding){.rule = ""};
        if (is_death(found.rule) && finding_key(&found) == k->finding->key)
            return i;
    }
    return count;
}

static int keep_death(struct keeping *k, const char *body, char *error, size_t error_size)
{
    char path[4096];
    struct finding *f = k->finding;
    (void)body;
    const struct apart_outcome *outcome = apart_play(k->apart, &f->input);
    f->plays = 1;
    if (!outcome || !outcome->finding_count || !is_death(outcome->findings[0].rule)) {
        snprintf(error, error_size, "%s", outcome ? "it did not die again" : strerror(errno));
        return -1;
    }
    f->shown = 1;
    const struct result_finding found = {.rule = f->rule, .requirement = "", .level = LEVEL_MUST, .message = outcome->findings[0].message,
                                         .expected = "a stack that lives", .observed = outcome->how};
    const struct result_test test = {.verdict = VERDICT_FAIL, .reason = outcome->findings[0].message, .level = LEVEL_MUST};
    snprintf(path, sizeof path, "%s/%s", k->store->out, k->pcap);
    if (apart_write_pcap(outcome, path, error, error_size) < 0)
        return -1;
    if (write_result(k, &test, &found) == 0)
        return 0;
    snprintf(error, error_size, "%s", k->failure);
    return -1;
}

int finding_keep_death(struct finding *finding, const struct finding_store *store, struct apart *apart, const struct trial *trial,
                       char **unsaved, char *error, size_t error_size)
{
    enum { PLAYS_MAX = 3000 };
    struct keeping k = {.finding = finding, .store = store, .trial = trial, .apart = apart};
    const struct shrink how = {.shows = dies, .context = &k, .plays_max = PLAYS_MAX, .at_once_max = 8};
    shrink(&how, &finding->input);
    return keep_by(keep_death, &k, unsaved, error, error_size);
}

/* ---- reading */

static bool head_value(const char *line, const char *key, const char **value)
{
    const size_t len = strlen(key);
    if (strncmp(line, "//   ", 5) || strncmp(line + 5, key, len) || line[5 + len] != ' ')
        return false;
    *value = line + 5 + len + strspn(line + 5 + len, " ");
    return true;
}

bool finding_read_head(const char *path, struct finding_head *head)
{
    char line[2048];
    const char *value;
    FILE *file = fopen(path, "re");
    *head = (struct finding_head){.seed = 1};
    if (!file)
        return false;
    bool is_finding = fgets(line, sizeof line, file) && !strncmp(line, head_line, sizeof head_line - 1);
    while (is_finding && fgets(line, sizeof line, file) && !strncmp(line, "// ", 3)) {
        line[strcspn(line, "\n")] = '\0';
        if (head_value(line, "target", &value))
            snprintf(head->target, sizeof head->target, "%s", value);
        if (head_value(line, "seed", &value))
            head->seed = strtoull(value, NULL, 10);
    }
    fclose(file);
    return is_finding && *head->target;
}
