/* Reads target files into what could as well stand on the command line (see target_file.h). */
#include "engine/cli/target_file.h"
#include "targets/tap/failure.h"
#include "targets/tap/pixit.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDERS = 3, LINE_VALUE_MAX = 500 };
static const char suffix[] = ".target";

/* ---- where they lie */

static bool ends_with_suffix(const char *name)
{
    size_t len = strlen(name), end = sizeof suffix - 1;
    return len > end && !strcmp(name + len - end, suffix);
}

bool target_file_is_meant(const char *target)
{
    return ends_with_suffix(target) && !strchr(target, ':');
}

/* The i-th folder in which a name is looked for, malloc'ed; NULL: there is no such folder. */
static char *folder_at(unsigned i)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *folder = NULL;
    if (i < 2)
        return strdup(i == 0 ? "." : "targets.d");
    if (config && *config == '/')
        return asprintf(&folder, "%s/tcpassay", config) < 0 ? NULL : folder;
    if (home && *home == '/')
        return asprintf(&folder, "%s/.config/tcpassay", home) < 0 ? NULL : folder;
    return NULL;
}

char *target_file_find(const char *target)
{
    if (target_file_is_meant(target))
        return strdup(target);
    if (!*target || strchr(target, '/') || strchr(target, ':'))
        return NULL;
    for (unsigned i = 0; i < FOLDERS; i++) {
        char *folder = folder_at(i), *path = NULL;
        bool found = folder && asprintf(&path, "%s/%s%s", folder, target, suffix) >= 0 && access(path, F_OK) == 0;
        free(folder);
        if (found)
            return path;
        free(path);
    }
    return NULL;
}

static int is_target_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && ends_with_suffix(entry->d_name);
}

void target_file_each(void (*call)(void *context, const char *name, const char *path), void *context)
{
    for (unsigned i = 0; i < FOLDERS; i++) {
        struct dirent **entries = NULL;
        char *folder = folder_at(i);
        int count = folder ? scandir(folder, &entries, is_target_file, alphasort) : 0;
        for (int k = 0; k < count; k++) {
            char *path = NULL, *name = strndup(entries[k]->d_name, strlen(entries[k]->d_name) - (sizeof suffix - 1));
            if (name && asprintf(&path, "%s/%s", folder, entries[k]->d_name) >= 0)
                call(context, name, path);
            free(path);
            free(name);
            free(entries[k]);
        }
        free(entries);
        free(folder);
    }
}

/* ---- what stands in them */

struct reading {
    const char *name, *folder;
    unsigned line;
    struct pixit pixit;    /* to check each key where it stands */
    bool has_target, takes_keys;
    FILE *out;             /* of the keys, ",key=value" each */
    char target[LINE_VALUE_MAX + 1];
};

static bool fail_at(const struct reading *r, struct target_error *error, const char *what)
{
    char text[sizeof error->text];
    snprintf(text, sizeof text, "%s", what);
    return target_fail(error, TARGET_ERR_USAGE, "%.120s:%u: %.350s", r->name, r->line, text);
}

/* A relative file name in it counts from where the target file lies. */
static bool is_file_name(const char *key, const char *value)
{
    return *value != '/' && (!strcmp(key, "key") || (!strcmp(key, "ledger") && strchr(value, '.')));
}

static void put(struct reading *r, const char *key, const char *value)
{
    fprintf(r->out, ",%s=", key);
    if (is_file_name(key, value))
        fprintf(r->out, "%s/", r->folder);
    for (; *value; value++)
        fprintf(r->out, *value == ',' ? "\\%c" : "%c", *value);
}

bool target_file_takes_keys(const char *target)
{
    static const char *const with_keys[] = {"tap:", "unix:", "remote:"};
    for (size_t i = 0; i < sizeof with_keys / sizeof *with_keys; i++)
        if (!strncmp(target, with_keys[i], strlen(with_keys[i])))
            return true;
    return false;
}

