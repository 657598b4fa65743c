/* Tests of the upper tester of our own: octets in, octets out, on real sockets of this machine. Octets are written by hand. */
#include "targets/agent/testability/server/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { TOLD_MAX = 64, PATIENCE_MS = 5000 };

struct bench {
    struct ut *ut;
    unsigned told_count;
    struct {
        size_t len;
        uint8_t bytes[9000];
    } told[TOLD_MAX];
};

static void keep(void *context, const struct ut_peer *to, const uint8_t *bytes, size_t len)
{
    struct bench *b = context;
    (void)to;
    assert_true(b->told_count < TOLD_MAX && len <= sizeof b->told[0].bytes);
    memcpy(b->told[b->told_count].bytes, bytes, len);
    b->told[b->told_count++].len = len;
}

static int begin_with(void **state, bool at_once)
{
    struct bench *b = calloc(1, sizeof *b);
    const struct ut_config config = {.connects_at_once = at_once, .returns_request_id = true, .send = keep, .context = b};
    b->ut = ut_new(&config);
    assert_non_null(b->ut);
    *state = b;
    return 0;
}

static int begin(void **state)
{
    return begin_with(state, false);
}

static int begin_at_once(void **state)
{
    return begin_with(state, true);
}

static int end(void **state)
{
    struct bench *b = *state;
    ut_free(b->ut);
    free(b);
    return 0;
}

static void say(struct bench *b, const uint8_t *bytes, size_t len)
{
    const struct ut_peer from = {.len = sizeof(struct sockaddr_in)};
    ut_input(b->ut, &from, bytes, len);
}

static void ask(struct bench *b, uint8_t gid, uint8_t pid, const uint8_t *parameters, size_t len)
{
    uint8_t message[256] = {0x01, 0x05, gid, pid, 0, 0, 0, (uint8_t)(8 + len), 0xAB, 0xCD, 0x12, 0x34, 1, 1, 0, 0};
    memcpy(message + 16, parameters, len);
    say(b, message, 16 + len);
}

/* The result of a request that is answered at once. */
static int result_of(struct bench *b, uint8_t gid, uint8_t pid, const uint8_t *parameters, size_t len)
{
    unsigned before = b->told_count;
    ask(b, gid, pid, parameters, len);
    assert_int_equal(b->told_count, before + 1);
    const uint8_t *answer = b->told[before].bytes;
    const uint8_t header[16] = {0x01, 0x05, gid,  pid,  0, 0, 0,    (uint8_t)(b->told[before].len - 8),
                                0xAB, 0xCD, 0x12, 0x34, 1, 1, 0x80, answer[15]};
    assert_memory_equal(answer, header, sizeof header);
    return answer[15];
}

/* Lets sockets report until so much has been told. */
static const uint8_t *wait_told(struct bench *b, unsigned count)
{
    struct pollfd watched[UT_SOCKETS_MAX];
    while (b->told_count < count) {
        size_t n = ut_watch(b->ut, watched);
        assert_true(poll(watched, n, PATIENCE_MS) > 0);
        ut_work(b->ut, watched, n);
    }
    return b->told[count - 1].bytes;
}

/* A socket of the upper tester's, bound to loopback; its number in two octets. */
static void create(struct bench *b, uint8_t number[2])
{
    static const uint8_t parameters[] = {1, 0xFF, 0xFF, 0, 4, 127, 0, 0, 1};
    assert_int_equal(result_of(b, 2, 1, parameters, sizeof parameters), 0);
    memcpy(number, b->told[b->told_count - 1].bytes + 16, 2);
}

