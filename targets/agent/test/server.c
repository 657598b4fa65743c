/* Tests of the agent's server core: the handshake, what it does not take, bounds, events, and that nothing is left. */
#include "targets/agent/calls.h"
#include "targets/agent/test/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A connection that has been let in. */
static void start(struct world *w, struct raw *r)
{
    world_init(w);
    raw_begin(r, w);
    raw_authenticate(r);
}

/* The reason of a REFUSAL, which must be what comes next. */
static unsigned refusal(struct raw *r)
{
    assert_true(raw_take(r, false));
    struct agent_reader reader = { r->last, r->last_len, false };
    assert_memory_equal(agent_get_bytes(&reader, AGENT_MAGIC_BYTES), AGENT_MAGIC, AGENT_MAGIC_BYTES);
    assert_int_equal(agent_get8(&reader), AGENT_REFUSAL);
    unsigned reason = agent_get16(&reader);
    assert_int_equal(agent_get16(&reader), AGENT_VERSION_MIN);
    assert_int_equal(agent_get16(&reader), AGENT_VERSION_MAX);
    assert_true(agent_server_finished(r->world->server));
    return reason;
}

static int open_socket(struct raw *r)
{
    raw_request(r, 1, AGENT_SOCKET, "\4", 1);
    return (int)raw_answer(r, 1);
}

/* ---- the handshake ---------------------------------------------------------------------------------------------- */

