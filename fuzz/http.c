/* Fuzzes the HTTP server of `tcpassay serve`: the first octet says in which pieces the rest is fed, and in which answers are taken.
 *
 * A crash means that any client can bring down a server of `tcpassay serve`, which is meant to be reached by others. */
#include "targets/reference/serve/http.h"

#include <stdlib.h>
#include <string.h>

enum { OCTETS_GIVEN_MAX = 1 << 16 }; /* of an endless answer, enough is enough */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct http_config config = { .root_fd = -1, .has_size = size && (data[0] & 1), .size = 100 };
    struct http *h = size ? http_new(&config) : NULL;
    if (!h)
        return 0;
    const size_t piece = data[0] / 2 + 1u;
    size_t at = 1, given_in_all = 0;
    for (bool moved = true; moved && given_in_all < OCTETS_GIVEN_MAX;) {
        uint8_t out[256];
        size_t part = size - at < piece ? size - at : piece;
        uint8_t *in = malloc(part ? part : 1); /* of just this size, so that a read past its end is seen */
        if (!in)
            abort();
        memcpy(in, data + at, part);
        bool was_finished = http_is_finished(h);
        size_t taken = http_take(h, in, part), given = http_give(h, out, piece);
        free(in);
        if (taken > part || given > piece || (was_finished && (taken || given)))
            abort();
        at += taken;
        given_in_all += given + (http_is_busy(h) ? OCTETS_GIVEN_MAX / 4 : 0);
        moved = taken || given || http_is_busy(h);
    }
    http_free(h);
    return 0;
}
