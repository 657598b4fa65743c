/* The reference stack's pure parts against the RFCs' own tables and formulas. */
#include "targets/reference/test/host.h"

/* ---- RFC 9293 §3.10.7.4, Table 6 --------------------------------------------------------------------------------- */

static const struct table_6_row { const char *says; uint32_t len, wnd; int32_t from_nxt; bool acceptable; } table_6[] = {
    /*                                              SEG.LEN  RCV.WND  SEG.SEQ-RCV.NXT          */
    { "empty, no window: at RCV.NXT",                    0,       0,   0,               true  },
    { "empty, no window: one past RCV.NXT",              0,       0,   1,               false },
    { "empty, no window: one before RCV.NXT",            0,       0,  -1,               false },
    { "empty: the left edge",                            0,      16,   0,               true  },
    { "empty: one before the left edge",                 0,      16,  -1,               false },
    { "empty: the last number inside",                   0,      16,  15,               true  },
    { "empty: the right edge itself is outside",         0,      16,  16,               false },
    { "text, no window: never",                          1,       0,   0,               false },
    { "text: the left edge",                             1,      16,   0,               true  },
    { "text: one octet, the last inside",                1,      16,  15,               true  },
    { "text: one octet, at the right edge",              1,      16,  16,               false },
    { "text: only its last octet is inside",             5,      16,  -4,               true  },
    { "text: ends just before the window",               5,      16,  -5,               false },
    { "text: begins inside, ends outside",               9,      16,  15,               true  },
    { "text: covers the window, neither end inside",    40,      16, -10,               false },
    { "text: exactly the window",                       16,      16,   0,               true  },
};

static void acceptability_is_table_6(void **state)
{
    static const uint32_t nxts[] = { 1000, 0u - 8, 0 };
    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(nxts); n++) {
        for (size_t i = 0; i < ARRAY_LEN(table_6); i++) {
            const struct table_6_row *r = &table_6[i];
            if (ref_segment_acceptable(nxts[n], r->wnd, nxts[n] + (uint32_t)r->from_nxt, r->len) != r->acceptable)
                fail_msg("RCV.NXT=%u, %s: expected %s", nxts[n], r->says, r->acceptable ? "acceptable" : "unacceptable");
        }
    }
}

/* ---- RFC 6298 ---------------------------------------------------------------------------------------------------- */

static const struct ref_rtt_limits rfc_6298 = { .min_rto_ns = 1000000000, .max_rto_ns = 240000000000 };

static void first_measurement_sets_srtt_and_half_of_it_as_variance(void **state)
{
    struct ref_rtt rtt;
    (void)state;
    ref_rtt_init(&rtt, S);
    assert_int_equal(rtt.rto_ns, S);                       /* (2.1) */
    ref_rtt_sample(&rtt, &rfc_6298, 800 * MS, 1);
    assert_int_equal(rtt.srtt_ns, 800 * MS);               /* (2.2) */
    assert_int_equal(rtt.rttvar_ns, 400 * MS);
    assert_int_equal(rtt.rto_ns, 800 * MS + 4 * 400 * MS);
}

static void later_measurements_are_smoothed_variance_first(void **state)
{
    struct ref_rtt rtt;
    (void)state;
    ref_rtt_init(&rtt, S);
    ref_rtt_sample(&rtt, &rfc_6298, 800 * MS, 1);
    ref_rtt_sample(&rtt, &rfc_6298, 1600 * MS, 1);
    assert_int_equal(rtt.rttvar_ns, 500 * MS);             /* (2.3): 3/4 * 400 + 1/4 * |800 - 1600| */
    assert_int_equal(rtt.srtt_ns, 900 * MS);               /* 7/8 * 800 + 1/8 * 1600 */
    assert_int_equal(rtt.rto_ns, 900 * MS + 4 * 500 * MS);
}

static void rto_is_at_least_a_second_and_variance_at_least_the_granularity(void **state)
{
    const struct ref_rtt_limits no_minimum = { .min_rto_ns = 1, .max_rto_ns = 60 * S };
    struct ref_rtt rtt;
    (void)state;
    ref_rtt_init(&rtt, S);
    ref_rtt_sample(&rtt, &rfc_6298, 10 * MS, 1);
    assert_int_equal(rtt.rto_ns, S);                       /* (2.4) */
    ref_rtt_init(&rtt, S);
    for (int i = 0; i < 100; i++)
        ref_rtt_sample(&rtt, &no_minimum, 100 * MS, 1);
    assert_in_range(rtt.rto_ns, 101 * MS, 102 * MS);       /* SRTT + max (G, 4*RTTVAR) */
}

