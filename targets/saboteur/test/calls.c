/* What becomes of calls and of settings. */
#include "targets/saboteur/test/world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum call { ACCEPT, LISTEN, CONNECT, SEND, RECEIVE, RECEIVE_OOB, SHUTDOWN, CLOSE, SOCKET, SET_NODELAY, SET_LINGER, SET_KEEPALIVE,
            SET_NO_KEEPALIVE, SET_USER_TIMEOUT, SET_OTHER, GET_ERROR, GET_OTHER, ATMARK, POLL, STATUS };

static const struct row {
    const char *fault;
    enum call call;
    int64_t inner;        /* what the wrapped call returns; poll: its events; STATUS: 0 */
    int64_t outer;        /* what comes of it */
    int64_t inner_value, outer_value; /* of get_option and ioctl, the state of status, the first octet read */
    const char *log;      /* what reached the wrapped target */
} rows[] = {
    {"never-accepts", ACCEPT, 7, -EAGAIN, 0, 0, ""},
    {"never-accepts", CONNECT, 0, 0, 0, 0, "connect(3,20480) "},
    {"listen-backlog-ignored", LISTEN, 0, 0, 0, 0, "listen(3,65535) "},
    {"connect-hangs", CONNECT, -ECONNREFUSED, -EINPROGRESS, 0, 0, "connect(3,20480) "},
    {"connect-again-ok", CONNECT, -EISCONN, 0, 0, 0, "connect(3,20480) "},
    {"connect-again-ok", CONNECT, -EALREADY, 0, 0, 0, "connect(3,20480) "},
    {"connect-again-ok", CONNECT, -EINPROGRESS, -EINPROGRESS, 0, 0, "connect(3,20480) "},
    {"read-unopened-eof", RECEIVE, -ENOTCONN, 0, 0, 0, "receive(3,10,0) "},
    {"read-unopened-eof", RECEIVE, -ECONNRESET, -ECONNRESET, 0, 0, "receive(3,10,0) "},
    {"read-corrupt", RECEIVE, 5, 5, 0, 'a' ^ 0x55, "receive(3,10,0) "},
    {"read-corrupt", RECEIVE, 0, 0, 0, 0, "receive(3,10,0) "},
    {"read-short-eof", RECEIVE, -ECONNRESET, 0, 0, 0, "receive(3,10,0) "},
    {"read-short-eof", RECEIVE, -EAGAIN, -EAGAIN, 0, 0, "receive(3,10,0) "},
    {"read-short-eof", RECEIVE, -ETIMEDOUT, 0, 0, 0, "receive(3,10,0) "},
    {"read-early-eof", RECEIVE, -EAGAIN, 0, 0, 0, "receive(3,10,0) "},
    {"read-early-eof", RECEIVE, 5, 5, 0, 'a', "receive(3,10,0) "},
    {"read-too-long", RECEIVE, 5, 6, 0, 'a', "receive(3,10,0) "},
    {"read-too-long", RECEIVE, 10, 10, 0, 'a', "receive(3,10,0) "},
    {"read-too-long", RECEIVE, 0, 0, 0, 0, "receive(3,10,0) "},
    {"zero-window-times-out", RECEIVE, 5, 5, 0, 'a', "local(3) receive(3,10,0) "},
    {"error-invented", RECEIVE, 0, -ECONNRESET, 0, 0, "receive(3,10,0) "},
    {"error-invented", RECEIVE, 5, 5, 0, 'a', "receive(3,10,0) "},
    {"error-swallowed", RECEIVE, -ECONNRESET, -EAGAIN, 0, 0, "receive(3,10,0) "},
    {"error-swallowed", SEND, -ECONNRESET, 4, 0, 0, "send(3,4,0) "},
    {"error-swallowed", SEND, -EPIPE, 4, 0, 0, "send(3,4,0) "},
    {"error-swallowed", SEND, -EAGAIN, -EAGAIN, 0, 0, "send(3,4,0) "},
    {"error-swallowed", CONNECT, -ECONNREFUSED, 0, 0, 0, "connect(3,20480) "},
    {"error-swallowed", CONNECT, -EINPROGRESS, -EINPROGRESS, 0, 0, "connect(3,20480) "},
    {"error-swallowed", GET_ERROR, 0, 0, ECONNREFUSED, 0, "get(3,SO_ERROR) "},
    {"error-swallowed", GET_OTHER, 0, 0, 1460, 1460, "get(3,TCP_MAXSEG) "},
    {"error-swallowed", POLL, TARGET_EVENT_ERROR | TARGET_EVENT_IN, TARGET_EVENT_IN, 0, 0, "poll(3) "},
    {"close-ignored", CLOSE, 0, 0, 0, 0, ""},
    {"close-ignored", SHUTDOWN, 0, 0, 0, 0, "shutdown(3,1) "},
    {"shutdown-ignored", SHUTDOWN, 0, 0, 0, 0, ""},
    {"shutdown-ignored", CLOSE, 0, 0, 0, 0, "close(3) "},
    {"fin-each-close", CLOSE, 0, 0, 0, 0, "local(3) close(3) "},
    {"abort-as-close", SET_LINGER, 0, 0, 0, 0, ""},
    {"abort-as-close", SET_NODELAY, 0, 0, 0, 0, "set(3,TCP_NODELAY,1,1) "},
    {"nodelay-ignored", SET_NODELAY, 0, 0, 0, 0, ""},
    {"nodelay-ignored", SET_OTHER, 0, 0, 0, 0, "set(3,SO_RCVBUF,1,1) "},
    {"nodelay-always", SOCKET, 5, 5, 0, 0, "socket(4) set(5,TCP_NODELAY,1,1) "},
    {"nodelay-always", ACCEPT, 6, 6, 0, 0, "accept(3) set(6,TCP_NODELAY,1,1) "},
    {"nodelay-always", ACCEPT, -EAGAIN, -EAGAIN, 0, 0, "accept(3) "},
    {"keepalive-ignored", SET_KEEPALIVE, 0, 0, 0, 0, ""},
    {"keepalive-ignored", SET_NODELAY, 0, 0, 0, 0, "set(3,TCP_NODELAY,1,1) "},
    {"keepalive-on", SOCKET, 5, 5, 0, 0, "socket(4) set(5,SO_KEEPALIVE,1,1) "},
    {"keepalive-on", ACCEPT, 6, 6, 0, 0, "accept(3) set(6,SO_KEEPALIVE,1,1) "},
    {"keepalive-stays-on", SET_NO_KEEPALIVE, 0, 0, 0, 0, ""},
    {"keepalive-stays-on", SET_KEEPALIVE, 0, 0, 0, 0, "set(3,SO_KEEPALIVE,1,1) "},
    {"keepalive-restless", SET_NO_KEEPALIVE, 0, 0, 0, 0, "set(3,SO_KEEPALIVE,0,1) "},
    {"keepalive-restless", SET_KEEPALIVE, 0, 0, 0, 0, "set(3,SO_KEEPALIVE,1,1) local(3) "},
    {"user-timeout-ignored", SET_USER_TIMEOUT, 0, 0, 0, 0, ""},
    {"user-timeout-ignored", SET_NODELAY, 0, 0, 0, 0, "set(3,TCP_NODELAY,1,1) "},
    {"state-lies", STATUS, 0, 0, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT_1, "status(8080,20480) "},
    {"state-lies", STATUS, -ENOENT, 0, 0, TCP_STATE_TIME_WAIT, "status(8080,20480) "},
    {"state-lies", STATUS, 0, -ENOENT, TCP_STATE_TIME_WAIT, TCP_STATE_CLOSED, "status(8080,20480) "},
    {"state-lies", STATUS, -EOPNOTSUPP, -EOPNOTSUPP, 0, 0, "status(8080,20480) "},
    {"urgent-unreported", POLL, TARGET_EVENT_URGENT | TARGET_EVENT_IN, TARGET_EVENT_IN, 0, 0, "poll(3) "},
    {"urgent-unreported", RECEIVE_OOB, 1, -EINVAL, 0, 0, ""},
    {"urgent-unreported", RECEIVE, 1, 1, 0, 'a', "receive(3,10,0) "},
    {"urgent-unreported", ATMARK, 0, 0, 1, 0, "ioctl(3,SIOCATMARK) "},
};

