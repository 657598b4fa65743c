/* Inspections of captures made here: every link layer, captures that are cut, damaged or begin late, connections by the thousand,
 * and what is found and reported. */
#include <stdlib.h>

#include "engine/capture/record.h"
#include "engine/capture/test/film.h"
#include "engine/capture/text.h"

static const struct inspection_config usual = { .listed_max = 10000 };

/* Nothing was violated, and this much was judged. */
static void assert_clean(struct inspection *inspection, uint64_t connections, uint64_t segments)
{
    const struct inspection_report *report = inspection_report(inspection);
    struct inspection_counts counts;
    inspection_count(report, &counts);
    if (counts.failures > 0)
        fail_msg("%s: %s", report->findings.held[1].requirement, report->findings.held[1].message);
    assert_int_equal(report->connections, connections);
    assert_int_equal(report->segments, segments);
    assert_false(report->out_of_memory);
    inspection_free(inspection);
}

/* ---- what a capture may look like ------------------------------------------------------------------------------------ */

static void a_conversation_is_judged_on_every_link(void **state)
{
    static const int links[] = { DLT_EN10MB, DLT_RAW, DLT_IPV4, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL, DLT_LOOP, DLT_PPP };
    (void)state;
    for (size_t i = 0; i < COUNT(links); i++) {
        struct film film;
        film_begin(&film, links[i]);
        film_talk(&film, 40000, UINT32_MAX - 50, 1000); /* numbers wrap */
        assert_clean(film_inspect(&film, usual), 1, SHOTS_OF_TALK);
        film_free(&film);
    }
}

static void ipv6_is_judged(void **state)
{
    struct film film;
    (void)state;
    film_begin(&film, DLT_EN10MB);
    for (unsigned step = 0; step < SHOTS_OF_TALK; step++) {
        struct shot shot = talk_shot(step, 40000, 7, 8);
        shot.ipv6 = true;
        film_shot(&film, shot);
    }
    assert_clean(film_inspect(&film, usual), 1, SHOTS_OF_TALK);
    film_free(&film);
}

static void tagged_frames_are_judged(void **state)
{
    uint8_t header[32];
    struct film film;
    (void)state;
    film_begin(&film, DLT_EN10MB);
    film.header = header;
    film.header_len = octets("020000000001 020000000002 88a8 0001 8100 0064 0800", header, sizeof header);
    film_talk(&film, 40000, 7, 8);
    assert_clean(film_inspect(&film, usual), 1, SHOTS_OF_TALK);
    film_free(&film);
}

static void packets_cut_behind_their_headers_are_judged(void **state)
{
    struct film film;
    (void)state;
    film_begin(&film, DLT_EN10MB);
    film.snaplen = 14 + 20 + 24;
    film_talk(&film, 40000, 7, 8);
    assert_clean(film_inspect(&film, usual), 1, SHOTS_OF_TALK);
    film_free(&film);
}

static void packets_cut_within_their_headers_are_counted_and_void_what_needs_them(void **state)
{
    struct film film;
    (void)state;
    film_begin(&film, DLT_EN10MB);
    film.snaplen = 14 + 20 + 20; /* SYNs have options */
    film_talk(&film, 40000, 7, 8);
    struct inspection *inspection = film_inspect(&film, usual);
    const struct inspection_report *report = inspection_report(inspection);
    assert_int_equal(report->skipped[SKIPPED_CUT], 2);
    assert_true(report->contradicted & JUDGE_NEEDS_COMPLETE);
    assert_clean(inspection, 1, SHOTS_OF_TALK - 2);
    film_free(&film);
}

static void what_stands_before_the_damage_is_judged(void **state)
{
    struct film film;
    enum capture_next end;
    (void)state;
    film_begin(&film, DLT_RAW);
    film_talk(&film, 40000, 7, 8);
    film_end(&film);
    for (size_t len = 24; len < film.len; len++) {
        struct inspection *inspection = inspect_bytes(film.bytes, len, NULL, usual, &end);
        const uint64_t frames = inspection_report(inspection)->frames;
        assert_true(end == CAPTURE_DAMAGED || len == 24 || frames > 0);
        assert_clean(inspection, frames > 0, frames);
    }
    film_free(&film);
}