static void versions_that_overlap_are_taken_and_others_told(void **state)
{
    (void)state;
    static const struct { uint16_t least, most; bool taken; } rows[] = {
        { 1, 1, true }, { 0, 1, true }, { 1, 65535, true }, { 2, 9, false }, { 0, 0, false }, { 65535, 65535, false }, { 2, 1, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;
        struct raw r;
        world_init(&w);
        raw_begin(&r, &w);
        raw_hello(&r, rows[i].least, rows[i].most);
        if (rows[i].taken) {
            raw_prove(&r, world_key);
            assert_true(agent_server_serves(w.server));
        } else {
            assert_int_equal(refusal(&r), AGENT_REFUSED_VERSION);
        }
        world_end(&w);
    }
}

static void a_longer_hello_of_a_later_version_is_taken(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    uint8_t hello[AGENT_GREETING_MAX] = "tcpassay\1\0\1\0\7";
    world_init(&w);
    raw_begin(&r, &w);
    raw_say_message(&r, hello, sizeof hello);
    agent_transcribe(&r.transcript, hello, sizeof hello);
    raw_prove(&r, world_key);
    assert_true(agent_server_serves(w.server));
    world_end(&w);
}

static void versions_cannot_be_talked_down(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    world_init(&w);
    raw_begin(&r, &w);
    raw_hello(&r, 1, 1);
    r.transcript.bytes[AGENT_LENGTH_BYTES + AGENT_MAGIC_BYTES + 4] = 7; /* the tester said 1 to 7; somebody made it 1 to 1 */
    raw_prove(&r, world_key);
    assert_int_equal(refusal(&r), AGENT_REFUSED_KEY);
    world_end(&w);
}

static void another_key_is_told_and_begins_nothing(void **state)
{
    (void)state;
    uint8_t other[AGENT_KEY_BYTES];
    for (unsigned bit = 0; bit < 8 * AGENT_KEY_BYTES; bit += 37) {
        struct world w;
        struct raw r;
        world_init(&w);
        memcpy(other, world_key, sizeof other);
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
        raw_begin(&r, &w);
        raw_hello(&r, 1, 1);
        raw_prove(&r, other);
        assert_int_equal(refusal(&r), AGENT_REFUSED_KEY);
        assert_int_equal(w.fake.begun, 0);
        assert_int_equal(w.fake.calls, 0);
        world_end(&w);
    }
}

static void a_recorded_proof_proves_nothing_later(void **state)
{
    (void)state;
    struct world w;
    struct raw first, again;
    uint8_t proof[AGENT_PROOF_MESSAGE_BYTES] = { AGENT_PROOF };
    start(&w, &first);
    agent_derive(world_key, AGENT_PROOF_OF_TESTER, &first.transcript, proof + 1); /* as it was sent */
    raw_begin(&again, &w);
    raw_hello(&again, 1, 1); /* with the same nonce, too */
    assert_true(raw_take(&again, false));
    raw_say_message(&again, proof, sizeof proof);
    assert_int_equal(refusal(&again), AGENT_REFUSED_KEY);
    world_end(&w);
}

static void the_agents_own_proof_is_not_the_testers(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    uint8_t proof[AGENT_PROOF_MESSAGE_BYTES] = { AGENT_PROOF };
    world_init(&w);
    raw_begin(&r, &w);
    raw_hello(&r, 1, 1);
    assert_true(raw_take(&r, false));
    agent_transcribe(&r.transcript, r.last, r.last_len);
    agent_derive(world_key, AGENT_PROOF_OF_AGENT, &r.transcript, proof + 1);
    raw_say_message(&r, proof, sizeof proof);
    assert_int_equal(refusal(&r), AGENT_REFUSED_KEY);
    world_end(&w);
}

static void a_second_tester_is_told_once_it_has_proved_the_key(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    world_init(&w);
    w.busy = true;
    raw_begin(&r, &w);
    raw_hello(&r, 1, 1);
    raw_prove(&r, world_key);
    assert_int_equal(refusal(&r), AGENT_REFUSED_BUSY);
    assert_int_equal(w.fake.begun, 0);
    world_end(&w);
}

static void strangers_are_told_nothing(void **state)
{
    (void)state;
    static const struct { const char *bytes; size_t len; } rows[] = {
        { "GET / HTTP/1.1\r\n\r\n", 18 }, { "\0\0\0\0", 4 }, { "\xff\xff\xff\xff", 4 }, { "\0\0\1\1", 4 }, { "\0\0\0\1x", 5 },
        { "\0\0\0\x08tcpassax", 12 }, { "\x16\x03\x01\x02\0\1\0\1\xfc\3\3", 11 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;
        struct raw r;
        size_t len;
        world_init(&w);
        raw_begin(&r, &w);
        raw_say(&r, rows[i].bytes, rows[i].len);
        agent_server_output(w.server, &len);
        if (!agent_server_finished(w.server) || len != 0)
            fail_msg("row %zu", i);
        world_end(&w);
    }
}

static void other_messages_of_the_handshake_are_refused(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    world_init(&w);
    raw_begin(&r, &w);
    raw_say_message(&r, "tcpassay\1\0\1\0\1short", 18);
    assert_int_equal(refusal(&r), AGENT_REFUSED_NONSENSE);
    raw_begin(&r, &w);
    raw_hello(&r, 1, 1);
    assert_true(raw_take(&r, false));
    raw_hello(&r, 1, 1);
    assert_int_equal(refusal(&r), AGENT_REFUSED_NONSENSE);
    world_end(&w);
}

/* ---- sealed messages -------------------------------------------------------------------------------------------- */

static void a_message_played_again_ends_it_all(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    uint8_t message[RAW_MAX];
    size_t len;
    start(&w, &r);
    open_socket(&r);
    size_t message_len = raw_seal(&r, 2, AGENT_LISTEN, "\0\0\0\0\0\0\0\1", 8, message);
    raw_say(&r, message, message_len);
    assert_int_equal(raw_answer(&r, 2), 0);
    unsigned calls = w.fake.calls;
    raw_say(&r, message, message_len);
    assert_true(agent_server_finished(w.server));
    assert_non_null(strstr(agent_server_reason(w.server), "not authentic"));
    agent_server_output(w.server, &len);
    assert_int_equal(len, 0);
    assert_int_equal(w.fake.calls, calls + 1); /* the socket was aborted, nothing else */
    assert_int_equal(w.fake.aborted, 1);
    assert_int_equal(w.fake.ended, 1);
    world_end(&w);
    assert_int_equal(w.fake.ended, 1);
}

static void messages_out_of_order_or_left_out_or_altered_end_it(void **state)
{
    (void)state;
    for (int fault = 0; fault < 4; fault++) {
        struct world w;
        struct raw r;
        uint8_t first[RAW_MAX], second[RAW_MAX];
        start(&w, &r);
        size_t first_len = raw_seal(&r, 1, AGENT_PING, "a", 1, first), second_len = raw_seal(&r, 2, AGENT_PING, "b", 1, second);
        if (fault == 0)
            first[first_len - 1] ^= 1;
        if (fault == 1)
            first[AGENT_LENGTH_BYTES] ^= 0x80;
        if (fault < 2)
            raw_say(&r, first, first_len);
        else if (fault == 2)
            raw_say(&r, second, second_len);
        else
            raw_say_message(&r, "a made-up message, long enough to be one", 40);
        assert_true(agent_server_finished(w.server));
        assert_false(raw_take(&r, true));
        world_end(&w);
    }
}

static void impossible_lengths_end_it(void **state)
{
    (void)state;
    static const uint32_t lengths[] = { 0, 1, AGENT_REQUEST_HEADER + AGENT_TAG_BYTES - 1, AGENT_MESSAGE_MAX + 1, UINT32_MAX };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct world w;
        struct raw r;
        uint8_t length[AGENT_LENGTH_BYTES];
        start(&w, &r);
        agent_length_to(length, lengths[i]);
        raw_say(&r, length, sizeof length);
        assert_true(agent_server_finished(w.server));
        world_end(&w);
    }
}

static void octets_one_by_one_do_as_well(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    uint8_t message[RAW_MAX];
    start(&w, &r);
    size_t len = raw_seal(&r, 77, AGENT_PING, "echo", 4, message);
    for (size_t i = 0; i < len; i++) {
        assert_false(raw_take(&r, true));
        raw_say(&r, message + i, 1);
    }
    assert_int_equal(raw_answer(&r, 77), 0);
    assert_memory_equal(r.last + AGENT_ANSWER_HEADER, "echo", 4);
    world_end(&w);
}

static void requests_may_be_pipelined(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    uint8_t messages[3][RAW_MAX], all[3 * RAW_MAX];
    size_t len = 0;
    start(&w, &r);
    for (uint8_t i = 0; i < 3; i++) {
        size_t one = raw_seal(&r, 100u + i, AGENT_PING, &i, 1, messages[i]);
        memcpy(all + len, messages[i], one);
        len += one;
    }
    raw_say(&r, all, len);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(raw_answer(&r, 100 + i), 0);
    world_end(&w);
}

/* ---- calls that are not --------------------------------------------------------------------------------------------- */

static void unknown_calls_are_told_and_the_connection_goes_on(void **state)
{
    (void)state;
    static const uint8_t kinds[] = { 0, AGENT_RESET + 1, 0x7f, AGENT_ANSWER, AGENT_EVENT, 0xff };
    struct world w;
    struct raw r;
    start(&w, &r);
    for (size_t i = 0; i < sizeof kinds; i++) {
        raw_request(&r, 9, kinds[i], "whatever", 8);
        assert_int_equal(raw_answer(&r, 9), -AGENT_ENOSYS);
    }
    raw_request(&r, 10, AGENT_PING, "", 0);
    assert_int_equal(raw_answer(&r, 10), 0);
    raw_request(&r, 0, AGENT_PING, "", 0); /* but number 0 is no request */
    assert_true(agent_server_finished(w.server));
    world_end(&w);
}

/* Each call with good arguments (handle 0 is open). `rest`: its last argument takes all that is left. */
static const struct shape { uint8_t kind; const char *arguments; size_t len; bool rest; } SHAPES[] = {
    { AGENT_SOCKET, "\4", 1, false },
    { AGENT_BIND, "\0\0\0\0\4\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0\0\x50", 23, false },
    { AGENT_LISTEN, "\0\0\0\0\0\0\0\1", 8, false },
    { AGENT_ACCEPT, "\0\0\0\0", 4, false },
    { AGENT_CONNECT, "\0\0\0\0\4\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0\0\x50", 23, false },
    { AGENT_SEND, "\0\0\0\0\0", 5, true },
    { AGENT_RECEIVE, "\0\0\0\0\0\0\0\0\5", 9, false },
    { AGENT_SHUTDOWN, "\0\0\0\0\1", 5, false },
    { AGENT_SET_OPTION, "\0\0\0\0\3abc\1\0\0\0\0\0\0\0\1", 17, false },
    { AGENT_GET_OPTION, "\0\0\0\0\3abc", 8, false },
    { AGENT_IOCTL, "\0\0\0\0\3abc", 8, false },
    { AGENT_POLL, "\0\0\0\0", 4, false },
    { AGENT_LOCAL_ENDPOINT, "\0\0\0\0", 4, false },
    { AGENT_STATUS, "\4\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0\0\x50\4\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0\0\x50", 38, false },
    { AGENT_SETTINGS, "\1\3abc\1x", 7, false },
    { AGENT_IDENTIFY, "", 0, false },
    { AGENT_PING, "", 0, true },
    { AGENT_RESET, "", 0, false },
    { AGENT_CLOSE, "\0\0\0\0", 4, false },
    { AGENT_ABORT, "\0\0\0\0", 4, false },
};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

static void arguments_too_short_or_too_long_are_told_and_nothing_called(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPE_COUNT; i++) {
        const struct shape *shape = &SHAPES[i];
        struct world w;
        struct raw r;
        uint8_t arguments[64] = { 0 };
        start(&w, &r);
        assert_int_equal(open_socket(&r), 0);
        unsigned calls = w.fake.calls;
        memcpy(arguments, shape->arguments, shape->len);
        for (size_t len = 0; len < shape->len; len++) {
            raw_request(&r, 2, shape->kind, arguments, len);
            if (raw_answer(&r, 2) != -AGENT_EBADMSG || w.fake.calls != calls)
                fail_msg("call %u with %zu of %zu octets", shape->kind, len, shape->len);
        }
        if (!shape->rest) {
            raw_request(&r, 2, shape->kind, arguments, shape->len + 1);
            if (raw_answer(&r, 2) != -AGENT_EBADMSG || w.fake.calls != calls)
                fail_msg("call %u with an octet more", shape->kind);
        }
        raw_request(&r, 3, shape->kind, arguments, shape->len);
        if (raw_answer(&r, 3) < 0)
            fail_msg("call %u as it should be", shape->kind);
        world_end(&w);
    }
}

