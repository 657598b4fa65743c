/* Tests of the tester's side of the testability protocol, against an upper tester in memory (fake.h). */
#include "fake.h"
#include "targets/agent/testability/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    GENERAL = 0,
    TCP = 2,
    VERSION = 1,
    START = 2,
    END = 3,
    CLOSE = 0,
    CREATE = 1,
    SEND = 2,
    FORWARD = 3,
    LISTEN = 4,
    CONNECT = 5,
    CONFIGURE = 6,
    SHUTDOWN = 7
};
enum { E_NOK = 0x01, E_NTF = 0xFF, E_PEN = 0xFE, E_UBS = 0xED, COC = 0xE6, CRE = 0xE4, COR = 0xE2 };

struct bench {
    struct fake fake;
    struct upper *upper;
};

static const struct pkt_endpoint local = {.addr = {.version = 4, .bytes = {192, 0, 2, 2}}, .port = 8080};
static const struct pkt_endpoint remote = {.addr = {.version = 4, .bytes = {192, 0, 2, 100}}, .port = 16384};

static int begin_with(void **state, bool no_request_ids)
{
    struct bench *b = calloc(1, sizeof *b);
    struct target_error error = {.kind = TARGET_ERR_NONE};
    fake_begin(&b->fake);
    b->fake.no_request_ids = no_request_ids;
    b->upper = testability_on_net(&b->fake.base, 0, &error);
    assert_non_null(b->upper);
    b->fake.asked_count = 0;
    *state = b;
    return 0;
}

static int begin(void **state)
{
    return begin_with(state, false);
}

static int begin_without_ids(void **state)
{
    return begin_with(state, true);
}

static int end(void **state)
{
    struct bench *b = *state;
    b->upper->ops->close(b->upper);
    assert_true(b->fake.closed);
    free(b);
    return 0;
}

static int listener(struct bench *b)
{
    int64_t handle = b->upper->ops->socket(b->upper, 4);
    assert_true(handle >= 0);
    assert_int_equal(b->upper->ops->bind(b->upper, (int)handle, &local), 0);
    assert_int_equal(b->upper->ops->listen(b->upper, (int)handle, 1), 0);
    return (int)handle;
}

/* The event of a connection from remote, at the listener that was made last. */
static void connection_comes(struct bench *b, uint8_t socket)
{
    const struct fake_datagram *asked = fake_last(&b->fake, TCP, LISTEN);
    uint8_t event[] = {asked->bytes[16], asked->bytes[17], 0x0A, socket, 0x40, 0x00, 0, 4, 192, 0, 2, 100};
    fake_event(&b->fake, asked->channel, LISTEN, 0, event, sizeof event);
}

static int accepted(struct bench *b)
{
    struct pkt_endpoint peer;
    int handle = listener(b);
    connection_comes(b, 1);
    int64_t fresh = b->upper->ops->accept(b->upper, handle, &peer);
    assert_true(fresh >= 0);
    assert_int_equal(peer.port, 16384);
    assert_true(pkt_addr_equal(&peer.addr, &remote.addr));
    return (int)fresh;
}

/* Data for the socket that was last told to forward. */
static void data_come(struct bench *b, const char *text, size_t full, uint8_t result)
{
    uint8_t event[64] = {(uint8_t)(full >> 8), (uint8_t)full, 0, (uint8_t)strlen(text)};
    memcpy(event + 4, text, strlen(text));
    fake_event(&b->fake, fake_last(&b->fake, TCP, FORWARD)->channel, FORWARD, result, event, 4 + strlen(text));
}

static int64_t read_from(struct bench *b, int handle, char *out, size_t len)
{
    return b->upper->ops->receive_data(b->upper, handle, (uint8_t *)out, len, 0);
}

static void assert_lost(struct bench *b, const char *why)
{
    char text[256];
    assert_int_equal(b->upper->ops->trouble(b->upper, text, sizeof text), 1);
    if (!strstr(text, why))
        fail_msg("\"%s\" does not say \"%s\"", text, why);
    assert_int_equal(b->upper->ops->socket(b->upper, 4), -ECOMM);
}

