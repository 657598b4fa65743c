/* Settings of a scenario reach the kernel, show in the PIXIT and on the wire, and are refused where they make no sense. */
#include "targets/linux/test/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *pixit(const struct target *t, const char *name)
{
    for (unsigned i = 0; i < t->info.pixit_count; i++)
        if (strcmp(t->info.pixit[i].name, name) == 0)
            return t->info.pixit[i].value;
    return "(not recorded)";
}

static void settings_are_made_and_recorded(void **state)
{
    static const struct row { const char *name, *value, *sysctl, *recorded; bool may_lack; } rows[] = {
        { "syn-retries", "2", "net.ipv4.tcp_syn_retries", "2", false },
        { "synack-retries", "1", "net.ipv4.tcp_synack_retries", "1", false },
        { "syn-linear-timeouts", "0", "net.ipv4.tcp_syn_linear_timeouts", "0", true },
        { "data-retries", "4", "net.ipv4.tcp_retries2", "4", false },
        { "orphan-retries", "3", "net.ipv4.tcp_orphan_retries", "3", false },
        { "syncookies", "always", "net.ipv4.tcp_syncookies", "2", true },
        { "syncookies", "off", "net.ipv4.tcp_syncookies", "0", true },
        { "max-syn-backlog", "8", "net.ipv4.tcp_max_syn_backlog", "8", false },
        { "timestamps", "off", "net.ipv4.tcp_timestamps", "0", false },
        { "sack", "off", "net.ipv4.tcp_sack", "0", false },
        { "window-scaling", "off", "net.ipv4.tcp_window_scaling", "0", false },
        { "ecn", "on", "net.ipv4.tcp_ecn", "1", false },
        { "fastopen", "both", "net.ipv4.tcp_fastopen", "3", false },
        { "fin-wait-2-ms", "1001", "net.ipv4.tcp_fin_timeout", "2", false },
        { "tw-reuse", "on", "net.ipv4.tcp_tw_reuse", "1", false },
        { "rfc1337", "on", "net.ipv4.tcp_rfc1337", "1", false },
        { "receive-buffer", "8192", "net.ipv4.tcp_rmem", "4096 8192 8192", false },
        { "send-buffer", "9000", "net.ipv4.tcp_wmem", "4096 9000 9000", false },
        { "challenge-ack-limit", "100", "net.ipv4.tcp_challenge_ack_limit", "100", false },
        { "keepalive-idle-s", "5", "net.ipv4.tcp_keepalive_time", "5", false },
        { "keepalive-interval-s", "1", "net.ipv4.tcp_keepalive_intvl", "1", false },
        { "keepalive-probes", "2", "net.ipv4.tcp_keepalive_probes", "2", false },
        { "min-rto-ms", "500", "net.ipv4.tcp_rto_min_us", "500000", true },
        { "abort-on-overflow", "on", "net.ipv4.tcp_abort_on_overflow", "1", false },
        { "net.ipv4.tcp_comp_sack_nr", "0", "net.ipv4.tcp_comp_sack_nr", "0", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct target_setting setting = { rows[i].name, rows[i].value };
        const struct target_config config = { .settings = &setting, .setting_count = 1 };
        struct target_error error;
        struct target *t = linux_driver.open("", &config, &error);
        if (!t && rows[i].may_lack && error.kind == TARGET_ERR_UNSUPPORTED)
            continue; /* an older kernel */
        if (!t) {
            fail_msg("%s", error.text);
            return;
        }
        const char *recorded = pixit(t, rows[i].sysctl);
        if (strcmp(recorded, rows[i].recorded) != 0 && !(rows[i].may_lack && recorded[0] == '('))
            fail_msg("%s %s: %s is \"%s\", expected \"%s\"", rows[i].name, rows[i].value, rows[i].sysctl, recorded,
                     rows[i].recorded);
        t->ops->close(t);
    }
}

static void what_every_run_relies_on_is_recorded(void **state)
{
    (void)state;
    struct target *t = fixture_open(NULL, 0);
    assert_string_equal(pixit(t, "net.ipv4.tcp_invalid_ratelimit"), "0");
    assert_string_equal(pixit(t, "net.ipv4.icmp_ratelimit"), "0");
    assert_string_equal(pixit(t, "net.ipv4.tcp_no_metrics_save"), "1");
    assert_string_equal(pixit(t, "net.ipv4.tcp_congestion_control"), "reno");
    assert_true(pixit(t, "kernel")[0] != '(' && pixit(t, "HZ")[0] != '(' && pixit(t, "MSL")[0] != '(');
    assert_true(t->info.granularity_ns >= 2000000 && t->info.granularity_ns <= 20000000);
    t->ops->close(t);
}

static void refusals_say_what_and_why(void **state)
{
    static const struct row { const char *name, *value; enum target_error_kind kind; const char *says; } rows[] = {
        { "no-such-thing", "1", TARGET_ERR_UNSUPPORTED, "no such setting" },
        { "syn-retries", "many", TARGET_ERR_USAGE, "write a number" },
        { "syn-retries", "-1", TARGET_ERR_USAGE, "write a number" },
        { "syn-retries", "", TARGET_ERR_USAGE, "write a number" },
        { "syn-retries", "3x", TARGET_ERR_USAGE, "write a number" },
        { "syn-retries", "99999999999999999999", TARGET_ERR_USAGE, "write a number" },
        { "syn-retries", "2147483647", TARGET_ERR_UNSUPPORTED, "refuses" },
        { "orphan-retries", "0", TARGET_ERR_UNSUPPORTED, "default, 8" },
        { "sack", "maybe", TARGET_ERR_USAGE, "on or off" },
        { "sack", "o", TARGET_ERR_USAGE, "on or off" },
        { "sack", "", TARGET_ERR_USAGE, "on or off" },
        { "syncookies", "sometimes", TARGET_ERR_USAGE, "always=2" },
        { "mtu", "large", TARGET_ERR_USAGE, "octets" },
        { "mtu", "67", TARGET_ERR_UNSUPPORTED, "68 to 65521" },
        { "mtu", "65522", TARGET_ERR_UNSUPPORTED, "68 to 65521" },
        { "net.ipv4.tcp_no_such_thing", "1", TARGET_ERR_UNSUPPORTED, "has no" },
        { "net.ipv4/../../kernel/core_pattern", "1", TARGET_ERR_USAGE, "sysctl's name" },
        { "net...kernel.core_pattern", "1", TARGET_ERR_USAGE, "sysctl's name" },
        { "net.", "1", TARGET_ERR_UNSUPPORTED, "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct target_setting setting = { rows[i].name, rows[i].value };
        const struct target_config config = { .settings = &setting, .setting_count = 1 };
        struct target_error error;
        struct target *t = linux_driver.open("", &config, &error);
        if (t || error.kind != rows[i].kind || !strstr(error.text, rows[i].says))
            fail_msg("%s %s: expected a refusal with \"%s\", got kind %d, \"%s\"", rows[i].name, rows[i].value, rows[i].says,
                     t ? 0 : (int)error.kind, t ? "" : error.text);
    }
}

static void an_argument_is_refused(void **state)
{
    (void)state;
    const struct target_config config = { 0 };
    struct target_error error;
    assert_null(linux_driver.open("eth0", &config, &error));
    assert_int_equal(error.kind, TARGET_ERR_USAGE);
    assert_false(linux_driver.preflight("eth0", &error));
    assert_int_equal(error.kind, TARGET_ERR_USAGE);
}

/* Below 1280 octets the kernel takes IPv6 off the link (RFC 8200 §5). */
static void a_small_mtu_leaves_ipv4_alone(void **state)
{
    static const struct row { const char *mtu; bool ipv6; } rows[] = { { "1279", false }, { "1280", true }, { "65521", true } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct target_setting setting = { "mtu", rows[i].mtu };
        struct target *t = fixture_open(&setting, 1);
        assert_int_equal(!!(t->info.capabilities & TARGET_IPV6), rows[i].ipv6);
        struct peer *p = peer_new(t, rows[i].ipv6, 4000, 8080);
        peer_establish_passively(p);
        peer_free(p);
        t->ops->close(t);
    }
}

static void options_of_the_handshake_follow_the_settings(void **state)
{
    (void)state;
    for (int on = 0; on < 2; on++) {
        const char *value = on ? "on" : "off";
        const struct target_setting settings[] = { { "timestamps", value }, { "sack", value }, { "window-scaling", value } };
        struct target *t = fixture_open(settings, 3);
        struct peer *p = peer_new(t, 0, 4000, 8080);
        int handle = (int)t->ops->socket(t, 4);
        t->ops->connect(t, handle, &p->tester);
        assert_true(peer_take(p));
        struct pkt_options options;
        pkt_options_read(p->seen.tcp.options, p->seen.tcp.options_len, &options);
        assert_int_equal(options.has_timestamp, on);
        assert_int_equal(options.sack_permitted, on);
        assert_int_equal(options.has_wscale, on);
        assert_int_equal(options.mss, 1460);
        peer_free(p);
        t->ops->close(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_made_and_recorded),
        cmocka_unit_test(what_every_run_relies_on_is_recorded),
        cmocka_unit_test(refusals_say_what_and_why),
        cmocka_unit_test(an_argument_is_refused),
        cmocka_unit_test(a_small_mtu_leaves_ipv4_alone),
        cmocka_unit_test(options_of_the_handshake_follow_the_settings),
    };
    int skip = fixture_preflight();
    return skip ? skip : cmocka_run_group_tests(tests, NULL, NULL);
}