static void values_out_of_bounds_are_told(void **state)
{
    (void)state;
    static const struct { const char *says; uint8_t kind; const char *arguments; size_t len; int64_t result; } rows[] = {
        { "IP version 5", AGENT_SOCKET, "\5", 1, -AGENT_EINVAL },
        { "shutdown 3", AGENT_SHUTDOWN, "\0\0\0\0\3", 5, -AGENT_EINVAL },
        { "five values", AGENT_SET_OPTION, "\0\0\0\0\1a\5", 7, -AGENT_EBADMSG },
        { "an option's name with a NUL", AGENT_GET_OPTION, "\0\0\0\0\3a\0c", 8, -AGENT_EBADMSG },
        { "65 settings", AGENT_SETTINGS, "\x41", 1, -AGENT_EBADMSG },
        { "a handle never opened", AGENT_CLOSE, "\0\0\0\1", 4, -AGENT_EBADF },
        { "a handle beyond all", AGENT_CLOSE, "\xff\xff\xff\xff", 4, -AGENT_EBADF },
        { "a long ping", AGENT_PING, "12345678901234567890123456789012345678901234567890123456789012345", 65, -AGENT_EBADMSG },
    };
    struct world w;
    struct raw r;
    start(&w, &r);
    assert_int_equal(open_socket(&r), 0);
    unsigned calls = w.fake.calls;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        raw_request(&r, 5, rows[i].kind, rows[i].arguments, rows[i].len);
        if (raw_answer(&r, 5) != rows[i].result || w.fake.calls != calls)
            fail_msg("%s", rows[i].says);
    }
    world_end(&w);
}