static void what_is_no_capture_is_refused_with_a_reason(void **state)
{
    static const char *const files[] = { "hello, this is a text and no capture", "\n\n\n", "\x0a\x0d\x0d\x0a", "\xd4\xc3\xb2\xa1" };
    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        char error[512] = "";
        int filter_is_wrong;
        FILE *file = fmemopen((char *)files[i], strlen(files[i]), "rb");
        assert_null(capture_open(file, NULL, &filter_is_wrong, error, sizeof error));
        assert_true(strlen(error) > 0 && !filter_is_wrong);
    }
}

static void put32(FILE *out, uint32_t value)
{
    fwrite(&value, sizeof value, 1, out);
}

/* Section header, interface of LINKTYPE_RAW with times in ns, a packet block for each segment. */
static void pcapng_is_read(void **state)
{
    char *bytes = NULL;
    size_t len = 0;
    enum capture_next end;
    FILE *out = open_memstream(&bytes, &len);
    static const uint32_t section[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX, 28 };
    static const uint32_t interface[] = { 1, 32, 101, 65535, 0x00010009, 9, 0, 32 }; /* if_tsresol 9, end of options */
    (void)state;
    fwrite(section, sizeof section, 1, out);
    fwrite(interface, sizeof interface, 1, out);
    for (unsigned step = 0; step < SHOTS_OF_TALK; step++) {
        uint8_t packet[2048] = { 0 };
        const struct shot shot = talk_shot(step, 40000, 7, 8);
        const uint32_t size = (uint32_t)shot_build(&shot, 1, packet, sizeof packet), padded = (size + 3) & ~3u;
        put32(out, 6);
        put32(out, 32 + padded);
        put32(out, 0);
        put32(out, 0);
        put32(out, step * 1000000);
        put32(out, size);
        put32(out, size);
        fwrite(packet, padded, 1, out);
        put32(out, 32 + padded);
    }
    fclose(out);
    struct inspection *inspection = inspect_bytes(bytes, len, NULL, usual, &end);
    assert_int_equal(end, CAPTURE_END);
    assert_int_equal(inspection_report(inspection)->duration_ns, (SHOTS_OF_TALK - 1) * 1000000);
    assert_clean(inspection, 1, SHOTS_OF_TALK);
    free(bytes);
}

static void write_fragment(void *context, const uint8_t *fragment, size_t len)
{
    film_packet(context, fragment, len);
}

static void fragments_are_put_together(void **state)
{
    struct film film;
    uint8_t packet[2048];
    (void)state;
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        film_begin(&film, DLT_RAW);
        for (unsigned step = 0; step < SHOTS_OF_TALK; step++) {
            struct shot shot = talk_shot(step, 40000, 7, 8);
            shot.ipv6 = ipv6;
            const size_t len = shot_build(&shot, (uint16_t)(step + 1), packet, sizeof packet);
            assert_true(pkt_fragment(packet, len, 300, step + 1, write_fragment, &film) >= 1);
        }
        struct inspection *inspection = film_inspect(&film, usual);
        assert_int_equal(inspection_report(inspection)->skipped[SKIPPED_FRAGMENT], ipv6 ? 4 : 3); /* all but the last ones */
        assert_clean(inspection, 1, SHOTS_OF_TALK);
        film_free(&film);
    }
}

static void what_is_not_judged_is_counted_by_reason(void **state)
{
    uint8_t packet[64];
    struct film film;
    (void)state;
    film_begin(&film, DLT_EN10MB);
    film_frame(&film, packet, octets("020000000001 020000000002 0806 0001", packet, sizeof packet));
    film_packet(&film, packet,
                octets("4500 001c 0000 0000 4011 0000 c0000201 c0000202 0400 0050 0008 0000", packet, sizeof packet));
    film_packet(&film, packet, octets("4500 0014 0000 0000 4006 0000 c0000201 c0000202", packet, sizeof packet));
    film_packet(&film, packet,
                octets("4500 001c 0000 0000 4001 0000 c0000201 c0000202 0800 0000 0000 0000", packet, sizeof packet));
    film_packet(&film, packet,
                octets("4500 0028 0000 0000 4006 0000 c0000201 c0000201 0050 0050 00000001 00000002 5010 2000 0000 0000", packet,
                       sizeof packet));
    struct inspection *inspection = film_inspect(&film, usual);
    const struct inspection_report *report = inspection_report(inspection);
    assert_true(report->skipped[SKIPPED_NOT_IP] == 1 && report->skipped[SKIPPED_OTHER_PROTOCOL] == 1 &&
                report->skipped[SKIPPED_DAMAGED] == 1);
    assert_true(report->skipped[SKIPPED_ICMP] == 1 && report->skipped[SKIPPED_SELF] == 1);
    assert_clean(inspection, 0, 0);
    film_free(&film);
}

