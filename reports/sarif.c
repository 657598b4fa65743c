/* Writes SARIF 2.1.0.
 *
 * A requirement of the catalogue is a rule of the log, and so is a rule of the model that stands for none. Rules stand once, in the
 * order of their ids; a result points at its own by index. Messages are plain text in which no link and no placeholder can come
 * about (§3.11.5 and §3.11.6), cut when they are long; addresses of files are percent-encoded, and left out when they lead out of
 * their folder.
 */
#include "reports/sarif.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/rules.h"
#include "reports/emit.h"
#include "reports/file.h"
#include "reports/text.h"

enum { TEXT_BYTES_MAX = 2000, NAME_BYTES_MAX = 300, MESSAGE_BYTES_MAX = 4 * TEXT_BYTES_MAX, URI_BYTES_MAX = 1000, DATE_LEN = 20 };

static const char *const level_texts[] = {[SARIF_NOTE] = "note", [SARIF_WARNING] = "warning", [SARIF_ERROR] = "error"};

enum sarif_level sarif_level_of(enum requirement_level level)
{
    if (requirement_level_is_should(level))
        return SARIF_WARNING;
    return level == LEVEL_MAY ? SARIF_NOTE : SARIF_ERROR;
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

/* ---- strings --------------------------------------------------------------------------------------------------- */

/* A name that people see: controls made visible, cut. */
static void put_name(struct emit *emit, const char *key, const char *text)
{
    char shown[NAME_BYTES_MAX];
    emit_string(emit, key, text_show(text_of(text), shown, sizeof shown));
}

/* A text whose brackets and braces mean nothing: a link has its brackets escaped, and no digit follows a brace. */
static void put_text(struct emit *emit, const char *key, const char *text)
{
    char shown[TEXT_BYTES_MAX], safe[2 * TEXT_BYTES_MAX];
    size_t used = 0;
    text_show(text_of(text), shown, sizeof shown);
    const bool has_link = strstr(shown, "](") != NULL;
    for (const char *p = shown; *p; p++) {
        const bool bracket = has_link && (*p == '[' || *p == ']');
        const bool brace = *p == '{' && p[1] >= '0' && p[1] <= '9';
        if (bracket || brace)
            safe[used++] = bracket ? '\\' : '{';
        safe[used++] = *p;
    }
    safe[used] = '\0';
    emit_string(emit, key, safe);
}

static void put_message(struct emit *emit, const char *key, const char *text)
{
    emit_object(emit, key);
    put_text(emit, "text", *text_of(text) ? text : "(no text)");
    emit_object_end(emit);
}

/* A relative reference (RFC 3986 §4.2): what is not unreserved is encoded, the colon too, so that no scheme can come about. */
static bool make_uri(const char *path, char out[static URI_BYTES_MAX])
{
    size_t used = 0;
    if (!file_is_below(path))
        return false;
    for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
        const bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-._~/", *p);
        if (used + 4 > URI_BYTES_MAX)
            return false;
        used += (size_t)snprintf(out + used, 4, plain ? "%c" : "%%%02X", *p);
    }
    out[used] = '\0';
    return strncmp(out, "//", 2) != 0;
}

/* "2025-01-31T12:00:00Z", or false. */
static bool is_date(const char *text)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
    if (strlen(text) != DATE_LEN)
        return false;
    for (size_t i = 0; i < DATE_LEN; i++)
        if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return false;
    return true;
}

/* ---- rules ----------------------------------------------------------------------------------------------------- */

struct row { /* a finding with its rule's id, to be sorted */
    const struct sarif_finding *finding;
    const char *id;
    size_t place;          /* in the log */
    size_t rule;           /* index of its rule */
    unsigned alike;        /* how many alike stand before it */
};

static const char *id_of(const struct sarif_finding *finding)
{
    return *text_of(finding->requirement) ? finding->requirement : *text_of(finding->rule) ? finding->rule : "finding";
}

static int by_id(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    int order = strverscmp(left->id, right->id);
    if (order == 0)
        order = strcmp(text_of(left->finding->subject), text_of(right->finding->subject));
    if (order == 0)
        order = strcmp(text_of(left->finding->rule), text_of(right->finding->rule));
    return order ? order : (left->place > right->place) - (left->place < right->place);
}

static int by_place(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    return (left->place > right->place) - (left->place < right->place);
}

static bool are_alike(const struct sarif_finding *a, const struct sarif_finding *b)
{
    return strcmp(text_of(a->subject), text_of(b->subject)) == 0 && strcmp(text_of(a->rule), text_of(b->rule)) == 0;
}

