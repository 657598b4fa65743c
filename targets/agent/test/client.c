/* Tests of the tester's side: each call goes through to the stack and back, memory saves round trips and is never wrong, and
 * whatever an agent does, the client survives and says what happened. */
#include "targets/agent/test/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct pkt_endpoint LOCAL = { { 4, { 192, 0, 2, 2 } }, 1024 }, REMOTE = { { 6, { 0x20, 1, 0x0d, 0xb8, [15] = 1 } }, 16384 };

static void end(struct world *w, struct upper *u)
{
    u->ops->close(u);
    world_end(w);
}

static int open_socket(struct upper *u)
{
    int64_t handle = u->ops->socket(u, 4);
    assert_true(handle >= 0);
    return (int)handle;
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static void it_knows_whom_it_talks_to(void **state)
{
    (void)state;
    struct world w;
    struct upper *u = world_connected(&w);
    assert_string_equal(u->description, "fake?1.0"); /* what is not printable is not printed */
    assert_int_equal(u->capabilities, TARGET_STATUS);
    assert_true(u->configures);
    assert_true(u->call_ns > 0);
    assert_int_equal(u->pixit_count, 1);
    assert_string_equal(u->pixit[0].name, "colour");
    assert_string_equal(u->pixit[0].value, "green");
    assert_int_equal(w.fake.begun, 1);
    end(&w, u);
    assert_int_equal(w.fake.ended, 1);
}

static int64_t call_bind(struct upper *u, int h) { return u->ops->bind(u, h, &LOCAL); }
static int64_t call_listen(struct upper *u, int h) { return u->ops->listen(u, h, -3); }
static int64_t call_connect(struct upper *u, int h) { return u->ops->connect(u, h, &REMOTE); }
static int64_t call_send(struct upper *u, int h) { return u->ops->send_data(u, h, (const uint8_t *)"hello", 5, TARGET_MSG_OOB | TARGET_MSG_MORE); }
static int64_t call_shutdown(struct upper *u, int h) { return u->ops->shutdown(u, h, TARGET_SHUT_RDWR); }
static int64_t call_linger(struct upper *u, int h) { return u->ops->set_option(u, h, "SO_LINGER", (const int64_t[]){ 1, -2 }, 2); }
static int64_t call_close(struct upper *u, int h) { return u->ops->close_handle(u, h); }

static int64_t call_accept(struct upper *u, int h)
{
    struct pkt_endpoint peer;
    int64_t result = u->ops->accept(u, h, &peer);
    assert_true(result < 0 || (peer.port == 4711 && peer.addr.version == 6 && peer.addr.bytes[15] == 7));
    return result;
}

static int64_t call_receive(struct upper *u, int h)
{
    uint8_t out[10] = { 0 };
    int64_t result = u->ops->receive_data(u, h, out, sizeof out, TARGET_MSG_PEEK);
    assert_true(result < 0 || memcmp(out, "abcdefg\0\0", 10) == 0);
    return result;
}

static int64_t call_get(struct upper *u, int h)
{
    int64_t value = 0, result = u->ops->get_option(u, h, "TCP_MAXSEG", &value);
    assert_true(result < 0 || value == -77);
    return result;
}

static int64_t call_ioctl(struct upper *u, int h)
{
    int64_t value = 0, result = u->ops->ioctl(u, h, "SIOCINQ", &value);
    assert_true(result < 0 || value == INT64_C(1) << 40);
    return result;
}

static int64_t call_local(struct upper *u, int h)
{
    struct pkt_endpoint local;
    int64_t result = u->ops->local_endpoint(u, h, &local);
    assert_true(result < 0 || (local.port == 1025 && local.addr.version == 4 && local.addr.bytes[3] == 2));
    return result;
}

static int64_t call_status(struct upper *u, int h)
{
    struct target_status status;
    (void)h;
    int64_t result = u->ops->status(u, &LOCAL, &REMOTE, &status);
    assert_true(result < 0 || (status.state == TCP_STATE_CLOSE_WAIT && status.known == (TARGET_KNOWS_QUEUES | TARGET_KNOWS_TIMERS) &&
                               status.snd_una == 1 && status.snd_nxt == 2 && status.rcv_nxt == 3 && status.snd_wnd == 4 && status.rcv_wnd == 5 &&
                               status.unread_bytes == 6 && status.unsent_bytes == 7 && status.cwnd_bytes == 8 &&
                               status.ssthresh_bytes == UINT32_MAX && status.mss_bytes == 10 && status.retransmits == 11 &&
                               status.rto_ns == INT64_C(120000000000) && status.srtt_ns == -1));
    return result;
}

/* Each on handle 0; what the stack is to be told, and the results it may give. */
static const struct row { const char *log; int64_t (*call)(struct upper *u, int h); int64_t good; } CALLS[] = {
    { "bind 0 192.0.2.2:1024;", call_bind, 0 },
    { "listen 0 -3;", call_listen, 0 },
    { "accept 0;", call_accept, 1 },
    { "connect 0 2001:db8::1:16384;", call_connect, 0 },
    { "send 0 5 hello 5;", call_send, 5 },
    { "receive 0 10 2;", call_receive, 7 },
    { "shutdown 0 2;", call_shutdown, 0 },
    { "set 0 SO_LINGER 2 1 -2;", call_linger, 0 },
    { "get 0 TCP_MAXSEG;", call_get, 0 },
    { "ioctl 0 SIOCINQ;", call_ioctl, 0 },
    { "local 0;", call_local, 0 },
    { "status 192.0.2.2:1024 2001:db8::1:16384;", call_status, 0 },
    { "close 0;", call_close, 0 },
    { "abort 0;", agent_abort, 0 },
};
enum { CALL_COUNT = sizeof CALLS / sizeof *CALLS };

static void every_call_goes_through_and_back(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 2; piece++)
        for (size_t i = 0; i < CALL_COUNT; i++) {
            struct world w;
            struct upper *u = world_connected(&w);
            w.piece = piece; /* all at once, and octet by octet */
            int handle = open_socket(u);
            memcpy(w.fake.received, "abcdefghij", 10);
            w.fake.log[0] = '\0';
            w.fake.result = CALLS[i].good;
            int64_t result = CALLS[i].call(u, handle);
            if (result != CALLS[i].good || strcmp(w.fake.log, CALLS[i].log) != 0)
                fail_msg("row %zu: %lld, \"%s\"", i, (long long)result, w.fake.log);
            end(&w, u);
        }
}