/* A listener of ours on loopback: its port. */
static int our_listener(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void connect_to(struct bench *b, const uint8_t number[2], uint16_t port)
{
    const uint8_t parameters[] = {number[0], number[1], (uint8_t)(port >> 8), (uint8_t)port, 0, 4, 127, 0, 0, 1};
    ask(b, 2, 5, parameters, sizeof parameters);
}

/* A connection to one of ours: our end of it. */
static int connected(struct bench *b, uint8_t number[2])
{
    uint16_t port;
    int listener = our_listener(&port);
    create(b, number);
    unsigned before = b->told_count;
    connect_to(b, number, port);
    assert_int_equal(wait_told(b, before + 1)[15], 0);
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    close(listener);
    return fd;
}

static int forward(struct bench *b, const uint8_t number[2], unsigned max_fwd, unsigned max_len)
{
    const uint8_t parameters[] = {number[0],       number[1], (uint8_t)(max_fwd >> 8), (uint8_t)max_fwd, (uint8_t)(max_len >> 8),
                                  (uint8_t)max_len};
    return result_of(b, 2, 3, parameters, sizeof parameters);
}

static void the_general_group_answers(void **state)
{
    static const uint8_t version[] = {0, 1, 0, 2, 0, 0}, nothing_named[] = {0, 0, 0, 0};
    struct bench *b = *state;
    assert_int_equal(result_of(b, 0, 1, version, 0), 0);
    assert_memory_equal(b->told[0].bytes + 16, version, sizeof version);
    assert_int_equal(result_of(b, 0, 2, version, 0), 0);
    assert_int_equal(result_of(b, 0, 3, nothing_named, sizeof nothing_named), 0);
}

static void what_there_is_not_is_not_found(void **state)
{
    static const uint8_t rows[][2] = {{0, 0}, {0, 4}, {1, 1}, {2, 8}, {3, 0}, {0x7F, 0xFF}};
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(result_of(b, rows[i][0], rows[i][1], rows[0], 0), 0xFF);
}

static void parameters_cut_short_are_invalid(void **state)
{
    static const struct {
        uint8_t pid;
        size_t whole;
        uint8_t parameters[16];
    } rows[] = {
        {0, 3, {0}}, {1, 9, {1, 0xFF, 0xFF, 0, 4, 127, 0, 0, 1}}, {2, 8, {0, 0, 0, 0, 0, 0, 1, 'x'}}, {3, 6, {0}},
        {4, 4, {0}}, {5, 10, {0, 0, 0, 0, 0, 4, 127, 0, 0, 1}},   {6, 7, {0, 0, 0, 0, 0, 1, 64}},     {7, 3, {0}},
    };
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t len = 0; len < rows[i].whole; len++) {
            b->told_count = 0;
            assert_int_equal(result_of(b, 2, rows[i].pid, rows[i].parameters, len), 0xFC);
        }
}

static void a_socket_that_there_is_not_is_told_so(void **state)
{
    static const struct {
        uint8_t pid;
        size_t len;
        uint8_t parameters[16];
    } rows[] = {
        {0, 3, {9, 9}}, {2, 8, {9, 9, 0, 0, 0, 0, 1, 'x'}},        {3, 6, {9, 9}},
        {4, 4, {9, 9}}, {5, 10, {9, 9, 0, 0, 0, 4, 127, 0, 0, 1}}, {6, 7, {9, 9, 0, 0, 0, 1, 64}},
        {7, 3, {9, 9}},
    };
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(result_of(b, 2, rows[i].pid, rows[i].parameters, rows[i].len), 0xEF);
}

static void what_is_no_request_is_passed_over(void **state)
{
    static const uint8_t good[16] = {0x01, 0x05, 0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 1, 1, 0, 0};
    static const struct {
        unsigned at;
        uint8_t value;
    } rows[] = {
        {0, 2}, {1, 6}, {4, 1}, {7, 7}, {7, 9}, {12, 0}, {13, 2}, {14, 0x80}, {14, 2},
    };
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[16];
        memcpy(bytes, good, sizeof good);
        bytes[rows[i].at] = rows[i].value;
        say(b, bytes, sizeof bytes);
    }
    for (size_t len = 0; len < sizeof good; len++)
        say(b, good, len);
    assert_int_equal(b->told_count, 0);
    say(b, good, sizeof good);
    assert_int_equal(b->told_count, 1);
}

static void connections_are_told_with_their_sockets(void **state)
{
    struct bench *b = *state;
    uint8_t number[2];
    uint16_t port;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    close(our_listener(&port)); /* free a moment ago */
    const uint8_t bound[] = {1, (uint8_t)(port >> 8), (uint8_t)port, 0, 4, 127, 0, 0, 1};
    assert_int_equal(result_of(b, 2, 1, bound, sizeof bound), 0);
    memcpy(number, b->told[0].bytes + 16, 2);
    const uint8_t listening[] = {number[0], number[1], 0, 1};
    assert_int_equal(result_of(b, 2, 4, listening, sizeof listening), 0);
    assert_int_equal(result_of(b, 2, 1, bound, sizeof bound), 0xED); /* taken */
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_port = htons(port);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    const uint8_t *event = wait_told(b, 4);
    assert_memory_equal(event, "\1\5\202\4", 4);
    assert_int_equal(event[14], 2);
    assert_memory_equal(event + 16, number, 2);
    assert_int_equal(event[20] << 8 | event[21], ntohs(a.sin_port));
    assert_memory_equal(event + 22, "\0\4\177\0\0\1", 6);
    close(fd);
}

static void connecting_is_answered_when_it_is_over(void **state)
{
    struct bench *b = *state;
    uint8_t number[2];
    uint16_t port;
    close(connected(b, number));
    int closed = our_listener(&port);
    close(closed);
    create(b, number);
    unsigned before = b->told_count;
    connect_to(b, number, port);
    assert_int_equal(wait_told(b, before + 1)[15], 0xE2);
}

static void or_at_once(void **state)
{
    struct bench *b = *state;
    uint8_t number[2];
    uint16_t port;
    int closed = our_listener(&port);
    close(closed);
    create(b, number);
    unsigned before = b->told_count;
    connect_to(b, number, port);
    assert_int_equal(b->told_count, before + 1);
}

