/* The driver, what holds of every fault, and bounds. Runs the tests of the other files, too. */
#include "targets/saboteur/test/world.h"
#include "targets/saboteur/track.h"
#include "targets/saboteur/timed.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list of faults */

static void names_differ_and_are_words_in_lower_case(void **state)
{
    (void)state;
    assert_true(saboteur_fault_count() > 80);
    for (size_t i = 0; i < saboteur_fault_count(); i++) {
        struct saboteur_fault fault = saboteur_fault_at(i);
        for (const char *c = fault.name; *c; c++)
            assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '-');
        assert_true(strlen(fault.says) > 10);
        assert_non_null(saboteur_group_text(fault.group));
        assert_true(i == 0 || saboteur_fault_at(i - 1).group <= fault.group);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(saboteur_fault_at(k).name, fault.name);
    }
}

static void every_fault_has_a_test(void **state)
{
    (void)state;
    for (size_t i = 0; i < saboteur_fault_count(); i++) {
        const char *name = saboteur_fault_at(i).name;
        if (!segments_test_fault(name) && !form_test_fault(name) && !timing_test_fault(name) && !calls_test_fault(name))
            fail_msg("nothing tests %s", name);
    }
}

static void a_fault_is_found_by_name_and_from_the_nth_segment_on(void **state)
{
    static const struct { const char *text; bool exists; } rows[] = {
        {"ack-dropped", true}, {"ack-dropped@1", true}, {"ack-dropped@12", true}, {"rst-extra@2", true}, {"syn-early@2", true},
        {"ack-dropped@0", false}, {"ack-dropped@", false}, {"ack-dropped@x", false}, {"ack-dropped@-1", false}, {"ack-dropped@1x", false},
        {"ack-dropped@12345678", false}, {"ack-drop", false}, {"ack-droppedx", false}, {"", false}, {"@2", false},
        {"state-lies", true}, {"state-lies@2", false}, {"no-sack", true}, {"no-sack@2", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (saboteur_fault_exists(rows[i].text) != rows[i].exists)
            fail_msg("\"%s\"", rows[i].text);
}

/* ---- the argument */

static void a_wrong_argument_is_told_as_what_is_wrong_with_it(void **state)
{
    static const struct { const char *argument; enum target_error_kind kind; const char *says; } rows[] = {
        {"ack-dropped", TARGET_ERR_USAGE, "saboteur:FAULT,TARGET"},
        {"", TARGET_ERR_USAGE, "saboteur:FAULT,TARGET"},
        {"ack-droped,puppet", TARGET_ERR_USAGE, "no fault \"ack-droped\""},
        {"state-lies@2,puppet", TARGET_ERR_USAGE, "no fault \"state-lies@2\""},
        {"ack-dropped,pupet", TARGET_ERR_USAGE, "no target \"pupet\""},
        {"ack-dropped,", TARGET_ERR_USAGE, "no target \"\""},
        {"ack-dropped,puppet:refuse", TARGET_ERR_UNSUPPORTED, "it will not"},
        {"ack-dropped,saboteur:nothing,puppet", TARGET_ERR_USAGE, "no fault \"nothing\""},
    };
    struct target_config config = {.seed = 1};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target_error error = {0};
        const struct target_driver *driver = saboteur_driver_for(rows[i].argument);
        assert_null(driver->open(rows[i].argument, &config, &error));
        assert_int_equal(error.kind, rows[i].kind);
        if (!strstr(error.text, rows[i].says))
            fail_msg("\"%s\": %s", rows[i].argument, error.text);
        if (rows[i].kind == TARGET_ERR_USAGE && *rows[i].argument && !strstr(rows[i].argument, "saboteur"))
            assert_false(driver->preflight(rows[i].argument, &error));
    }
    assert_int_equal(puppet_open_count(), 0);
}

static void preflight_asks_the_wrapped_target(void **state)
{
    struct target_error error = {0};
    (void)state;
    assert_true(saboteur_driver.preflight("", &error));
    assert_true(saboteur_driver.preflight("ack-dropped,puppet", &error));
    assert_true(saboteur_driver.preflight("ack-dropped,puppet-only", &error)); /* has none */
    assert_false(saboteur_driver.preflight("ack-dropped,puppet:absent", &error));
    assert_string_equal(error.text, "absent");
}

static void the_driver_is_as_virtual_and_as_many_as_the_wrapped_one(void **state)
{
    static const struct { const char *argument; bool many, virtual_time; } rows[] = {
        {"ack-dropped,puppet", true, true}, {"ack-dropped,puppet-real", true, false}, {"ack-dropped,puppet-only:x", false, true},
        {"ack-dropped,saboteur:rst-dropped,puppet-real", true, false}, {"ack-dropped,saboteur:rst-dropped,puppet-only", false, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct target_driver *driver = saboteur_driver_for(rows[i].argument);
        assert_string_equal(driver->name, "saboteur");
        assert_int_equal(driver->many, rows[i].many);
        assert_int_equal(driver->virtual_time, rows[i].virtual_time);
    }
}

static void the_instance_says_what_was_done_to_whom(void **state)
{
    struct world w;
    (void)state;
    world_open(&w, "ack-dropped@2", &ways[0]);
    const struct target_info *info = &w.t->info;
    assert_string_equal(info->name, "saboteur:ack-dropped@2,puppet");
    assert_string_equal(info->description, "a puppet, sabotaged: sends no ACK that is nothing else");
    assert_int_equal(info->capabilities, w.p->base.info.capabilities);
    assert_int_equal(info->pixit_count, 1);
    assert_string_equal(info->pixit[0].value, "ack-dropped@2,puppet");
    assert_int_equal(info->mtu, 1500);
    world_close(&w);
}

static void two_faults_can_be_nested(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    (void)state;
    world_open(&w, "psh-never,saboteur:seq-plus-one", &ways[0]);
    world_from_iut(&w, (struct seg){A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, text);
    assert_string_equal(text, ". 2:12(10) ack 1 win 1000");
    world_close(&w);
}

/* ---- what no fault touches */

struct raw { uint8_t bytes[300]; size_t len; };

static void build(struct world *w, const struct pkt_spec *spec, struct raw *out)
{
    ssize_t len = pkt_build(w->builder, spec, out->bytes, sizeof out->bytes);
    assert_true(len > 0);
    out->len = (size_t)len;
}

static void check_untouched(struct world *w, const char *fault, const struct raw *raw, const char *what)
{
    uint8_t out[400];
    int64_t at_ns;
    puppet_forget(w->p);
    assert_int_equal(w->t->ops->send(w->t, raw->bytes, raw->len), 0);
    if (!w->p->got.bytes || w->p->got.len != raw->len || memcmp(w->p->got.bytes, raw->bytes, raw->len))
        fail_msg("%s touches %s on the way in", fault, what);
    puppet_emits(w->p, raw->bytes, raw->len);
    if (w->t->ops->receive(w->t, out, sizeof out, &at_ns) != (ssize_t)raw->len || memcmp(out, raw->bytes, raw->len))
        fail_msg("%s touches %s on the way out", fault, what);
}

static void no_fault_touches_echo_or_what_is_no_segment(void **state)
{
    (void)state;
    for (size_t i = 0; i < saboteur_fault_count(); i++)
        for (unsigned ip = 0; ip < 2; ip++) {
            struct world w;
            struct raw echo[2], udp, malformed, fragment;
            const char *fault = saboteur_fault_at(i).name;
            world_open(&w, fault, &ways[ip]);
            world_bring(&w, OPEN_FULL);
            char ignored[TEXT_MAX];
            world_pass_time(&w, 1000 * MS, ignored);
            struct pkt_spec spec = {.src = w.t->info.tester[ip], .dst = w.t->info.iut[ip], .payload = (const uint8_t *)"abcdefgh", .payload_len = 8};
            spec.protocol = ip ? PKT_PROTO_ICMP6 : PKT_PROTO_ICMP;
            spec.icmp_rest = 0x00010002;
            for (unsigned reply = 0; reply < 2; reply++) {
                spec.icmp_type = (uint8_t)(ip ? 128 + reply : reply ? 0 : 8);
                build(&w, &spec, &echo[reply]);
                check_untouched(&w, fault, &echo[reply], "an echo");
            }
            spec.protocol = PKT_PROTO_UDP;
            build(&w, &spec, &udp);
            check_untouched(&w, fault, &udp, "UDP");
            spec.protocol = PKT_PROTO_TCP;
            spec.flags = PKT_ACK;
            spec.overrides = PKT_SET_DATA_OFFSET;
            spec.data_offset_words = 4;
            build(&w, &spec, &malformed);
            check_untouched(&w, fault, &malformed, "a segment with a wrong data offset");
            memcpy(&fragment, &udp, sizeof fragment);
            fragment.bytes[0] = 0x55; /* no IP version there is */
            check_untouched(&w, fault, &fragment, "what is not even IP");
            world_close(&w);
        }
}

/* Random octets and damaged segments through every fault: nothing to see here but for the sanitizers. */
static void no_packet_whatever_does_harm(void **state)
{
    unsigned seed = 20251122;
    (void)state;
    print_message("seed %u\n", seed);
    srand(seed);
    for (size_t i = 0; i < saboteur_fault_count(); i++) {
        struct world w;
        static uint8_t out[PKT_BYTES_MAX];
        world_open(&w, saboteur_fault_at(i).name, &ways[i % WAYS]);
        world_bring(&w, i % 3 ? OPEN_FULL : OPEN_ACTIVELY);
        for (unsigned n = 0; n < 400; n++) {
            struct seg seg = {.flags = (uint16_t)(rand() & 0x3f), .seq = rand() % 40 - 10, .len = (uint32_t)(rand() % 30), .ack = rand() % 40 - 10,
                              .win = (uint16_t)(rand() % 3 * 500), .opts = (enum opts)(rand() % (TWO_BLOCKS + 1)), .bad_checksum = rand() % 8 == 0};
            uint8_t bytes[300];
            size_t len = world_build(&w, n % 2, &seg, bytes, sizeof bytes);
            for (int damage = rand() % 4; damage > 0; damage--)
                bytes[(size_t)rand() % len] = (uint8_t)rand();
            len -= rand() % 4 ? 0 : (size_t)rand() % len;
            int64_t at_ns;
            if (n % 2)
                puppet_emits(w.p, bytes, len);
            else
                w.t->ops->send(w.t, bytes, len);
            while (w.t->ops->receive(w.t, out, sizeof out, &at_ns) > 0)
                ;
            w.now_ns += rand() % (300 * (int)MS);
            w.t->ops->advance(w.t, w.now_ns);
        }
        world_close(&w);
    }
}

static void a_packet_that_is_too_long_to_grow_stays_as_it_is(void **state)
{
    static uint8_t bytes[PKT_BYTES_MAX], out[PKT_BYTES_MAX + 100], payload[PKT_BYTES_MAX];
    (void)state;
    for (unsigned ip = 0; ip < 2; ip++) {
        struct world w;
        int64_t at_ns;
        world_open(&w, "mss-on-data", &ways[ip]);
        struct pkt_spec spec = {.protocol = PKT_PROTO_TCP, .src = w.t->info.iut[ip], .dst = w.t->info.tester[ip], .flags = PKT_ACK, .payload = payload,
                                .payload_len = ip ? 65515 : 65495};
        ssize_t len = pkt_build(w.builder, &spec, bytes, sizeof bytes);
        assert_true(len > 0);
        puppet_emits(w.p, bytes, (size_t)len);
        assert_int_equal(w.t->ops->receive(w.t, out, sizeof out, &at_ns), len);
        assert_int_equal(memcmp(out, bytes, (size_t)len), 0);
        world_close(&w);
    }
}

static void options_that_do_not_fit_leave_the_segment_alone(void **state)
{
    struct world w;
    struct raw raw;
    uint8_t out[300], options[40], *o = options;
    int64_t at_ns;
    (void)state;
    world_open(&w, "mss-on-data", &ways[0]);
    *o++ = 253; /* an experiment of 40 octets */
    *o++ = 40;
    memset(o, 7, 38);
    struct pkt_spec spec = {.protocol = PKT_PROTO_TCP, .src = w.t->info.iut[0], .dst = w.t->info.tester[0], .flags = PKT_ACK, .options = options,
                            .options_len = 40};
    build(&w, &spec, &raw);
    puppet_emits(w.p, raw.bytes, raw.len);
    assert_int_equal(w.t->ops->receive(w.t, out, sizeof out, &at_ns), raw.len);
    assert_int_equal(memcmp(out, raw.bytes, raw.len), 0);
    world_close(&w);
}

/* ---- bounds */

static void of_too_many_connections_the_one_longest_at_rest_is_forgotten(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    (void)state;
    world_open(&w, "syn-once", &ways[0]);
    for (unsigned i = 0; i <= CONNECTIONS_MAX; i++) { /* one too many: the second goes, since the first is used again and again */
        w.tester_port = (uint16_t)(1000 + i);
        world_from_iut(&w, (struct seg){S_, 0, .win = 9}, text);
        assert_string_equal(text, "S 0:0(0) win 9");
        w.tester_port = 1000;
        world_from_iut(&w, (struct seg){S_, 0, .win = 9}, text);
        assert_string_equal(text, "");
    }
    w.tester_port = 1001;
    world_from_iut(&w, (struct seg){S_, 0, .win = 9}, text);
    assert_string_equal(text, "S 0:0(0) win 9");
    world_close(&w);
}

static void what_is_forgotten_is_not_repeated(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    (void)state;
    world_open(&w, "syn-forever", &ways[0]);
    world_from_iut(&w, (struct seg){S_, 0, .win = 9}, text);
    for (unsigned i = 1; i <= CONNECTIONS_MAX; i++) {
        w.tester_port = (uint16_t)(30000 + i);
        world_to_iut(&w, (struct seg){S_, 0, .win = 9}, text);
    }
    assert_true(w.t->ops->deadline(w.t) == INT64_MAX);
    world_close(&w);
}

static void a_new_incarnation_ends_the_repeats_of_the_old_one(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    (void)state;
    world_open(&w, "syn-forever", &ways[0]);
    world_from_iut(&w, (struct seg){S_, 0, .win = 9}, text);
    world_pass_time(&w, 500 * MS, text);
    world_from_iut(&w, (struct seg){S_, 1000000, .win = 9}, text);
    world_pass_time(&w, 1100 * MS, text);
    assert_string_equal(text, "1000: S 1000000:1000000(0) win 9");
    world_close(&w);
}

static void when_too_many_packets_wait_the_next_leaves_at_once(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    (void)state;
    world_open(&w, "all-late-600ms", &ways[0]);
    for (unsigned i = 0; i < HELD_MAX; i++) {
        world_from_iut(&w, (struct seg){A_, 1, .ack = 1, .win = 9}, text);
        assert_string_equal(text, "");
    }
    world_from_iut(&w, (struct seg){A_, 1, .ack = 1, .win = 9}, text);
    assert_string_equal(text, ". 1:1(0) ack 1 win 9");
    world_close(&w);
}

static void when_too_many_segments_are_repeated_the_next_is_not(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    unsigned copies = 0;
    uint8_t out[100];
    int64_t at_ns;
    (void)state;
    world_open(&w, "syn-early", &ways[0]);
    for (unsigned i = 0; i <= REPEATS_MAX; i++) {
        w.tester_port = (uint16_t)(1000 + i);
        world_from_iut(&w, (struct seg){S_, 0, .win = 9}, text);
    }
    w.t->ops->advance(w.t, w.now_ns + 100 * MS);
    while (w.t->ops->receive(w.t, out, sizeof out, &at_ns) > 0)
        copies++;
    assert_int_equal(copies, REPEATS_MAX);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_differ_and_are_words_in_lower_case),
        cmocka_unit_test(every_fault_has_a_test),
        cmocka_unit_test(a_fault_is_found_by_name_and_from_the_nth_segment_on),
        cmocka_unit_test(a_wrong_argument_is_told_as_what_is_wrong_with_it),
        cmocka_unit_test(preflight_asks_the_wrapped_target),
        cmocka_unit_test(the_driver_is_as_virtual_and_as_many_as_the_wrapped_one),
        cmocka_unit_test(the_instance_says_what_was_done_to_whom),
        cmocka_unit_test(two_faults_can_be_nested),
        cmocka_unit_test(no_fault_touches_echo_or_what_is_no_segment),
        cmocka_unit_test(no_packet_whatever_does_harm),
        cmocka_unit_test(a_packet_that_is_too_long_to_grow_stays_as_it_is),
        cmocka_unit_test(options_that_do_not_fit_leave_the_segment_alone),
        cmocka_unit_test(of_too_many_connections_the_one_longest_at_rest_is_forgotten),
        cmocka_unit_test(what_is_forgotten_is_not_repeated),
        cmocka_unit_test(a_new_incarnation_ends_the_repeats_of_the_old_one),
        cmocka_unit_test(when_too_many_packets_wait_the_next_leaves_at_once),
        cmocka_unit_test(when_too_many_segments_are_repeated_the_next_is_not),
    };
    int failed = segments_run() + form_run() + timing_run() + calls_run();
    return failed + cmocka_run_group_tests_name("saboteur", tests, NULL, NULL);
}