static void every_call_brings_back_every_error(void **state)
{
    (void)state;
    static const int errors[] = { EPERM, EINPROGRESS, ECONNREFUSED, ETIMEDOUT, EADDRINUSE, ENOPROTOOPT, EPIPE, ECONNRESET, 4095 };
    for (size_t i = 0; i < CALL_COUNT; i++)
        for (size_t e = 0; e < sizeof errors / sizeof *errors; e++) {
            struct world w;
            struct upper *u = world_connected(&w);
            int handle = open_socket(u);
            w.fake.result = -errors[e];
            if (CALLS[i].call(u, handle) != -errors[e])
                fail_msg("row %zu, error %d", i, errors[e]);
            if (CALLS[i].call != call_close && CALLS[i].call != agent_abort)
                assert_int_equal(u->ops->socket(u, 6), -errors[e]);
            assert_int_equal(u->ops->trouble(u, NULL, 0), 0);
            end(&w, u);
        }
}

static void long_data_is_cut_to_what_a_message_holds(void **state)
{
    (void)state;
    struct world w;
    struct upper *u = world_connected(&w);
    int handle = open_socket(u);
    uint8_t *data = calloc(1, 4 << 20);
    assert_non_null(data);
    assert_int_equal(u->ops->send_data(u, handle, data, 1 << 20, 0), 1 << 20); /* a mebibyte is one call */
    int64_t taken = u->ops->send_data(u, handle, data, 4 << 20, 0);
    assert_true(taken > 1 << 20 && taken < AGENT_MESSAGE_MAX);
    assert_int_equal(w.fake.sent_len, taken);
    assert_int_equal(u->ops->receive_data(u, handle, data, 0, 0), 0);
    free(data);
    end(&w, u);
}