static void data_are_forwarded_from_the_request_on(void **state)
{
    struct bench *b = *state;
    uint8_t number[2];
    int fd = connected(b, number);
    assert_int_equal(write(fd, "lost", 4), 4);
    struct pollfd there = {.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&there, 1, PATIENCE_MS), 1);
    assert_int_equal(forward(b, number, 3, 0xFFFF), 0); /* loopback delivers within write() */
    assert_memory_equal(b->told[b->told_count - 1].bytes + 16, "\0\4", 2);
    unsigned before = b->told_count;
    assert_int_equal(write(fd, "hello", 5), 5);
    const uint8_t *event = wait_told(b, before + 1);
    assert_memory_equal(event, "\1\5\202\3", 4);
    assert_memory_equal(event + 16, "\0\5\0\3hel", 7); /* no more of it than maxFwd */
    close(fd);
    assert_int_equal(wait_told(b, before + 2)[15], 0xE6); /* connection closing: the end of what there is to receive */
}

static void forwarding_ends_after_so_many_octets(void **state)
{
    struct bench *b = *state;
    uint8_t number[2];
    int fd = connected(b, number);
    assert_int_equal(forward(b, number, 100, 3), 0);
    unsigned before = b->told_count;
    assert_int_equal(write(fd, "hello", 5), 5);
    assert_memory_equal(wait_told(b, before + 1) + 16, "\0\3\0\3hel", 7);
    struct pollfd watched[UT_SOCKETS_MAX];
    assert_int_equal(ut_watch(b->ut, watched), 0);
    assert_int_equal(forward(b, number, 100, 0xFFFF), 0);
    assert_memory_equal(b->told[b->told_count - 1].bytes + 16, "\0\2", 2);
    close(fd);
}

static void data_are_repeated_up_to_the_total_length(void **state)
{
    struct bench *b = *state;
    uint8_t number[2];
    char text[16] = "";
    int fd = connected(b, number);
    const uint8_t repeat[] = {number[0], number[1], 0, 7, 0, 0, 3, 'a', 'b', 'c'},
                  whole[] = {number[0], number[1], 0, 1, 0, 0, 3, 'd', 'e', 'f'};
    assert_int_equal(result_of(b, 2, 2, repeat, sizeof repeat), 0);
    assert_int_equal(result_of(b, 2, 2, whole, sizeof whole), 0);
    assert_int_equal(recv(fd, text, 10, MSG_WAITALL), 10);
    assert_string_equal(text, "abcabcadef");
    close(fd);
}

static void a_socket_may_be_shut_and_closed_or_reset(void **state)
{
    struct bench *b = *state;
    uint8_t number[2];
    char octet;
    int fd = connected(b, number);
    const uint8_t write_no_more[] = {number[0], number[1], 1}, reset[] = {number[0], number[1], 1};
    assert_int_equal(result_of(b, 2, 7, write_no_more, 3), 0);
    assert_int_equal(read(fd, &octet, 1), 0);
    assert_int_equal(result_of(b, 2, 0, reset, 3), 0);
    assert_int_equal(read(fd, &octet, 1) < 0 ? errno : 0, 0); /* the FIN came first */
    close(fd);
    fd = connected(b, number);
    const uint8_t reset_again[] = {number[0], number[1], 1};
    assert_int_equal(result_of(b, 2, 0, reset_again, 3), 0);
    assert_int_equal(read(fd, &octet, 1), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(result_of(b, 2, 0, reset_again, 3), 0xEF);
    close(fd);
}

static void the_end_of_the_test_closes_everything(void **state)
{
    static const uint8_t nothing_named[] = {0, 0, 0, 0};
    struct bench *b = *state;
    uint8_t number[2];
    char octet;
    int fd = connected(b, number);
    assert_int_equal(result_of(b, 0, 3, nothing_named, sizeof nothing_named), 0);
    assert_int_equal(read(fd, &octet, 1), -1);
    assert_int_equal(forward(b, number, 1, 1), 0xEF);
    close(fd);
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(the_general_group_answers),
        WITH_BENCH(what_there_is_not_is_not_found),
        WITH_BENCH(parameters_cut_short_are_invalid),
        WITH_BENCH(a_socket_that_there_is_not_is_told_so),
        WITH_BENCH(what_is_no_request_is_passed_over),
        WITH_BENCH(connections_are_told_with_their_sockets),
        WITH_BENCH(connecting_is_answered_when_it_is_over),
        cmocka_unit_test_setup_teardown(or_at_once, begin_at_once, end),
        WITH_BENCH(data_are_forwarded_from_the_request_on),
        WITH_BENCH(forwarding_ends_after_so_many_octets),
        WITH_BENCH(data_are_repeated_up_to_the_total_length),
        WITH_BENCH(a_socket_may_be_shut_and_closed_or_reset),
        WITH_BENCH(the_end_of_the_test_closes_everything),
    };
    return cmocka_run_group_tests_name("testability_server", tests, NULL, NULL);
}
