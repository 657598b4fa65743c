/* Fuzzes the reader of HTTP answers of engine/probe: whatever a server sends, it comes to an end within its bounds, says the same
 * however the octets are cut into pieces, and shows nothing that a terminal would act upon.
 *
 * A crash means that a server that is probed can bring the tester down. */
#include "engine/probe/http.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check(const struct answer *a)
{
    require(a->state <= ANSWER_BROKEN && a->line_len < ANSWER_LINE_MAX && a->head_len <= ANSWER_HEAD_MAX + 1);
    require(a->body_len <= ANSWER_BODY_MAX || a->state == ANSWER_BROKEN);
    for (const char *c = a->status_text; *c; c++)
        require(*c >= ' ' && *c <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct answer *whole = calloc(1, sizeof *whole), *pieces = calloc(1, sizeof *pieces);
    require(whole && pieces);
    answer_take(whole, data, size);
    check(whole);
    for (size_t at = 0; at < size;) {
        const size_t len = 1 + data[at] % 7, left = size - at;
        answer_take(pieces, data + at, len < left ? len : left);
        check(pieces);
        at += len < left ? len : left;
    }
    require(whole->state == pieces->state && whole->body_len == pieces->body_len && whole->keeps_open == pieces->keeps_open);
    require(answer_end(whole) == answer_end(pieces));
    free(whole);
    free(pieces);
    return 0;
}
