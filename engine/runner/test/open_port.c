/* What can be played against an open port alone, for each thing that may be known of who stands behind it. */
#include "engine/runner/open_port.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LISTEN "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 5) = 0\n"
#define OPEN LISTEN "+0 < S 0:0(0) win 65535\n* > S. 0:0(0) ack 1\n+0 < . 1:1(0) ack 1\n+0 accept(3, ..., ...) = 4\n"

#define DISCARD {.probed = true, .answers = true, .silent = true, .discards = true, .refuses = true}

struct row {
    const char *says, *text;
    struct open_port port;
    const char *reason; /* a part of it; NULL: it can be played */
};

static const struct row rows[] = {
    {"a handshake", OPEN, DISCARD, NULL},
    {"octets, where they are discarded", OPEN "+0 < P. 1:11(10) ack 1\n", DISCARD, NULL},
    {"octets, where they are not", OPEN "+0 < P. 1:11(10) ack 1\n", {.probed = true, .answers = true, .silent = true}, "in silence"},
    {"octets of a table", "each $n in 10\n" OPEN "+0 < P. 1:1+$n($n) ack 1\n", {.probed = true, .answers = true, .silent = true}, "in silence"},
    {"none of a table", "each $n in 0\n" OPEN "+0 < . 1:1+$n($n) ack 1\n", {.probed = true, .answers = true, .silent = true}, NULL},
    {"a server that talks", OPEN, {.probed = true, .answers = true}, "by itself"},
    {"a server that does not answer", OPEN, {.probed = true, .silent = true}, "did not answer"},
    {"a FIN", OPEN "+0 < F. 1:1(0) ack 1\n", DISCARD, "closes when it is told"},
    {"a FIN of a table", "each $f in F.\n" OPEN "+0 < $f 1:1(0) ack 1\n", DISCARD, "closes when it is told"},
    {"a write", OPEN "+0 write(4, ..., 10) = 10\n", DISCARD, "more than listen"},
    {"a close in the body", OPEN "+0 close(4) = 0\n", DISCARD, "more than listen"},
    {"a close in the postamble", OPEN "//: postamble\n+0 close(4) = 0\n", DISCARD, NULL},
    {"an option", LISTEN "+0 setsockopt(3, SOL_SOCKET, SO_RCVBUF, [1000], 4) = 0\n", DISCARD, "sets options"},
    {"a port that is opened late", "0 < S 0:0(0)\n" LISTEN, DISCARD, "in the midst"},
    {"an active open", "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 connect(3, ..., ...) = 0\n", DISCARD, "more than listen"},
    {"an active open, declared", "//: needs connect\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n", DISCARD, "connects"},
    {"a second port", "//: endpoint b to 1\n" OPEN "+0 < @b S 0:0(0)\n", DISCARD, "several ports"},
    {"a closed port, that refuses", "0 < S 0:0(0)\n", {.probed = true, .refuses = true}, NULL},
    {"a closed port behind a packet filter", "0 < S 0:0(0)\n", {.probed = true, .answers = true, .silent = true}, "packet filter"},
};

static void what_the_port_gives_is_enough_or_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024], reason[256] = "";
        struct scn_diagnostics diagnostics = {0};
        snprintf(text, sizeof text, "//: title x\n%s", rows[i].text);
        struct scenario *scenario = scn_parse("x", text, strlen(text), &diagnostics);
        if (!scenario)
            fail_msg("%s: %s", rows[i].says, diagnostics.list[0].message);
        bool enough = open_port_suffices(&rows[i].port, scenario, 0, reason, sizeof reason);
        if (enough != !rows[i].reason || (rows[i].reason && !strstr(reason, rows[i].reason)))
            fail_msg("%s: %s", rows[i].says, enough ? "it can be played" : reason);
        scn_free(scenario);
    }
}

/* A probe that the scheduler asks for must be there, and parse. */
static void the_probes_are_scenarios(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OPEN_PORT_PROBES; i++) {
        const char *id, *text = open_port_probe(i, &id);
        struct scn_diagnostics diagnostics = {0};
        struct scenario *scenario = scn_parse(id, text, strlen(text), &diagnostics);
        assert_non_null(scenario);
        assert_int_equal(open_port_is_used(scenario), strcmp(id, "open-port/refuses") != 0);
        scn_free(scenario);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_the_port_gives_is_enough_or_not), cmocka_unit_test(the_probes_are_scenarios)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