static void backoff_doubles_up_to_the_maximum(void **state)
{
    struct ref_rtt rtt;
    (void)state;
    ref_rtt_init(&rtt, S);
    for (int64_t expected_s = 2; expected_s <= 128; expected_s *= 2) {
        ref_rtt_backoff(&rtt, &rfc_6298);                  /* (5.5) */
        assert_int_equal(rtt.rto_ns, expected_s * S);
    }
    ref_rtt_backoff(&rtt, &rfc_6298);
    assert_int_equal(rtt.rto_ns, 240 * S);                 /* (2.5) */
    ref_rtt_sample(&rtt, &rfc_6298, 500 * MS, 1);          /* a new measurement ends the backoff */
    assert_int_equal(rtt.rto_ns, 1500 * MS);
}

static void many_samples_per_round_trip_weigh_less(void **state) /* RFC 7323 §4.2 */
{
    struct ref_rtt rtt;
    (void)state;
    ref_rtt_init(&rtt, S);
    ref_rtt_sample(&rtt, &rfc_6298, 800 * MS, 1);
    ref_rtt_sample(&rtt, &rfc_6298, 1600 * MS, 10);
    assert_int_equal(rtt.srtt_ns, 810 * MS);
    assert_int_equal(rtt.rttvar_ns, 410 * MS);
}

/* ---- RFC 6528 ---------------------------------------------------------------------------------------------------- */

static void isn_follows_a_4_microsecond_clock(void **state)
{
    const struct host *h = *state;
    struct ref_tuple tuple = { .local = h->local.addr, .remote = h->peer.addr, .local_port = 80, .remote_port = 5000 };
    uint32_t at_0 = ref_isn(h->stack, &tuple, 0);
    assert_int_equal(ref_isn(h->stack, &tuple, 4000) - at_0, 1);
    assert_int_equal(ref_isn(h->stack, &tuple, S) - at_0, 250000);
    assert_int_equal(ref_isn(h->stack, &tuple, (int64_t)4000 << 32), at_0); /* about 4.77 hours: the cycle */
}

static void isn_of_another_connection_or_host_is_unrelated(void **state)
{
    const struct host *h = *state;
    struct ref_tuple tuple = { .local = h->local.addr, .remote = h->peer.addr, .local_port = 80, .remote_port = 5000 };
    uint32_t one = ref_isn(h->stack, &tuple, 0), differences[8], count = 0;
    for (uint16_t port = 5001; port < 5009; port++) {
        tuple.remote_port = port;
        differences[count++] = ref_isn(h->stack, &tuple, 0) - one;
    }
    for (uint32_t i = 1; i < count; i++)
        assert_true(differences[i] - differences[i - 1] > 1000 && differences[i] - differences[i - 1] < 0u - 1000);
    struct ref_config other = h->stack->config;
    other.seed++;
    struct ref_stack *stack = ref_stack_new(&other, 0);
    tuple.remote_port = 5000;
    assert_int_not_equal(ref_isn(stack, &tuple, 0), one);
    ref_stack_free(stack);
}

/* ---- RFC 7323 ---------------------------------------------------------------------------------------------------- */

