/* PIXIT: what is understood, and what is said of what is not. */
#include "targets/tap/pixit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct pixit parsed(const char *argument)
{
    struct pixit pixit;
    struct target_error error = { .kind = TARGET_ERR_NONE };
    if (!pixit_parse(argument, &pixit, &error))
        fail_msg("%s: %s", argument, error.text);
    return pixit;
}

static void every_key_is_read(void **state)
{
    (void)state;
    struct pixit p =
        parsed("tap0,iut=192.0.2.2/28,iut=2001:db8::2,tester=192.0.2.8+4,tester=2001:db8::100+9,router=192.0.2.1,interface=eth0,"
                            "mac=02:00:00:00:00:0a,iut-mac=02:00:00:00:00:0B,mtu=9000,socket=stream,listen=yes,agent=[2001:db8::2]:4711,"
                            "key=a.key,port=80,granularity-ms=2.5,granularity-percent=12,latency-ms=30,msl-s=60,echo=no,disruption=yes,"
                            "ledger=linux,description=A board,lacks=urgent+fast-open");
    char text[PKT_ADDR_TEXT_MAX];
    assert_string_equal(p.word, "tap0");
    assert_string_equal(pkt_addr_format(&p.iut[0], text), "192.0.2.2");
    assert_string_equal(pkt_addr_format(&p.tester[1], text), "2001:db8::100");
    assert_int_equal(p.prefix[0], 28);
    assert_int_equal(p.prefix[1], 64);
    assert_int_equal(p.tester_count, 4);
    assert_string_equal(p.interface, "eth0");
    assert_true(p.mac_given && p.iut_mac_given && p.stream && p.listening && p.no_echo && p.disruption);
    assert_int_equal(p.iut_mac.bytes[5], 0x0b);
    assert_int_equal(p.mtu, 9000);
    assert_int_equal(p.upper, PIXIT_UPPER_AGENT);
    assert_string_equal(p.upper_host, "2001:db8::2");
    assert_int_equal(p.upper_port, 4711);
    assert_int_equal(p.open_port, 80);
    assert_int_equal(p.granularity_ns, 2500000);
    assert_int_equal(p.granularity_permille, 120);
    assert_int_equal(p.latency_ns, 30000000);
    assert_int_equal(p.msl_ns, INT64_C(60000000000));
    assert_string_equal(p.description, "A board");
    assert_string_equal(p.lacks, "urgent+fast-open");
}

static void hosts_and_ports_are_told_apart(void **state)
{
    (void)state;
    struct pixit name = parsed("x,agent=board.example");
    assert_string_equal(name.upper_host, "board.example");
    assert_int_equal(name.upper_port, 0);
    struct pixit bracketed = parsed("x,testability=[::1]");
    assert_string_equal(bracketed.upper_host, "::1");
    assert_int_equal(bracketed.upper, PIXIT_UPPER_TESTABILITY);
}

static const struct row { const char *argument, *says; } refused[] = {
    { "tap0,tseter=192.0.2.1", "no key \"tseter\": did you mean tester=?" },
    { "tap0,zzzzzzzz=1", "no key \"zzzzzzzz\"" },
    { "tap0,iut", "expected KEY=VALUE" },
    { "tap0,", "expected KEY=VALUE" },
    { "iut=192.0.2.2", "stands where a name does" },
    { "tap0,iut=", "expected iut=ADDR[/PREFIX]" },
    { "tap0,iut=192.0.2.256", "expected iut=ADDR[/PREFIX]" },
    { "tap0,iut=192.0.2.2/33", "expected iut=ADDR[/PREFIX]" },
    { "tap0,iut=224.0.0.1", "expected iut=ADDR[/PREFIX]" },
    { "tap0,iut=ff02::1", "expected iut=ADDR[/PREFIX]" },
    { "tap0,iut=192.0.2.2,iut=192.0.2.3", "one of each IP version" },
    { "tap0,iut=192.0.2.2,tester=192.0.2.1+9", "iut=192.0.2.2 is one of the tester's own addresses" },
    { "tap0,iut=192.0.2.2,tester=192.0.2.10+9,router=192.0.2.12", "router=192.0.2.12 is one of the tester's own" },
    { "tap0,tester=192.0.2.100+0", "expected tester=ADDR[+COUNT]" },
    { "tap0,tester=192.0.2.100+5000", "expected tester=ADDR[+COUNT]" },
    { "tap0,iut=192.0.2.2,tester=192.0.255.250+9", "do not fit into the last two octets" },
    { "tap0,tester=2001:db8::9,iut=192.0.2.2", "iut= is missing for IPv6" },
    { "tap0,mac=02:00:00:00:00", "expected mac=XX:XX" },
    { "tap0,mac=01:00:00:00:00:01", "expected mac=XX:XX" },
    { "tap0,mac=02:00:00:00:00:-1", "expected mac=XX:XX" },
    { "tap0,mtu=67", "expected mtu=OCTETS" },
    { "tap0,mtu=65536", "expected mtu=OCTETS" },
    { "tap0,mtu= 1500", "expected mtu=OCTETS" },
    { "tap0,port=0", "expected port=PORT" },
    { "tap0,port=80,port=81", "port= stands twice" },
    { "tap0,socket=tcp", "expected socket=dgram|stream" },
    { "tap0,agent=h:0", "expected agent=HOST[:PORT]" },
    { "tap0,agent=h:65536", "expected agent=HOST[:PORT]" },
    { "tap0,agent=2001:db8::2", "expected agent=HOST[:PORT]" },
    { "tap0,agent=a,testability=b", "expected testability=HOST[:PORT]" },
    { "tap0,key=a.key", "key= is of no use without agent=" },
    { "tap0,granularity-ms=-1", "expected granularity-ms=MS" },
    { "tap0,granularity-ms=1e3", "expected granularity-ms=MS" },
    { "tap0,msl-s=3601", "expected msl-s=SECONDS" },
    { "tap0,latency-ms=1.2.3", "expected latency-ms=MS" },
    { "tap0,lacks=Urgent", "expected lacks=FEATURE" },
    { "tap0,interface=an-interface-too-long", "expected interface=NAME" },
    { "tap0,address=own,iut=192.0.2.2,tester=192.0.2.3", "address=own and tester= contradict" },
};

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct pixit pixit;
        struct target_error error = { .kind = TARGET_ERR_NONE };
        if (pixit_parse(refused[i].argument, &pixit, &error))
            fail_msg("%s: it was taken", refused[i].argument);
        if (error.kind != TARGET_ERR_USAGE || !strstr(error.text, refused[i].says))
            fail_msg("%s: \"%s\" does not say \"%s\"", refused[i].argument, error.text, refused[i].says);
    }
}

static void no_addresses_are_those_of_serve(void **state)
{
    (void)state;
    struct pixit p = parsed("tap0");
    struct target_error error;
    char text[PKT_ADDR_TEXT_MAX];
    assert_true(pixit_default_addresses(&p, &error));
    assert_string_equal(pkt_addr_format(&p.iut[0], text), "192.0.2.2");
    assert_string_equal(pkt_addr_format(&p.tester[1], text), "2001:db8::100");
    assert_int_equal(p.tester_count, 50);
    struct pixit alone = parsed("tap0,iut=192.0.2.2");
    assert_false(pixit_default_addresses(&alone, &error));
    assert_non_null(strstr(error.text, "tester= is missing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read), cmocka_unit_test(hosts_and_ports_are_told_apart), cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(no_addresses_are_those_of_serve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
