/* An HTTP answer, line by line and octet by octet (see http.h). */
#include "engine/probe/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "HTTP/1.1 200 OK" */
static void read_status(struct answer *a)
{
    int minor = 0, status = 0, at = 0;
    if (sscanf(a->line, "HTTP/1.%1d %3d%n", &minor, &status, &at) < 2 || status < 100) { /* NOLINT(cert-err34-c): digits are counted */
        a->state = ANSWER_BROKEN;
        return;
    }
    a->status = status;
    a->status_seen = true;
    a->keeps_open = minor >= 1;
    a->chunked = a->has_length = false;
    a->empty = status < 200 || status == 204 || status == 304;
    snprintf(a->status_text, sizeof a->status_text, "%d%.50s", status, a->line + at);
    for (char *c = a->status_text; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}

static bool has_word(const char *list, const char *word)
{
    return strcasestr(list, word) != NULL;
}

static void read_field(struct answer *a)
{
    char *value = strchr(a->line, ':');
    if (!value)
        return;
    *value++ = '\0';
    value += strspn(value, " \t");
    if (!strcasecmp(a->line, "content-length")) {
        char *end;
        a->left = strtoull(value, &end, 10);
        a->has_length = true;
        if (*value < '0' || *value > '9' || end[strspn(end, " \t")] || a->left > ANSWER_BODY_MAX)
            a->state = ANSWER_BROKEN;
    } else if (!strcasecmp(a->line, "transfer-encoding")) {
        a->chunked |= has_word(value, "chunked");
    } else if (!strcasecmp(a->line, "connection")) {
        a->keeps_open = !has_word(value, "close") && (a->keeps_open || has_word(value, "keep-alive"));
    }
}

static void end_head(struct answer *a)
{
    if (!a->status_seen) {
        a->state = ANSWER_BROKEN;
    } else if (a->status < 200) { /* an interim answer (RFC 9110 §15.2): the real one follows */
        a->status_seen = false;
    } else if (a->empty) {
        a->state = ANSWER_DONE;
    } else if (a->chunked) {
        a->state = ANSWER_CHUNK_SIZE;
    } else if (a->has_length) {
        a->state = a->left ? ANSWER_BODY : ANSWER_DONE;
    } else {
        a->state = ANSWER_UNTIL_CLOSE;
        a->keeps_open = false;
    }
}

static void read_chunk_size(struct answer *a)
{
    char *end;
    a->left = strtoull(a->line, &end, 16);
    const bool hexadecimal = end != a->line && strspn(a->line, "0123456789abcdefABCDEF") == (size_t)(end - a->line);
    a->state = !hexadecimal || a->left > ANSWER_BODY_MAX ? ANSWER_BROKEN : a->left ? ANSWER_CHUNK : ANSWER_TRAILER;
}

static void take_line(struct answer *a)
{
    switch (a->state) {
    case ANSWER_HEAD:
        if (!a->line_len)
            end_head(a);
        else if (!a->status_seen)
            read_status(a);
        else
            read_field(a);
        break;
    case ANSWER_CHUNK_SIZE: read_chunk_size(a); break;
    case ANSWER_CHUNK_END: a->state = a->line_len ? ANSWER_BROKEN : ANSWER_CHUNK_SIZE; break;
    case ANSWER_TRAILER: a->state = a->line_len ? ANSWER_TRAILER : ANSWER_DONE; break;
    default: break;
    }
}

static void take_octet_of_line(struct answer *a, char octet)
{
    if (octet == '\n') {
        a->line_len -= a->line_len && a->line[a->line_len - 1] == '\r';
        a->line[a->line_len] = '\0';
        take_line(a);
        a->line_len = 0;
    } else if (a->line_len == sizeof a->line - 1 || ++a->head_len > ANSWER_HEAD_MAX) {
        a->state = ANSWER_BROKEN;
    } else {
        a->line[a->line_len++] = octet ? octet : '?';
    }
}

static size_t take_body(struct answer *a, size_t len)
{
    const size_t taken = a->state == ANSWER_UNTIL_CLOSE || len < a->left ? len : (size_t)a->left;
    a->body_len += taken;
    if (a->body_len > ANSWER_BODY_MAX) {
        a->state = ANSWER_BROKEN;
        return taken;
    }
    if (a->state == ANSWER_UNTIL_CLOSE)
        return taken;
    a->left -= taken;
    if (!a->left)
        a->state = a->state == ANSWER_CHUNK ? ANSWER_CHUNK_END : ANSWER_DONE;
    return taken;
}

void answer_take(struct answer *a, const uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len && a->state != ANSWER_DONE && a->state != ANSWER_BROKEN;) {
        if (a->state == ANSWER_BODY || a->state == ANSWER_CHUNK || a->state == ANSWER_UNTIL_CLOSE)
            at += take_body(a, len - at);
        else
            take_octet_of_line(a, (char)bytes[at++]);
    }
}

bool answer_end(struct answer *a)
{
    if (a->state == ANSWER_UNTIL_CLOSE)
        a->state = ANSWER_DONE;
    return a->state == ANSWER_DONE;
}
