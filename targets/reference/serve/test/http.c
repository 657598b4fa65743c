/* The HTTP server: requests in any pieces, responses in any pieces, and what cannot be understood. */
#include "targets/reference/serve/http.h"
#include "targets/reference/serve/pattern.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { RESPONSE_MAX = 1 << 20 };

struct exchange { /* what came of a request */
    char text[RESPONSE_MAX + 1];
    size_t len, taken;
    bool finished;
};

/* Feeds the request in pieces of at most `piece` octets, and takes the response in such pieces. */
static void exchange(const struct http_config *config, const char *request, size_t request_len, size_t piece, struct exchange *x)
{
    struct http *h = http_new(config);
    assert_non_null(h);
    memset(x, 0, sizeof *x);
    for (bool moved = true; moved;) {
        size_t left = request_len - x->taken, part = left < piece ? left : piece;
        size_t taken = http_take(h, (const uint8_t *)request + x->taken, part);
        size_t room = RESPONSE_MAX - x->len < piece ? RESPONSE_MAX - x->len : piece;
        size_t given = http_give(h, (uint8_t *)x->text + x->len, room);
        assert_true(taken <= part && given <= room);
        x->taken += taken;
        x->len += given;
        moved = taken || given || http_is_busy(h);
    }
    x->finished = http_is_finished(h);
    http_free(h);
}

static struct exchange *ask(const char *request)
{
    static struct exchange x;
    const struct http_config config = { .root_fd = -1 };
    exchange(&config, request, strlen(request), 100000, &x);
    return &x;
}