static void names_too_long_are_unknown(void **state)
{
    (void)state;
    struct world w;
    struct upper *u = world_connected(&w);
    int64_t value = 0;
    const char *name = "A_NAME_OF_SIXTY_FOUR_OCTETS_WHICH_IS_ONE_MORE_THAN_THE_WIRE_HAS!";
    int handle = open_socket(u);
    assert_int_equal(u->ops->get_option(u, handle, name, &value), -ENOPROTOOPT);
    assert_int_equal(u->ops->set_option(u, handle, name, &value, 1), -ENOPROTOOPT);
    assert_int_equal(u->ops->ioctl(u, handle, name, &value), -ENOTTY);
    assert_int_equal(u->ops->set_option(u, handle, "X", (int64_t[5]){ 0 }, 5), -EINVAL);
    end(&w, u);
}

/* ---- settings --------------------------------------------------------------------------------------------------- */

static void settings_go_through_and_refusals_come_back_in_words(void **state)
{
    (void)state;
    struct world w;
    struct upper *u = world_connected(&w);
    struct target_error error;
    const struct target_setting settings[] = { { "sack", "off" }, { "syn-retries", "2" } };
    assert_true(u->ops->configure(u, settings, 2, &error));
    assert_string_equal(w.fake.log, "configure 2 sack=2;");
    w.fake.refusal = (struct target_error){ TARGET_ERR_UNSUPPORTED, "no \x1b[31mred" };
    assert_false(u->ops->configure(u, settings, 1, &error));
    assert_int_equal(error.kind, TARGET_ERR_UNSUPPORTED);
    assert_string_equal(error.text, "the agent at here: no ?[31mred");
    w.fake.refusal = (struct target_error){ TARGET_ERR_USAGE, "" };
    assert_false(u->ops->configure(u, settings, 1, &error));
    assert_int_equal(error.kind, TARGET_ERR_USAGE);
    assert_int_equal(u->ops->trouble(u, NULL, 0), 0);
    end(&w, u);
}

static void an_agent_without_settings_refuses_all_but_none(void **state)
{
    (void)state;
    struct world w;
    struct target_error error;
    const struct target_setting setting = { "sack", "off" };
    world_init(&w);
    w.fake.ops.configure = NULL;
    w.fake.ops.status = NULL;
    struct upper *u = world_connect(&w, world_key, &error);
    struct target_status status;
    assert_non_null(u);
    assert_false(u->configures);
    assert_true(u->ops->configure(u, NULL, 0, &error));
    assert_false(u->ops->configure(u, &setting, 1, &error));
    assert_int_equal(error.kind, TARGET_ERR_UNSUPPORTED);
    assert_non_null(strstr(error.text, "--settings"));
    assert_int_equal(u->ops->status(u, &LOCAL, &REMOTE, &status), -EOPNOTSUPP);
    end(&w, u);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static int64_t again_accept(struct upper *u, int h)
{
    return u->ops->accept(u, h, NULL);
}

static int64_t again_receive(struct upper *u, int h)
{
    uint8_t out[4];
    return u->ops->receive_data(u, h, out, sizeof out, 0);
}

static int64_t again_urgent(struct upper *u, int h)
{
    uint8_t out[4];
    return u->ops->receive_data(u, h, out, sizeof out, TARGET_MSG_OOB);
}

static int64_t again_send(struct upper *u, int h)
{
    return u->ops->send_data(u, h, (const uint8_t *)"x", 1, 0);
}

static const struct { const char *says; int64_t (*call)(struct upper *u, int h); unsigned wakes, leaves; } WAITS[] = {
    { "accept", again_accept, TARGET_EVENT_IN, TARGET_EVENT_OUT },
    { "receive", again_receive, TARGET_EVENT_IN, TARGET_EVENT_OUT },
    { "receive, the peer closes", again_receive, TARGET_EVENT_READ_HANGUP, TARGET_EVENT_OUT },
    { "receive, urgent", again_urgent, TARGET_EVENT_URGENT, TARGET_EVENT_IN },
    { "send", again_send, TARGET_EVENT_OUT, TARGET_EVENT_IN },
    { "send, an error", again_send, TARGET_EVENT_ERROR, TARGET_EVENT_URGENT },
    { "connect", call_connect, TARGET_EVENT_OUT, TARGET_EVENT_IN },
};

static void what_cannot_be_done_yet_is_not_asked_again_until_something_happens(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof WAITS / sizeof *WAITS; i++) {
        struct world w;
        struct upper *u = world_connected(&w);
        int handle = open_socket(u);
        w.fake.result = -EAGAIN;
        assert_int_equal(WAITS[i].call(u, handle), -EAGAIN);
        unsigned requests = w.requests;
        assert_int_equal(WAITS[i].call(u, handle), -EAGAIN);
        u->ops->work(u);
        assert_int_equal(WAITS[i].call(u, handle), -EAGAIN);
        assert_int_equal(w.requests, requests);
        w.fake.events[handle] = WAITS[i].wakes;
        agent_server_work(w.server);
        assert_int_equal(WAITS[i].call(u, handle), -EAGAIN); /* it has not been read yet */
        assert_int_equal(w.requests, requests);
        u->ops->work(u);
        assert_int_equal(WAITS[i].call(u, handle), -EAGAIN); /* the stack says so */
        if (w.requests != requests + 1)
            fail_msg("%s", WAITS[i].says);
        end(&w, u);
    }
}

