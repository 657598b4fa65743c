/* The parts of a probe that need no network: statistics, schedules, the ladder's states, answers of HTTP servers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "engine/probe/http.h"
#include "engine/probe/ladder.h"
#include "engine/probe/probe.h"

#define S INT64_C(1000000000)
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- times ------------------------------------------------------------------------------------------------------ */

static void least_median_and_percentile(void **state)
{
    (void)state;
    int64_t values[200];
    struct probe_times t = times_of(values, 0);
    assert_int_equal(t.count, 0);
    values[0] = 7;
    t = times_of(values, 1);
    assert_true(t.min_ns == 7 && t.median_ns == 7 && t.p99_ns == 7 && t.max_ns == 7);
    for (int i = 0; i < 200; i++)
        values[i] = 200 - i;
    t = times_of(values, 200);
    assert_true(t.min_ns == 1 && t.median_ns == 100 && t.p99_ns == 198 && t.max_ns == 200);
    t = times_of(values, 3);
    assert_true(t.median_ns == 2 && t.p99_ns == 3);
}

/* ---- schedules -------------------------------------------------------------------------------------------------- */

static const struct plan_row { unsigned retries, linear; int64_t at_s[12]; unsigned count; int64_t gives_up_s; } plans[] = {
    { 0, 0, {0}, 1, 1 },
    { 1, 0, {0, 1}, 2, 3 },
    { 6, 0, {0, 1, 3, 7, 15, 31, 63}, 7, 127 },                       /* Linux before 6.5 */
    { 6, 4, {0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67}, 11, 131 },         /* and since */
    { 8, 0, {0, 1, 3, 7, 15, 31, 63, 127, 247}, 9, 367 },             /* 120 s at most */
};

static void the_plan_is_what_linux_does(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(plans); k++) {
        const struct resend_plan plan = resend_plan(plans[k].retries, plans[k].linear);
        if (plan.count != plans[k].count || plan.gives_up_ns != plans[k].gives_up_s * S)
            fail_msg("retries %u, linear %u: %u SYNs, gives up after %lld s", plans[k].retries, plans[k].linear, plan.count,
                     (long long)(plan.gives_up_ns / S));
        for (unsigned i = 0; i < plan.count; i++)
            assert_int_equal(plan.at_ns[i], plans[k].at_s[i] * S);
    }
    assert_int_equal(resend_plan(255, 255).count, RESEND_MAX);
}

static const struct shape_row { const char *says; double at_s[8]; unsigned count; enum resend_shape shape; enum resend_first first; } shapes[] = {
    { "once",                 {0},                   1, RESEND_TOO_FEW,      RESEND_FIRST_NONE },
    { "twice",                {0, 1},                2, RESEND_TOO_FEW,      RESEND_FIRST_ONE_SECOND },
    { "doubled, with jitter", {0, 1.05, 3.1, 7.4},   4, RESEND_DOUBLING,     RESEND_FIRST_ONE_SECOND },
    { "three seconds",        {0, 3, 9},             3, RESEND_DOUBLING,     RESEND_FIRST_THREE_SECONDS },
    { "linear first",         {0, 1, 2, 3, 5, 9},    6, RESEND_LINEAR_FIRST, RESEND_FIRST_ONE_SECOND },
    { "constant",             {0, .5, 1, 1.5, 2},    5, RESEND_CONSTANT,     RESEND_FIRST_EARLY },
    { "irregular",            {0, 2, 2.1, 9},        4, RESEND_IRREGULAR,    RESEND_FIRST_OTHER },
    { "sooner each time",     {0, 1, 1.5},           3, RESEND_IRREGULAR,    RESEND_FIRST_ONE_SECOND },
    { "doubled, then not",    {0, 1, 3, 7, 8},       5, RESEND_IRREGULAR,    RESEND_FIRST_ONE_SECOND },
};

static void schedules_have_a_shape(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(shapes); k++) {
        struct resends s = {0};
        for (unsigned i = 0; i < shapes[k].count; i++)
            resend_add(&s, (int64_t)(shapes[k].at_s[i] * 1e9));
        if (resend_shape(&s) != shapes[k].shape || resend_first(&s) != shapes[k].first)
            fail_msg("%s: shape %d, first %d", shapes[k].says, (int)resend_shape(&s), (int)resend_first(&s));
    }
}

/* ---- the ladder ------------------------------------------------------------------------------------------------- */

struct segment { bool from_client; uint16_t flags; uint32_t seq, ack, len; enum tcp_state client, server; };

#define C true
#define R false
#define A PKT_ACK
enum { ISS = 4294967295u - 1, IRS = 99 }; /* the client's numbers wrap */