static void one_setting_more_than_is_said_or_may_be_is_told(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    uint8_t arguments[1 + 2 * (AGENT_SETTINGS_MAX + 1)] = { AGENT_SETTINGS_MAX + 1 }; /* texts of no octets */
    start(&w, &r);
    for (size_t given = AGENT_SETTINGS_MAX; given <= AGENT_SETTINGS_MAX + 1; given++) {
        raw_request(&r, 1, AGENT_SETTINGS, arguments, 1 + 2 * given);
        assert_int_equal(raw_answer(&r, 1), -AGENT_EBADMSG);
    }
    arguments[0] = AGENT_SETTINGS_MAX;
    raw_request(&r, 2, AGENT_SETTINGS, arguments, 1 + 2 * AGENT_SETTINGS_MAX);
    assert_int_equal(raw_answer(&r, 2), 0);
    assert_string_equal(w.fake.log, "configure 64 =;");
    world_end(&w);
}

static void no_more_is_received_than_a_message_holds(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    char wanted[64];
    start(&w, &r);
    open_socket(&r);
    w.fake.log[0] = '\0';
    raw_request(&r, 2, AGENT_RECEIVE, "\0\0\0\0\0\xff\xff\xff\xff", 9);
    assert_int_equal(raw_answer(&r, 2), 0);
    snprintf(wanted, sizeof wanted, "receive 0 %d 0;", AGENT_MESSAGE_MAX - AGENT_RECEIVE_OVERHEAD);
    assert_string_equal(w.fake.log, wanted);
    world_end(&w);
}