static const char *body_of(const struct exchange *x)
{
    const char *end = strstr(x->text, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

static void assert_says(const struct exchange *x, const char *text)
{
    if (!strstr(x->text, text))
        fail_msg("expected \"%s\" in: %.300s", text, x->text);
}

/* ---- what it serves -------------------------------------------------------------------------------------------- */

static void bytes_are_the_pattern_whatever_the_pieces(void **state)
{
    static struct exchange x;
    static uint8_t pattern[10007];
    (void)state;
    const struct http_config config = { .root_fd = -1 };
    const char request[] = "GET /bytes/10007 HTTP/1.1\r\nHost: a\r\n\r\n";
    static const size_t PIECES[] = { 1, 2, 7, 8, 9, 1460, 4096, 100000 };
    pattern_fill(0, pattern, sizeof pattern);
    for (size_t i = 0; i < sizeof PIECES / sizeof *PIECES; i++) {
        exchange(&config, request, sizeof request - 1, PIECES[i], &x);
        assert_says(&x, "HTTP/1.1 200 OK\r\n");
        assert_says(&x, "Content-Length: 10007\r\n");
        assert_int_equal(x.text + x.len - body_of(&x), sizeof pattern);
        assert_memory_equal(body_of(&x), pattern, sizeof pattern);
        assert_false(x.finished);
    }
}

static void the_pattern_does_not_depend_on_where_it_is_cut(void **state)
{
    uint8_t whole[64], part[64];
    (void)state;
    static const uint64_t OFFSETS[] = { 0, 1, 7, 8, UINT64_C(0xfffffff8), UINT64_C(0xffffffff) };
    for (size_t i = 0; i < sizeof OFFSETS / sizeof *OFFSETS; i++) {
        pattern_fill(OFFSETS[i], whole, sizeof whole);
        for (size_t cut = 0; cut <= sizeof whole; cut++) {
            pattern_fill(OFFSETS[i], part, cut);
            pattern_fill(OFFSETS[i] + cut, part + cut, sizeof part - cut);
            assert_memory_equal(part, whole, sizeof whole);
        }
    }
}

/* Known answers: the SHA-256 of nothing and of "abc" (FIPS 180-2). */
static void checksums_are_sha256(void **state)
{
    (void)state;
    assert_string_equal(body_of(ask("GET /sha256/0 HTTP/1.1\r\n\r\n")),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n");
    assert_string_equal(body_of(ask("PUT /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc")),
                        "3 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n");
    assert_string_equal(body_of(ask("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")),
                        "0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n");
}

static void the_checksum_told_is_that_of_the_bytes_served(void **state)
{
    (void)state;
    enum { N = 600000 };
    static char request[N + 100];
    char told[80], uploaded[80];
    snprintf(told, sizeof told, "%s", body_of(ask("GET /sha256/600000 HTTP/1.1\r\n\r\n")));
    int head = snprintf(request, sizeof request, "PUT / HTTP/1.1\r\nContent-Length: %d\r\n\r\n", N);
    pattern_fill(0, (uint8_t *)request + head, N);
    static struct exchange x;
    const struct http_config config = { .root_fd = -1 };
    exchange(&config, request, (size_t)head + N, 65536, &x);
    assert_int_equal(sscanf(body_of(&x), "600000 %70s", uploaded), 1);
    assert_memory_equal(told, uploaded, 64);
}

static void requests_may_follow_each_other(void **state)
{
    (void)state;
    struct exchange *x =
        ask("GET /bytes/1 HTTP/1.1\r\n\r\nPUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\r\nHEAD /bytes/5 HTTP/1.1\r\n\r\n"
                             "GET /none HTTP/1.1\r\nConnection: close\r\n\r\nGET /bytes/9 HTTP/1.1\r\n\r\n");
    assert_says(x, "Content-Length: 1\r\n");
    assert_says(x, "3 ba7816bf");
    assert_says(x, "Content-Length: 5\r\n\r\nHTTP/1.1 404");
    assert_true(x->finished);
    assert_null(strstr(x->text, "Content-Length: 9"));
}

static void an_expectation_is_met_before_the_body(void **state)
{
    (void)state;
    struct exchange *x = ask("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert_string_equal(x->text, "HTTP/1.1 100 Continue\r\n\r\n");
    x = ask("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
    assert_says(x, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n");
}

static void the_connection_stays_open_as_the_version_says(void **state)
{
    static const struct row { const char *request; bool finished; } rows[] = {
        { "GET / HTTP/1.1\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", true },
        { "GET / HTTP/1.1\r\ncONNECTION:\tClose \t\r\n\r\n", true },
        { "GET / HTTP/1.0\r\n\r\n", true },
        { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false },
        { "GET / HTTP/1.1\n\n", false },
        { "\r\n\n\r\nGET / HTTP/1.1\r\n\r\n", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct exchange *x = ask(rows[i].request);
        assert_says(x, "HTTP/1.1 200 OK");
        if (x->finished != rows[i].finished)
            fail_msg("%s: expected it %s", rows[i].request, rows[i].finished ? "to close" : "to stay open");
    }
}

/* ---- what it refuses ------------------------------------------------------------------------------------------- */

static void what_is_no_request_is_refused_and_ends_the_connection(void **state)
{
    static const struct row { const char *request, *status; } rows[] = {
        { "hello\r\n\r\n", "400" }, { "GET /\r\n\r\n", "400" }, { "GET / HTTP/2\r\n\r\n", "400" }, { "GET x HTTP/1.1\r\n\r\n", "400" },
        { "GET  / HTTP/1.1\r\n\r\n", "400" }, { "GET /%zz HTTP/1.1\r\n\r\n", "400" }, { "GET /%0 HTTP/1.1\r\n\r\n", "400" },
        { "GET /%00 HTTP/1.1\r\n\r\n", "400" }, { "GET / HTTP/1.1\r\nno colon\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\n: x\r\n\r\n", "400" }, { "PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400" },
        { "PUT / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", "400" }, { "PUT / HTTP/1.1\r\nContent-Length:\r\n\r\n", "400" },
        { "PUT / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n", "400" },
        { "PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody", "400" }, { "PUT / HTTP/1.1\r\n\r\n", "411" },
        { "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411" }, { "DELETE / HTTP/1.1\r\n\r\n", "405" },
        { "get / HTTP/1.1\r\n\r\n", "405" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct exchange *x = ask(rows[i].request);
        if (strncmp(x->text, "HTTP/1.1 ", 9) != 0 || strncmp(x->text + 9, rows[i].status, 3) != 0 || !x->finished)
            fail_msg("%s: expected %s and the end, got %.40s", rows[i].request, rows[i].status, x->text);
    }
    assert_says(ask("DELETE / HTTP/1.1\r\n\r\n"), "Allow: GET, HEAD, PUT, POST\r\n");
}

static void a_head_has_a_bound(void **state)
{
    static struct exchange x;
    static char request[HTTP_HEAD_MAX + 100];
    (void)state;
    const struct http_config config = { .root_fd = -1 };
    for (size_t len = HTTP_HEAD_MAX - 1; len <= HTTP_HEAD_MAX + 1; len++) {
        memset(request, 'x', sizeof request);
        memcpy(request, "GET / HTTP/1.1\r\na: ", 19);
        memcpy(request + len - 4, "\r\n\r\n", 4);
        exchange(&config, request, len, 1000, &x);
        assert_says(&x, len <= HTTP_HEAD_MAX ? "HTTP/1.1 200" : "HTTP/1.1 431");
        assert_int_equal(x.finished, len > HTTP_HEAD_MAX);
    }
    memcpy(request, "GET /\0 HTTP/1.1\r\n\r\n", 19);
    exchange(&config, request, 19, 1000, &x);
    assert_says(&x, "HTTP/1.1 400");
}

static void a_number_of_octets_has_a_bound(void **state)
{
    (void)state;
    assert_says(ask("HEAD /bytes/1099511627776 HTTP/1.1\r\n\r\n"), "Content-Length: 1099511627776\r\n");
    assert_says(ask("HEAD /bytes/1099511627777 HTTP/1.1\r\n\r\n"), "404");
    assert_says(ask("HEAD /bytes/ HTTP/1.1\r\n\r\n"), "404");
    assert_says(ask("HEAD /bytes/-1 HTTP/1.1\r\n\r\n"), "404");
    assert_says(ask("HEAD /bytes/1x HTTP/1.1\r\n\r\n"), "404");
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

static void write_file(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void files_below_the_root_are_served_and_no_others(void **state)
{
    static const struct row { const char *path, *says; } rows[] = {
        { "/inside", "inside!" }, { "/in%73ide?query", "inside!" }, { "/sub/deep", "deep!" }, { "/sub/../inside", "inside!" },
        { "/", "index!" }, { "/link-inside", "inside!" }, { "/bytes/2", "Content-Length: 2" },
        { "/missing", "404" }, { "/sub", "404" }, { "/../outside", "404" }, { "/sub/../../outside", "404" }, { "/%2e%2e/outside", "404" },
        { "//etc/passwd", "404" }, { "/link-outside", "404" }, { "/fifo", "404" },
    };
    (void)state;
    char base[] = "/tmp/tcpassay-http.XXXXXX";
    assert_non_null(mkdtemp(base));
    int outer = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(outer, "root", 0700), 0);
    assert_int_equal(mkdirat(outer, "root/sub", 0700), 0);
    write_file(outer, "outside", "outside!");
    write_file(outer, "root/inside", "inside!");
    write_file(outer, "root/index.html", "index!");
    write_file(outer, "root/sub/deep", "deep!");
    assert_int_equal(symlinkat("inside", outer, "root/link-inside"), 0);
    assert_int_equal(symlinkat("../outside", outer, "root/link-outside"), 0);
    assert_int_equal(mkfifoat(outer, "root/fifo", 0600), 0);
    const struct http_config config = { .root_fd = openat(outer, "root", O_PATH | O_DIRECTORY | O_CLOEXEC) };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static struct exchange x;
        char request[128];
        int len = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n\r\n", rows[i].path);
        exchange(&config, request, (size_t)len, 3, &x);
        if (!strstr(x.text, rows[i].says) || strstr(x.text, "outside!"))
            fail_msg("%s: expected \"%s\", got %.200s", rows[i].path, rows[i].says, x.text);
    }
    static const char *const MADE[] = { "root/fifo", "root/link-outside", "root/link-inside", "root/sub/deep", "root/index.html",
                                        "root/inside", "outside" };
    for (size_t i = 0; i < sizeof MADE / sizeof *MADE; i++)
        assert_int_equal(unlinkat(outer, MADE[i], 0), 0);
    assert_int_equal(unlinkat(outer, "root/sub", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(outer, "root", AT_REMOVEDIR), 0);
    close(config.root_fd);
    close(outer);
    assert_int_equal(rmdir(base), 0);
}

static void a_size_answers_any_path(void **state)
{
    static struct exchange x;
    (void)state;
    const struct http_config config = { .root_fd = -1, .has_size = true, .size = 77 };
    const char request[] = "GET /whatever HTTP/1.1\r\n\r\n";
    exchange(&config, request, sizeof request - 1, 1000, &x);
    assert_says(&x, "Content-Length: 77\r\n");
    assert_int_equal(x.text + x.len - body_of(&x), 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_the_pattern_whatever_the_pieces),
        cmocka_unit_test(the_pattern_does_not_depend_on_where_it_is_cut),
        cmocka_unit_test(checksums_are_sha256),
        cmocka_unit_test(the_checksum_told_is_that_of_the_bytes_served),
        cmocka_unit_test(requests_may_follow_each_other),
        cmocka_unit_test(an_expectation_is_met_before_the_body),
        cmocka_unit_test(the_connection_stays_open_as_the_version_says),
        cmocka_unit_test(what_is_no_request_is_refused_and_ends_the_connection),
        cmocka_unit_test(a_head_has_a_bound),
        cmocka_unit_test(a_number_of_octets_has_a_bound),
        cmocka_unit_test(files_below_the_root_are_served_and_no_others),
        cmocka_unit_test(a_size_answers_any_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
