/* Appends results to DIR/results.jsonl so that nothing finished is ever lost.
 *
 * The file only ever holds whole lines: a line goes out in one write, and one that did not go out whole is cut off again before the
 * caller hears of it. What remains possible is a line torn by a kill in the middle of that write; whoever opens the file next cuts
 * it off (RESULTS_RESUME) or leaves it out (results_read). A new run starts in results.jsonl.new and takes the old file's place
 * only when its header is on disk, so that a full disk does not cost the results that are already there. The directory, not the
 * file, carries the lock, because the file is replaced.
 */
#include "reports/results.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/encode.h"

static const char file_name[] = "results.jsonl";
static const char new_name[] = "results.jsonl.new";

struct results_writer {
    int dir_fd;
    int fd;
    off_t len;       /* octets of whole lines */
    char dir[PATH_MAX];
    char error[PATH_MAX + 512];
};

/* Keeps the message of a failure; returns -1 for the caller to pass on. */
__attribute__((format(printf, 2, 3))) static int fault(struct results_writer *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(w->error, sizeof w->error, format, arguments);
    va_end(arguments);
    return -1;
}

static int make_directories(struct results_writer *w)
{
    for (char *slash = w->dir + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        const int made = mkdir(w->dir, 0777);
        const int why = errno;
        const bool there = made == 0 || why == EEXIST;
        if (!there)
            fault(w, "%s: cannot be created: %s; name a directory that can be written with --out", w->dir, strerror(why));
        *slash = '/';
        if (!there)
            return -1;
    }
    if (mkdir(w->dir, 0777) != 0 && errno != EEXIST)
        return fault(w, "%s: cannot be created: %s; name a directory that can be written with --out", w->dir, strerror(errno));
    return 0;
}

static int lock_directory(struct results_writer *w)
{
    w->dir_fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->dir_fd < 0)
        return fault(w, "%s: cannot be opened: %s; name a directory that can be written with --out", w->dir, strerror(errno));
    if (flock(w->dir_fd, LOCK_EX | LOCK_NB) != 0)
        return fault(w, "%s: another run is writing its results here; let it finish, or name another directory with --out", w->dir);
    return 0;
}

/* Everything, or as much as goes. Returns the octets written; errno says why when they are fewer than len. */
static size_t write_all(int fd, const char *bytes, size_t len)
{
    size_t done = 0;
    while (done < len) {
        const ssize_t n = write(fd, bytes + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return done;
        done += (size_t)n;
    }
    return done;
}

static int append_line(struct results_writer *w, const char *line, size_t len)
{
    errno = 0;
    if (write_all(w->fd, line, len) == len) {
        w->len += (off_t)len;
        return 0;
    }
    const int why = errno ? errno : ENOSPC;
    const bool undone = ftruncate(w->fd, w->len) == 0;
    return fault(w, "%s/%s: a line could not be written: %s; the results before it are %s. Make room, then go on with --resume", w->dir,
                 file_name, strerror(why), undone ? "intact" : "intact, but a torn line follows them");
}

/* Takes the reference to value and writes it as one line. */
static int append_json(struct results_writer *w, json_t *value, const char *what)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    json_decref(value);
    if (!text)
        return fault(w, "%s/%s: %s could not be written: out of memory", w->dir, file_name, what);
    const size_t len = strlen(text);
    int result = -1;
    if (len >= RESULTS_LINE_BYTES_MAX) {
        fault(w, "%s/%s: %s would take %zu octets, more than the %d that a line may have", w->dir, file_name, what, len,
              RESULTS_LINE_BYTES_MAX);
    } else {
        text[len] = '\n'; /* in place of the NUL, which the length makes unnecessary */
        result = append_line(w, text, len + 1);
    }
    free(text);
    return result;
}

static int sync_file(struct results_writer *w)
{
    if (fdatasync(w->fd) != 0 && errno != EINVAL && errno != EROFS) /* these two: a file system that knows no syncing */
        return fault(w, "%s/%s: cannot be brought to disk: %s", w->dir, file_name, strerror(errno));
    return 0;
}