static int64_t make_call(struct world *w, enum call call, int64_t *value)
{
    const struct target_ops *ops = w->t->ops;
    const int64_t on[2] = {1, 0};
    struct pkt_endpoint peer, local = {w->p->base.info.iut[0], 8080}, remote = {w->p->base.info.tester[0], 20480};
    struct target_status status = {.state = TCP_STATE_CLOSED};
    uint8_t data[10] = {0};
    int64_t result = 0;
    switch (call) {
    case ACCEPT: return ops->accept(w->t, 3, &peer);
    case LISTEN: return ops->listen(w->t, 3, 5);
    case CONNECT: return ops->connect(w->t, 3, &remote);
    case SEND: return ops->send_data(w->t, 3, data, 4, 0);
    case RECEIVE:
        result = ops->receive_data(w->t, 3, data, sizeof data, 0);
        *value = data[0];
        return result;
    case RECEIVE_OOB: return ops->receive_data(w->t, 3, data, 1, TARGET_MSG_OOB);
    case SHUTDOWN: return ops->shutdown(w->t, 3, TARGET_SHUT_WR);
    case CLOSE: return ops->close_handle(w->t, 3);
    case SOCKET: return ops->socket(w->t, 4);
    case SET_NODELAY: return ops->set_option(w->t, 3, "TCP_NODELAY", on, 1);
    case SET_LINGER: return ops->set_option(w->t, 3, "SO_LINGER", on, 2);
    case SET_KEEPALIVE: return ops->set_option(w->t, 3, "SO_KEEPALIVE", on, 1);
    case SET_NO_KEEPALIVE: return ops->set_option(w->t, 3, "SO_KEEPALIVE", on + 1, 1);
    case SET_USER_TIMEOUT: return ops->set_option(w->t, 3, "TCP_USER_TIMEOUT", on, 1);
    case SET_OTHER: return ops->set_option(w->t, 3, "SO_RCVBUF", on, 1);
    case GET_ERROR: return ops->get_option(w->t, 3, "SO_ERROR", value);
    case GET_OTHER: return ops->get_option(w->t, 3, "TCP_MAXSEG", value);
    case ATMARK: return ops->ioctl(w->t, 3, "SIOCATMARK", value);
    case POLL: return ops->poll(w->t, 3);
    case STATUS:
        result = ops->status(w->t, &local, &remote, &status);
        *value = status.state;
        return result;
    }
    return result;
}

