/* HTTP by its own module; echo (RFC 862), discard (RFC 863) and character generator (RFC 864) here. */
#include "targets/reference/serve/service.h"
#include "targets/reference/serve/pattern.h"

#include <stdlib.h>
#include <string.h>

static bool never(const void *state)
{
    (void)state;
    return false;
}

static size_t give_nothing(void *state, uint8_t *out, size_t capacity)
{
    (void)state;
    (void)out;
    (void)capacity;
    return 0;
}

static size_t take_anything(void *state, const uint8_t *bytes, size_t len)
{
    (void)state;
    (void)bytes;
    return len;
}

/* ---- HTTP ------------------------------------------------------------------------------------------------------ */

static void *open_http(const struct http_config *config)
{
    return http_new(config);
}

static void close_http(void *state)
{
    http_free(state);
}

static size_t take_http(void *state, const uint8_t *bytes, size_t len)
{
    return http_take(state, bytes, len);
}

static size_t give_http(void *state, uint8_t *out, size_t capacity)
{
    return http_give(state, out, capacity);
}

static bool http_busy(const void *state)
{
    return http_is_busy(state);
}

static bool http_finished(const void *state)
{
    return http_is_finished(state);
}

/* ---- echo ------------------------------------------------------------------------------------------------------ */

enum { ECHO_BYTES_MAX = 16384 };

struct echo { /* a ring */
    size_t at, len;
    uint8_t bytes[ECHO_BYTES_MAX];
};

static void *open_echo(const struct http_config *config)
{
    (void)config;
    return calloc(1, sizeof(struct echo));
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t take_echo(void *state, const uint8_t *bytes, size_t len)
{
    struct echo *e = state;
    size_t taken = 0;
    while (taken < len && e->len < ECHO_BYTES_MAX) {
        size_t end = (e->at + e->len) % ECHO_BYTES_MAX;
        size_t part = smaller(len - taken, smaller(ECHO_BYTES_MAX - e->len, ECHO_BYTES_MAX - end));
        memcpy(e->bytes + end, bytes + taken, part);
        e->len += part;
        taken += part;
    }
    return taken;
}

static size_t give_echo(void *state, uint8_t *out, size_t capacity)
{
    struct echo *e = state;
    size_t part = smaller(capacity, smaller(e->len, ECHO_BYTES_MAX - e->at));
    memcpy(out, e->bytes + e->at, part);
    e->at = (e->at + part) % ECHO_BYTES_MAX;
    e->len -= part;
    return part;
}

/* ---- discard and source ---------------------------------------------------------------------------------------- */

static void *open_counter(const struct http_config *config)
{
    (void)config;
    return calloc(1, sizeof(uint64_t));
}

static size_t give_pattern(void *state, uint8_t *out, size_t capacity)
{
    uint64_t *offset = state;
    pattern_fill(*offset, out, capacity);
    *offset += capacity;
    return capacity;
}

const struct service services[SERVICE_COUNT] = {
    { "http", 80, open_http, close_http, take_http, give_http, http_busy, http_finished, false },
    { "echo", 7, open_echo, free, take_echo, give_echo, never, never, false },
    { "discard", 9, open_counter, free, take_anything, give_nothing, never, never, false },
    { "source", 19, open_counter, free, take_anything, give_pattern, never, never, true },
};
