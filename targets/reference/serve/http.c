/* Parses requests and makes responses, in the steps of a connection's life.
 *
 * Theory of operation. A connection goes round through
 *
 *     HEAD → [CONTINUE →] [BODY →] [COMPUTING →] ANSWER_HEAD → ANSWER_BODY → HEAD …        and ends in FINISHED
 *
 * Octets are taken in HEAD and BODY only, and given in CONTINUE, ANSWER_HEAD and ANSWER_BODY only. So memory is bounded: one head,
 * one response head, and counters. A request that cannot be understood is answered and the connection then finished, for where the
 * next one begins is not known. */
#include "targets/reference/serve/http.h"
#include "targets/reference/serve/pattern.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum phase { HEAD, CONTINUE, BODY, COMPUTING, ANSWER_HEAD, ANSWER_BODY, FINISHED };
enum source { SOURCE_TEXT, SOURCE_PATTERN, SOURCE_FILE };
enum { TEXT_MAX = 1024, ANSWER_HEAD_MAX = 512, COMPUTED_AT_A_TIME = 1 << 15 };

struct http {
    const struct http_config *config;
    enum phase phase;
    char head[HTTP_HEAD_MAX + 1];
    size_t head_len;
    /* The request. */
    char *target;                /* in head; percent-decoded, without query */
    bool is_head, keep_alive, expects_continue, chunked;
    bool has_length;
    uint64_t body_len;           /* still to be taken */
    uint64_t taken;              /* of the body */
    crypto_hash_sha256_state sum;
    /* The response. */
    char answer[ANSWER_HEAD_MAX];
    size_t answer_len, answer_at;
    enum source source;
    char text[TEXT_MAX];
    int file_fd;                 /* SOURCE_FILE, or -1 */
    uint64_t content_len, content_at;
    uint64_t to_compute;         /* COMPUTING: octets of the pattern */
};

struct http *http_new(const struct http_config *config)
{
    struct http *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->config = config;
    h->file_fd = -1;
    return h;
}

static void close_file(struct http *h)
{
    if (h->file_fd >= 0)
        close(h->file_fd);
    h->file_fd = -1;
}

void http_free(struct http *h)
{
    if (h)
        close_file(h);
    free(h);
}

bool http_is_finished(const struct http *h)
{
    return h->phase == FINISHED;
}

bool http_is_busy(const struct http *h)
{
    return h->phase == COMPUTING;
}

/* ---- responses ------------------------------------------------------------------------------------------------- */

static void answer(struct http *h, const char *status, const char *type, enum source source, uint64_t content_len)
{
    h->source = source;
    h->content_len = content_len;
    h->content_at = 0;
    int len = snprintf(h->answer, sizeof h->answer,
                       "HTTP/1.1 %s\r\nServer: tcpassay\r\nContent-Type: %s\r\nContent-Length: %llu\r\n%s%s\r\n", status, type,
                       (unsigned long long)content_len, strncmp(status, "405", 3) == 0 ? "Allow: GET, HEAD, PUT, POST\r\n" : "",
                       h->keep_alive ? "" : "Connection: close\r\n");
    assert(len > 0 && (size_t)len < sizeof h->answer);
    h->answer_len = (size_t)len;
    h->answer_at = 0;
    h->phase = ANSWER_HEAD;
}

static void answer_text(struct http *h, const char *status)
{
    answer(h, status, "text/plain", SOURCE_TEXT, strlen(h->text));
}

/* The connection cannot go on after it. */
static void refuse(struct http *h, const char *status)
{
    h->keep_alive = false;
    snprintf(h->text, sizeof h->text, "%s\n", status);
    answer_text(h, status);
}

static void not_found(struct http *h)
{
    snprintf(h->text, sizeof h->text, "404 Not Found\n");
    answer_text(h, "404 Not Found");
}

static void finish_sum(struct http *h, char hex[static 2 * crypto_hash_sha256_BYTES + 1])
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&h->sum, sum);
    sodium_bin2hex(hex, 2 * sizeof sum + 1, sum, sizeof sum);
}

static void answer_upload(struct http *h)
{
    char hex[2 * crypto_hash_sha256_BYTES + 1];
    finish_sum(h, hex);
    snprintf(h->text, sizeof h->text, "%llu %s\n", (unsigned long long)h->taken, hex);
    answer_text(h, "200 OK");
}

/* Some of the pattern's checksum; the whole may take longer than other connections can wait. */
static void compute(struct http *h)
{
    uint8_t part[4096];
    for (size_t done = 0; done < COMPUTED_AT_A_TIME && h->to_compute; done += sizeof part) {
        size_t len = h->to_compute < sizeof part ? (size_t)h->to_compute : sizeof part;
        pattern_fill(h->taken, part, len);
        crypto_hash_sha256_update(&h->sum, part, len);
        h->taken += len;
        h->to_compute -= len;
    }
    if (h->to_compute)
        return;
    char hex[2 * crypto_hash_sha256_BYTES + 1];
    finish_sum(h, hex);
    snprintf(h->text, sizeof h->text, "%s\n", hex);
    answer_text(h, "200 OK");
}

