/* Reads results back: a journal (results.jsonl) line by line, or a document (results.json) as a whole.
 *
 * Which of the two it is shows in the first line: a journal's is an object of its own with a "type". Memory is bounded by the
 * tests kept and by one line; of tests with one id the last counts. Nothing read is trusted (decode.c); the one thing forgiven
 * is a last line without its newline, the mark of a run that was killed while writing it.
 */
#include "reports/results.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reports/decode.h"
#include "reports/text.h"

struct owned { /* what results_free() gets back behind the struct results */
    struct results results;
    struct arena arena;
};

struct line {
    char *bytes; /* without the newline; not terminated */
    size_t len, capacity;
    unsigned long number;
    bool has_newline;
};

struct reader {
    FILE *in;
    const char *name;       /* for messages */
    struct line line;
    struct result_test *tests; /* in the order of the file */
    size_t test_count, test_capacity;
    bool has_header;
    struct owned *owned;
    struct decoder decoder;
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static bool fault(struct reader *r, const char *format, ...)
{
    const int head = r->line.number ? snprintf(r->error, r->error_size, "%s:%lu: ", r->name, r->line.number)
                                    : snprintf(r->error, r->error_size, "%s: ", r->name);
    if (head < 0 || (size_t)head >= r->error_size)
        return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(r->error + head, r->error_size - (size_t)head, format, arguments);
    va_end(arguments);
    return false;
}

static bool json_fault(struct reader *r, const json_error_t *error)
{
    char shown[160];
    return fault(r, "column %d: not JSON: %s", error->column, text_show(error->text, shown, sizeof shown));
}

/* ---- lines ----------------------------------------------------------------------------------------------------- */

static bool line_put(struct reader *r, char octet)
{
    struct line *line = &r->line;
    if (line->len == RESULTS_LINE_BYTES_MAX)
        return fault(r, "longer than %d octets, which no line of results is", RESULTS_LINE_BYTES_MAX);
    if (line->len == line->capacity) {
        const size_t capacity = line->capacity ? 2 * line->capacity : 4096;
        char *bytes = realloc(line->bytes, capacity);
        if (!bytes)
            return fault(r, "out of memory");
        line->bytes = bytes;
        line->capacity = capacity;
    }
    line->bytes[line->len++] = octet;
    return true;
}

enum next { NEXT_LINE, NEXT_END, NEXT_FAULT };

static enum next next_line(struct reader *r)
{
    struct line *line = &r->line;
    line->len = 0;
    line->has_newline = false;
    line->number++;
    for (int octet; (octet = getc_unlocked(r->in)) != EOF;) {
        if (octet == '\n') {
            line->has_newline = true;
            return NEXT_LINE;
        }
        if (!line_put(r, (char)octet))
            return NEXT_FAULT;
    }
    if (ferror(r->in)) {
        fault(r, "cannot be read: %s", strerror(errno));
        return NEXT_FAULT;
    }
    return line->len ? NEXT_LINE : NEXT_END;
}

/* ---- journal --------------------------------------------------------------------------------------------------- */

static struct result_test *add_test(struct reader *r)
{
    if (r->test_count == RESULTS_TESTS_MAX) {
        fault(r, "more than %d tests", RESULTS_TESTS_MAX);
        return NULL;
    }
    if (r->test_count == r->test_capacity) {
        const size_t capacity = r->test_capacity ? 2 * r->test_capacity : 64;
        struct result_test *tests = realloc(r->tests, capacity * sizeof *tests);
        if (!tests) {
            fault(r, "out of memory");
            return NULL;
        }
        r->tests = tests;
        r->test_capacity = capacity;
    }
    return &r->tests[r->test_count++];
}

static bool decoded(struct reader *r, bool good)
{
    return good || fault(r, "%s", r->decoder.error);
}

static bool take_run(struct reader *r, const json_t *object)
{
    if (r->has_header)
        return fault(r, "a second header: \"type\" \"run\" stands in the first line only");
    r->has_header = true;
    return decoded(r, decode_run(&r->decoder, object, &r->owned->results.run));
}

static bool take_test(struct reader *r, const json_t *object)
{
    struct result_test *test = add_test(r);
    r->owned->results.finished = false;
    return test && decoded(r, decode_test(&r->decoder, object, test));
}

static bool take_model(struct reader *r, const json_t *object)
{
    return decoded(r, decode_model(&r->decoder, object, &r->owned->results.model));
}

static bool add_duration(struct reader *r, int64_t duration_ns)
{
    int64_t *total = &r->owned->results.duration_ns;
    return !__builtin_add_overflow(*total, duration_ns, total) || fault(r, "duration_ns: the durations add up to more than 2^63");
}

static bool take_end(struct reader *r, const json_t *object)
{
    int64_t duration_ns = 0;
    r->owned->results.finished = true;
    return decoded(r, decode_whole(&r->decoder, object, "duration_ns", 0, INT64_MAX, &duration_ns)) && add_duration(r, duration_ns);
}

static bool take_object(struct reader *r, const json_t *object)
{
    static const struct {
        const char *type;
        bool (*take)(struct reader *, const json_t *);
    } kinds[] = { { "run", take_run }, { "test", take_test }, { "model", take_model }, { "end", take_end } };

    const char *type = json_string_value(json_object_get(object, "type"));
    if (!type)
        return fault(r, "type: missing; expected \"run\", \"test\", \"model\" or \"end\"");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(type, kinds[i].type) != 0)
            continue;
        if (!r->has_header && kinds[i].take != take_run)
            return fault(r, "\"type\" \"%s\" before the header; the first line is \"type\" \"run\"", type);
        return kinds[i].take(r, object);
    }
    char shown[64];
    return fault(r, "type: expected \"run\", \"test\", \"model\" or \"end\", found \"%s\"", text_show(type, shown, sizeof shown));
}

