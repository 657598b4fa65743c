/* Tests of how values are written, and of proofs and seals, against octets that another program has computed. */
#include "targets/agent/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

static void values_are_read_as_they_were_written(void **state)
{
    (void)state;
    uint8_t bytes[128];
    char text[AGENT_NAME_MAX + 1];
    const struct pkt_endpoint v4 = { { 4, { 192, 0, 2, 1 } }, 80 }, v6 = { { 6, { 0x20, 1, [15] = 9 } }, 65535 }, any = { { 0 }, 0 };
    struct pkt_endpoint found;
    struct agent_writer w = { bytes, 0, sizeof bytes, false };
    agent_put8(&w, 255);
    agent_put16(&w, 0x1234);
    agent_put32(&w, 0xfedcba98);
    agent_put64(&w, INT64_MIN);
    agent_put_text(&w, "TCP_NODELAY", AGENT_NAME_MAX);
    agent_put_endpoint(&w, &v4);
    agent_put_endpoint(&w, &v6);
    agent_put_endpoint(&w, &any);
    assert_false(w.full);
    assert_memory_equal(bytes, "\xff\x12\x34\xfe\xdc\xba\x98\x80", 8);
    struct agent_reader r = { bytes, w.len, false };
    assert_int_equal(agent_get8(&r), 255);
    assert_int_equal(agent_get16(&r), 0x1234);
    assert_int_equal(agent_get32(&r), 0xfedcba98);
    assert_true(agent_get64(&r) == INT64_MIN);
    agent_get_text(&r, text, AGENT_NAME_MAX);
    assert_string_equal(text, "TCP_NODELAY");
    agent_get_endpoint(&r, &found);
    assert_true(pkt_addr_equal(&found.addr, &v4.addr) && found.port == 80);
    agent_get_endpoint(&r, &found);
    assert_true(pkt_addr_equal(&found.addr, &v6.addr) && found.port == 65535);
    agent_get_endpoint(&r, &found);
    assert_true(found.addr.version == 0 && found.port == 0);
    assert_true(agent_read_all(&r));
}

static void what_is_missing_reads_as_nothing_and_stays_bad(void **state)
{
    (void)state;
    const uint8_t bytes[3] = { 1, 2, 3 };
    struct agent_reader r = { bytes, sizeof bytes, false };
    assert_int_equal(agent_get32(&r), 0);
    assert_true(r.bad);
    assert_int_equal(agent_get8(&r), 0); /* although one is there */
    assert_false(agent_read_all(&r));
    struct agent_reader left_over = { bytes, sizeof bytes, false };
    agent_get16(&left_over);
    assert_false(agent_read_all(&left_over));
}