/* ---- beginning and ending ---------------------------------------------------------------------------------------- */

static void the_version_is_asked_and_the_test_begins_with_an_end(void **state)
{
    struct fake *f = calloc(1, sizeof *f);
    struct target_error error;
    (void)state;
    fake_begin(f);
    struct upper *u = testability_on_net(&f->base, 0, &error);
    assert_non_null(u);
    static const uint8_t order[] = {VERSION, END, START};
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(f->asked[i].bytes[3], order[i]);
    assert_string_equal(u->pixit[0].value, "1.2.0");
    assert_string_equal(u->lacks, "urgent");
    unsigned ends = fake_count(f, GENERAL, END);
    u->ops->close(u);
    assert_int_equal(fake_count(f, GENERAL, END), ends + 1);
    free(f);
}

static void general_questions_are_asked_again_when_lost(void **state)
{
    struct fake *f = calloc(1, sizeof *f);
    struct target_error error;
    (void)state;
    fake_begin(f);
    f->losses_left = 3;
    struct upper *u = testability_on_net(&f->base, 0, &error);
    assert_non_null(u);
    assert_int_equal(f->asked[3].bytes[3], VERSION);
    assert_int_equal(f->asked[4].bytes[3], END);
    u->ops->close(u);
    free(f);
}

static void silence_ends_with_words(void **state)
{
    struct fake *f = calloc(1, sizeof *f);
    struct target_error error = {.kind = TARGET_ERR_NONE};
    (void)state;
    fake_begin(f);
    f->losses_left = FAKE_LOG;
    assert_null(testability_on_net(&f->base, 0, &error));
    assert_true(f->closed);
    assert_int_equal(error.kind, TARGET_ERR_UNAVAILABLE);
    assert_non_null(strstr(error.text, "192.0.2.2 port 10000: no answer to GET_VERSION within 3.0 s"));
    assert_int_equal(f->now_ns, INT64_C(3000000000));
    free(f);
}

static void whoever_knows_no_version_is_refused(void **state)
{
    struct fake *f = calloc(1, sizeof *f);
    struct target_error error = {.kind = TARGET_ERR_NONE};
    (void)state;
    fake_begin(f);
    fake_answer(f, GENERAL, VERSION, E_NTF, NULL, 0);
    assert_null(testability_on_net(&f->base, 0, &error));
    assert_non_null(strstr(error.text, "GET_VERSION ended with E_NTF"));
    free(f);
}

static void a_lost_answer_is_not_asked_for_again_but_is_a_loss(void **state)
{
    struct bench *b = *state;
    struct target_error error;
    char text[8];
    int handle = accepted(b);
    b->fake.losses_left = 1;
    assert_int_equal(b->upper->ops->send_data(b->upper, handle, (const uint8_t *)"x", 1, 0), -ECOMM);
    assert_int_equal(fake_count(&b->fake, TCP, SEND), 1);
    assert_lost(b, "no answer to SEND_DATA within 3.0 s");
    assert_int_equal(read_from(b, handle, text, 8), -ECOMM);
    b->fake.asked_count = 0;
    assert_true(b->upper->ops->recover(b->upper, &error));
    assert_int_equal(fake_count(&b->fake, GENERAL, END), 1);
    assert_int_equal(fake_count(&b->fake, GENERAL, START), 1);
    int fresh = accepted(b);
    assert_int_equal(read_from(b, handle, text, 8), -ECOMM); /* its test is told, and disturbs no other's */
    assert_int_equal(b->upper->ops->close_handle(b->upper, handle), -ECOMM);
    assert_int_equal(read_from(b, fresh, text, 8), -EAGAIN);
}

static void recovering_from_one_who_is_gone_fails_in_time(void **state)
{
    struct bench *b = *state;
    struct target_error error = {.kind = TARGET_ERR_NONE};
    b->fake.losses_left = FAKE_LOG;
    int64_t handle = b->upper->ops->socket(b->upper, 4), began_ns = b->fake.now_ns;
    assert_int_equal(b->upper->ops->bind(b->upper, (int)handle, &local), -ECOMM);
    assert_false(b->upper->ops->recover(b->upper, &error));
    assert_non_null(strstr(error.text, "no answer to GET_VERSION"));
    assert_int_equal(b->fake.now_ns - began_ns, INT64_C(6000000000));
}

