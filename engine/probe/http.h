/* Reads one answer of an HTTP/1.x server (RFC 9112) as far as is needed to know when it ends. Sans-I/O; takes any octets. */
#ifndef TCPASSAY_PROBE_HTTP_H
#define TCPASSAY_PROBE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWER_LINE_MAX = 8192, ANSWER_HEAD_MAX = 65536 };
#define ANSWER_BODY_MAX (UINT64_C(64) << 20)

enum answer_state { ANSWER_HEAD, ANSWER_BODY, ANSWER_CHUNK_SIZE, ANSWER_CHUNK, ANSWER_CHUNK_END, ANSWER_TRAILER,
                    ANSWER_UNTIL_CLOSE /* only the end of the connection ends it */, ANSWER_DONE, ANSWER_BROKEN /* no HTTP, or too much */ };
struct answer { /* starts zeroed */
    enum answer_state state;
    bool status_seen, keeps_open, chunked, has_length, empty; /* empty: no body by its status */
    int status;
    char status_text[64];        /* "200 OK", printable */
    uint64_t left, body_len;
    size_t head_len, line_len;
    char line[ANSWER_LINE_MAX];
};

/* Takes the next octets; what follows the end of the answer is left alone. */
void answer_take(struct answer *a, const uint8_t *bytes, size_t len);
/* The connection has ended: true when the answer was whole. */
bool answer_end(struct answer *a);

#endif