static void each_call_is_answered_as_its_row_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct world w;
        int64_t value = 0;
        world_open(&w, row->fault, &ways[0]);
        w.p->result = row->inner;
        w.p->events = (unsigned)row->inner;
        w.p->value = row->inner_value;
        w.p->status.state = (enum tcp_state)row->inner_value;
        int64_t result = make_call(&w, row->call, &value);
        if (result != row->outer || value != row->outer_value || strcmp(w.p->log, row->log))
            fail_msg("%s (row %zu): returned %lld, value %lld, and called \"%s\"", row->fault, i, (long long)result,
                     (long long)value, w.p->log);
        world_close(&w);
    }
}

static void a_hanging_connect_is_silent_until_it_is_closed(void **state)
{
    struct world w;
    int64_t value;
    (void)state;
    world_open(&w, "connect-hangs", &ways[0]);
    w.p->events = TARGET_EVENT_OUT;
    assert_int_equal(make_call(&w, POLL, &value), TARGET_EVENT_OUT);
    make_call(&w, CONNECT, &value);
    make_call(&w, CONNECT, &value);
    assert_int_equal(make_call(&w, POLL, &value), 0);
    make_call(&w, CLOSE, &value);
    assert_int_equal(make_call(&w, POLL, &value), TARGET_EVENT_OUT);
    world_close(&w);
}