static void a_closed_handle_is_gone(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    start(&w, &r);
    assert_int_equal(open_socket(&r), 0);
    w.fake.result = -5;
    raw_request(&r, 2, AGENT_CLOSE, "\0\0\0\0", 4);
    assert_int_equal(raw_answer(&r, 2), -5); /* whatever the result */
    raw_request(&r, 3, AGENT_CLOSE, "\0\0\0\0", 4);
    assert_int_equal(raw_answer(&r, 3), -AGENT_EBADF);
    world_end(&w);
    assert_int_equal(w.fake.aborted, 0);
}

static void what_a_stack_lacks_is_not_supported(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    start(&w, &r);
    w.fake.ops.status = NULL;
    w.fake.ops.configure = NULL;
    raw_request(&r, 1, AGENT_STATUS, SHAPES[13].arguments, SHAPES[13].len);
    assert_int_equal(raw_answer(&r, 1), -AGENT_EOPNOTSUPP);
    raw_request(&r, 2, AGENT_SETTINGS, "\0", 1);
    assert_int_equal(raw_answer(&r, 2), -AGENT_EOPNOTSUPP);
    raw_request(&r, 3, AGENT_IDENTIFY, "", 0);
    assert_int_equal(raw_answer(&r, 3), 0);
    struct agent_reader reader = { r.last + AGENT_ANSWER_HEADER, r.last_len - AGENT_ANSWER_HEADER, false };
    assert_int_equal(agent_get32(&reader), AGENT_CAN_EVENTS);
    world_end(&w);
}

static void sockets_are_as_many_as_there_are(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    start(&w, &r);
    w.fake.base.handles_max = 3; /* the stack has more than the server may keep */
    for (int i = 0; i < 3; i++)
        assert_int_equal(open_socket(&r), i);
    assert_int_equal(open_socket(&r), -AGENT_EMFILE); /* and what is too much is given back */
    assert_int_equal(w.fake.aborted, 1);
    world_end(&w);
    assert_int_equal(w.fake.aborted, 4);
}

/* ---- events ----------------------------------------------------------------------------------------------------- */

/* The next message must be an event of just this socket. */
static void expect_event(struct raw *r, uint32_t handle, uint8_t events)
{
    assert_true(raw_take(r, true));
    struct agent_reader reader = { r->last, r->last_len, false };
    assert_int_equal(agent_get32(&reader), 0);
    assert_int_equal(agent_get8(&reader), AGENT_EVENT);
    assert_int_equal(agent_get32(&reader), handle);
    assert_int_equal(agent_get8(&reader), events);
    assert_true(agent_read_all(&reader));
}

static void an_edge_is_told_once(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    start(&w, &r);
    int handle = open_socket(&r);
    agent_server_work(w.server);
    assert_false(raw_take(&r, true));
    w.fake.events[handle] = TARGET_EVENT_IN;
    agent_server_work(w.server);
    agent_server_work(w.server);
    expect_event(&r, (uint32_t)handle, TARGET_EVENT_IN);
    assert_false(raw_take(&r, true));
    w.fake.events[handle] = 0; /* it goes: that is told too */
    agent_server_work(w.server);
    expect_event(&r, (uint32_t)handle, 0);
    world_end(&w);
}

static void what_an_answer_has_told_is_no_event(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    start(&w, &r);
    int handle = open_socket(&r);
    w.fake.events[handle] = TARGET_EVENT_IN | TARGET_EVENT_OUT;
    raw_request(&r, 2, AGENT_POLL, "\0\0\0\0", 4);
    assert_int_equal(raw_answer(&r, 2), 0);
    assert_int_equal(r.last[AGENT_ANSWER_HEADER - 1], TARGET_EVENT_IN | TARGET_EVENT_OUT);
    agent_server_work(w.server);
    assert_false(raw_take(&r, true));
    world_end(&w);
}

static void a_ping_is_answered_after_what_has_happened(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    start(&w, &r);
    int handle = open_socket(&r);
    w.fake.events[handle] = TARGET_EVENT_URGENT;
    raw_request(&r, 2, AGENT_PING, "", 0);
    expect_event(&r, (uint32_t)handle, TARGET_EVENT_URGENT);
    assert_int_equal(raw_answer(&r, 2), 0);
    world_end(&w);
}