/* "RFC9293:MUST-10" → https://www.rfc-editor.org/rfc/rfc9293#section-3.5; "" when the requirement is of no RFC. */
static void make_help_uri(const struct requirement *r, char *out, size_t size)
{
    unsigned long number = strncmp(r->id, "RFC", 3) == 0 ? strtoul(r->id + 3, NULL, 10) : 0;
    const size_t len = strspn(r->section, "0123456789.");
    *out = '\0';
    if (number)
        snprintf(out, size, "https://www.rfc-editor.org/rfc/rfc%lu%s%.*s", number, len ? "#section-" : "", (int)len, r->section);
}

static void put_requirement(struct emit *emit, const struct requirement *r)
{
    char uri[128], help[TEXT_BYTES_MAX];
    make_help_uri(r, uri, sizeof uri);
    put_message(emit, "shortDescription", r->text);
    snprintf(help, sizeof help, "%s (section %s, %s): %s\n\nMore, and who tests it: tcpassay explain %s", r->id, r->section,
             requirement_level_text(r->level), r->text, r->id);
    emit_object(emit, "help");
    emit_string(emit, "text", help);
    emit_object_end(emit);
    if (*uri)
        emit_string(emit, "helpUri", uri);
}

static void put_model_rule(struct emit *emit, const struct rule *rule)
{
    char help[TEXT_BYTES_MAX];
    snprintf(help, sizeof help, "%s: when %s, %s. More: tcpassay explain rule:%s", rule->section, rule->condition, rule->demand,
             rule->name);
    put_message(emit, "shortDescription", rule->demand);
    put_message(emit, "help", help);
}

static void put_rule(struct emit *emit, const char *id, enum sarif_level level)
{
    const struct requirement *requirement = requirement_find(id);
    const struct rule *rule = requirement ? NULL : rule_find(id);
    emit->newline = true;
    emit_object(emit, NULL);
    put_name(emit, "id", id);
    if (requirement)
        put_requirement(emit, requirement);
    else if (rule)
        put_model_rule(emit, rule);
    else
        put_message(emit, "shortDescription", id);
    emit_object(emit, "defaultConfiguration");
    emit_string(emit, "level", level_texts[level]);
    emit_object_end(emit);
    emit_object(emit, "properties");
    emit_list(emit, "tags");
    emit_string(emit, NULL, "conformance");
    emit_string(emit, NULL, "tcp");
    emit_list_end(emit);
    emit_object_end(emit);
    emit_object_end(emit);
}

/* Numbers rules and what is alike; rows must be in the order of by_id(). */
static void put_rules(struct emit *emit, struct row *rows, size_t count)
{
    size_t rules = 0;
    emit_list(emit, "rules");
    for (size_t i = 0; i < count; i++) {
        const bool same = i > 0 && strcmp(rows[i].id, rows[i - 1].id) == 0;
        if (!same) {
            const struct requirement *requirement = requirement_find(rows[i].id);
            put_rule(emit, rows[i].id, requirement ? sarif_level_of(requirement->level) : rows[i].finding->level);
            rules++;
        }
        rows[i].rule = rules - 1;
        rows[i].alike = same && are_alike(rows[i].finding, rows[i - 1].finding) ? rows[i - 1].alike + 1 : 0;
    }
    emit_list_end(emit);
}

/* ---- results --------------------------------------------------------------------------------------------------- */

static uint64_t hash_more(uint64_t hash, const char *text) /* FNV-1a, with the terminator, so that "a" "bc" is not "ab" "c" */
{
    for (;; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
        if (!*text)
            return hash;
    }
}

static void put_fingerprint(struct emit *emit, const struct row *row)
{
    char text[48];
    uint64_t hash = hash_more(UINT64_C(0xcbf29ce484222325), row->id);
    hash = hash_more(hash, text_of(row->finding->rule));
    hash = hash_more(hash, text_of(row->finding->subject));
    snprintf(text, sizeof text, "%016" PRIx64 ":%u", hash, row->alike + 1);
    emit_object(emit, "partialFingerprints");
    emit_string(emit, "tcpassay/v1", text);
    emit_object_end(emit);
}

static void put_subject(struct emit *emit, const char *subject)
{
    emit_list(emit, "logicalLocations");
    emit_object(emit, NULL);
    put_name(emit, "fullyQualifiedName", *text_of(subject) ? subject : "(no name)");
    emit_string(emit, "kind", "member");
    emit_object_end(emit);
    emit_list_end(emit);
}

static void put_location(struct emit *emit, const struct sarif_log *log, const struct sarif_finding *f)
{
    char uri[URI_BYTES_MAX];
    emit_list(emit, "locations");
    emit_object(emit, NULL);
    if (make_uri(text_of(f->file), uri)) {
        emit_object(emit, "physicalLocation");
        emit_object(emit, "artifactLocation");
        emit_string(emit, "uri", uri);
        emit_string(emit, "uriBaseId", log->bases[f->base].name);
        emit_object_end(emit);
        emit_object(emit, "region");
        emit_whole(emit, "startLine", f->line ? f->line : 1);
        emit_object_end(emit);
        emit_object_end(emit);
    }
    put_subject(emit, f->subject);
    emit_object_end(emit);
    emit_list_end(emit);
}

