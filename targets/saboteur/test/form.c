/* What the faults in the form of segments make of them: header fields, options, ECN. */
#include "targets/saboteur/test/world.h"

#include <string.h>

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static const struct row { const char *fault; enum situation situation; struct seg seg; const char *becomes; } rows[] = {
    {"ttl-zero", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000 (tos 0 ttl 0)"},
    {"option-illegal", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000 <kind 253 0000 len 1>"},
    {"option-illegal", OPEN, {A_, 1, .ack = 1, .win = 1000, .opts = STAMP}, ". 1:1(0) ack 1 win 1000 <nop,nop,TS val 200 ecr 300,kind 253 0000 len 1>"},
    {"option-padding-ones", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000 <eol (then ffffff)>"},
    {"mss-length-3", NOTHING, {S_, 0, .win = 65535, .opts = MSS}, "S 0:0(0) win 65535 <kind 2 05,eol>"},
    {"mss-length-3", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"wscale-length-4", NOTHING, {S_, 0, .win = 65535, .opts = FULL}, "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,kind 3 0700>"},
    {"wscale-length-4", NOTHING, {S_, 0, .win = 65535, .opts = MSS}, "S 0:0(0) win 65535 <mss 1460>"},
    {"sack-permitted-length-3", NOTHING, {S_, 0, .win = 65535, .opts = FULL}, "S 0:0(0) win 65535 <mss 1460,TS val 100 ecr 0,wscale 7,kind 4 00>"},
    {"sack-permitted-length-3", NOTHING, {S_, 0, .win = 65535, .opts = MSS}, "S 0:0(0) win 65535 <mss 1460>"},
    {"sack-length-9", GOT_GAP, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"ts-length-9", OPEN_FULL, {A_, 1, .ack = 1, .win = 1000, .opts = STAMP}, ". 1:1(0) ack 1 win 1000 <kind 8 000000c8000001,eol>"},
    {"fast-open-length-7", NOTHING, {S_, 0, .win = 65535, .opts = MSS}, "S 0:0(0) win 65535 <mss 1460,FO 0102030405,eol>"},
    {"fast-open-length-7", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"accecn-length-4", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000 <kind 172 0001>"},
    {"accecn-length-4", NOTHING, {S_, 0, .win = 65535, .opts = MSS}, "S 0:0(0) win 65535 <mss 1460>"},
    {"mss-too-large", NOTHING, {S_ | A_, 0, .ack = 1, .win = 65535, .opts = MSS}, "S. 0:0(0) ack 1 win 65535 <mss 65535>"},
    {"wscale-15", NOTHING, {S_, 0, .win = 65535, .opts = FULL}, "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 15>"},
    {"sack-permitted-on-data", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000 <sackOK,eol>"},
    {"sack-permitted-on-data", NOTHING, {S_, 0, .win = 65535, .opts = MSS}, "S 0:0(0) win 65535 <mss 1460>"},
    {"sack-edges-swapped", GOT_GAP, {A_, 1, .ack = 1, .win = 1000, .opts = BLOCK}, ". 1:1(0) ack 1 win 1000 <nop,nop,sack 21:11>"},
    {"sack-blocks-swapped", GOT_GAP, {A_, 1, .ack = 1, .win = 1000, .opts = BLOCK}, ". 1:1(0) ack 1 win 1000 <nop,nop,sack 11:21>"},
    {"sack-blocks-swapped", GOT_GAP, {A_, 1, .ack = 1, .win = 1000, .opts = TWO_BLOCKS}, ". 1:1(0) ack 1 win 1000 <nop,nop,sack 31:41 11:21>"},
    {"ts-echo-first", OPEN_FULL, {A_, 1, .ack = 1, .win = 1000, .opts = STAMP}, ". 1:1(0) ack 1 win 1000 <nop,nop,TS val 200 ecr 0>"},
    {"ts-echo-first@3", OPEN_FULL, {A_, 1, .ack = 1, .win = 1000, .opts = STAMP}, ". 1:1(0) ack 1 win 1000 <nop,nop,TS val 200 ecr 300>"},
    {"rst-ts-echo-wrong", OPEN_FULL, {R_ | A_, 1, .ack = 1, .opts = STAMP}, "R. 1:1(0) ack 1 win 0 <nop,nop,TS val 200 ecr 307>"},
    {"rst-ts-missing", OPEN_FULL, {R_ | A_, 1, .ack = 1, .opts = STAMP}, "R. 1:1(0) ack 1 win 0"},
    {"rst-ts-missing", OPEN_FULL, {A_, 1, .ack = 1, .win = 1000, .opts = STAMP}, ". 1:1(0) ack 1 win 1000 <nop,nop,TS val 200 ecr 300>"},
    {"fast-open-missing", NOTHING, {S_, 0, .win = 65535, .opts = MSS}, "S 0:0(0) win 65535 <mss 1460>"},
    {"rst-ts-echo-wrong", OPEN_FULL, {A_, 1, .ack = 1, .win = 1000, .opts = STAMP}, ". 1:1(0) ack 1 win 1000 <nop,nop,TS val 200 ecr 300>"},

    {"ect-on-data", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, "P. 1:11(10) ack 1 win 1000 (tos 2 ttl 64)"},
    {"ect-on-data", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"ect-1-on-data", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000, .tos = 2}, "P. 1:11(10) ack 1 win 1000 (tos 1 ttl 64)"},
    {"ect-on-pure-ack", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000 (tos 2 ttl 64)"},
    {"ect-on-pure-ack", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, "P. 1:11(10) ack 1 win 1000"},
    {"ect-on-retransmission", SENT_10, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, "P. 1:11(10) ack 1 win 1000 (tos 2 ttl 64)"},
    {"ect-on-retransmission", SENT_10, {A_ | P_, 11, .len = 10, .ack = 1, .win = 1000}, "P. 11:21(10) ack 1 win 1000"},
    {"ect-on-probe", CLOSED_WINDOW, {A_, 1, .len = 1, .ack = 1, .win = 1000}, ". 1:2(1) ack 1 win 1000 (tos 2 ttl 64)"},
    {"ect-on-probe", OPEN, {A_, 1, .len = 1, .ack = 1, .win = 1000}, ". 1:2(1) ack 1 win 1000"},
    {"ece-always", OPEN, {A_, 1, .ack = 1, .win = 1000}, "E. 1:1(0) ack 1 win 1000"},
    {"ece-always", NOTHING, {S_, 0, .win = 65535}, "S 0:0(0) win 65535"},
    {"ece-once", OPEN, {A_ | PKT_ECE, 1, .ack = 1, .win = 1000}, "E. 1:1(0) ack 1 win 1000"},
    {"cwr-on-retransmission", SENT_10, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, "PW. 1:11(10) ack 1 win 1000"},
    {"cwr-on-retransmission", SENT_10, {A_ | P_, 11, .len = 10, .ack = 1, .win = 1000}, "P. 11:21(10) ack 1 win 1000"},
    {"cwr-in-synack", NOTHING, {S_ | A_, 0, .ack = 1, .win = 65535}, "SW. 0:0(0) ack 1 win 65535"},
    {"cwr-in-synack", NOTHING, {S_, 0, .win = 65535}, "S 0:0(0) win 65535"},
};

static void a_segment_comes_out_as_its_row_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (unsigned way = 0; way < WAYS; way++) {
            struct world w;
            char came[TEXT_MAX];
            world_open(&w, rows[i].fault, &ways[way]);
            world_bring(&w, rows[i].situation);
            world_from_iut(&w, rows[i].seg, came);
            if (strcmp(came, rows[i].becomes))
                fail_msg("%s (row %zu), way %u: came \"%s\", expected \"%s\"", rows[i].fault, i, way, came, rows[i].becomes);
            world_close(&w);
        }
}

/* An ACK of the IUT's as it comes out of a fault, with its octets. */
static struct packet ack_by(struct world *w, const char *fault, const struct way *way, enum opts opts, uint8_t bytes[static 200])
{
    struct packet packet;
    int64_t at_ns;
    world_open(w, fault, way);
    world_bring(w, GOT_GAP);
    puppet_emits(w->p, bytes, world_build(w, true, &(struct seg){A_, 1, .ack = 1, .win = 1000, .opts = opts}, bytes, 200));
    ssize_t len = w->t->ops->receive(w->t, bytes, 200, &at_ns);
    assert_true(len > 0);
    assert_int_equal(pkt_parse(bytes, (size_t)len, &packet), PKT_OK);
    world_close(w);
    return packet;
}

static void the_ip_checksum_is_wrong_and_that_of_tcp_is_not(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct world w;
        uint8_t bytes[200];
        struct packet packet = ack_by(&w, "ip-checksum-bad", &ways[way], NO_OPTIONS, bytes);
        assert_int_equal(packet.ip.checksum_ok, ways[way].ip == 1); /* IPv6 has none */
        assert_true(packet.tcp.checksum_ok);
    }
}

static void one_reserved_bit_is_set(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct world w;
        uint8_t bytes[200];
        struct packet packet = ack_by(&w, "reserved-bit-set", &ways[way], NO_OPTIONS, bytes);
        assert_int_equal(bytes[packet.ip.header_len + 12] & 0x0f, 0x04);
        assert_true(packet.tcp.checksum_ok);
    }
}

static void a_sack_option_is_an_octet_short(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct world w;
        uint8_t bytes[200];
        struct packet packet = ack_by(&w, "sack-length-9", &ways[way], BLOCK, bytes);
        assert_int_equal(packet.tcp.options[0], PKT_OPT_SACK);
        assert_int_equal(packet.tcp.options[1], 9);
        assert_true(packet.tcp.checksum_ok);
    }
}

static void a_mark_is_echoed_once(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    (void)state;
    world_open(&w, "ece-once", &ways[0]);
    world_bring(&w, OPEN);
    world_from_iut(&w, (struct seg){A_ | PKT_ECE, 1, .ack = 1, .win = 1000}, text);
    world_from_iut(&w, (struct seg){A_ | PKT_ECE, 1, .ack = 1, .win = 1000}, text);
    assert_string_equal(text, ". 1:1(0) ack 1 win 1000");
    world_close(&w);
}

bool form_test_fault(const char *name)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!strcmp(rows[i].fault, name))
            return true;
    return !strcmp(name, "ip-checksum-bad") || !strcmp(name, "reserved-bit-set");
}

int form_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_comes_out_as_its_row_says),
        cmocka_unit_test(the_ip_checksum_is_wrong_and_that_of_tcp_is_not),
        cmocka_unit_test(one_reserved_bit_is_set),
        cmocka_unit_test(a_sack_option_is_an_octet_short),
        cmocka_unit_test(a_mark_is_echoed_once),
    };
    return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