static void datagrams_that_this_machine_dropped_are_a_loss(void **state)
{
    struct bench *b = *state;
    int handle = accepted(b);
    char text[8];
    b->fake.dropped = 1;
    data_come(b, "abc", 3, 0);
    assert_int_equal(read_from(b, handle, text, 8), -ECOMM);
    assert_lost(b, "lost on this machine");
}

/* ---- requests and answers ---------------------------------------------------------------------------------------- */

static void requests_have_the_octets_of_the_specification(void **state)
{
    static const struct {
        uint8_t primitive;
        size_t len;
        uint8_t parameters[16];
    } rows[] = {
        {CREATE, 9, {1, 0x1F, 0x90, 0, 4, 192, 0, 2, 2}},
        {LISTEN, 4, {0x01, 0x01, 0, 64}},
        {FORWARD, 6, {0x0A, 0x01, 0xFD, 0xE8, 0xFF, 0xFF}},
        {SEND, 10, {0x0A, 0x01, 0, 3, 0, 0, 3, 'a', 'b', 'c'}},
        {SHUTDOWN, 3, {0x0A, 0x01, 1}},
        {CLOSE, 3, {0x0A, 0x01, 0}},
    };
    struct bench *b = *state;
    int handle = accepted(b);
    assert_int_equal(b->upper->ops->send_data(b->upper, handle, (const uint8_t *)"abc", 3, 0), 3);
    assert_int_equal(b->upper->ops->shutdown(b->upper, handle, TARGET_SHUT_WR), 0);
    assert_int_equal(b->upper->ops->close_handle(b->upper, handle), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct fake_datagram *asked = fake_last(&b->fake, TCP, rows[i].primitive);
        assert_non_null(asked);
        assert_memory_equal(asked->bytes, "\1\5\2", 3);
        assert_int_equal(asked->bytes[7], rows[i].len + 8);
        assert_memory_equal(asked->bytes + 12, "\1\1\0\0", 4);
        assert_int_equal(asked->len, 16 + rows[i].len);
        assert_memory_equal(asked->bytes + 16, rows[i].parameters, rows[i].len);
    }
}

static void answers_that_come_twice_count_once(void **state)
{
    struct bench *b = *state;
    b->fake.twice = true;
    int handle = accepted(b), other = listener(b);
    assert_int_equal(b->upper->ops->send_data(b->upper, handle, (const uint8_t *)"abc", 3, 0), 3);
    fake_answer(&b->fake, TCP, SEND, CRE, NULL, 0);
    assert_int_equal(b->upper->ops->send_data(b->upper, handle, (const uint8_t *)"abc", 3, 0), -ECONNRESET);
    assert_int_equal(b->upper->ops->close_handle(b->upper, other), 0);
}

static void an_answer_to_another_request_is_none(void **state)
{
    struct bench *b = *state;
    int handle = accepted(b);
    fake_silence(&b->fake, TCP, SEND);
    uint8_t wrong[16] = {0x01, 0x05, 0x02, SEND, 0, 0, 0, 8, 0x12, 0x34, 0x56, 0x78, 1, 1, 0x80, 0};
    fake_say(&b->fake, fake_last(&b->fake, TCP, FORWARD)->channel, wrong, sizeof wrong);
    assert_int_equal(b->upper->ops->send_data(b->upper, handle, (const uint8_t *)"x", 1, 0), -ECOMM);
}

static void responses_without_request_ids_are_understood(void **state)
{
    struct bench *b = *state;
    int handle = accepted(b);
    char text[8];
    data_come(b, "abc", 3, 0);
    assert_int_equal(read_from(b, handle, text, 8), 3);
    assert_int_equal(b->upper->ops->send_data(b->upper, handle, (const uint8_t *)"abc", 3, 0), 3);
}

static void a_socket_number_given_twice_is_a_loss(void **state)
{
    struct bench *b = *state;
    listener(b);
    b->fake.next_socket--;
    int64_t handle = b->upper->ops->socket(b->upper, 4);
    assert_int_equal(b->upper->ops->bind(b->upper, (int)handle, &local), -ECOMM);
    assert_lost(b, "which is in use");
}