static void what_is_ready_for_something_else_is_not_asked_either(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof WAITS / sizeof *WAITS; i++) {
        struct world w;
        struct upper *u = world_connected(&w);
        int handle = open_socket(u);
        w.fake.events[handle] = WAITS[i].leaves;
        w.fake.result = -EAGAIN;
        WAITS[i].call(u, handle);
        unsigned requests = w.requests;
        assert_int_equal(WAITS[i].call(u, handle), -EAGAIN);
        bool asked = w.requests != requests;
        bool must_ask = WAITS[i].call == again_receive && WAITS[i].leaves == TARGET_EVENT_URGENT;
        if (asked != must_ask)
            fail_msg("%s", WAITS[i].says);
        end(&w, u);
    }
}

static void after_a_packet_memory_is_confirmed_once_for_all(void **state)
{
    (void)state;
    struct world w;
    struct upper *u = world_connected(&w);
    int handles[3];
    for (int i = 0; i < 3; i++)
        handles[i] = open_socket(u);
    w.fake.result = -EAGAIN;
    for (int i = 0; i < 3; i++)
        assert_int_equal(again_receive(u, handles[i]), -EAGAIN);
    unsigned requests = w.requests, calls = w.fake.calls;
    u->ops->touched(u);
    w.fake.events[2] = TARGET_EVENT_IN; /* what the packet has done, and no event of it has come */
    assert_int_equal(again_receive(u, handles[0]), -EAGAIN);
    assert_int_equal(again_receive(u, handles[1]), -EAGAIN);
    assert_int_equal(u->ops->poll(u, handles[2]), TARGET_EVENT_IN);
    assert_int_equal(w.requests, requests + 1); /* one PING */
    assert_int_equal(w.fake.calls, calls);
    w.fake.result = 3;
    assert_int_equal(again_receive(u, handles[2]), 3);
    end(&w, u);
}

static void after_a_packet_a_call_is_not_answered_from_memory(void **state)
{
    (void)state;
    struct world w;
    struct upper *u = world_connected(&w);
    int handle = open_socket(u);
    w.fake.result = -EAGAIN;
    assert_int_equal(again_receive(u, handle), -EAGAIN);
    u->ops->touched(u);
    w.fake.events[handle] = TARGET_EVENT_IN;
    w.fake.result = 4;
    assert_int_equal(again_receive(u, handle), 4);
    end(&w, u);
}

static void a_call_that_may_change_what_comes_next_is_followed_by_asking(void **state)
{
    (void)state;
    int64_t (*const changes[])(struct upper *u, int h) = { call_bind, call_listen, call_shutdown, call_linger, call_get };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct world w;
        struct upper *u = world_connected(&w);
        int handle = open_socket(u);
        w.fake.result = -EAGAIN;
        assert_int_equal(again_receive(u, handle), -EAGAIN);
        w.fake.result = 0;
        changes[i](u, handle);
        assert_int_equal(again_receive(u, handle), 0);
        end(&w, u);
    }
}

