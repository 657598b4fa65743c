/* Tests of the messages of the testability protocol: octets, whatever is wrong with them, and what results come to. */
#include "targets/agent/testability/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t event[] = {
    /* LISTEN_AND_ACCEPT: listener 0x0102, new 0x0103, port 8080, 192.0.2.9 */
    0x01, 0x05, 0x82, 0x04, 0, 0, 0, 20, 0, 0, 0, 0, 1, 1, 0x02, 0, 0x01, 0x02, 0x01, 0x03, 0x1F, 0x90, 0, 4, 192, 0, 2, 9,
};

static void a_message_has_the_fields_of_the_specification(void **state)
{
    struct tpsp_message m;
    struct pkt_addr address;
    (void)state;
    assert_int_equal(tpsp_decode(event, sizeof event, &m), sizeof event);
    assert_int_equal(m.service, 0x0105);
    assert_true(m.event);
    assert_int_equal(m.group, TPSP_TCP);
    assert_int_equal(m.primitive, TPSP_LISTEN_AND_ACCEPT);
    assert_int_equal(m.type, TPSP_EVENT);
    struct tpsp_reader r = tpsp_read(&m);
    assert_int_equal(tpsp_read_u16(&r), 0x0102);
    assert_int_equal(tpsp_read_u16(&r), 0x0103);
    assert_int_equal(tpsp_read_u16(&r), 8080);
    tpsp_read_address(&r, &address);
    assert_int_equal(address.version, 4);
    assert_memory_equal(address.bytes, "\300\0\2\11", 4);
    assert_false(r.failed);
}

static void what_is_cut_short_is_no_message(void **state)
{
    struct tpsp_message m;
    (void)state;
    for (size_t len = 0; len < sizeof event; len++)
        assert_int_equal(tpsp_decode(event, len, &m), 0);
}

static void a_length_that_lies_is_no_message(void **state)
{
    static const uint32_t lengths[] = {0, 7, 21, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF};
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t bytes[sizeof event];
        struct tpsp_message m;
        memcpy(bytes, event, sizeof event);
        for (int k = 0; k < 4; k++)
            bytes[4 + k] = (uint8_t)(lengths[i] >> (24 - 8 * k));
        assert_int_equal(tpsp_decode(bytes, sizeof bytes, &m), 0);
    }
}

static void another_version_is_no_message(void **state)
{
    (void)state;
    for (size_t at = 12; at <= 13; at++) {
        uint8_t bytes[sizeof event];
        struct tpsp_message m;
        memcpy(bytes, event, sizeof event);
        bytes[at] = 2;
        assert_int_equal(tpsp_decode(bytes, sizeof bytes, &m), 0);
    }
}

static void a_datagram_may_hold_several_messages(void **state)
{
    uint8_t bytes[2 * sizeof event];
    struct tpsp_message m;
    (void)state;
    memcpy(bytes, event, sizeof event);
    memcpy(bytes + sizeof event, event, sizeof event);
    assert_int_equal(tpsp_decode(bytes, sizeof bytes, &m), sizeof event);
    assert_int_equal(m.parameters_len, sizeof event - TPSP_HEADER_BYTES);
}

static void parameters_that_are_not_there_read_as_zero_and_fail(void **state)
{
    static const uint8_t none[1] = {0}, field[] = {0, 3, 'a', 'b'}, address[] = {0, 5, 1, 2, 3, 4, 5};
    struct tpsp_message m = {.parameters = none};
    struct pkt_addr out;
    size_t len;
    (void)state;
    struct tpsp_reader r = tpsp_read(&m);
    assert_int_equal(tpsp_read_u8(&r), 0);
    assert_true(r.failed);
    r = (struct tpsp_reader){.at = field, .left = sizeof field};
    assert_null(tpsp_read_octets(&r, &len));
    assert_int_equal(len, 0);
    assert_true(r.failed);
    r = (struct tpsp_reader){.at = address, .left = sizeof address};
    tpsp_read_address(&r, &out);
    assert_true(r.failed);
    assert_int_equal(out.version, 0);
}

static void a_request_has_the_octets_of_the_specification(void **state)
{
    static const uint8_t expected[] = {
        /* CREATE_AND_BIND: bind, any port, any IPv6 address */
        0x01, 0x05, 0x02, 0x01, 0, 0, 0, 29, 0xCA, 0xFE, 0x12, 0x34, 1, 1, 0, 0, 1, 0xFF, 0xFF,
        0,    16,   0,    0,    0, 0, 0, 0,  0,    0,    0,    0,    0, 0, 0, 0, 0, 0,
    };
    uint8_t bytes[64];
    const struct pkt_addr any = {.version = 6};
    (void)state;
    struct tpsp_writer w = tpsp_begin(bytes, sizeof bytes, TPSP_TCP, TPSP_CREATE_AND_BIND, 0xCAFE1234);
    tpsp_write_u8(&w, 1);
    tpsp_write_u16(&w, TPSP_PORT_ANY);
    tpsp_write_address(&w, &any);
    assert_int_equal(tpsp_end(&w), sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
}

static void what_does_not_fit_is_not_sent(void **state)
{
    uint8_t bytes[64], big[66000] = {0};
    (void)state;
    for (size_t capacity = 0; capacity < 19; capacity++) {
        struct tpsp_writer w = tpsp_begin(bytes, capacity, TPSP_TCP, TPSP_CLOSE_SOCKET, 0);
        tpsp_write_u16(&w, 1);
        tpsp_write_u8(&w, 1);
        assert_int_equal(tpsp_end(&w), 0);
    }
    static uint8_t room[70000];
    struct tpsp_writer w = tpsp_begin(room, sizeof room, TPSP_TCP, TPSP_SEND_DATA, 0);
    tpsp_write_octets(&w, big, sizeof big);
    assert_int_equal(tpsp_end(&w), 0);
}

static void results_become_what_sockets_say(void **state)
{
    static const struct {
        uint8_t result;
        int error;
        const char *name;
    } rows[] = {
        {0x00, 0, "E_OK"},
        {0x01, -ENOSYS, "E_NOK"},
        {0xFF, -EOPNOTSUPP, "E_NTF"},
        {0xFE, -EAGAIN, "E_PEN"},
        {0xED, -EADDRINUSE, "E_UBS"},
        {0xE4, -ECONNRESET, "E_TCP_CRE"},
        {0xE2, -ECONNREFUSED, "E_TCP_COR"},
        {0x42, -ENOSYS, "a result of its own"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(tpsp_errno(rows[i].result), rows[i].error);
        assert_string_equal(tpsp_result_name(rows[i].result), rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_has_the_fields_of_the_specification),
        cmocka_unit_test(what_is_cut_short_is_no_message),
        cmocka_unit_test(a_length_that_lies_is_no_message),
        cmocka_unit_test(another_version_is_no_message),
        cmocka_unit_test(a_datagram_may_hold_several_messages),
        cmocka_unit_test(parameters_that_are_not_there_read_as_zero_and_fail),
        cmocka_unit_test(a_request_has_the_octets_of_the_specification),
        cmocka_unit_test(what_does_not_fit_is_not_sent),
        cmocka_unit_test(results_become_what_sockets_say),
    };
    return cmocka_run_group_tests_name("testability_wire", tests, NULL, NULL);
}