static void binding_fails_as_it_does_at_the_other_side(void **state)
{
    static const struct {
        uint8_t result, ip_version;
        int error;
    } rows[] = {
        {E_UBS, 4, -EADDRINUSE}, {E_NOK, 4, -ENOSYS}, {E_NOK, 6, -EAFNOSUPPORT}, {0xEE, 4, -EMFILE}, {E_PEN, 4, -EAGAIN},
    };
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fake_answer(&b->fake, TCP, CREATE, rows[i].result, NULL, 0);
        int64_t handle = b->upper->ops->socket(b->upper, rows[i].ip_version);
        assert_int_equal(b->upper->ops->bind(b->upper, (int)handle, &local), rows[i].error);
        assert_int_equal(b->upper->ops->close_handle(b->upper, (int)handle), 0);
    }
    assert_int_equal(fake_count(&b->fake, TCP, CLOSE), 0);
}

/* ---- connections ------------------------------------------------------------------------------------------------- */

static void connections_are_accepted_in_their_order(void **state)
{
    struct bench *b = *state;
    struct pkt_endpoint peer;
    int handle = listener(b);
    assert_int_equal(b->upper->ops->accept(b->upper, handle, &peer), -EAGAIN);
    assert_int_equal(b->upper->ops->poll(b->upper, handle), 0);
    connection_comes(b, 7);
    connection_comes(b, 3);
    connection_comes(b, 7); /* the same datagram again */
    assert_int_equal(b->upper->ops->poll(b->upper, handle), TARGET_EVENT_IN);
    int64_t first = b->upper->ops->accept(b->upper, handle, &peer), second = b->upper->ops->accept(b->upper, handle, &peer);
    assert_int_equal(b->upper->ops->accept(b->upper, handle, &peer), -EAGAIN);
    assert_int_equal(b->upper->ops->close_handle(b->upper, (int)first), 0);
    assert_int_equal(fake_last(&b->fake, TCP, CLOSE)->bytes[17], 7);
    assert_int_equal(b->upper->ops->close_handle(b->upper, (int)second), 0);
    assert_int_equal(fake_last(&b->fake, TCP, CLOSE)->bytes[17], 3);
}

static void connections_that_nobody_accepted_go_with_their_listener(void **state)
{
    struct bench *b = *state;
    int handle = listener(b);
    connection_comes(b, 7);
    assert_int_equal(b->upper->ops->poll(b->upper, handle), TARGET_EVENT_IN);
    assert_int_equal(b->upper->ops->close_handle(b->upper, handle), 0);
    assert_int_equal(fake_count(&b->fake, TCP, CLOSE), 2);
    assert_memory_equal(fake_last(&b->fake, TCP, CLOSE)->bytes + 16, "\12\7\1", 3);
}

static void a_connection_at_no_listener_is_passed_over(void **state)
{
    static const uint8_t unknown[] = {9, 9, 1, 1, 0, 1, 0, 4, 192, 0, 2, 100};
    struct bench *b = *state;
    int handle = listener(b);
    fake_event(&b->fake, fake_last(&b->fake, TCP, LISTEN)->channel, LISTEN, 0, unknown, sizeof unknown);
    fake_event(&b->fake, fake_last(&b->fake, TCP, LISTEN)->channel, LISTEN, 0, unknown, sizeof unknown - 1);
    assert_int_equal(b->upper->ops->poll(b->upper, handle), 0);
    assert_int_equal(fake_count(&b->fake, TCP, FORWARD), 0);
}

static void something_sent_to_the_iut_gives_the_upper_tester_a_turn(void **state)
{
    struct bench *b = *state;
    struct pkt_endpoint peer;
    int handle = listener(b);
    b->upper->ops->accept(b->upper, handle, &peer);
    unsigned turns = fake_count(&b->fake, GENERAL, VERSION);
    b->upper->ops->accept(b->upper, handle, &peer);
    assert_int_equal(fake_count(&b->fake, GENERAL, VERSION), turns);
    b->upper->ops->touched(b->upper);
    b->upper->ops->accept(b->upper, handle, &peer);
    b->upper->ops->accept(b->upper, handle, &peer);
    assert_int_equal(fake_count(&b->fake, GENERAL, VERSION), turns + 1);
}

