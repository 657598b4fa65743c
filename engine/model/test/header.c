/* The judge of headers: checksums, as a host's own capture shows them too, reserved bits and control bits. */
#include "engine/model/test/talk.h"

#define HANDSHAKE "< S 0 <mss 1460>", "> S. 0 ack 1 <mss 1460>", "< . 1 ack 1"

static void control_bits_are_those_of_the_rfc(void **state)
{
    static const struct talk_row rows[] = {
        {"ACK is set once a connection is there", TALK_SOUND, {HANDSHAKE, "< P. 1+10 ack 1", "> . 1 ack 11"}},
        {"a segment without ACK", RULE_ACK_BIT, {HANDSHAKE, "> P 1+10"}},
        {"a segment without any flag", RULE_ACK_BIT, {HANDSHAKE, "> - 1"}},
        {"a RST without ACK is none of that", TALK_SOUND, {"< . 5 ack 1", "> R 1"}},
        {"a RST with ACK", TALK_SOUND, {"< S 5", "> R. =0 ack 6"}},
    };
    struct talk *t = *state;
    talk_rows(t, rows, COUNT(rows));
}

static void a_rst_stands_alone(void **state)
{
    struct talk *t = *state;
    talk_again(t);
    talk_in(t, ". 5 ack 1");
    talk_out(t, "FR 1");
    assert_true(talk_found(t, RULE_RST_FLAGS));
    talk_again(t);
    talk_in(t, ". 5 ack 1");
    talk_out(t, "SR 1");
    assert_true(talk_found(t, RULE_RST_FLAGS));
}

static void reserved_bits_are_zero(void **state)
{
    static const struct talk_row rows[] = {
        {"the first reserved bit", RULE_RESERVED_BITS, {HANDSHAKE, "< P. 1+10 ack 1", "> .4 1 ack 11"}},
        {"the third", RULE_RESERVED_BITS, {HANDSHAKE, "< P. 1+10 ack 1", "> .1 1 ack 11"}},
        {"AE where AccECN was not asked for", RULE_RESERVED_BITS, {HANDSHAKE, "< P. 1+10 ack 1", "> .A 1 ack 11"}},
        {"AE in a SYN that asks for AccECN", TALK_SOUND, {"> SAWE 0 <mss 1460>"}},
        {"AE alone in a SYN", RULE_RESERVED_BITS, {"> SA 0 <mss 1460>"}},
        {"AE in the answer to such a SYN", TALK_SOUND, {"< SAWE 0", "> SA. 0 ack 1 <mss 1460>", "< . 1 ack 1"}},
        {"and later", TALK_SOUND, {"< SAWE 0", "> SA. 0 ack 1 <mss 1460>", "< .A 1 ack 1", "< P.A 1+10 ack 1", "> .AE 1 ack 11"}},
        {"AE in the answer to a classic SYN", RULE_RESERVED_BITS, {"< SWE 0", "> SA. 0 ack 1 <mss 1460>"}},
    };
    static const struct talk_row captured[] = {
        {"AE when the SYN was not seen", TALK_SOUND, {"< P. 1+10 ack 1", "> .A 1 ack 11"}},
        {"another bit all the same", RULE_RESERVED_BITS, {"< P. 1+10 ack 1", "> .A1 1 ack 11"}},
        {"AE that was not asked for", RULE_RESERVED_BITS, {HANDSHAKE, "< P. 1+10 ack 1", "> .A 1 ack 11"}},
    };
    struct talk *t = *state;
    talk_rows(t, rows, COUNT(rows));
    talk_again(t);
    t->host.link = JUDGE_LOSSY;
    talk_rows(t, captured, COUNT(captured));
    assert_int_equal(talk_finding(t, RULE_RESERVED_BITS)->needs, JUDGE_NEEDS_COMPLETE);
}