static const struct segment closing[] = {
    { C, PKT_SYN,     ISS,     0,       0, TCP_STATE_SYN_SENT,    TCP_STATE_SYN_RECEIVED },
    { R, PKT_SYN | A, IRS,     ISS + 1, 0, TCP_STATE_ESTABLISHED, TCP_STATE_SYN_RECEIVED },
    { C, A,           ISS + 1, IRS + 1, 0, TCP_STATE_ESTABLISHED, TCP_STATE_ESTABLISHED },
    { C, A | PKT_PSH, ISS + 1, IRS + 1, 9, TCP_STATE_ESTABLISHED, TCP_STATE_ESTABLISHED },
    { C, A | PKT_FIN, ISS + 10, IRS + 1, 0, TCP_STATE_FIN_WAIT_1, TCP_STATE_CLOSE_WAIT },
    { R, A,           IRS + 1, ISS + 11, 0, TCP_STATE_FIN_WAIT_2, TCP_STATE_CLOSE_WAIT },
    { R, A | PKT_FIN, IRS + 1, ISS + 11, 0, TCP_STATE_TIME_WAIT,  TCP_STATE_LAST_ACK },
    { C, A,           ISS + 11, IRS + 2, 0, TCP_STATE_TIME_WAIT,  TCP_STATE_CLOSED },
};
static const struct segment server_first[] = {
    { C, PKT_SYN,     ISS,     0,       0, TCP_STATE_SYN_SENT,    TCP_STATE_SYN_RECEIVED },
    { R, PKT_SYN | A, IRS,     ISS + 1, 0, TCP_STATE_ESTABLISHED, TCP_STATE_SYN_RECEIVED },
    { C, A,           ISS + 1, IRS + 1, 0, TCP_STATE_ESTABLISHED, TCP_STATE_ESTABLISHED },
    { R, A | PKT_FIN, IRS + 1, ISS + 1, 0, TCP_STATE_CLOSE_WAIT,  TCP_STATE_FIN_WAIT_1 },
    { C, A | PKT_FIN, ISS + 1, IRS + 2, 0, TCP_STATE_LAST_ACK,    TCP_STATE_TIME_WAIT },
    { R, A,           IRS + 2, ISS + 2, 0, TCP_STATE_CLOSED,      TCP_STATE_TIME_WAIT },
};
static const struct segment refused[] = {
    { C, PKT_SYN,     ISS, 0,       0, TCP_STATE_SYN_SENT, TCP_STATE_CLOSED },
    { R, PKT_RST | A, 0,   ISS + 1, 0, TCP_STATE_CLOSED,   TCP_STATE_CLOSED },
};
static const struct segment silent[] = {
    { C, PKT_SYN, ISS, 0, 0, TCP_STATE_SYN_SENT, LADDER_UNKNOWN }, { C, PKT_SYN, ISS, 0, 0, TCP_STATE_SYN_SENT, LADDER_UNKNOWN },
};
static const struct segment retransmitted[] = {
    { C, PKT_SYN,     ISS,     0,       0, TCP_STATE_SYN_SENT,    TCP_STATE_SYN_RECEIVED },
    { C, PKT_SYN,     ISS,     0,       0, TCP_STATE_SYN_SENT,    TCP_STATE_SYN_RECEIVED },
    { R, PKT_SYN | A, IRS,     ISS + 1, 0, TCP_STATE_ESTABLISHED, TCP_STATE_SYN_RECEIVED },
    { C, A,           ISS + 1, IRS + 1, 0, TCP_STATE_ESTABLISHED, TCP_STATE_ESTABLISHED },
};

static void climb(const char *name, const struct segment *segments, size_t count)
{
    struct ladder ladder = {0};
    for (size_t i = 0; i < count; i++) {
        const struct segment *s = &segments[i];
        const struct packet packet = {.kind = PKT_KIND_TCP, .tcp = {.flags = s->flags, .seq = s->seq, .ack = s->ack, .payload_len = s->len}};
        ladder_add(&ladder, &packet, s->from_client, (int64_t)i);
    }
    ladder_end(&ladder);
    assert_int_equal(ladder.count, count);
    for (size_t i = 0; i < count; i++) {
        const struct ladder_rung *rung = &ladder.rungs[i];
        if (rung->client != segments[i].client || rung->server != segments[i].server)
            fail_msg("%s, segment %zu: client %d, server %d", name, i + 1, (int)rung->client, (int)rung->server);
        assert_int_equal(rung->rel_seq, segments[i].flags & PKT_RST ? 0 : segments[i].seq - (segments[i].from_client ? ISS : IRS));
    }
}

static void the_ladder_follows_both_states(void **state)
{
    (void)state;
    climb("closing", closing, COUNT(closing));
    climb("the server closes first", server_first, COUNT(server_first));
    climb("refused", refused, COUNT(refused));
    climb("silent", silent, COUNT(silent));
    climb("retransmitted", retransmitted, COUNT(retransmitted));
}

static void a_ladder_has_an_end(void **state)
{
    (void)state;
    struct ladder ladder = {0};
    const struct packet packet = {.kind = PKT_KIND_TCP, .tcp = {.flags = PKT_ACK}};
    for (int i = 0; i < LADDER_MAX + 1; i++)
        ladder_add(&ladder, &packet, false, i);
    ladder_end(&ladder);
    assert_int_equal(ladder.count, LADDER_MAX);
    assert_true(ladder.cut);
}

/* ---- HTTP ------------------------------------------------------------------------------------------------------- */