/* CONNECT to the endpoint that refuses, first of all; then the real one, which is not answered yet. */
static int connecting(struct bench *b)
{
    fake_answer(&b->fake, TCP, CONNECT, COR, NULL, 0);
    int64_t handle = b->upper->ops->socket(b->upper, 4);
    fake_answer(&b->fake, TCP, CONNECT, COR, NULL, 0);
    struct fake_answer *answer = &b->fake.answers[b->fake.answer_count - 1];
    assert_int_equal(b->upper->ops->connect(b->upper, (int)handle, &remote), -EINPROGRESS);
    assert_int_equal(b->upper->ops->close_handle(b->upper, (int)handle), 0);
    answer->silent = true;
    handle = b->upper->ops->socket(b->upper, 4);
    assert_int_equal(b->upper->ops->connect(b->upper, (int)handle, &remote), -EINPROGRESS);
    assert_int_equal(b->upper->ops->poll(b->upper, (int)handle), 0);
    return (int)handle;
}

static void connecting_ends_when_connect_is_answered(void **state)
{
    struct bench *b = *state;
    struct pkt_endpoint own;
    int64_t error = -1;
    int handle = connecting(b);
    static const uint8_t expected[] = {0x40, 0x00, 0, 4, 192, 0, 2, 100};
    assert_memory_equal(fake_last(&b->fake, TCP, CONNECT)->bytes + 18, expected, sizeof expected);
    fake_respond(&b->fake, b->fake.asked_count - 1, 0, NULL, 0);
    assert_int_equal(b->upper->ops->poll(b->upper, handle), TARGET_EVENT_OUT);
    assert_int_equal(b->upper->ops->get_option(b->upper, handle, "SO_ERROR", &error), 0);
    assert_int_equal(error, 0);
    assert_int_equal(b->upper->ops->local_endpoint(b->upper, handle, &own), 0);
    assert_in_range(own.port, 49152, 65535);
    assert_int_equal(b->upper->ops->connect(b->upper, handle, &remote), -EISCONN);
}

static void how_connecting_failed_is_told_if_the_upper_tester_tells_it(void **state)
{
    static const struct {
        uint8_t result;
        int64_t status, error;
    } rows[] = {{COR, 0, ECONNREFUSED}, {0xE3, 0, ETIMEDOUT}, {E_NOK, -ENOSYS, 0}};
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int handle = connecting(b);
        int64_t error = 0;
        fake_respond(&b->fake, b->fake.asked_count - 1, rows[i].result, NULL, 0);
        assert_true(b->upper->ops->poll(b->upper, handle) & TARGET_EVENT_ERROR);
        assert_int_equal(b->upper->ops->get_option(b->upper, handle, "SO_ERROR", &error), rows[i].status);
        assert_int_equal(error, rows[i].error);
        b->fake.asked_count = 0;
    }
}

static void an_upper_tester_that_answers_connect_at_once_cannot_tell_how_it_ends(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 2; i++) {
        int64_t handle = b->upper->ops->socket(b->upper, 4);
        assert_int_equal(b->upper->ops->connect(b->upper, (int)handle, &remote), -ENOSYS);
    }
    assert_int_equal(fake_count(&b->fake, TCP, CONNECT), 1); /* only the one that is refused */
    assert_int_equal(fake_count(&b->fake, TCP, CLOSE), 1);
}

/* ---- data -------------------------------------------------------------------------------------------------------- */