/* ---- copies, time, cards --------------------------------------------------------------------------------------------- */

static void a_segment_seen_on_its_way_in_and_out_counts_once(void **state)
{
    uint8_t in[32], out[32];
    struct film film;
    (void)state;
    for (unsigned with_id = 0; with_id < 2; with_id++) {
        film_begin(&film, DLT_LINUX_SLL2);
        film.header_len = octets("0800 0000 00000002 0001 00 06 0200000000010000", in, sizeof in);
        octets("0800 0000 00000003 0001 04 06 0200000000020000", out, sizeof out);
        for (unsigned step = 0; step < SHOTS_OF_TALK; step++) {
            uint8_t packet[2048];
            const struct shot shot = talk_shot(step, 40000, 7, 8);
            const size_t len = shot_build(&shot, (uint16_t)(with_id * (step + 1)), packet, sizeof packet);
            film.header = in;
            film_packet(&film, packet, len);
            film.header = out;
            film_packet(&film, packet, len);
        }
        struct inspection *inspection = film_inspect(&film, usual);
        assert_int_equal(inspection_report(inspection)->skipped[SKIPPED_COPY], SHOTS_OF_TALK);
        assert_clean(inspection, 1, SHOTS_OF_TALK);
        film_free(&film);
    }
}

static void a_packet_that_comes_twice_at_once_was_sent_once(void **state)
{
    struct film film;
    (void)state;
    film_begin(&film, DLT_RAW);
    for (unsigned step = 0; step < SHOTS_OF_TALK; step++) {
        film.ip_id = (uint16_t)(step + 1);
        film_shot(&film, talk_shot(step, 40000, 7, 8));
        film.now_ns -= 900000;
        film.ip_id = (uint16_t)(step + 1);
        film_shot(&film, talk_shot(step, 40000, 7, 8));
    }
    struct inspection *inspection = film_inspect(&film, usual);
    assert_int_equal(inspection_report(inspection)->likely_copies, SHOTS_OF_TALK);
    assert_clean(inspection, 1, 2 * SHOTS_OF_TALK);
    film_free(&film);
}

static void a_clock_that_goes_back_begins_everything_anew(void **state)
{
    struct film film;
    (void)state;
    film_begin(&film, DLT_RAW);
    for (unsigned step = 0; step < SHOTS_OF_TALK; step++) {
        if (step == 4)
            film.now_ns -= INT64_C(3600) * 1000000000;
        film_shot(&film, talk_shot(step, 40000, 7, 8));
    }
    struct inspection *inspection = film_inspect(&film, usual);
    assert_int_equal(inspection_report(inspection)->clock_steps, 1);
    assert_clean(inspection, 2, SHOTS_OF_TALK);
    film_free(&film);
}

static void a_clock_that_goes_back_a_little_says_that_order_is_lost(void **state)
{
    struct film film;
    (void)state;
    film_begin(&film, DLT_RAW);
    for (unsigned step = 0; step < SHOTS_OF_TALK; step++) {
        film.now_ns -= step == 4 ? 1500000 : 0;
        film_shot(&film, talk_shot(step, 40000, 7, 8));
    }
    struct inspection *inspection = film_inspect(&film, usual);
    assert_int_equal(inspection_report(inspection)->contradicted, JUDGE_NEEDS_ORDER);
    assert_clean(inspection, 1, SHOTS_OF_TALK);
    film_free(&film);
}

static void sums_left_to_the_card_are_no_faults_and_others_are(void **state)
{
    static const struct row { enum offload offload; bool partial; bool found; } rows[] = {
        { OFFLOAD_AUTO, true, false }, { OFFLOAD_AUTO, false, true }, { OFFLOAD_NO, true, true }, { OFFLOAD_YES, false, false },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct film film;
        struct inspection_counts counts;
        struct inspection_config config = usual;
        const struct pkt_addr client = address("192.0.2.1"), server = address("192.0.2.2");
        config.offload = rows[i].offload;
        film_begin(&film, DLT_RAW);
        for (unsigned step = 0; step < SHOTS_OF_TALK; step++) {
            struct shot shot = talk_shot(step, 40000, 7, 8);
            if (step == 5) {
                shot.overrides = PKT_SET_CHECKSUM;
                shot.checksum = (uint16_t)(pkt_partial_checksum(&server, &client, PKT_PROTO_TCP, 20 + shot.len) + !rows[i].partial);
            }
            film_shot(&film, shot);
        }
        struct inspection *inspection = film_inspect(&film, config);
        inspection_count(inspection_report(inspection), &counts);
        if ((counts.failures > 0) != rows[i].found)
            fail_msg("row %zu: %llu failures", i, (unsigned long long)counts.failures);
        inspection_free(inspection);
        film_free(&film);
    }
}