static void window_shift_is_the_smallest_that_tells_the_whole_buffer(void **state)
{
    static const struct { uint32_t buffer; uint8_t shift; } rows[] = {
        { 1, 0 }, { 65535, 0 }, { 65536, 1 }, { 131070, 1 }, { 131072, 2 }, { 1u << 29, 14 }, { UINT32_MAX, 14 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(ref_window_shift(rows[i].buffer), rows[i].shift);
}

static const struct paws_row { const char *says; uint32_t recent, val; bool valid, rejected; } paws_rows[] = {
    { "newer",                             100, 101, true, false },
    { "equal",                             100, 100, true, false },
    { "one older",                         100,  99, true, true  },
    { "newer across the wrap",     0xfffffffeu,   3, true, false },
    { "older across the wrap",               3, 0xfffffffeu, true, true },
    { "nothing recorded yet",              100,  99, false, false },
};

static void paws_compares_modulo_2_32(void **state)
{
    struct host *h = *state;
    for (size_t i = 0; i < ARRAY_LEN(paws_rows); i++) {
        const struct paws_row *r = &paws_rows[i];
        const struct ref_tcb tcb = { .stack = h->stack, .timestamps = true, .ts_recent = r->recent, .ts_recent_valid = r->valid };
        const struct ref_segment seg = { .options = { .has_timestamp = true, .ts_val = r->val } };
        if (ref_paws_rejects(&tcb, &seg) != r->rejected)
            fail_msg("%s: expected %s", r->says, r->rejected ? "rejected" : "accepted");
    }
}

static void paws_lets_go_after_24_days_of_silence(void **state)
{
    struct host *h = *state;
    const struct ref_tcb tcb = { .stack = h->stack, .timestamps = true, .ts_recent = 100, .ts_recent_valid = true };
    const struct ref_segment old = { .options = { .has_timestamp = true, .ts_val = 99 } };
    ref_advance(h->stack, 24 * 86400 * S);
    assert_true(ref_paws_rejects(&tcb, &old));
    ref_advance(h->stack, 24 * 86400 * S + 1);
    assert_false(ref_paws_rejects(&tcb, &old));
}

/* ---- ranges ------------------------------------------------------------------------------------------------------ */

static const struct ranges_row {
    const char *says;
    struct ref_range added[4];
    unsigned added_count;
    struct ref_range result[3];
    uint16_t count;
} ranges_rows[] = {
    { "apart",                  { { 10, 20 }, { 30, 40 } },             2, { { 10, 20 }, { 30, 40 } }, 2 },
    { "apart, the other order", { { 30, 40 }, { 10, 20 } },             2, { { 10, 20 }, { 30, 40 } }, 2 },
    { "touching at the right",  { { 10, 20 }, { 20, 30 } },             2, { { 10, 30 } }, 1 },
    { "touching at the left",   { { 20, 30 }, { 10, 20 } },             2, { { 10, 30 } }, 1 },
    { "one apart",              { { 10, 20 }, { 21, 30 } },             2, { { 10, 20 }, { 21, 30 } }, 2 },
    { "filling a gap",          { { 10, 20 }, { 30, 40 }, { 20, 30 } }, 3, { { 10, 40 } }, 1 },
    { "swallowing all",         { { 10, 20 }, { 30, 40 }, { 5, 50 } },  3, { { 5, 50 } }, 1 },
    { "within one",             { { 10, 50 }, { 20, 30 } },             2, { { 10, 50 } }, 1 },
    { "twice the same",         { { 10, 20 }, { 10, 20 } },             2, { { 10, 20 } }, 1 },
    { "between two",            { { 10, 20 }, { 50, 60 }, { 30, 40 } }, 3, { { 10, 20 }, { 30, 40 }, { 50, 60 } }, 3 },
};

static void ranges_merge_what_overlaps_or_touches(void **state)
{
    static const uint32_t bases[] = { 0, 0u - 25 };
    (void)state;
    for (size_t b = 0; b < ARRAY_LEN(bases); b++) {
        for (size_t i = 0; i < ARRAY_LEN(ranges_rows); i++) {
            const struct ranges_row *r = &ranges_rows[i];
            struct ref_ranges ranges = { 0 };
            for (unsigned n = 0; n < r->added_count; n++)
                assert_true(ref_ranges_add(&ranges, bases[b] + r->added[n].left, bases[b] + r->added[n].right, NULL));
            if (ranges.count != r->count || !ranges.items)
                fail_msg("%s: expected %u ranges, found %u", r->says, r->count, ranges.count);
            for (uint16_t n = 0; ranges.items && n < r->count; n++) {
                if (ranges.items[n].left != bases[b] + r->result[n].left || ranges.items[n].right != bases[b] + r->result[n].right)
                    fail_msg("%s: range %u is wrong", r->says, n);
            }
            ref_ranges_free(&ranges);
        }
    }
}

static void ranges_tell_how_much_was_new(void **state)
{
    struct ref_ranges ranges = { 0 };
    uint32_t added;
    (void)state;
    ref_ranges_add(&ranges, 0u - 10, 10, &added);
    assert_int_equal(added, 20);
    ref_ranges_add(&ranges, 0u - 20, 5, &added);
    assert_int_equal(added, 10);
    ref_ranges_add(&ranges, 0, 5, &added);
    assert_int_equal(added, 0);
    ref_ranges_drop_below(&ranges, 3);
    assert_int_equal(ref_ranges_octets(&ranges, 0u - 100, 100), 7);
    ref_ranges_free(&ranges);
}

static void ranges_are_bounded(void **state)
{
    struct ref_ranges ranges = { 0 };
    (void)state;
    for (uint32_t i = 0; i < REF_RANGES_MAX; i++)
        assert_true(ref_ranges_add(&ranges, 10 * i, 10 * i + 1, NULL));
    assert_false(ref_ranges_add(&ranges, 10 * REF_RANGES_MAX, 10 * REF_RANGES_MAX + 1, NULL));
    assert_int_equal(ranges.count, REF_RANGES_MAX);
    assert_true(ref_ranges_add(&ranges, 1, 10, NULL)); /* merging needs no room */
    assert_int_equal(ranges.count, REF_RANGES_MAX - 1);
    ref_ranges_free(&ranges);
}

/* ---- ring -------------------------------------------------------------------------------------------------------- */

static void ring_keeps_its_octets_while_it_wraps_and_grows(void **state)
{
    struct ref_budget budget = { .max = 1 << 20 };
    struct ref_ring ring = { 0 };
    uint8_t bytes[1500], out[1500], next_in = 0, next_out = 0;
    uint32_t len = 0;
    (void)state;
    for (uint32_t round = 0; round < 300; round++) {
        uint32_t in = (round * 37) % 1500, take = (round * 29) % 1400;
        for (uint32_t i = 0; i < in; i++)
            bytes[i] = next_in++;
        assert_true(ref_ring_reserve(&ring, len + in, len, &budget));
        ref_ring_write(&ring, len, bytes, in);
        len += in;
        take = take < len ? take : len;
        ref_ring_read(&ring, 0, out, take);
        for (uint32_t i = 0; i < take; i++)
            assert_int_equal(out[i], next_out++);
        ref_ring_drop(&ring, take);
        len -= take;
    }
    assert_int_equal(budget.used, ring.capacity);
    ref_ring_free(&ring, &budget);
    assert_int_equal(budget.used, 0);
}

static void ring_stays_within_the_budget(void **state)
{
    struct ref_budget budget = { .max = 5000 };
    struct ref_ring a = { 0 }, b = { 0 };
    (void)state;
    assert_true(ref_ring_reserve(&a, 4000, 0, &budget));
    assert_false(ref_ring_reserve(&b, 1, 0, &budget));
    assert_int_equal(b.capacity, 0);
    ref_ring_free(&a, &budget);
    assert_true(ref_ring_reserve(&b, 1, 0, &budget));
    ref_ring_free(&b, &budget);
}

/* ---- RFC 6675's scoreboard --------------------------------------------------------------------------------------- */

enum { SMSS = 1000 }; /* numbers below are offsets from SND.UNA */

/* A sender with ten segments out and these SACKed. */
static struct ref_tcb sender_with(struct host *h, uint32_t una, const struct ref_range *sacked, unsigned count, uint32_t high_rxt)
{
    struct ref_tcb tcb = { .stack = h->stack, .snd_mss = SMSS, .pmtu = 9000, .sack = true, .snd_una = una, .snd_nxt = una + 10 * SMSS,
                           .snd_data = una, .snd_queued = 10 * SMSS, .snd_rtx = una + high_rxt, .snd_wnd = 1 << 20,
                           .recovery = REF_RECOVERY_SACK, .syn_acked = true };
    tcb.tuple.local.version = 4;
    for (unsigned i = 0; i < count; i++)
        ref_ranges_add(&tcb.sacked, una + sacked[i].left, una + sacked[i].right, NULL);
    return tcb;
}

static const struct scoreboard_row {
    const char *says;
    struct ref_range sacked[4];
    unsigned count;
    uint32_t high_rxt;         /* offset of HighRxt + 1 */
    bool first_lost;           /* IsLost(SND.UNA) */
    uint32_t pipe;
    int32_t rule_1, rule_3, rule_4; /* where they retransmit; -1: nowhere */
} scoreboard_rows[] = {
    { "nothing SACKed",           { { 0, 0 } },                                    0,    0, false, 10000,   -1,   -1, 9000 },
    { "one segment SACKed",       { { 1000, 2000 } },                              1,    0, false,  9000,   -1,    0, 9000 },
    { "two in a row",             { { 1000, 3000 } },                              1,    0, false,  8000,   -1,    0, 9000 },
    { "more than two SMSS",       { { 1000, 3001 } },                              1,    0, true,   6999,    0,    0, 9000 },
    { "three in a row",           { { 1000, 4000 } },                              1,    0, true,   6000,    0,    0, 9000 },
    { "three ranges of an octet", { { 1000, 1001 }, { 2000, 2001 }, { 3000, 3001 } }, 3, 0, true,   8997,    0,    0, 9000 },
    { "the first one resent",     { { 1000, 4000 } },                              1, 1000, true,   7000,   -1,   -1, 9000 },
    { "two holes, first resent",  { { 1000, 2000 }, { 3000, 6000 } },              2, 1000, true,   5000, 2000, 2000, 9000 },
    { "second hole not yet lost", { { 1000, 5000 }, { 6000, 7000 } },              2, 1000, true,   5000,   -1, 5000, 9000 },
    { "the tail is SACKed",       { { 1000, 2000 }, { 4000, 10000 } },             2, 1000, true,   1000, 2000, 2000, 3000 },
};

static void scoreboard_follows_rfc_6675(void **state)
{
    static const uint32_t unas[] = { 5000, 0u - 2500 };
    struct host *h = *state;
    for (size_t u = 0; u < ARRAY_LEN(unas); u++) {
        for (size_t i = 0; i < ARRAY_LEN(scoreboard_rows); i++) {
            const struct scoreboard_row *r = &scoreboard_rows[i];
            struct ref_tcb tcb = sender_with(h, unas[u], r->sacked, r->count, r->high_rxt);
            struct ref_range range;
            if (ref_sack_is_lost(&tcb, tcb.snd_una) != r->first_lost)
                fail_msg("%s: IsLost(SND.UNA) should be %d", r->says, r->first_lost);
            if (ref_sack_pipe(&tcb) != r->pipe)
                fail_msg("%s: pipe is %u, not %u", r->says, ref_sack_pipe(&tcb), r->pipe);
            int32_t rule_1 = ref_sack_next(&tcb, REF_SACK_RULE_1, &range) ? (int32_t)(range.left - unas[u]) : -1;
            int32_t rule_3 = ref_sack_next(&tcb, REF_SACK_RULE_3, &range) ? (int32_t)(range.left - unas[u]) : -1;
            if (rule_1 != r->rule_1 || rule_3 != r->rule_3)
                fail_msg("%s: NextSeg gives %d by rule 1 and %d by rule 3, not %d and %d", r->says, rule_1, rule_3, r->rule_1,
                         r->rule_3);
            int32_t rule_4 = ref_sack_next(&tcb, REF_SACK_RULE_4, &range) ? (int32_t)(range.left - unas[u]) : -1;
            if (rule_4 != r->rule_4) /* the highest outstanding octet that is not SACKed is in it */
                fail_msg("%s: NextSeg gives %d by rule 4, not %d", r->says, rule_4, r->rule_4);
            ref_ranges_free(&tcb.sacked);
        }
    }
}

int main(void)
{
#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, with_host_v4, without_host)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acceptability_is_table_6),
        cmocka_unit_test(first_measurement_sets_srtt_and_half_of_it_as_variance),
        cmocka_unit_test(later_measurements_are_smoothed_variance_first),
        cmocka_unit_test(rto_is_at_least_a_second_and_variance_at_least_the_granularity),
        cmocka_unit_test(backoff_doubles_up_to_the_maximum),
        cmocka_unit_test(many_samples_per_round_trip_weigh_less),
        WITH_HOST(isn_follows_a_4_microsecond_clock),
        WITH_HOST(isn_of_another_connection_or_host_is_unrelated),
        cmocka_unit_test(window_shift_is_the_smallest_that_tells_the_whole_buffer),
        WITH_HOST(paws_compares_modulo_2_32),
        WITH_HOST(paws_lets_go_after_24_days_of_silence),
        cmocka_unit_test(ranges_merge_what_overlaps_or_touches),
        cmocka_unit_test(ranges_tell_how_much_was_new),
        cmocka_unit_test(ranges_are_bounded),
        cmocka_unit_test(ring_keeps_its_octets_while_it_wraps_and_grows),
        cmocka_unit_test(ring_stays_within_the_budget),
        WITH_HOST(scoreboard_follows_rfc_6675),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