static void what_was_forwarded_is_read_exactly(void **state)
{
    struct bench *b = *state;
    char text[16] = "";
    int handle = accepted(b);
    assert_int_equal(read_from(b, handle, text, 4), -EAGAIN);
    assert_int_equal(b->upper->ops->poll(b->upper, handle), TARGET_EVENT_OUT);
    data_come(b, "abcde", 5, 0);
    data_come(b, "fgh", 3, 0);
    assert_int_equal(b->upper->ops->poll(b->upper, handle), TARGET_EVENT_OUT | TARGET_EVENT_IN);
    assert_int_equal(read_from(b, handle, text, 2), 2);
    assert_memory_equal(text, "ab", 2);
    assert_int_equal(read_from(b, handle, text, 5), 5);
    assert_memory_equal(text, "cdefg", 5);
    assert_int_equal(read_from(b, handle, text, 16), 1);
    assert_memory_equal(text, "h", 1);
    assert_int_equal(read_from(b, handle, text, 16), -EAGAIN);
}

static void the_end_is_told_after_the_data(void **state)
{
    static const struct {
        uint8_t result;
        int64_t then, afterwards;
    } rows[] = {{COC, 0, 0}, {0, 0, 0}, {CRE, -ECONNRESET, 0}};
    struct bench *b = *state;
    char text[16];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int handle = accepted(b);
        data_come(b, "abc", 3, 0);
        data_come(b, "", 0, rows[i].result);
        assert_int_equal(read_from(b, handle, text, 16), 3);
        assert_int_equal(read_from(b, handle, text, 16), rows[i].then);
        assert_int_equal(read_from(b, handle, text, 16), rows[i].afterwards);
        assert_int_equal(b->upper->ops->close_handle(b->upper, handle), 0);
    }
}

static void data_that_are_not_all_here_cannot_be_read(void **state)
{
    struct bench *b = *state;
    char text[16];
    int handle = accepted(b);
    data_come(b, "abc", 4, 0); /* cut to maxFwd at the other side */
    assert_int_equal(read_from(b, handle, text, 16), -ENOSYS);
    assert_int_equal(b->upper->ops->close_handle(b->upper, handle), -ENOSYS);
    static const uint8_t dropped[2] = {0, 1}; /* came before RECEIVE_AND_FORWARD */
    fake_answer(&b->fake, TCP, FORWARD, 0, dropped, sizeof dropped);
    handle = accepted(b);
    data_come(b, "abc", 3, 0);
    assert_int_equal(read_from(b, handle, text, 16), -ENOSYS);
}

static void data_at_another_channel_belong_to_the_only_one_that_forwards(void **state)
{
    static const uint8_t event[] = {0, 2, 0, 2, 'h', 'i'};
    struct bench *b = *state;
    struct pkt_endpoint peer;
    char text[16];
    int handle = accepted(b), other = listener(b), elsewhere = fake_last(&b->fake, TCP, LISTEN)->channel;
    fake_event(&b->fake, elsewhere, FORWARD, 0, event, sizeof event);
    assert_int_equal(read_from(b, handle, text, 16), 2);
    connection_comes(b, 2);
    assert_true(b->upper->ops->accept(b->upper, other, &peer) >= 0);
    fake_event(&b->fake, elsewhere, FORWARD, 0, event, sizeof event);
    assert_int_equal(read_from(b, handle, text, 16), -ECOMM);
    assert_lost(b, "does not say of which socket");
}

static void closing_with_octets_unread_cannot_be_played(void **state)
{
    struct bench *b = *state;
    int handle = accepted(b);
    data_come(b, "abc", 3, 0);
    b->upper->ops->work(b->upper);
    assert_int_equal(b->upper->ops->close_handle(b->upper, handle), -ENOSYS);
    assert_int_equal(fake_count(&b->fake, TCP, CLOSE), 1);
}