static void checksums_are_right(void **state)
{
    static const struct {
        const char *says;
        unsigned overrides;
        bool cut_short;
        unsigned broken;
    } rows[] = {
        {"right", 0, false, TALK_SOUND},
        {"the TCP checksum is wrong", PKT_SPOIL_CHECKSUM, false, RULE_CHECKSUM},
        {"the TCP checksum is missing", PKT_SET_CHECKSUM, false, RULE_CHECKSUM},
        {"a capture cut it short: nobody knows", PKT_SPOIL_CHECKSUM, true, TALK_SOUND},
        {"the IPv4 checksum is wrong", PKT_SPOIL_IP_CHECKSUM, false, RULE_IP_CHECKSUM},
        {"the IPv4 header is always whole", PKT_SPOIL_IP_CHECKSUM, true, RULE_IP_CHECKSUM},
        {"the IPv4 checksum is missing", PKT_SET_IP_CHECKSUM, false, RULE_IP_CHECKSUM},
        {"the time to live is 0", PKT_SET_TTL, false, RULE_TTL_ZERO},
    };
    struct talk *t = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("  %s\n", rows[i].says);
        talk_again(t);
        t->out.overrides = rows[i].overrides;
        t->cut_short = rows[i].cut_short;
        talk_out(t, "S 0 <mss 1460>");
        if (rows[i].broken == TALK_SOUND)
            talk_expect_nothing(t);
        else
            talk_expect(t, (enum rule_id)rows[i].broken);
    }
}

static uint16_t partial(const struct talk *t, uint32_t upper_len)
{
    return pkt_partial_checksum(&t->config.iut.addr, &t->config.peer.addr, PKT_PROTO_TCP, upper_len);
}

/* What stands there before the network card has completed it, and when segments are cut up or were merged. */
static void checksums_left_to_the_card_are_fine_where_it_does_them(void **state)
{
    struct talk *t = *state;
    const struct {
        const char *says, *line;
        uint16_t checksum;
        bool offload_fine;
    } rows[] = {
        {"the sum of the pseudo header", "S 0 <mss 1460>", partial(t, 24), true},
        {"the same without length", "S 0 <mss 1460>", partial(t, 0), true},
        {"nothing", "S 0 <mss 1460>", 0, true},
        {"anything else", "S 0 <mss 1460>", 0x1234, false},
        {"that of another length", "S 0 <mss 1460>", partial(t, 28), false},
        {"anything, in what is larger than the link", ". 1+2920 ack 1", 0x1234, true},
        {"anything else, in what just fits", ". 1+1460 ack 1", 0x1234, false},
    };
    t->out.overrides = PKT_SET_CHECKSUM;
    for (int offload = 0; offload < 2; offload++)
        for (size_t i = 0; i < COUNT(rows); i++) {
            print_message("  %s\n", rows[i].says);
            talk_again(t);
            t->host.offload = offload;
            t->host.link = JUDGE_LOSSY;
            t->out.checksum_value = rows[i].checksum;
            talk_out(t, rows[i].line);
            assert_int_equal(talk_found(t, RULE_CHECKSUM), !(offload && rows[i].offload_fine));
            assert_int_equal(t->finding_count, talk_found(t, RULE_CHECKSUM));
        }
}

static void the_portrait_knows_the_time_to_live(void **state)
{
    struct talk *t = *state;
    char text[128];
    talk_again(t);
    t->out.ttl = 128;
    talk_out(t, "S 0 <mss 1460>");
    portrait_describe(&t->host.portrait, CHOICE_TTL, text, sizeof text);
    assert_non_null(strstr(text, "128"));
}

static int setup(void **state)
{
    *state = talk_new();
    return 0;
}

static int teardown(void **state)
{
    talk_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(control_bits_are_those_of_the_rfc, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rst_stands_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(reserved_bits_are_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(checksums_are_right, setup, teardown),
        cmocka_unit_test_setup_teardown(checksums_left_to_the_card_are_fine_where_it_does_them, setup, teardown),
        cmocka_unit_test_setup_teardown(the_portrait_knows_the_time_to_live, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