static bool take_target(struct reading *r, const char *value, struct target_error *error)
{
    if (r->has_target)
        return fail_at(r, error, "target stands twice: leave one of them away");
    if (strchr(value, ',') && strncmp(value, "saboteur:", 9))
        return fail_at(r, error,
                       "target is what stands before the first comma, as in remote:192.0.2.2; each key has a line of its own here");
    snprintf(r->target, sizeof r->target, "%s", value);
    r->takes_keys = target_file_takes_keys(value);
    return r->has_target = true;
}

static bool take_line(struct reading *r, char *line, struct target_error *error)
{
    char *key = line + strspn(line, " \t"), *equals = strchr(key, '='), *value;
    if (!*key || *key == '#')
        return true;
    if (!equals)
        return fail_at(r, error, "expected KEY = VALUE, or # and a comment");
    value = equals + 1 + strspn(equals + 1, " \t");
    while (equals > key && (equals[-1] == ' ' || equals[-1] == '\t'))
        equals--;
    *equals = '\0';
    if (strlen(value) > LINE_VALUE_MAX)
        return fail_at(r, error, "the value is too long");
    if (!strcmp(key, "target"))
        return take_target(r, value, error);
    if (!r->has_target)
        return fail_at(r, error, "the first key is target, as in target = remote:192.0.2.2");
    if (!r->takes_keys)
        return fail_at(r, error, "this target takes no keys: tap:, unix: and remote: do");
    if (!pixit_set(&r->pixit, key, value, error)) {
        char what[sizeof error->text];
        snprintf(what, sizeof what, "%s", error->text);
        return fail_at(r, error, what);
    }
    put(r, key, value);
    return true;
}

static bool take_lines(struct reading *r, char *text, struct target_error *error)
{
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        size_t len = strlen(line);
        while (len && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r'))
            line[--len] = '\0';
        r->line++;
        if (!take_line(r, line, error))
            return false;
    }
    return r->has_target ||
           target_fail(error, TARGET_ERR_USAGE, "%.200s: there is no target in it, as in target = remote:192.0.2.2", r->name);
}

char *target_file_read(const char *name, const char *folder, const char *text, size_t len, struct target_error *error)
{
    char *keys = NULL, *argument = NULL;
    size_t keys_len = 0;
    if (len > TARGET_FILE_MAX || memchr(text, '\0', len)) {
        target_fail(error, TARGET_ERR_USAGE, "%.200s: %s", name,
                    len > TARGET_FILE_MAX ? "it is too long for a target file" : "it is no text: a zero octet stands in it");
        return NULL;
    }
    struct reading r = {.name = name, .folder = folder, .out = open_memstream(&keys, &keys_len)};
    char *copy = strndup(text, len);
    bool good = r.out && copy && take_lines(&r, copy, error);
    if (!r.out || !copy)
        *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory"};
    if (r.out)
        fclose(r.out);
    if (good && asprintf(&argument, "%s%s", r.target, keys) < 0)
        argument = NULL;
    free(copy);
    free(keys);
    return argument;
}

char *target_file_load(const char *path, struct target_error *error)
{
    static const size_t capacity = TARGET_FILE_MAX + 1;
    FILE *in = fopen(path, "r");
    char *text = malloc(capacity), *argument = NULL, *folder = strdup(path);
    struct stat status;
    *error = (struct target_error){.kind = TARGET_ERR_NONE};
    if (!in || fstat(fileno(in), &status) < 0 || !S_ISREG(status.st_mode)) {
        target_fail(error, TARGET_ERR_USAGE, "%.200s: %s", path, in ? "it is no file" : strerror(errno));
    } else if (text && folder) {
        char *slash = strrchr(folder, '/');
        if (slash)
            *slash = '\0';
        size_t len = fread(text, 1, capacity, in);
        argument = target_file_read(path, slash ? folder : ".", text, len, error);
    } else {
        *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory"};
    }
    if (in)
        fclose(in);
    free(folder);
    free(text);
    return argument;
}