static void events_of_closed_sockets_are_not_told(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    start(&w, &r);
    int handle = open_socket(&r);
    w.fake.events[handle] = TARGET_EVENT_IN;
    raw_request(&r, 2, AGENT_CLOSE, "\0\0\0\0", 4);
    assert_int_equal(raw_answer(&r, 2), 0);
    assert_int_equal(r.last[AGENT_ANSWER_HEADER - 1], 0);
    agent_server_work(w.server);
    assert_false(raw_take(&r, true));
    world_end(&w);
}

static int changed_handles[4], changed_count;

static int next_changed(struct agent_sockets *a)
{
    (void)a;
    return changed_count ? changed_handles[--changed_count] : -1;
}

static void a_stack_that_tells_which_have_changed_is_asked_about_those(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    start(&w, &r);
    w.fake.ops.changed = next_changed;
    for (int i = 0; i < 3; i++)
        assert_int_equal(open_socket(&r), i);
    for (int i = 0; i < 3; i++)
        w.fake.events[i] = TARGET_EVENT_OUT;
    changed_count = 2;
    changed_handles[0] = 1;
    changed_handles[1] = 7; /* none of ours: passed over */
    unsigned polls = w.fake.polls;
    agent_server_work(w.server);
    expect_event(&r, 1, TARGET_EVENT_OUT);
    assert_true(w.fake.polls - polls <= 2);
    world_end(&w);
}

/* ---- time, and back pressure -------------------------------------------------------------------------------------- */

static void a_handshake_has_its_time(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    world_init(&w);
    raw_begin(&r, &w);
    int64_t end_ns = w.now_ns + AGENT_HANDSHAKE_NS;
    for (int i = 0; i < 4; i++) { /* an octet now and then buys no time */
        w.now_ns += AGENT_HANDSHAKE_NS / 5;
        raw_say(&r, &"\0\0\0\x2d"[i], 1);
        assert_true(agent_server_deadline(w.server) == end_ns);
    }
    agent_server_advance(w.server, end_ns - 1);
    assert_false(agent_server_finished(w.server));
    agent_server_advance(w.server, end_ns);
    assert_true(agent_server_finished(w.server));
    world_end(&w);
}

static void a_message_once_begun_has_its_time(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    uint8_t message[RAW_MAX];
    start(&w, &r);
    int64_t began_ns = w.now_ns += 1000;
    size_t len = raw_seal(&r, 1, AGENT_PING, "", 0, message);
    raw_say(&r, message, 1);
    w.now_ns += AGENT_MESSAGE_NS / 2;
    raw_say(&r, message + 1, len - 2);
    assert_true(agent_server_deadline(w.server) == began_ns + AGENT_MESSAGE_NS);
    agent_server_advance(w.server, began_ns + AGENT_MESSAGE_NS);
    assert_true(agent_server_finished(w.server));
    world_end(&w);
}

static void a_tester_that_says_nothing_is_given_up(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    start(&w, &r);
    open_socket(&r);
    assert_true(agent_server_deadline(w.server) == w.now_ns + w.config.idle_ns);
    agent_server_advance(w.server, w.now_ns + w.config.idle_ns);
    assert_true(agent_server_finished(w.server));
    assert_int_equal(w.fake.aborted, 1);
    world_end(&w);
}

static void who_takes_no_answers_is_asked_no_more_and_then_given_up(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    start(&w, &r);
    open_socket(&r);
    w.fake.result = 40000; /* octets, whatever they are */
    unsigned calls = w.fake.calls;
    for (uint32_t i = 2; i < 12; i++)
        raw_request(&r, i, AGENT_RECEIVE, "\0\0\0\0\0\0\x00\x9c\x40", 9);
    assert_int_equal(w.fake.calls - calls, 2); /* two answers are more than may wait */
    assert_false(agent_server_wants_input(w.server));
    size_t len;
    agent_server_output(w.server, &len);
    agent_server_sent(w.server, len);
    assert_int_equal(w.fake.calls - calls, 4); /* what had come already goes on */
    agent_server_advance(w.server, agent_server_deadline(w.server));
    assert_true(agent_server_finished(w.server));
    assert_non_null(strstr(agent_server_reason(w.server), "does not take"));
    assert_int_equal(w.fake.aborted, 1);
    agent_server_advance(w.server, agent_server_deadline(w.server));
    agent_server_output(w.server, &len);
    assert_int_equal(len, 0);
    world_end(&w);
}