static void poll_costs_nothing_while_nothing_happens(void **state)
{
    (void)state;
    struct world w;
    struct upper *u = world_connected(&w);
    int handle = open_socket(u);
    unsigned requests = w.requests;
    for (int i = 0; i < 100; i++)
        assert_int_equal(u->ops->poll(u, handle), 0);
    w.fake.events[handle] = TARGET_EVENT_OUT | TARGET_EVENT_HANGUP;
    agent_server_work(w.server);
    u->ops->work(u);
    assert_int_equal(u->ops->poll(u, handle), TARGET_EVENT_OUT | TARGET_EVENT_HANGUP);
    assert_int_equal(w.requests, requests);
    assert_int_equal(u->ops->poll(u, 5), 0); /* no such handle */
    end(&w, u);
}

static void an_accepted_socket_is_known_from_the_start(void **state)
{
    (void)state;
    struct world w;
    struct upper *u = world_connected(&w);
    int listener = open_socket(u);
    w.fake.events[1] = TARGET_EVENT_OUT;
    int64_t handle = u->ops->accept(u, listener, NULL);
    unsigned requests = w.requests;
    assert_int_equal(handle, 1);
    assert_int_equal(u->ops->poll(u, 1), TARGET_EVENT_OUT);
    assert_int_equal(w.requests, requests);
    end(&w, u);
}

/* ---- the handshake ---------------------------------------------------------------------------------------------- */

static void refused(struct world *w, const uint8_t *key, const char *words)
{
    struct target_error error = { .kind = TARGET_ERR_NONE };
    assert_null(world_connect(w, key, &error));
    assert_int_equal(error.kind, TARGET_ERR_UNAVAILABLE);
    if (!strstr(error.text, words))
        fail_msg("\"%s\" is not in \"%s\"", words, error.text);
}

static void what_is_wrong_is_said_in_words(void **state)
{
    (void)state;
    static const struct { const char *words, *bytes; size_t len; } rows[] = {
        { "speaks other versions of the protocol (7 to 9) than this tester (1 to 1)", "\0\0\0\x11tcpassay\5\0\1\0\7\0\x9\1x", 21 },
        { "is serving another tester", "\0\0\0\x10tcpassay\5\0\3\0\1\0\1\0", 20 },
        { "refuses: go?away", "\0\0\0\x17tcpassay\5\0\x9\0\1\0\1\7go\naway", 27 },
        { "is none: something else answers there", "\0\0\0\5SSH-2", 9 },
        { "speaks nonsense: a message of 1397966893 octets", "SSH-2.0-OpenSSH\r\n", 17 },
        { "speaks nonsense: a message of 0 octets", "\0\0\0\0", 4 },
        { "its challenge is not one", "\0\0\0\x0ftcpassay\2\0\1\0\0\0\1", 19 },
        { "refuses, and says nonsense", "\0\0\0\x0atcpassay\5\0", 14 },
    };
    struct world w;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world_init(&w);
        memcpy(w.to_client, rows[i].bytes, rows[i].len);
        w.to_client_len = rows[i].len;
        refused(&w, world_key, rows[i].words);
    }
    world_init(&w);
    refused(&w, NULL, "has another key than this tester: give both the same key file");
    world_init(&w);
    w.busy = true;
    refused(&w, world_key, "is serving another tester, and serves one at a time");
    world_init(&w);
    w.mute = true;
    refused(&w, world_key, "does not answer");
    assert_true(w.now_ns == 1000 + AGENT_PATIENCE_NS);
    world_init(&w);
    w.deaf = true;
    refused(&w, world_key, "takes no more requests");
}

static void an_agent_that_does_not_know_the_key_is_found_out(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.flip_at = AGENT_LENGTH_BYTES + AGENT_CHALLENGE_BYTES + AGENT_LENGTH_BYTES + 1 + 20; /* an octet of its proof */
    refused(&w, world_key, "did not prove that it knows the key");
}