/* ---- many connections ------------------------------------------------------------------------------------------------ */

static void a_thousand_interleaved_connections_are_kept_apart(void **state)
{
    enum { MANY = 1000 };
    struct film film;
    (void)state;
    film_begin(&film, DLT_RAW);
    for (unsigned step = 0; step < SHOTS_OF_TALK; step++)
        for (unsigned i = 0; i < MANY; i++) {
            film_shot(&film, talk_shot(step, (uint16_t)(2000 + i), i * 77777u, i * 99999u));
            film.now_ns -= 990000;
        }
    assert_clean(film_inspect(&film, usual), MANY, MANY * SHOTS_OF_TALK);
    film_free(&film);
}

static void a_port_used_again_begins_another_connection(void **state)
{
    struct film film;
    (void)state;
    film_begin(&film, DLT_RAW);
    film_talk(&film, 40000, 1000, 2000);
    film.now_ns += INT64_C(1000000000);
    film_talk(&film, 40000, 900000, 5000000); /* within TIME-WAIT, with a higher ISS */
    film.now_ns += INT64_C(600000000000);
    film_talk(&film, 40000, 5, 6);
    assert_clean(film_inspect(&film, usual), 2, 3 * SHOTS_OF_TALK);
    film_free(&film);
}

static void a_capture_that_begins_late_is_judged_from_there_on(void **state)
{
    (void)state;
    for (unsigned first = 1; first < SHOTS_OF_TALK; first++) {
        struct film film;
        film_begin(&film, DLT_RAW);
        for (unsigned step = first; step < SHOTS_OF_TALK; step++)
            film_shot(&film, talk_shot(step, 40000, 7, 8));
        assert_clean(film_inspect(&film, usual), 1, SHOTS_OF_TALK - first);
        film_free(&film);
    }
}

static void a_syn_to_an_older_connection_may_be_answered_by_it(void **state)
{
    struct film film;
    (void)state;
    film_begin(&film, DLT_RAW);
    film_shot(&film, (struct shot){ .flags = PKT_SYN, .seq = 1 });
    film_shot(&film, (struct shot){ .from_server = true, .flags = PKT_ACK, .seq = 777777, .ack = 555555 }); /* RFC 5961 §4.2 */
    film_shot(&film, (struct shot){ .flags = PKT_RST, .seq = 555555 });
    assert_clean(film_inspect(&film, usual), 1, 3);
    film_free(&film);
}

/* What is over is forgotten: the table holds what is open, and what has closed lately. */
static void short_connections_one_after_the_other_keep_the_table_small(void **state)
{
    enum { MANY = 100000, STEP_NS = 200000 };
    const struct inspection_config config = { .link = DLT_RAW };
    struct inspection *inspection = inspection_new(&config);
    uint8_t packets[SHOTS_OF_TALK][1200];
    size_t lengths[SHOTS_OF_TALK];
    struct capture_frame frame = { 0 };
    uint32_t open_max = 0;
    (void)state;
    for (unsigned step = 0; step < SHOTS_OF_TALK; step++) {
        const struct shot shot = talk_shot(step, 40000, 7, 8);
        lengths[step] = shot_build(&shot, 1, packets[step], sizeof packets[step]);
    }
    for (uint32_t i = 0; i < MANY; i++)
        for (unsigned step = 0; step < SHOTS_OF_TALK; step++) {
            uint8_t *client = packets[step] + (packets[step][15] == 1 ? 12 : 16); /* its address, and what of it stays in the sum */
            client[2] = (uint8_t)(2 + i / 65536);
            frame = (struct capture_frame){ frame.number + 1, frame.at_ns + STEP_NS, packets[step], lengths[step], lengths[step] };
            packets[step][10] = packets[step][11] = 0; /* sums are left to the card */
            uint8_t *tcp = packets[step] + 20, *port = tcp + (client == packets[step] + 12 ? 0 : 2);
            port[0] = (uint8_t)(i >> 8);
            port[1] = (uint8_t)(i | 1);
            client[1] = (uint8_t)(i & 1);
            tcp[16] = tcp[17] = 0;
            inspection_frame(inspection, &frame);
            if (inspection_open(inspection) > open_max)
                open_max = inspection_open(inspection);
        }
    inspection_finish(inspection);
    assert_true(inspection_report(inspection)->connections >= MANY - 10);
    assert_in_range(open_max, 1, 2000); /* a second of capture has 500 of them */
    inspection_free(inspection);
}