static void a_write_that_found_no_room_waits_until_something_has_happened(void **state)
{
    struct bench *b = *state;
    int handle = accepted(b);
    fake_answer(&b->fake, TCP, SEND, E_PEN, NULL, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(b->upper->ops->send_data(b->upper, handle, (const uint8_t *)"x", 1, 0), -EAGAIN);
    assert_int_equal(fake_count(&b->fake, TCP, SEND), 1);
    b->upper->ops->touched(b->upper);
    assert_int_equal(b->upper->ops->send_data(b->upper, handle, (const uint8_t *)"x", 1, 0), -EAGAIN);
    b->fake.now_ns += 3000000;
    assert_int_equal(b->upper->ops->send_data(b->upper, handle, (const uint8_t *)"x", 1, 0), -EAGAIN);
    assert_int_equal(fake_count(&b->fake, TCP, SEND), 3);
}

static void a_long_write_is_cut_to_what_a_datagram_holds(void **state)
{
    struct bench *b = *state;
    int handle = accepted(b);
    uint8_t *data = calloc(1, 100000);
    assert_int_equal(b->upper->ops->send_data(b->upper, handle, data, 100000, 0), 65000);
    assert_int_equal(fake_last(&b->fake, TCP, SEND)->len, 16 + 7 + 65000);
    free(data);
}

/* ---- options and what there is no primitive for ------------------------------------------------------------------- */

static void options_become_parameters(void **state)
{
    static const struct {
        const char *name;
        int64_t value;
        int64_t result;
        uint8_t parameter;
        uint8_t len;
        uint8_t octets[2];
    } rows[] = {
        {"TCP_NODELAY", 1, 0, 6, 1, {0}},
        {"TCP_NODELAY", 0, 0, 6, 1, {1}},
        {"TCP_MAXSEG", 500, 0, 5, 2, {1, 0xF4}},
        {"TCP_MAXSEG", 499, -ENOPROTOOPT, 0, 0, {0}},
        {"TCP_MAXSEG", 1461, -ENOPROTOOPT, 0, 0, {0}},
        {"IP_TTL", 1, 0, 0, 1, {1}},
        {"IP_TOS", 0x10, 0, 4, 1, {0x10}},
        {"IPV6_TCLASS", 255, 0, 1, 1, {255}},
        {"SO_KEEPALIVE", 1, -ENOPROTOOPT, 0, 0, {0}},
        {"SO_RCVBUF", 4096, -ENOPROTOOPT, 0, 0, {0}},
        {"IP_TTL", 256, -ENOPROTOOPT, 0, 0, {0}},
    };
    struct bench *b = *state;
    int handle = accepted(b);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned before = fake_count(&b->fake, TCP, CONFIGURE);
        assert_int_equal(b->upper->ops->set_option(b->upper, handle, rows[i].name, &rows[i].value, 1), rows[i].result);
        assert_int_equal(fake_count(&b->fake, TCP, CONFIGURE), before + (rows[i].result == 0));
        if (rows[i].result)
            continue;
        const struct fake_datagram *asked = fake_last(&b->fake, TCP, CONFIGURE);
        assert_int_equal(asked->bytes[19], rows[i].parameter);
        assert_int_equal(asked->bytes[21], rows[i].len);
        assert_memory_equal(asked->bytes + 22, rows[i].octets, rows[i].len);
    }
    fake_answer(&b->fake, TCP, CONFIGURE, 0xFC, NULL, 0);
    assert_int_equal(b->upper->ops->set_option(b->upper, handle, "IP_TTL", &(int64_t){1}, 1), -ENOPROTOOPT);
}

static void options_set_before_there_is_a_socket_follow_it(void **state)
{
    struct bench *b = *state;
    const int64_t on = 1;
    int64_t handle = b->upper->ops->socket(b->upper, 4);
    assert_int_equal(b->upper->ops->set_option(b->upper, (int)handle, "TCP_NODELAY", &on, 1), 0);
    assert_int_equal(fake_count(&b->fake, TCP, CONFIGURE), 0);
    assert_int_equal(b->upper->ops->bind(b->upper, (int)handle, &local), 0);
    assert_int_equal(fake_count(&b->fake, TCP, CONFIGURE), 1);
}

static void a_linger_of_no_time_aborts(void **state)
{
    static const int64_t at_once[2] = {1, 0}, a_while[2] = {1, 5};
    struct bench *b = *state;
    int handle = accepted(b);
    assert_int_equal(b->upper->ops->set_option(b->upper, handle, "SO_LINGER", a_while, 2), -ENOPROTOOPT);
    assert_int_equal(b->upper->ops->set_option(b->upper, handle, "SO_LINGER", at_once, 2), 0);
    assert_int_equal(b->upper->ops->close_handle(b->upper, handle), 0);
    assert_int_equal(fake_last(&b->fake, TCP, CLOSE)->bytes[18], 1);
    assert_int_equal(b->upper->ops->close_handle(b->upper, handle), -EBADF);
}