static void put_what(struct emit *emit, const struct sarif_finding *f)
{
    char message[MESSAGE_BYTES_MAX], said[TEXT_BYTES_MAX], expected[TEXT_BYTES_MAX], observed[TEXT_BYTES_MAX];
    snprintf(message, sizeof message, "%s%s%s%s%s", text_show(text_of(f->message), said, sizeof said / 2),
             *text_of(f->expected) ? ": expected " : "", text_show(text_of(f->expected), expected, sizeof expected / 4),
             *text_of(f->observed) ? ", observed " : "", text_show(text_of(f->observed), observed, sizeof observed / 4));
    put_message(emit, "message", message);
}

static void put_result(struct emit *emit, const struct sarif_log *log, const struct row *row)
{
    const struct sarif_finding *f = row->finding;
    emit->newline = true;
    emit_object(emit, NULL);
    put_name(emit, "ruleId", row->id);
    emit_whole(emit, "ruleIndex", (int64_t)row->rule);
    emit_string(emit, "level", level_texts[f->level]);
    put_what(emit, f);
    put_location(emit, log, f);
    put_fingerprint(emit, row);
    if (f->known) {
        emit_list(emit, "suppressions");
        emit_object(emit, NULL);
        emit_string(emit, "kind", "external");
        emit_string(emit, "status", "accepted");
        put_text(emit, "justification", *f->known ? f->known : "known");
        emit_object_end(emit);
        emit_list_end(emit);
    } else {
        emit_list(emit, "suppressions"); /* §3.27.23: an empty list says that it was looked at, and is not suppressed */
        emit_list_end(emit);
    }
    emit_object(emit, "properties");
    put_name(emit, "rule", f->rule);
    put_name(emit, "test", f->subject);
    emit_object_end(emit);
    emit_object_end(emit);
}

/* ---- log ------------------------------------------------------------------------------------------------------- */

static void put_notices(struct emit *emit, const struct sarif_log *log)
{
    emit_list(emit, "toolExecutionNotifications");
    for (size_t i = 0; i < log->notice_count; i++) {
        const struct sarif_notice *notice = &log->notices[i];
        emit->newline = true;
        emit_object(emit, NULL);
        emit_string(emit, "level", level_texts[notice->level]);
        put_message(emit, "message", notice->message);
        if (*text_of(notice->subject)) {
            emit_list(emit, "locations");
            emit_object(emit, NULL);
            put_subject(emit, notice->subject);
            emit_object_end(emit);
            emit_list_end(emit);
        }
        emit_object_end(emit);
    }
    emit_list_end(emit);
}

static void put_run(struct emit *emit, const struct sarif_log *log, struct row *rows)
{
    emit_object(emit, "tool");
    emit_object(emit, "driver");
    emit_string(emit, "name", "tcpassay");
    put_name(emit, "version", log->version);
    put_rules(emit, rows, log->finding_count);
    emit_object_end(emit);
    emit_object_end(emit);

    emit_list(emit, "invocations");
    emit_object(emit, NULL);
    emit_bool(emit, "executionSuccessful", log->complete);
    if (is_date(text_of(log->started)))
        emit_string(emit, "startTimeUtc", log->started);
    put_notices(emit, log);
    emit_object_end(emit);
    emit_list_end(emit);

    emit_object(emit, "automationDetails");
    put_name(emit, "id", log->category);
    emit_object_end(emit);
    emit_object(emit, "originalUriBaseIds");
    for (size_t i = 0; i < log->base_count; i++) {
        emit_object(emit, log->bases[i].name);
        put_message(emit, "description", log->bases[i].text);
        emit_object_end(emit);
    }
    emit_object_end(emit);
    emit_string(emit, "columnKind", "unicodeCodePoints");

    qsort(rows, log->finding_count, sizeof *rows, by_place);
    emit_list(emit, "results");
    for (size_t i = 0; i < log->finding_count; i++)
        put_result(emit, log, &rows[i]);
    emit_list_end(emit);
}

bool sarif_print(const struct sarif_log *log, FILE *out)
{
    struct emit emit = {.out = out};
    struct row *rows = calloc(log->finding_count + 1, sizeof *rows);
    if (!rows)
        return false;
    for (size_t i = 0; i < log->finding_count; i++)
        rows[i] = (struct row){.finding = &log->findings[i], .id = id_of(&log->findings[i]), .place = i};
    qsort(rows, log->finding_count, sizeof *rows, by_id);
    emit_object(&emit, NULL);
    emit_string(&emit, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    emit_string(&emit, "version", "2.1.0");
    emit_list(&emit, "runs");
    emit_object(&emit, NULL);
    put_run(&emit, log, rows);
    emit_object_end(&emit);
    emit_list_end(&emit);
    emit_object_end(&emit);
    putc('\n', out);
    free(rows);
    return true;
}