static void beyond_the_bound_those_idle_longest_are_no_longer_followed(void **state)
{
    struct film film;
    (void)state;
    film_begin(&film, DLT_RAW);
    for (uint16_t i = 0; i < 100; i++) {
        film_shot(&film, talk_shot(0, (uint16_t)(2000 + i), 7, 8));
        film_shot(&film, talk_shot(i < 99, 1999, 7, 8)); /* one that is never idle: a SYN again and again, and a SYN,ACK */
    }
    struct inspection *inspection = film_inspect(&film, (struct inspection_config){ .connections_max = 10 });
    const struct inspection_report *report = inspection_report(inspection);
    assert_int_equal(report->connections, 101);
    assert_int_equal(report->not_followed, 91);
    assert_int_equal(report->unlisted, 101);
    inspection_free(inspection);
    film_free(&film);
}

/* ---- findings -------------------------------------------------------------------------------------------------------- */

/* The server acknowledges what the client never sends, as its FIN shows. */
static void film_violation(struct film *film, uint16_t port)
{
    for (unsigned step = 0; step < SHOTS_OF_TALK; step++) {
        struct shot shot = talk_shot(step, port, 7, 8);
        if (step == 4)
            shot.ack += 50;
        film_shot(film, shot);
    }
}

static void a_violation_is_told_by_frame_end_and_requirement(void **state)
{
    struct film film;
    char *text = NULL;
    size_t len = 0;
    (void)state;
    film_begin(&film, DLT_RAW);
    film_talk(&film, 39999, 7, 8);
    film_violation(&film, 40000);
    struct inspection *inspection = film_inspect(&film, usual);
    const struct inspection_report *report = inspection_report(inspection);
    struct inspection_counts counts;
    inspection_count(report, &counts);
    assert_int_equal(counts.failures, 1);
    const struct held_finding *finding = &report->findings.held[1];
    assert_true(finding->segment == SHOTS_OF_TALK + 5 && finding->side == 1 && finding->connection == 2);
    FILE *out = open_memstream(&text, &len);
    inspection_print(report, &(struct text_config){ .name = "a.pcap", .link = DLT_RAW }, out);
    fclose(out);
    assert_non_null(strstr(text, "192.0.2.1:40000 > 192.0.2.2:80  connection 2, frames 11 to 20"));
    assert_non_null(strstr(text, finding->requirement));
    assert_non_null(strstr(text, "frame 15"));
    assert_non_null(strstr(text, "a.pcap: 1 violations"));
    assert_null(strstr(text, "39999"));
    free(text);
    inspection_free(inspection);
    film_free(&film);
}

static int count_verdict(void *context, const struct result_test *test)
{
    unsigned *counts = context;
    counts[test->verdict]++;
    assert_true(test->verdict != VERDICT_FAIL || (test->finding_count == 1 && test->trace_count == 1 && *test->reason));
    assert_int_equal(strncmp(test->id, "capture/a.pcap/", 15), 0);
    return 0;
}

static void results_have_a_test_for_each_end(void **state)
{
    struct film film;
    unsigned counts[VERDICT_COUNT] = { 0 };
    (void)state;
    film_begin(&film, DLT_RAW);
    film_talk(&film, 39998, 7, 8);
    film_talk(&film, 39999, 7, 8);
    film_violation(&film, 40000);
    struct inspection *inspection = film_inspect(&film, (struct inspection_config){ .listed_max = 1 });
    assert_int_equal(inspection_record(inspection_report(inspection), "a.pcap", false, "it ends early", count_verdict, counts), 0);
    assert_int_equal(counts[VERDICT_FAIL], 1);
    assert_int_equal(counts[VERDICT_PASS], 1 + 2 + 1); /* the other end, one connection that is listed, and the rest */
    assert_int_equal(counts[VERDICT_ERROR], 1);        /* the file */
    inspection_free(inspection);
    film_free(&film);
}

