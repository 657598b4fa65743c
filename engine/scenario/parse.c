/* Turns a text into a scenario.
 *
 * The text goes through four stages, each of which knows nothing of the one before but its output: lexer.l cuts it into tokens,
 * tokens.c gives words their meaning and marks where steps end, grammar.y recognizes steps and has build_*.c make them, and check.c
 * looks at the whole. Errors of the first three stages do not stop the parse: the grammar goes on with the next step, so that a
 * file tells all that is wrong with it. The last stage runs only when the others found nothing, as it would otherwise blame the
 * gaps.
 *
 * Bounds: a text of SCN_TEXT_BYTES_MAX octets, SCN_ARENA_BYTES_MAX of memory, and those in scenario.h. Memory is the one thing
 * whose lack shows anywhere; the arena then jumps back to scn_parse(). What is not on the arena (the grammar's stack) is on the
 * stack.
 */
#include "engine/scenario/parse.h"

#include "scenario_grammar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail_early(struct scn_diagnostics *diagnostics, const char *message, const char *reason)
{
    struct scn_diagnostic *diagnostic = &diagnostics->list[diagnostics->count++];
    diagnostic->at = (struct scn_at){ 0, 0 };
    snprintf(diagnostic->message, sizeof diagnostic->message, "%s%s", message, reason);
}

static void start(struct scn_parser *parser, struct scn_arena *arena, const char *file, const char *text, size_t len)
{
    struct scenario *scenario = scn_arena_alloc(arena, 1, sizeof *scenario);
    *scenario = (struct scenario){ .arena = arena, .profile = SCN_FULL, .patience_ns = SCN_PATIENCE_DEFAULT_NS, .tolerance_ns = -1 };
    scenario->file = scn_arena_text(arena, file, strlen(file));
    scenario->source_text = scn_arena_text(arena, text, len);
    parser->scenario = scenario;
    parser->source = scenario->source_text;
    parser->source_len = len;
    parser->option_tolerance_ns = -1;
    scn_endpoint_slot(parser, (struct scn_piece){ "@a", 2 }, (struct scn_at){ 0, 0 });
}

static void finish(struct scn_parser *parser)
{
    struct scenario *scenario = parser->scenario;
    scenario->endpoint_count = parser->endpoints.count;
    scenario->endpoints = scn_arena_alloc(parser->arena, parser->endpoints.count, sizeof *scenario->endpoints);
    for (unsigned i = 0; i < parser->endpoints.count; i++)
        scenario->endpoints[i] = *(const struct scn_endpoint *)parser->endpoints.items[i];
    scenario->variables = (const char **)parser->variables.items;
    scenario->variable_count = parser->variables.count;
    scenario->table_count = parser->tables.count;
    scenario->tables = scn_arena_alloc(parser->arena, parser->tables.count, sizeof *scenario->tables);
    for (unsigned i = 0; i < parser->tables.count; i++)
        scenario->tables[i] = *(const struct scn_table *)parser->tables.items[i];
    scenario->body = scn_block_end(parser);
    scn_front_matter_end(parser);
    if (!parser->failed)
        scn_check(parser);
}

static void parse(struct scn_parser *parser, const char *file, const char *text, size_t len)
{
    start(parser, parser->arena, file, text, len);
    if (!scn_scanner_start(parser) || scn_bison_parse(parser) != 0 || parser->stop)
        parser->failed = true;
    else
        finish(parser);
}

/* Parses, and comes back even from the depths of it when memory runs out. Nothing changed after setjmp() is kept in a local. */
static void parse_within_memory(struct scn_parser *parser, const char *file, const char *text, size_t len)
{
    static const struct scn_at nowhere = { 0, 0 };
    jmp_buf escape;
    parser->arena->escape = &escape;
    if (setjmp(escape) == 0)
        parse(parser, file, text, len);
    else
        scn_error(parser, nowhere, "the scenario needs more than %d MiB of memory", SCN_ARENA_BYTES_MAX >> 20);
    parser->arena->escape = NULL;
}

struct scenario *scn_parse(const char *file, const char *text, size_t len, struct scn_diagnostics *diagnostics)
{
    diagnostics->count = 0;
    if (len > SCN_TEXT_BYTES_MAX) {
        fail_early(diagnostics, "the file is larger than 1 MiB", "");
        return NULL;
    }
    struct scn_parser *parser = calloc(1, sizeof *parser);
    struct scn_arena *arena = scn_arena_new();
    struct scenario *scenario = NULL;
    if (parser && arena) {
        parser->arena = arena;
        parser->diagnostics = diagnostics;
        parse_within_memory(parser, file, text, len);
        scenario = parser->failed ? NULL : parser->scenario;
    } else {
        fail_early(diagnostics, "out of memory", "");
    }
    if (!scenario)
        scn_arena_free(arena);
    free(parser);
    return scenario;
}

void scn_free(struct scenario *scenario)
{
    if (scenario)
        scn_arena_free(scenario->arena);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* All of the file, at most one octet more than a scenario may have; NULL with errno set. */
static char *read_all(int fd, size_t *len)
{
    const size_t capacity = SCN_TEXT_BYTES_MAX + 1;
    char *text = malloc(capacity);
    ssize_t got = 1;
    *len = 0;
    while (text && *len < capacity && got > 0) {
        got = read(fd, text + *len, capacity - *len);
        if (got > 0)
            *len += (size_t)got;
    }
    if (text && got < 0) {
        const int error = errno;
        free(text);
        errno = error;
        return NULL;
    }
    return text;
}

struct scenario *scn_parse_file(const char *path, struct scn_diagnostics *diagnostics)
{
    size_t len = 0;
    diagnostics->count = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = fd < 0 ? NULL : read_all(fd, &len);
    if (!text)
        fail_early(diagnostics, "cannot read this file: ", strerror(errno));
    if (fd >= 0)
        close(fd);
    struct scenario *scenario = text ? scn_parse(path, text, len, diagnostics) : NULL;
    free(text);
    return scenario;
}
