/* Names of states, and addresses as text. */
#include "engine/packet/state.h"

#include "engine/packet/test/support.h"

static void every_state_is_found_by_its_own_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TCP_STATE_COUNT; i++)
        assert_int_equal(tcp_state_from_name(tcp_state_name((enum tcp_state)i)), i);
}

static void a_state_is_found_whatever_the_case_and_the_dash(void **state)
{
    static const struct row { const char *text; enum tcp_state expected; } rows[] = {
        { "SYN-RECEIVED", TCP_STATE_SYN_RECEIVED }, { "syn_received", TCP_STATE_SYN_RECEIVED }, { "Fin-Wait_2", TCP_STATE_FIN_WAIT_2 },
        { "closed", TCP_STATE_CLOSED }, { "CLOSING", TCP_STATE_CLOSING }, { "CLOSE", TCP_STATE_COUNT }, { "CLOSED ", TCP_STATE_COUNT },
        { "", TCP_STATE_COUNT }, { "SYN RECEIVED", TCP_STATE_COUNT },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (tcp_state_from_name(rows[i].text) != rows[i].expected)
            fail_msg("\"%s\" was taken for %s", rows[i].text, tcp_state_name(tcp_state_from_name(rows[i].text)));
    }
    assert_int_equal(tcp_state_from_name(NULL), TCP_STATE_COUNT);
    assert_string_equal(tcp_state_name(TCP_STATE_SYN_RECEIVED), "SYN-RECEIVED");
    assert_string_equal(tcp_state_name(TCP_STATE_COUNT), "?");
}

static void an_address_written_and_read_is_the_same(void **state)
{
    static const struct row { const char *text; uint8_t version; const char *written; } rows[] = {
        { "192.0.2.1", 4, "192.0.2.1" }, { "255.255.255.255", 4, "255.255.255.255" }, { "2001:db8::1", 6, "2001:db8::1" },
        { "2001:DB8:0:0:0:0:0:1", 6, "2001:db8::1" }, { "::", 6, "::" }, { "::ffff:192.0.2.1", 6, "::ffff:192.0.2.1" },
        { "2001:db8:1111:2222:3333:4444:5555:6666", 6, "2001:db8:1111:2222:3333:4444:5555:6666" },
    };
    char text[PKT_ADDR_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pkt_addr addr = address(rows[i].text), again;
        assert_int_equal(addr.version, rows[i].version);
        assert_string_equal(pkt_addr_format(&addr, text), rows[i].written);
        again = address(text);
        assert_true(pkt_addr_equal(&addr, &again));
    }
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const texts[] = { "", "1.2.3", "1.2.3.256", "192.0.2.1 ", "2001:db8::g", ":::", "1::2::3", "example" };
    struct pkt_addr addr = { .version = 9 }, none = { 0 };
    char text[PKT_ADDR_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_false(pkt_addr_parse(texts[i], &addr));
    assert_int_equal(addr.version, 9);
    assert_string_equal(pkt_addr_format(&none, text), "none");
}

static void addresses_of_different_versions_differ(void **state)
{
    struct pkt_addr four = { .version = 4, .bytes = { 1, 2, 3, 4 } }, six = { .version = 6, .bytes = { 1, 2, 3, 4 } };

    (void)state;
    assert_false(pkt_addr_equal(&four, &six));
    assert_true(pkt_addr_equal(&four, &four));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_is_found_by_its_own_name),
        cmocka_unit_test(a_state_is_found_whatever_the_case_and_the_dash),
        cmocka_unit_test(an_address_written_and_read_is_the_same),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(addresses_of_different_versions_differ),
    };

    return cmocka_run_group_tests_name("names of states and addresses", tests, NULL, NULL);
}