static bool take_line(struct reader *r)
{
    json_error_t error;
    json_t *object = json_loadb(r->line.bytes, r->line.len, JSON_REJECT_DUPLICATES, &error);
    if (!object)
        return json_fault(r, &error);
    const bool good = json_is_object(object) ? take_object(r, object) : fault(r, "expected an object, found a list");
    json_decref(object);
    return good;
}

static bool read_journal(struct reader *r)
{
    enum next next = NEXT_LINE;
    do { /* the first line has been read */
        if (!r->line.has_newline) {
            r->owned->results.torn = true;
            break;
        }
        if (!take_line(r))
            return false;
        next = next_line(r);
    } while (next == NEXT_LINE);
    return next != NEXT_FAULT;
}

/* ---- document -------------------------------------------------------------------------------------------------- */

static bool take_tests(struct reader *r, const json_t *object)
{
    struct decoder *d = &r->decoder;
    const json_t *list = decode_list(d, object, "tests");
    if (!decoded(r, !d->failed))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct result_test *test = add_test(r);
        const json_t *value = json_array_get(list, i);
        if (!test)
            return false;
        snprintf(d->path, sizeof d->path, "tests[%zu]", i);
        if (!json_is_object(value))
            return fault(r, "%s: expected an object", d->path);
        if (!decoded(r, decode_test(d, value, test)))
            return false;
    }
    d->path[0] = '\0';
    return true;
}

static bool take_document(struct reader *r, const json_t *object)
{
    struct decoder *d = &r->decoder;
    struct results *results = &r->owned->results;
    r->line.number = 0; /* values have no line of their own any more */
    r->has_header = true;
    return decoded(r, decode_run(d, object, &results->run))
           && decoded(r, decode_whole(d, object, "duration_ns", 0, INT64_MAX, &results->duration_ns))
           && decoded(r, decode_bool(d, object, "finished", &results->finished)) && decoded(r, decode_model(d, object, &results->model))
           && take_tests(r, object);
}

static size_t load_some(void *buffer, size_t len, void *data)
{
    FILE *in = data;
    const size_t n = fread(buffer, 1, len, in);
    const long at = ftell(in);
    return at < 0 || at > RESULTS_DOCUMENT_BYTES_MAX ? (size_t)-1 : n;
}

static bool read_document(struct reader *r)
{
    json_error_t error;
    if (fseek(r->in, 0, SEEK_SET) != 0)
        return fault(r, "cannot be read again from its start: %s", strerror(errno));
    json_t *object = json_load_callback(load_some, r->in, JSON_REJECT_DUPLICATES, &error);
    if (!object && ftell(r->in) > RESULTS_DOCUMENT_BYTES_MAX) {
        r->line.number = 0;
        return fault(r, "larger than %d octets, the most a results.json may have; give the results.jsonl",
                     RESULTS_DOCUMENT_BYTES_MAX);
    }
    if (!object) {
        r->line.number = error.line > 0 ? (unsigned long)error.line : 1;
        return json_fault(r, &error);
    }
    const bool good = json_is_object(object) ? take_document(r, object) : fault(r, "expected an object, found a list");
    json_decref(object);
    return good;
}

/* ---- both ------------------------------------------------------------------------------------------------------ */