static int start_new(struct results_writer *w, const struct result_run *run)
{
    w->fd = openat(w->dir_fd, new_name, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (w->fd < 0)
        return fault(w, "%s/%s: cannot be created: %s; name a directory that can be written with --out", w->dir, new_name,
                     strerror(errno));
    if (append_json(w, encode_run(run), "the header") != 0 || sync_file(w) != 0) {
        unlinkat(w->dir_fd, new_name, 0);
        return -1;
    }
    if (renameat(w->dir_fd, new_name, w->dir_fd, file_name) != 0)
        return fault(w, "%s/%s: cannot be put in place: %s", w->dir, file_name, strerror(errno));
    return 0;
}

/* Octets up to and with the last newline: what is whole of a file of that length; -1 when it cannot be read. */
static off_t whole_lines(int fd, off_t len)
{
    char block[4096];
    while (len > 0) {
        const size_t part = len < (off_t)sizeof block ? (size_t)len : sizeof block;
        if (pread(fd, block, part, len - (off_t)part) != (ssize_t)part)
            return -1;
        const char *newline = memrchr(block, '\n', part);
        if (newline)
            return len - (off_t)part + (newline - block) + 1;
        len -= (off_t)part;
    }
    return 0;
}

static int resume(struct results_writer *w, const struct result_run *run)
{
    w->fd = openat(w->dir_fd, file_name, O_RDWR | O_APPEND | O_CLOEXEC);
    if (w->fd < 0 && errno == ENOENT)
        return start_new(w, run);
    struct stat info;
    if (w->fd < 0 || fstat(w->fd, &info) != 0)
        return fault(w, "%s/%s: cannot be opened: %s", w->dir, file_name, strerror(errno));
    w->len = whole_lines(w->fd, info.st_size);
    if (w->len < 0)
        return fault(w, "%s/%s: cannot be read: %s", w->dir, file_name, strerror(errno));
    if (w->len < info.st_size && ftruncate(w->fd, w->len) != 0)
        return fault(w, "%s/%s: its torn last line cannot be cut off: %s", w->dir, file_name, strerror(errno));
    return w->len > 0 ? 0 : append_json(w, encode_run(run), "the header");
}

struct results_writer *results_writer_open(const char *dir, enum results_mode mode, const struct result_run *run, char *error,
                                           size_t error_size)
{
    struct results_writer *w = calloc(1, sizeof *w);
    if (!w) {
        snprintf(error, error_size, "%s: out of memory", dir);
        return NULL;
    }
    w->dir_fd = w->fd = -1;
    const size_t len = strlen(dir);
    int result = -1;
    if (len == 0 || len >= sizeof w->dir)
        fault(w, "the directory for results has a name of %zu octets; 1 to %zu are possible", len, sizeof w->dir - 1);
    else
        result = 0;
    if (result == 0) {
        memcpy(w->dir, dir, len + 1);
        result = make_directories(w) == 0 && lock_directory(w) == 0 ? 0 : -1;
    }
    if (result == 0)
        result = mode == RESULTS_RESUME ? resume(w, run) : start_new(w, run);
    if (result == 0)
        return w;
    snprintf(error, error_size, "%s", w->error);
    results_writer_close(w);
    return NULL;
}

int results_writer_test(struct results_writer *writer, const struct result_test *test)
{
    assert(test->id && *test->id);
    json_t *line = json_pack("{s:s}", "type", "test");
    json_t *fields = encode_test(test);
    const size_t id_len = json_string_length(json_object_get(fields, "id"));
    if (id_len > RESULTS_ID_BYTES_MAX) {
        json_decref(line);
        json_decref(fields);
        return fault(writer, "%s/%s: a test's id has %zu octets; %d are possible", writer->dir, file_name, id_len,
                     RESULTS_ID_BYTES_MAX);
    }
    if (!line || !fields || json_object_update(line, fields) != 0) {
        json_decref(line);
        line = NULL;
    }
    json_decref(fields);
    return append_json(writer, line, test->id);
}

int results_writer_model(struct results_writer *writer, const struct result_model *seen)
{
    return append_json(writer, encode_model(seen), "what the model saw");
}

int results_writer_end(struct results_writer *writer, int64_t duration_ns)
{
    return append_json(writer, encode_end(duration_ns), "the end") == 0 ? sync_file(writer) : -1;
}

const char *results_writer_error(const struct results_writer *writer)
{
    return writer->error;
}

void results_writer_close(struct results_writer *writer)
{
    if (!writer)
        return;
    if (writer->fd >= 0)
        close(writer->fd);
    if (writer->dir_fd >= 0)
        close(writer->dir_fd); /* and with it the lock */
    free(writer);
}