static void any_octet_altered_on_its_way_is_noticed(void **state)
{
    (void)state;
    for (size_t at = 1; at < 600; at++) {
        struct world w;
        struct target_error error;
        world_init(&w);
        w.flip_at = at;
        struct upper *u = world_connect(&w, world_key, &error);
        if (u && w.said > at)
            fail_msg("octet %zu", at);
        if (u)
            u->ops->close(u);
        world_end(&w);
    }
}

/* ---- losing it --------------------------------------------------------------------------------------------------- */

static void lost(struct world *w, struct upper *u, const char *words)
{
    char why[256];
    struct target_status status;
    struct pkt_endpoint local;
    if (u->ops->trouble(u, why, sizeof why) != 1 || !strstr(why, words))
        fail_msg("\"%s\" is not in \"%s\"", words, why);
    unsigned requests = w->requests;
    for (size_t i = 0; i < CALL_COUNT; i++)
        assert_int_equal(CALLS[i].call(u, 0), -ECOMM);
    assert_int_equal(u->ops->socket(u, 4), -ECOMM);
    assert_int_equal(u->ops->status(u, &LOCAL, &REMOTE, &status), -ECOMM);
    assert_int_equal(u->ops->local_endpoint(u, 0, &local), -ECOMM);
    assert_int_equal(u->ops->poll(u, 0), TARGET_EVENT_ERROR); /* so that who waits asks, and is told */
    u->ops->work(u);
    assert_int_equal(w->requests, requests);
    assert_int_equal(u->ops->trouble(u, why, sizeof why), 1); /* once for each loss */
}

static void an_agent_that_goes_is_lost_and_found_again_with_its_settings(void **state)
{
    (void)state;
    struct world w;
    struct upper *u = world_connected(&w);
    struct target_error error;
    const struct target_setting setting = { "sack", "off" };
    assert_true(u->ops->configure(u, &setting, 1, &error));
    open_socket(u);
    agent_server_free(w.server);
    w.server = NULL;
    assert_int_equal(u->ops->socket(u, 4), -ECOMM);
    lost(&w, u, "the agent at here is gone");
    w.refuses_reconnect = true;
    assert_false(u->ops->recover(u, &error));
    assert_string_equal(error.text, "nobody is there");
    w.refuses_reconnect = false;
    w.fake.log[0] = '\0';
    assert_true(u->ops->recover(u, &error));
    assert_string_equal(w.fake.log, "configure 1 sack=off;");
    assert_int_equal(u->ops->poll(u, 0), 0); /* its handles are gone */
    assert_int_equal(u->ops->bind(u, 0, &LOCAL), -EBADF);
    assert_int_equal(open_socket(u), 0);
    assert_int_equal(u->ops->trouble(u, NULL, 0), 1);
    end(&w, u);
}

static void an_agent_that_hangs_is_given_up_in_time(void **state)
{
    (void)state;
    struct world w;
    struct upper *u = world_connected(&w);
    open_socket(u);
    w.mute = true;
    int64_t from_ns = w.now_ns;
    assert_int_equal(u->ops->socket(u, 4), -ECOMM);
    assert_true(w.now_ns == from_ns + AGENT_PATIENCE_NS);
    lost(&w, u, "does not answer: it hangs, or the way to it is down");
    from_ns = w.now_ns;
    end(&w, u);
    assert_true(w.now_ns == from_ns); /* nor does taking leave wait for it */
}

static void an_agent_that_is_closed_says_so(void **state)
{
    (void)state;
    struct world w;
    struct upper *u = world_connected(&w);
    open_socket(u);
    agent_server_input(w.server, (const uint8_t *)"\0\0\0\0", 4, w.now_ns); /* which ends it */
    u->ops->work(u);
    lost(&w, u, "has closed the control connection");
    end(&w, u);
}

static void nonsense_among_the_answers_is_noticed(void **state)
{
    (void)state;
    static const char garbage[64] = "\0\0\0\x3cthis is no message that anybody has sealed with any key";
    struct world w;
    struct upper *u = world_connected(&w);
    memcpy(w.to_client, garbage, sizeof garbage);
    w.to_client_len = sizeof garbage;
    u->ops->work(u);
    lost(&w, u, "not authentic");
    end(&w, u);
}