/* ---- requests -------------------------------------------------------------------------------------------------- */

static bool parse_u64(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (!isdigit((unsigned char)*text))
        return false;
    for (; isdigit((unsigned char)*text); text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return !*text;
}

/* "/a%20b?c" → "/a b", in place. False when an escape is none, or hides a NUL. */
static bool decode_target(char *target)
{
    char *out = target;
    for (const char *in = target; *in && *in != '?'; in++) {
        unsigned value;
        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        if (!isxdigit((unsigned char)in[1]) || !isxdigit((unsigned char)in[2]) || sscanf(in + 1, "%2x", &value) != 1 || !value)
            return false;
        *out++ = (char)value;
        in += 2;
    }
    *out = '\0';
    return true;
}

static void serve_file(struct http *h)
{
    const char *path = h->target[1] ? h->target + 1 : "index.html";
    const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    struct stat st;
    h->file_fd = (int)syscall(SYS_openat2, h->config->root_fd, path, &how, sizeof how);
    if (h->file_fd < 0 || fstat(h->file_fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close_file(h);
        not_found(h);
        return;
    }
    answer(h, "200 OK", "application/octet-stream", SOURCE_FILE, (uint64_t)st.st_size);
}

static void get(struct http *h)
{
    uint64_t n;
    if (strncmp(h->target, "/bytes/", 7) == 0 && parse_u64(h->target + 7, HTTP_BYTES_MAX, &n)) {
        answer(h, "200 OK", "application/octet-stream", SOURCE_PATTERN, n);
    } else if (strncmp(h->target, "/sha256/", 8) == 0 && parse_u64(h->target + 8, HTTP_BYTES_MAX, &n)) {
        h->to_compute = n;
        h->phase = COMPUTING;
    } else if (h->config->root_fd >= 0) {
        serve_file(h);
    } else if (h->config->has_size) {
        answer(h, "200 OK", "application/octet-stream", SOURCE_PATTERN, h->config->size);
    } else if (strcmp(h->target, "/") == 0) {
        snprintf(h->text, sizeof h->text,
                 "tcpassay: a TCP that is not this machine's.\n\n/bytes/N    N octets\n/sha256/N   their SHA-256\n"
                 "PUT, POST   any path: answers with the number of octets and their SHA-256\n");
        answer_text(h, "200 OK");
    } else {
        not_found(h);
    }
}

/* One "Name: value" line. False when it is none, or contradicts another. */
static bool take_field(struct http *h, char *line)
{
    char *colon = strchr(line, ':');
    if (!colon || colon == line)
        return false;
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    for (size_t len = strlen(value); len && (value[len - 1] == ' ' || value[len - 1] == '\t'); len--)
        value[len - 1] = '\0';
    if (strcasecmp(line, "Content-Length") == 0) {
        uint64_t len;
        if (!parse_u64(value, UINT64_MAX, &len) || (h->has_length && len != h->body_len))
            return false;
        h->has_length = true;
        h->body_len = len;
    } else if (strcasecmp(line, "Transfer-Encoding") == 0) {
        h->chunked = true;
    } else if (strcasecmp(line, "Connection") == 0) {
        if (strcasecmp(value, "close") == 0)
            h->keep_alive = false;
        if (strcasecmp(value, "keep-alive") == 0)
            h->keep_alive = true;
    } else if (strcasecmp(line, "Expect") == 0) {
        h->expects_continue = strcasecmp(value, "100-continue") == 0;
    }
    return true;
}

/* The next line of the head, without its end; NULL after the last. */
static char *next_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');
    if (!end)
        return NULL;
    *at = end + 1;
    *end = '\0';
    if (end > line && end[-1] == '\r')
        end[-1] = '\0';
    return line;
}

/* "GET /path HTTP/1.1": cuts the line into its parts. */
static bool take_request_line(struct http *h, char *line, const char **method)
{
    char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;
    if (!version || target[1] != '/')
        return false;
    *target++ = '\0';
    *version++ = '\0';
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return false;
    h->keep_alive = strcmp(version, "HTTP/1.1") == 0;
    *method = line;
    h->target = target;
    return decode_target(target);
}

static void dispatch(struct http *h, const char *method)
{
    bool puts = strcmp(method, "PUT") == 0 || strcmp(method, "POST") == 0;
    h->is_head = strcmp(method, "HEAD") == 0;
    crypto_hash_sha256_init(&h->sum);
    h->taken = 0;
    if (h->chunked || (puts && !h->has_length))
        refuse(h, "411 Length Required");
    else if (!puts && h->body_len)
        refuse(h, "400 Bad Request");
    else if (puts)
        h->phase = h->expects_continue && h->body_len ? CONTINUE : BODY;
    else if (h->is_head || strcmp(method, "GET") == 0)
        get(h);
    else
        refuse(h, "405 Method Not Allowed");
    if (h->phase == BODY && !h->body_len)
        answer_upload(h);
    if (h->phase == CONTINUE) {
        h->answer_len = (size_t)snprintf(h->answer, sizeof h->answer, "HTTP/1.1 100 Continue\r\n\r\n");
        h->answer_at = 0;
    }
}

/* The head is whole, and ends in an empty line. */
static void take_request(struct http *h)
{
    char *at = h->head, *line = next_line(&at);
    const char *method = NULL;
    h->keep_alive = h->expects_continue = h->chunked = h->has_length = h->is_head = false;
    h->body_len = 0;
    bool understood = line && take_request_line(h, line, &method);
    while (understood && (line = next_line(&at)) && *line)
        understood = take_field(h, line);
    if (understood)
        dispatch(h, method);
    else
        refuse(h, "400 Bad Request");
    h->head_len = 0;
}

/* ---- octets in ------------------------------------------------------------------------------------------------- */

static bool head_is_whole(const struct http *h)
{
    const char *head = h->head;
    size_t len = h->head_len;
    return (len >= 2 && memcmp(head + len - 2, "\n\n", 2) == 0) || (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0);
}

static size_t take_head(struct http *h, const uint8_t *bytes, size_t len)
{
    size_t taken = 0;
    while (taken < len && h->phase == HEAD) {
        char c = (char)bytes[taken++];
        if (!h->head_len && (c == '\r' || c == '\n')) /* RFC 9112 §2.2: empty lines before a request are ignored */
            continue;
        if (!c || h->head_len == HTTP_HEAD_MAX) {
            refuse(h, c ? "431 Request Header Fields Too Large" : "400 Bad Request");
            break;
        }
        h->head[h->head_len++] = c;
        h->head[h->head_len] = '\0';
        if (c == '\n' && head_is_whole(h))
            take_request(h);
    }
    return taken;
}

static size_t take_body(struct http *h, const uint8_t *bytes, size_t len)
{
    size_t taken = len < h->body_len ? len : (size_t)h->body_len;
    crypto_hash_sha256_update(&h->sum, bytes, taken);
    h->taken += taken;
    h->body_len -= taken;
    if (!h->body_len)
        answer_upload(h);
    return taken;
}

size_t http_take(struct http *h, const uint8_t *bytes, size_t len)
{
    if (h->phase == HEAD)
        return take_head(h, bytes, len);
    return h->phase == BODY ? take_body(h, bytes, len) : 0;
}

/* ---- octets out ------------------------------------------------------------------------------------------------ */

static size_t give_text(const char *text, size_t text_len, size_t *at, uint8_t *out, size_t capacity)
{
    size_t len = text_len - *at < capacity ? text_len - *at : capacity;
    memcpy(out, text + *at, len);
    *at += len;
    return len;
}

static size_t give_content(struct http *h, uint8_t *out, size_t capacity)
{
    uint64_t left = h->content_len - h->content_at;
    size_t len = left < capacity ? (size_t)left : capacity;
    if (h->source == SOURCE_PATTERN)
        pattern_fill(h->content_at, out, len);
    if (h->source == SOURCE_TEXT)
        memcpy(out, h->text + h->content_at, len);
    if (h->source == SOURCE_FILE && len) {
        ssize_t got = pread(h->file_fd, out, len, (off_t)h->content_at);
        if (got <= 0) { /* the file has shrunk: only the connection's end can tell */
            h->phase = FINISHED;
            return 0;
        }
        len = (size_t)got;
    }
    h->content_at += len;
    return len;
}

static void next_request(struct http *h)
{
    close_file(h);
    h->phase = h->keep_alive ? HEAD : FINISHED;
}

size_t http_give(struct http *h, uint8_t *out, size_t capacity)
{
    size_t given = 0;
    if (h->phase == COMPUTING)
        compute(h);
    if (h->phase == CONTINUE || h->phase == ANSWER_HEAD) {
        given = give_text(h->answer, h->answer_len, &h->answer_at, out, capacity);
        if (h->answer_at == h->answer_len)
            h->phase = h->phase == CONTINUE ? BODY : ANSWER_BODY;
    }
    if (h->phase == ANSWER_BODY) {
        if (!h->is_head)
            given += give_content(h, out + given, capacity - given);
        if (h->phase == ANSWER_BODY && (h->is_head || h->content_at == h->content_len))
            next_request(h);
    }
    return given;
}