static void a_zero_window_times_out_once_it_was_probed(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct world w;
        char text[TEXT_MAX];
        int64_t value;
        world_open(&w, "zero-window-times-out", &ways[way]);
        world_bring(&w, CLOSED_WINDOW);
        assert_int_equal(make_call(&w, RECEIVE, &value), 0);
        world_from_iut(&w, (struct seg){A_, 1, .len = 1, .ack = 1, .win = 1000}, text);
        assert_int_equal(make_call(&w, RECEIVE, &value), -ETIMEDOUT);
        world_to_iut(&w, (struct seg){A_, 1, .ack = 2, .win = 1000}, text);
        assert_int_equal(make_call(&w, RECEIVE, &value), 0);
        world_close(&w);
    }
}

static void a_reset_connection_is_denied(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    int64_t value;
    (void)state;
    world_open(&w, "rst-leaves-timers", &ways[0]);
    world_bring(&w, SENT_10);
    assert_int_equal(make_call(&w, STATUS, &value), 0);
    world_to_iut(&w, (struct seg){R_ | A_, 1, .ack = 1}, text);
    assert_string_equal(text, "");
    assert_int_equal(make_call(&w, STATUS, &value), -ENOENT);
    world_from_iut(&w, (struct seg){A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, text);
    assert_string_equal(text, "P. 1:11(10) ack 1 win 1000");
    world_close(&w);
}

static void a_fin_for_each_close(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct world w;
        char text[TEXT_MAX];
        int64_t value;
        world_open(&w, "fin-each-close", &ways[way]);
        world_bring(&w, OPEN);
        make_call(&w, SHUTDOWN, &value); /* the first: the puppet's own affair */
        world_collect(&w, text);
        assert_string_equal(text, "");
        world_from_iut(&w, (struct seg){F_ | A_, 1, .ack = 1, .win = 1000}, text);
        make_call(&w, SHUTDOWN, &value);
        world_collect(&w, text);
        assert_string_equal(text, "F. 2:2(0) ack 1 win 1000");
        make_call(&w, CLOSE, &value);
        world_collect(&w, text);
        assert_string_equal(text, "F. 2:2(0) ack 1 win 1000");
        world_close(&w);
    }
}

static void restless_keep_alives_leave_every_half_second(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct world w;
        char text[TEXT_MAX];
        int64_t value;
        world_open(&w, "keepalive-restless", &ways[way]);
        world_bring(&w, SENT_10);
        make_call(&w, SET_KEEPALIVE, &value);
        world_pass_time(&w, 1000 * MS, text);
        assert_string_equal(text, "500: . 10:10(0) ack 1 win 1000 | 1000: . 10:10(0) ack 1 win 1000");
        world_close(&w);
    }
}

/* One whose fault is about something else hands every call through. */
static void calls_are_handed_through_where_the_fault_is_about_something_else(void **state)
{
    struct world w;
    int64_t value;
    struct pkt_endpoint local = {.port = 8080};
    (void)state;
    world_open(&w, "ack-dropped", &ways[0]);
    local.addr = w.p->base.info.iut[0];
    w.p->result = 9;
    for (enum call call = ACCEPT; call <= GET_OTHER; call++)
        if (call < SET_NODELAY || call > SET_OTHER)
            assert_int_equal(make_call(&w, call, &value), 9);
    assert_int_equal(w.t->ops->bind(w.t, 3, &local), 9);
    assert_int_equal(w.t->ops->local_endpoint(w.t, 3, &local), 9);
    assert_int_equal(make_call(&w, ATMARK, &value), 9);
    assert_int_equal(make_call(&w, STATUS, &value), 9);
    make_call(&w, SET_LINGER, &value);
    make_call(&w, POLL, &value);
    static const char log[] = {"accept(3) listen(3,5) connect(3,20480) send(3,4,0) receive(3,10,0) receive(3,1,1) shutdown(3,1) close(3) "
                               "socket(4) get(3,SO_ERROR) get(3,TCP_MAXSEG) bind(3,8080) local(3) ioctl(3,SIOCATMARK) "
                               "status(8080,20480) set(3,SO_LINGER,1,2) poll(3) "};
    assert_string_equal(w.p->log, log);
    world_close(&w);
}