static bool first_line_is_journal(const struct reader *r)
{
    json_t *object = json_loadb(r->line.bytes, r->line.len, 0, NULL);
    const bool journal = json_is_object(object) && json_object_get(object, "type");
    json_decref(object);
    return journal;
}

static bool read_either(struct reader *r)
{
    const enum next next = next_line(r);
    if (next == NEXT_FAULT)
        return false;
    if (next == NEXT_END)
        return fault(r, "empty: no run has written here");
    if (!first_line_is_journal(r))
        return read_document(r);
    return read_journal(r) && (r->has_header || fault(r, "only a torn header: nothing was finished"));
}

/* By id, and of one id by place in the file, which the addresses tell: all point into one array. */
static int by_id_and_place(const void *a, const void *b)
{
    const struct result_test *left = *(const struct result_test *const *)a, *right = *(const struct result_test *const *)b;
    const int order = result_id_compare(left->id, right->id);
    return order ? order : (left > right) - (left < right);
}

/* Sorts the tests by id into the arena, the last of each id only. */
static bool keep_tests(struct reader *r)
{
    struct results *results = &r->owned->results;
    const size_t count = r->test_count;
    const struct result_test **order = calloc(count ? count : 1, sizeof(const struct result_test *));
    struct result_test *kept = arena_alloc(&r->owned->arena, count ? count : 1, sizeof *kept);
    if (!order || !kept) {
        free(order);
        return fault(r, "out of memory");
    }
    for (size_t i = 0; i < count; i++)
        order[i] = &r->tests[i];
    qsort(order, count, sizeof(const struct result_test *), by_id_and_place);
    for (size_t i = 0; i < count; i++)
        if (i + 1 == count || strcmp(order[i]->id, order[i + 1]->id) != 0)
            kept[results->test_count++] = *order[i];
    free(order);
    results->tests = kept;
    return true;
}

static struct results *read_stream(FILE *in, const char *name, char *error, size_t error_size)
{
    assert(error && error_size);
    struct reader *r = calloc(1, sizeof *r);
    struct owned *owned = calloc(1, sizeof *owned);
    if (!r || !owned) {
        free(r);
        free(owned);
        snprintf(error, error_size, "%s: out of memory", name);
        return NULL;
    }
    *r = (struct reader){ .in = in, .name = name, .owned = owned, .error = error, .error_size = error_size };
    r->decoder.arena = &owned->arena;
    owned->results.dir = "";
    const bool good = read_either(r) && keep_tests(r);
    free(r->line.bytes);
    free(r->tests);
    free(r);
    if (good)
        return &owned->results;
    results_free(&owned->results);
    return NULL;
}

/* Everything up to the last slash of path; frees results when there is no memory for it. */
static bool set_directory(struct results *results, const char *path, char *error, size_t error_size)
{
    const char *slash = strrchr(path, '/');
    char *dir = arena_copy(&((struct owned *)results)->arena, slash ? path : ".");
    if (!dir) {
        snprintf(error, error_size, "%s: out of memory", path);
        results_free(results);
        return false;
    }
    if (slash)
        dir[slash > path ? slash - path : 1] = '\0';
    results->dir = dir;
    return true;
}

struct results *results_read(const char *path, char *error, size_t error_size)
{
    char inside[PATH_MAX];
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        if (snprintf(inside, sizeof inside, "%s/results.jsonl", path) >= (int)sizeof inside) {
            snprintf(error, error_size, "the name of the directory is too long");
            return NULL;
        }
        path = inside;
    }
    FILE *in = fopen(path, "rbe");
    if (!in) {
        snprintf(error, error_size, "%s: cannot be opened: %s; name a directory of results, a results.jsonl or a results.json",
                 path, strerror(errno));
        return NULL;
    }
    struct results *results = read_stream(in, path, error, error_size);
    fclose(in);
    return results && set_directory(results, path, error, error_size) ? results : NULL;
}

struct results *results_read_bytes(const char *bytes, size_t len, const char *name, char *error, size_t error_size)
{
    FILE *in = fmemopen((void *)(uintptr_t)(len ? bytes : ""), len ? len : 1, "rb"); /* reading only; it wants no const and no 0 */
    if (!in) {
        snprintf(error, error_size, "%s: %s", name, strerror(errno));
        return NULL;
    }
    if (!len)
        (void)getc(in);
    struct results *results = read_stream(in, name, error, error_size);
    fclose(in);
    return results;
}

void results_free(struct results *results)
{
    if (!results)
        return;
    struct owned *owned = (struct owned *)results; /* its first member */
    struct arena arena = owned->arena;
    free(owned);
    arena_release(&arena);
}