/* An agent that knows the key, and says what it should not: to the request numbered N, sealed as it should be. */
static void known_nonces(uint8_t *out, size_t len)
{
    memset(out, 0x33, len);
}

static void say_sealed(struct world *w, const uint8_t *plain, size_t len)
{
    struct agent_transcript t = { .len = 0 };
    struct agent_seal seal = { .number = 1 + 5 + 1 }; /* an identity, five pings and a socket have been told of */
    uint8_t hello[AGENT_HELLO_BYTES], challenge[AGENT_CHALLENGE_BYTES];
    memset(hello, 0x33, sizeof hello);
    memcpy(hello, "tcpassay\1\0\1\0\1", 13);
    memset(challenge, 0x33, sizeof challenge);
    memcpy(challenge, "tcpassay\2\0\1\0\x10\1\0", 15);
    agent_transcribe(&t, hello, sizeof hello);
    agent_transcribe(&t, challenge, sizeof challenge);
    agent_derive(world_key, AGENT_KEY_OF_AGENT, &t, seal.key);
    w->to_client_len = agent_seal_message(&seal, plain, len, w->to_client);
}

static int64_t call_socket(struct upper *u, int h)
{
    (void)h;
    return u->ops->socket(u, 4);
}

static int64_t call_settings(struct upper *u, int h)
{
    struct target_error error;
    const struct target_setting setting = { "sack", "off" };
    (void)h;
    assert_false(u->ops->configure(u, &setting, 1, &error));
    return u->ops->trouble(u, NULL, 0) ? -ECOMM : 0;
}

#define ANSWER_8 "\0\0\0\x08\x80" /* the number of the request that follows an identity, five pings and a socket */

