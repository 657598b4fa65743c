/* A small HTTP/1.1 server (RFC 9112) for one connection, sans-I/O: requests in, responses out.
 *
 *   GET /bytes/N        N octets of the pattern                  GET /sha256/N   their SHA-256, in hexadecimal
 *   PUT, POST any path  a sink: answers with the number of octets and their SHA-256
 *   GET /…              a file below the root; with a size, that many octets of the pattern; else a page that tells all this
 *
 * HEAD works as GET. Connections stay open, requests may be pipelined, "Expect: 100-continue" is honoured. Bodies need a length:
 * chunked ones are refused (411). */
#ifndef TCPASSAY_TARGETS_REFERENCE_SERVE_HTTP_H
#define TCPASSAY_TARGETS_REFERENCE_SERVE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_HEAD_MAX = 8192 };            /* octets of a request's head: beyond, 431 */
#define HTTP_BYTES_MAX (UINT64_C(1) << 40) /* the largest N */

struct http_config {
    int root_fd;      /* a directory whose files are served; -1: none. Not owned */
    bool has_size;
    uint64_t size;    /* octets of pattern for any other path */
};

struct http;
struct http *http_new(const struct http_config *config); /* NULL: out of memory. *config outlives it */
void http_free(struct http *h);

/* Takes octets of requests, and returns how many: fewer than len while a response is to be given first. */
size_t http_take(struct http *h, const uint8_t *bytes, size_t len);
/* Gives octets of responses: 0 when there are none now. */
size_t http_give(struct http *h, uint8_t *out, size_t capacity);
/* Nothing to give now, but without anything to take there will be: a checksum is being computed. */
bool http_is_busy(const struct http *h);
/* The last response has been given, nothing more will be taken: the connection is to be closed. */
bool http_is_finished(const struct http *h);

#endif