/* A SYN,ACK for a SYN that the capture does not show: another one may have been missed. */
static void what_a_missing_packet_may_explain_is_withheld_when_packets_are_missing(void **state)
{
    (void)state;
    for (unsigned missing = 0; missing < 2; missing++) {
        struct film film;
        struct inspection_counts counts;
        struct shot answer = talk_shot(1, 40000, 7, 8);
        film_begin(&film, DLT_RAW);
        film_shot(&film, talk_shot(0, 40000, 7, 8));
        answer.ack += 5;
        film_shot(&film, answer);
        for (unsigned step = 0; step < SHOTS_OF_TALK; step++)
            if (step != 5 || !missing) /* in another connection: it is acknowledged, and was never seen */
                film_shot(&film, talk_shot(step, 40001, 7, 8));
        struct inspection *inspection = film_inspect(&film, usual);
        inspection_count(inspection_report(inspection), &counts);
        assert_int_equal(counts.failures, !missing);
        assert_int_equal(counts.withheld[FINDING_CAPTURE_MISSES], missing);
        inspection_free(inspection);
        film_free(&film);
    }
}

static void findings_beyond_the_bound_are_counted(void **state)
{
    struct film film;
    (void)state;
    film_begin(&film, DLT_RAW);
    for (uint16_t i = 0; i < 5; i++)
        film_violation(&film, (uint16_t)(40000 + i));
    struct inspection *inspection = film_inspect(&film, (struct inspection_config){ .findings_max = 2 });
    const struct findings *findings = &inspection_report(inspection)->findings;
    uint64_t beyond = findings->beyond_waiting;
    for (enum requirement_level level = 0; level < LEVEL_COUNT; level++)
        beyond += findings->beyond_certain[level];
    assert_true(findings->count == 2 && beyond == 3);
    inspection_free(inspection);
    film_free(&film);
}

static void a_filter_leaves_the_numbers_of_frames(void **state)
{
    struct film film;
    enum capture_next end;
    (void)state;
    film_begin(&film, DLT_RAW);
    film_talk(&film, 39999, 7, 8);
    film_violation(&film, 40000);
    film_end(&film);
    struct inspection *inspection = inspect_bytes(film.bytes, film.len, "port 40000", usual, &end);
    assert_true(inspection_report(inspection)->connections == 1 && inspection_report(inspection)->findings.held[1].segment == 15);
    inspection_free(inspection);
    film_free(&film);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conversation_is_judged_on_every_link),
        cmocka_unit_test(ipv6_is_judged),
        cmocka_unit_test(tagged_frames_are_judged),
        cmocka_unit_test(packets_cut_behind_their_headers_are_judged),
        cmocka_unit_test(packets_cut_within_their_headers_are_counted_and_void_what_needs_them),
        cmocka_unit_test(what_stands_before_the_damage_is_judged),
        cmocka_unit_test(what_is_no_capture_is_refused_with_a_reason),
        cmocka_unit_test(pcapng_is_read),
        cmocka_unit_test(fragments_are_put_together),
        cmocka_unit_test(what_is_not_judged_is_counted_by_reason),
        cmocka_unit_test(a_segment_seen_on_its_way_in_and_out_counts_once),
        cmocka_unit_test(a_packet_that_comes_twice_at_once_was_sent_once),
        cmocka_unit_test(a_clock_that_goes_back_begins_everything_anew),
        cmocka_unit_test(a_clock_that_goes_back_a_little_says_that_order_is_lost),
        cmocka_unit_test(sums_left_to_the_card_are_no_faults_and_others_are),
        cmocka_unit_test(a_thousand_interleaved_connections_are_kept_apart),
        cmocka_unit_test(a_port_used_again_begins_another_connection),
        cmocka_unit_test(a_capture_that_begins_late_is_judged_from_there_on),
        cmocka_unit_test(a_syn_to_an_older_connection_may_be_answered_by_it),
        cmocka_unit_test(short_connections_one_after_the_other_keep_the_table_small),
        cmocka_unit_test(beyond_the_bound_those_idle_longest_are_no_longer_followed),
        cmocka_unit_test(a_violation_is_told_by_frame_end_and_requirement),
        cmocka_unit_test(results_have_a_test_for_each_end),
        cmocka_unit_test(what_a_missing_packet_may_explain_is_withheld_when_packets_are_missing),
        cmocka_unit_test(findings_beyond_the_bound_are_counted),
        cmocka_unit_test(a_filter_leaves_the_numbers_of_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