static void an_agent_that_lies_is_found_out(void **state)
{
    (void)state;
    static const struct { const char *words, *plain; size_t len; int64_t (*call)(struct upper *u, int h); } rows[] = {
        { "answer to nothing", "\0\0\0\x09\x80\0\0\0\0\0\0\0\0\0", 14, call_bind },
        { "answer to nothing", "\0\0\0\x07\x80\0\0\0\0\0\0\0\0\0", 14, call_bind },
        { "answer to nothing", ANSWER_8 "\0\0\0\0\0\0\0", 12, call_bind },
        { "a message of kind 85", "\0\0\0\x08\x55\0\0\0\0\0\0\0\0\0", 14, call_bind },
        { "a message of kind 129", "\0\0\0\x08\x81", 5, call_bind },
        { "an event of a socket that is not there", "\0\0\0\0\x81\0\0\0\1\1", 10, call_bind },
        { "an event of a socket that is not there", "\0\0\0\0\x81\xff\xff\xff\xff\1", 10, call_bind },
        { "an event of a socket that is not there", "\0\0\0\0\x81\0\0\0\0", 9, call_bind },
        { "a new socket that is none", ANSWER_8 "\0\0\0\0\0\0\0\0\0\0", 15, call_socket },
        { "a new socket that is none", ANSWER_8 "\0\0\0\0\0\1\0\0\0\0", 15, call_socket },
        { "a socket without its events", ANSWER_8 "\0\0\0\0\0\0\0\1\0", 14, call_socket },
        { "a connection without its peer", ANSWER_8 "\0\0\0\0\0\0\0\1\0\0", 15, call_accept },
        { "other data than it says", ANSWER_8 "\0\0\0\0\0\0\0\5\0abc", 17, call_receive },
        { "other data than it says", ANSWER_8 "\0\0\0\0\0\0\0\1\0abc", 17, call_receive },
        { "other data than it says", ANSWER_8 "\0\0\0\0\0\0\0\x0b\0abcdefghijk", 25, call_receive },
        { "it sent more than it was given", ANSWER_8 "\0\0\0\0\0\0\0\6\0", 14, call_send },
        { "a number that is none", ANSWER_8 "\0\0\0\0\0\0\0\0\0\1", 15, call_get },
        { "a number that is none", ANSWER_8 "\0\0\0\0\0\0\0\0\0\1\1\1\1\1\1\1\1\1", 23, call_ioctl },
        { "an endpoint that is none", ANSWER_8 "\0\0\0\0\0\0\0\0\0\7", 15, call_local },
        { "a state that is none", ANSWER_8 "\0\0\0\0\0\0\0\0\0\x0b\0"
          "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
          "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 14 + 2 + 44 + 16, call_status },
        { "answer to nothing", ANSWER_8 "\xff\xff\xff\xff\xff\xff\x0f\xff\0", 14, call_settings },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;
        struct target_error error;
        world_init(&w);
        w.config.random = known_nonces;
        w.server = agent_server_new(&w.config, w.now_ns);
        struct upper *u = agent_on_stream(&w.stream, world_key, 0, known_nonces, &error);
        assert_non_null(u);
        assert_int_equal(open_socket(u), 0);
        say_sealed(&w, (const uint8_t *)rows[i].plain, rows[i].len);
        w.mute = true;
        char why[256];
        if (rows[i].call(u, 0) != -ECOMM || !u->ops->trouble(u, why, sizeof why) || !strstr(why, rows[i].words))
            fail_msg("row %zu, \"%s\" is not in \"%s\"", i, rows[i].words, why);
        end(&w, u);
    }
}

static void results_that_cannot_be_are_noticed(void **state)
{
    (void)state;
    static const struct { const char *words; int64_t (*call)(struct upper *u, int h); int64_t result; } rows[] = {
        { "answer to nothing", call_bind, -4096 }, { "answer to nothing", call_bind, INT64_MIN }, { "answer to nothing", call_bind, -ECOMM },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;
        struct upper *u = world_connected(&w);
        int handle = open_socket(u);
        w.fake.result = rows[i].result;
        assert_int_equal(rows[i].call(u, handle), -ECOMM);
        lost(&w, u, rows[i].words);
        end(&w, u);
    }
}

static void taking_leave_leaves_nothing_at_the_other_end(void **state)
{
    (void)state;
    struct world w;
    struct upper *u = world_connected(&w);
    open_socket(u);
    open_socket(u);
    u->ops->close(u);
    assert_int_equal(w.fake.aborted, 2);
    assert_int_equal(w.fake.ended, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_knows_whom_it_talks_to),
        cmocka_unit_test(every_call_goes_through_and_back),
        cmocka_unit_test(every_call_brings_back_every_error),
        cmocka_unit_test(long_data_is_cut_to_what_a_message_holds),
        cmocka_unit_test(names_too_long_are_unknown),
        cmocka_unit_test(settings_go_through_and_refusals_come_back_in_words),
        cmocka_unit_test(an_agent_without_settings_refuses_all_but_none),
        cmocka_unit_test(what_cannot_be_done_yet_is_not_asked_again_until_something_happens),
        cmocka_unit_test(what_is_ready_for_something_else_is_not_asked_either),
        cmocka_unit_test(after_a_packet_memory_is_confirmed_once_for_all),
        cmocka_unit_test(after_a_packet_a_call_is_not_answered_from_memory),
        cmocka_unit_test(a_call_that_may_change_what_comes_next_is_followed_by_asking),
        cmocka_unit_test(poll_costs_nothing_while_nothing_happens),
        cmocka_unit_test(an_accepted_socket_is_known_from_the_start),
        cmocka_unit_test(what_is_wrong_is_said_in_words),
        cmocka_unit_test(an_agent_that_does_not_know_the_key_is_found_out),
        cmocka_unit_test(any_octet_altered_on_its_way_is_noticed),
        cmocka_unit_test(an_agent_that_goes_is_lost_and_found_again_with_its_settings),
        cmocka_unit_test(an_agent_that_hangs_is_given_up_in_time),
        cmocka_unit_test(an_agent_that_is_closed_says_so),
        cmocka_unit_test(nonsense_among_the_answers_is_noticed),
        cmocka_unit_test(an_agent_that_lies_is_found_out),
        cmocka_unit_test(results_that_cannot_be_are_noticed),
        cmocka_unit_test(taking_leave_leaves_nothing_at_the_other_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