static void a_text_has_no_nul_and_a_bound(void **state)
{
    (void)state;
    static const struct { const char *says, *bytes; size_t len; bool good; } rows[] = {
        { "empty", "\0", 1, true }, { "as long as may be", "\4abcd", 5, true }, { "one too long", "\5abcde", 6, false },
        { "a NUL inside", "\3a\0b", 4, false }, { "longer than what is there", "\4abc", 4, false }, { "nothing at all", "", 0, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[5] = "????";
        struct agent_reader r = { (const uint8_t *)rows[i].bytes, rows[i].len, false };
        agent_get_text(&r, text, 4);
        if (agent_read_all(&r) != rows[i].good || (!rows[i].good && *text))
            fail_msg("%s", rows[i].says);
    }
}

static void an_endpoint_has_an_ip_version(void **state)
{
    (void)state;
    uint8_t bytes[19] = { 5, 192, 0, 2, 1 };
    struct pkt_endpoint found;
    struct agent_reader r = { bytes, sizeof bytes, false };
    agent_get_endpoint(&r, &found);
    assert_true(r.bad);
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
    (void)state;
    uint8_t bytes[4] = { 9, 9, 9, 9 };
    struct agent_writer w = { bytes, 0, 3, false };
    agent_put16(&w, 1);
    agent_put16(&w, 2);
    assert_true(w.full && w.len == 2 && bytes[2] == 9);
    agent_put8(&w, 3); /* nor what would fit, behind a gap */
    assert_int_equal(w.len, 2);
}

/* ---- docs/agent-protocol.md, "An example" ------------------------------------------------------------------------ */

static void hex(const uint8_t *bytes, size_t len, const char *wanted)
{
    char text[256];
    sodium_bin2hex(text, sizeof text, bytes, len);
    assert_string_equal(text, wanted);
}

/* As the page describes them. */
static void transcribe_example(struct agent_transcript *t)
{
    uint8_t hello[AGENT_HELLO_BYTES], challenge[AGENT_CHALLENGE_BYTES];
    memset(hello, 0x11, sizeof hello);
    memcpy(hello, "tcpassay\1\0\1\0\1", 13);
    memset(challenge, 0x22, sizeof challenge);
    memcpy(challenge, "tcpassay\2\0\1\0\x10\1\0", 15);
    t->len = 0;
    agent_transcribe(t, hello, sizeof hello);
    agent_transcribe(t, challenge, sizeof challenge);
}

static void proofs_and_seals_are_those_of_the_example(void **state)
{
    (void)state;
    static const char *const DERIVED[] = {
        [AGENT_PROOF_OF_TESTER] = "7aed3a0994cfcf632e27e2d76a632b44395b084a74cf85d35198a3dcf54f2a67",
        [AGENT_PROOF_OF_AGENT] = "714d9a30b3cbe25f893dd5e7a080a3f8d55f0e7a4664d54b4b4ef746c2e8c556",
        [AGENT_KEY_OF_TESTER] = "e50a1b7bd4d8f56b2414aea780a7ccaf89a471405f5ee9609125ad11f4385ae6",
        [AGENT_KEY_OF_AGENT] = "8ba3498a1e9ad29b7c4649435bb86f946eb6bc25c9c5fa1682bc3491985dc0f6",
    };
    uint8_t key[AGENT_KEY_BYTES], out[AGENT_PROOF_BYTES], message[64];
    struct agent_transcript t;
    struct agent_seal tester = { .number = 0 }, agent = { .number = 0 };
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    transcribe_example(&t);
    for (enum agent_label label = AGENT_PROOF_OF_TESTER; label <= AGENT_KEY_OF_AGENT; label++) {
        agent_derive(key, label, &t, out);
        hex(out, sizeof out, DERIVED[label]);
    }
    agent_derive(key, AGENT_KEY_OF_TESTER, &t, tester.key);
    agent_derive(key, AGENT_KEY_OF_AGENT, &t, agent.key);
    hex(message, agent_seal_message(&tester, (const uint8_t *)"\0\0\0\7\1\4", 6, message),
        "000000167a1807bf10d4ce9c22618555aac8980e2063d092c85a");
    hex(message, agent_seal_message(&agent, (const uint8_t *)"\0\0\0\7\x80\0\0\0\0\0\0\0\3\0\x12", 15, message),
        "0000001f92c6af3c4edc38c1f8929ee87cfcb8aaece21d2b0f3ed60b843aa1cc8ac559");
}

/* ---- seals ------------------------------------------------------------------------------------------------------ */

static void an_altered_message_does_not_open(void **state)
{
    (void)state;
    uint8_t message[64], copy[64];
    struct agent_seal sender = { .key = { 1 }, .number = 5 };
    size_t len = agent_seal_message(&sender, (const uint8_t *)"hello", 5, message) - AGENT_LENGTH_BYTES;
    for (size_t bit = 0; bit < 8 * len; bit++) {
        struct agent_seal receiver = { .key = { 1 }, .number = 5 };
        memcpy(copy, message + AGENT_LENGTH_BYTES, len);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(agent_open_message(&receiver, copy, len));
        assert_int_equal(receiver.number, 5);
    }
    for (size_t shorter = AGENT_TAG_BYTES; shorter < len; shorter++) {
        struct agent_seal receiver = { .key = { 1 }, .number = 5 };
        memcpy(copy, message + AGENT_LENGTH_BYTES, len);
        assert_false(agent_open_message(&receiver, copy, shorter));
    }
}

static void a_message_opens_once_and_in_its_place(void **state)
{
    (void)state;
    uint8_t first[64], second[64], copy[64];
    struct agent_seal sender = { .key = { 1 } }, receiver = { .key = { 1 } };
    size_t len = agent_seal_message(&sender, (const uint8_t *)"hello", 5, first) - AGENT_LENGTH_BYTES;
    agent_seal_message(&sender, (const uint8_t *)"world", 5, second);
    memcpy(copy, second + AGENT_LENGTH_BYTES, len);
    assert_false(agent_open_message(&receiver, copy, len)); /* the second one first */
    memcpy(copy, first + AGENT_LENGTH_BYTES, len);
    assert_true(agent_open_message(&receiver, copy, len));
    assert_memory_equal(copy, "hello", 5);
    memcpy(copy, first + AGENT_LENGTH_BYTES, len);
    assert_false(agent_open_message(&receiver, copy, len)); /* again */
    memcpy(copy, second + AGENT_LENGTH_BYTES, len);
    assert_true(agent_open_message(&receiver, copy, len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_as_they_were_written),
        cmocka_unit_test(what_is_missing_reads_as_nothing_and_stays_bad),
        cmocka_unit_test(a_text_has_no_nul_and_a_bound),
        cmocka_unit_test(an_endpoint_has_an_ip_version),
        cmocka_unit_test(what_does_not_fit_is_left_out_whole),
        cmocka_unit_test(proofs_and_seals_are_those_of_the_example),
        cmocka_unit_test(an_altered_message_does_not_open),
        cmocka_unit_test(a_message_opens_once_and_in_its_place),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