static void edges_wait_once_for_who_takes_no_answers(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    size_t len;
    start(&w, &r);
    int handle = open_socket(&r);
    w.fake.result = 70000;
    raw_request(&r, 2, AGENT_RECEIVE, "\0\0\0\0\0\0\x01\x11\x70", 9); /* more than may wait */
    w.fake.events[handle] = TARGET_EVENT_IN;
    for (int i = 0; i < 1000; i++) /* more often than there are sockets */
        agent_server_work(w.server);
    agent_server_output(w.server, &len);
    agent_server_sent(w.server, len);
    r.from_agent.number++; /* the long answer, unread */
    expect_event(&r, (uint32_t)handle, TARGET_EVENT_IN);
    assert_false(raw_take(&r, true));
    world_end(&w);
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

static void a_lost_connection_leaves_nothing(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    start(&w, &r);
    for (int i = 0; i < 3; i++)
        assert_int_equal(open_socket(&r), i);
    raw_request(&r, 9, AGENT_CLOSE, "\0\0\0\1", 4);
    raw_say(&r, "\0\0", 2); /* cut off in the middle of a message */
    world_end(&w);
    assert_int_equal(w.fake.aborted, 2);
    assert_int_equal(w.fake.begun, 1);
    assert_int_equal(w.fake.ended, 1);
}

static void a_reset_aborts_all_and_takes_settings_back(void **state)
{
    (void)state;
    struct world w;
    struct raw r;
    start(&w, &r);
    open_socket(&r);
    open_socket(&r);
    w.fake.log[0] = '\0';
    raw_request(&r, 2, AGENT_RESET, "", 0);
    assert_int_equal(raw_answer(&r, 2), 0);
    assert_string_equal(w.fake.log, "abort 0;abort 1;configure 0 =;");
    assert_int_equal(open_socket(&r), 0);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_that_overlap_are_taken_and_others_told),
        cmocka_unit_test(a_longer_hello_of_a_later_version_is_taken),
        cmocka_unit_test(versions_cannot_be_talked_down),
        cmocka_unit_test(another_key_is_told_and_begins_nothing),
        cmocka_unit_test(a_recorded_proof_proves_nothing_later),
        cmocka_unit_test(the_agents_own_proof_is_not_the_testers),
        cmocka_unit_test(a_second_tester_is_told_once_it_has_proved_the_key),
        cmocka_unit_test(strangers_are_told_nothing),
        cmocka_unit_test(other_messages_of_the_handshake_are_refused),
        cmocka_unit_test(a_message_played_again_ends_it_all),
        cmocka_unit_test(messages_out_of_order_or_left_out_or_altered_end_it),
        cmocka_unit_test(impossible_lengths_end_it),
        cmocka_unit_test(octets_one_by_one_do_as_well),
        cmocka_unit_test(requests_may_be_pipelined),
        cmocka_unit_test(unknown_calls_are_told_and_the_connection_goes_on),
        cmocka_unit_test(arguments_too_short_or_too_long_are_told_and_nothing_called),
        cmocka_unit_test(values_out_of_bounds_are_told),
        cmocka_unit_test(one_setting_more_than_is_said_or_may_be_is_told),
        cmocka_unit_test(no_more_is_received_than_a_message_holds),
        cmocka_unit_test(a_closed_handle_is_gone),
        cmocka_unit_test(what_a_stack_lacks_is_not_supported),
        cmocka_unit_test(sockets_are_as_many_as_there_are),
        cmocka_unit_test(an_edge_is_told_once),
        cmocka_unit_test(what_an_answer_has_told_is_no_event),
        cmocka_unit_test(a_ping_is_answered_after_what_has_happened),
        cmocka_unit_test(events_of_closed_sockets_are_not_told),
        cmocka_unit_test(a_stack_that_tells_which_have_changed_is_asked_about_those),
        cmocka_unit_test(a_handshake_has_its_time),
        cmocka_unit_test(a_message_once_begun_has_its_time),
        cmocka_unit_test(a_tester_that_says_nothing_is_given_up),
        cmocka_unit_test(who_takes_no_answers_is_asked_no_more_and_then_given_up),
        cmocka_unit_test(edges_wait_once_for_who_takes_no_answers),
        cmocka_unit_test(a_lost_connection_leaves_nothing),
        cmocka_unit_test(a_reset_aborts_all_and_takes_settings_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