static void what_there_is_no_primitive_for_is_refused(void **state)
{
    struct bench *b = *state;
    struct target_error error = {.kind = TARGET_ERR_NONE};
    const struct target_setting setting = {"syncookies", "off"};
    struct target_status status;
    int64_t value;
    uint8_t octet = 0;
    int handle = accepted(b);
    assert_int_equal(b->upper->ops->send_data(b->upper, handle, &octet, 1, TARGET_MSG_OOB), -EOPNOTSUPP);
    assert_int_equal(b->upper->ops->receive_data(b->upper, handle, &octet, 1, TARGET_MSG_PEEK), -EOPNOTSUPP);
    assert_int_equal(b->upper->ops->ioctl(b->upper, handle, "SIOCINQ", &value), -EOPNOTSUPP);
    assert_int_equal(b->upper->ops->get_option(b->upper, handle, "TCP_INFO", &value), -ENOPROTOOPT);
    assert_int_equal(b->upper->ops->status(b->upper, &local, &remote, &status), -EOPNOTSUPP);
    assert_false(b->upper->ops->configure(b->upper, &setting, 1, &error));
    assert_int_equal(error.kind, TARGET_ERR_UNSUPPORTED);
    fake_answer(&b->fake, TCP, SHUTDOWN, E_NTF, NULL, 0); /* an extension: not everyone has it */
    assert_int_equal(b->upper->ops->shutdown(b->upper, handle, TARGET_SHUT_WR), -EOPNOTSUPP);
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_version_is_asked_and_the_test_begins_with_an_end),
        cmocka_unit_test(general_questions_are_asked_again_when_lost),
        cmocka_unit_test(silence_ends_with_words),
        cmocka_unit_test(whoever_knows_no_version_is_refused),
        WITH_BENCH(a_lost_answer_is_not_asked_for_again_but_is_a_loss),
        WITH_BENCH(recovering_from_one_who_is_gone_fails_in_time),
        WITH_BENCH(datagrams_that_this_machine_dropped_are_a_loss),
        WITH_BENCH(requests_have_the_octets_of_the_specification),
        WITH_BENCH(answers_that_come_twice_count_once),
        WITH_BENCH(an_answer_to_another_request_is_none),
        cmocka_unit_test_setup_teardown(responses_without_request_ids_are_understood, begin_without_ids, end),
        WITH_BENCH(a_socket_number_given_twice_is_a_loss),
        WITH_BENCH(binding_fails_as_it_does_at_the_other_side),
        WITH_BENCH(connections_are_accepted_in_their_order),
        WITH_BENCH(connections_that_nobody_accepted_go_with_their_listener),
        WITH_BENCH(a_connection_at_no_listener_is_passed_over),
        WITH_BENCH(something_sent_to_the_iut_gives_the_upper_tester_a_turn),
        WITH_BENCH(connecting_ends_when_connect_is_answered),
        WITH_BENCH(how_connecting_failed_is_told_if_the_upper_tester_tells_it),
        WITH_BENCH(an_upper_tester_that_answers_connect_at_once_cannot_tell_how_it_ends),
        WITH_BENCH(what_was_forwarded_is_read_exactly),
        WITH_BENCH(the_end_is_told_after_the_data),
        WITH_BENCH(data_that_are_not_all_here_cannot_be_read),
        WITH_BENCH(data_at_another_channel_belong_to_the_only_one_that_forwards),
        WITH_BENCH(closing_with_octets_unread_cannot_be_played),
        WITH_BENCH(a_write_that_found_no_room_waits_until_something_has_happened),
        WITH_BENCH(a_long_write_is_cut_to_what_a_datagram_holds),
        WITH_BENCH(options_become_parameters),
        WITH_BENCH(options_set_before_there_is_a_socket_follow_it),
        WITH_BENCH(a_linger_of_no_time_aborts),
        WITH_BENCH(what_there_is_no_primitive_for_is_refused),
    };
    return cmocka_run_group_tests_name("testability_client", tests, NULL, NULL);
}