/* ---- settings */

static const char *const settings[][3] = {
    {"time-wait-none", "msl-ms", "0"}, {"time-wait-short", "msl-ms", "1000"}, {"time-wait-forever", "msl-ms", "2147483647"},
    {"fin-wait-2-short", "fin-wait-2-ms", "100"}, {"syn-retries-0", "syn-retries", "0"}, {"synack-retries-0", "synack-retries", "0"},
    {"data-retries-0", "data-retries", "0"}, {"syn-retries-255", "syn-retries", "255"},
    {"synack-retries-255", "synack-retries", "255"}, {"data-retries-255", "data-retries", "255"}, {"data-retries-1", "data-retries", "1"},
    {"orphan-retries-1", "orphan-retries", "1"},
    {"no-delayed-ack", "delayed-ack-ms", "0"}, {"min-rto-10ms", "min-rto-ms", "10"}, {"no-timestamps", "timestamps", "off"},
    {"no-sack", "sack", "off"}, {"no-window-scaling", "window-scaling", "off"}, {"syncookies-off", "syncookies", "off"},
    {"abort-on-overflow", "abort-on-overflow", "on"}, {"challenge-ack-unlimited", "challenge-ack-limit", "2147483647"},
    {"keepalive-eager", "keepalive-idle-s", "1"}, {"keepalive-one-probe", "keepalive-probes", "1"}, {"tw-reuse", "tw-reuse", "on"},
    {"rfc1337-off", "rfc1337", "off"},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static bool puppet_has(const struct puppet *p, const char *name, const char *value)
{
    for (unsigned i = 0; i < p->setting_count; i++)
        if (!strcmp(p->settings[i][0], name))
            return !strcmp(p->settings[i][1], value);
    return false;
}

static void each_setting_takes_the_place_of_the_scenario_s_and_others_stay(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTINGS; i++) {
        char argument[64];
        struct target_setting wanted[] = {{"mtu", "1400"}, {settings[i][1], "7"}, {"ecn", "on"}};
        struct target_config config = {.settings = wanted, .setting_count = 3};
        struct target_error error;
        struct world w;
        world_open(&w, settings[i][0], &ways[0]);
        assert_int_equal(w.p->setting_count, 1);
        assert_true(puppet_has(w.p, settings[i][1], settings[i][2]));
        world_close(&w);

        snprintf(argument, sizeof argument, "%s,puppet", settings[i][0]);
        struct target *t = saboteur_driver_for(argument)->open(argument, &config, &error);
        assert_non_null(t);
        assert_int_equal(puppet_last()->setting_count, 3);
        assert_true(puppet_has(puppet_last(), settings[i][1], settings[i][2]));
        assert_true(puppet_has(puppet_last(), "mtu", "1400") && puppet_has(puppet_last(), "ecn", "on"));
        t->ops->close(t);
    }
}

bool calls_test_fault(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].fault, name))
            return true;
    for (size_t i = 0; i < SETTINGS; i++)
        if (!strcmp(settings[i][0], name))
            return true;
    return false;
}

int calls_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_is_answered_as_its_row_says),
        cmocka_unit_test(a_hanging_connect_is_silent_until_it_is_closed),
        cmocka_unit_test(a_zero_window_times_out_once_it_was_probed),
        cmocka_unit_test(a_reset_connection_is_denied),
        cmocka_unit_test(a_fin_for_each_close),
        cmocka_unit_test(restless_keep_alives_leave_every_half_second),
        cmocka_unit_test(calls_are_handed_through_where_the_fault_is_about_something_else),
        cmocka_unit_test(each_setting_takes_the_place_of_the_scenario_s_and_others_stay),
    };
    return cmocka_run_group_tests_name("calls and settings", tests, NULL, NULL);
}