static const struct answer_row { const char *says, *text; enum answer_state state; uint64_t body; bool keeps_open; } answers[] = {
    { "a length",             "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", ANSWER_DONE, 3, true },
    { "what follows",         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc", ANSWER_DONE, 1, true },
    { "no body",              "HTTP/1.1 204 No Content\r\n\r\n", ANSWER_DONE, 0, true },
    { "length 0",             "HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", ANSWER_DONE, 0, true },
    { "chunks",               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n", ANSWER_DONE, 3, true },
    { "chunks, unfinished",   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", ANSWER_CHUNK_SIZE, 2, true },
    { "until it closes",      "HTTP/1.1 200 OK\r\n\r\nabc", ANSWER_UNTIL_CLOSE, 3, false },
    { "will close",           "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", ANSWER_DONE, 0, false },
    { "HTTP/1.0",             "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", ANSWER_DONE, 0, false },
    { "an interim answer",    "HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", ANSWER_DONE, 0, true },
    { "line ends without CR", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", ANSWER_DONE, 1, true },
    { "not HTTP",             "SSH-2.0-OpenSSH\r\n", ANSWER_BROKEN, 0, false },
    { "an empty line",        "\r\n", ANSWER_BROKEN, 0, false },
    { "a length that lies",   "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", ANSWER_BROKEN, 0, true },
    { "a negative length",    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", ANSWER_BROKEN, 0, true },
    { "a chunk that lies",    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", ANSWER_BROKEN, 0, true },
    { "a chunk of -1",        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", ANSWER_BROKEN, 0, true },
    { "a chunk of 1 - 2^64",  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-ffffffffffffffff\r\na", ANSWER_BROKEN, 0, true },
    { "a chunk with no end",  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naXX\r\n", ANSWER_BROKEN, 1, true },
};

static void answers_end_where_they_say(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(answers); k++) {
        const size_t len = strlen(answers[k].text);
        for (size_t piece = 1; piece <= len; piece = piece == 1 ? len : len + 1) { /* octet by octet, and at once */
            static struct answer a;
            memset(&a, 0, sizeof a);
            for (size_t at = 0; at < len; at += piece)
                answer_take(&a, (const uint8_t *)answers[k].text + at, piece);
            if (a.state != answers[k].state || a.body_len != answers[k].body || a.keeps_open != answers[k].keeps_open)
                fail_msg("%s: state %d, body %u, keeps open %d", answers[k].says, (int)a.state, (unsigned)a.body_len, a.keeps_open);
        }
    }
}

static void an_answer_is_bounded(void **state)
{
    (void)state;
    static struct answer a;
    memset(&a, 0, sizeof a);
    answer_take(&a, (const uint8_t *)"HTTP/1.1 200 OK\r\n", 17);
    for (int i = 0; i < ANSWER_HEAD_MAX && a.state != ANSWER_BROKEN; i++)
        answer_take(&a, (const uint8_t *)"A: b\r\n", 6);
    assert_int_equal(a.state, ANSWER_BROKEN);
    memset(&a, 0, sizeof a);
    for (int i = 0; i < ANSWER_LINE_MAX; i++)
        answer_take(&a, (const uint8_t *)"x", 1);
    assert_int_equal(a.state, ANSWER_BROKEN);
    assert_false(answer_end(&a));
}

static void a_status_cannot_write_to_the_terminal(void **state)
{
    (void)state;
    static struct answer a;
    memset(&a, 0, sizeof a);
    static const char text[] = "HTTP/1.1 200 \033[31m\r\nContent-Length: 0\r\n\r\n";
    answer_take(&a, (const uint8_t *)text, sizeof text - 1);
    assert_string_equal(a.status_text, "200 ?[31m");
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static void ports_and_addresses_are_resolved(void **state)
{
    (void)state;
    struct probe_config config;
    char error[PROBE_TEXT_MAX];
    static const char *const bad[] = {"0", "65536", "99999999999999999999", "-1", "80x", "", "no-such-service"};
    for (size_t k = 0; k < COUNT(bad); k++)
        if (probe_resolve("192.0.2.1", bad[k], 0, &config, error) != PROBE_BAD_PORT)
            fail_msg("port \"%s\" was taken", bad[k]);
    assert_int_equal(probe_resolve("192.0.2.1", "65535", 0, &config, error), PROBE_RESOLVED);
    assert_true(config.remote_count == 1 && config.remotes[0].port == 65535 && config.remotes[0].addr.version == 4);
    assert_int_equal(probe_resolve("[2001:db8::1]", "80", 6, &config, error), PROBE_RESOLVED);
    assert_int_equal(config.remotes[0].addr.version, 6);
    assert_int_equal(probe_resolve("192.0.2.1", "80", 6, &config, error), PROBE_NO_HOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_median_and_percentile), cmocka_unit_test(the_plan_is_what_linux_does), cmocka_unit_test(schedules_have_a_shape),
        cmocka_unit_test(the_ladder_follows_both_states), cmocka_unit_test(a_ladder_has_an_end), cmocka_unit_test(answers_end_where_they_say),
        cmocka_unit_test(an_answer_is_bounded), cmocka_unit_test(a_status_cannot_write_to_the_terminal),
        cmocka_unit_test(ports_and_addresses_are_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
