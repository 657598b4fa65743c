/* Loss and congestion: RFC 5681, 6298 §5, 6582, 6675, 3042, RFC 2018 and 2883 as receiver, RFC 3168. */
#include "targets/reference/test/host.h"

enum { MSS = 1000 };

static struct host *sender(void (*change)(struct ref_config *), bool sack)
{
    struct host *h = host_new(4, change);
    struct pkt_option_buffer options = { 0 };
    pkt_put_mss(&options, MSS);
    if (sack)
        pkt_put_sack_permitted(&options);
    peer_connects(h, (struct seg){ .options = &options });
    return h;
}

/* Opens the congestion window to segments by acknowledging one at a time, and leaves that many in flight from h->ack on. */
static void fill_pipe(struct host *h, uint32_t segments)
{
    set_option(h, "SO_SNDBUF", 1000000);
    host_sends(h, 150000);
    while (hear(h))
        ;
    while (ref_flight(tcb_of(h)) < segments * MSS) {
        h->ack += MSS;
        inject(h, (struct seg){ .flags = "." });
        while (hear(h))
            ;
    }
    while (ref_flight(tcb_of(h)) > segments * MSS) { /* one too many came out of the last acknowledgment */
        h->ack += MSS;
        tcb_of(h)->cwnd = segments * MSS;
        tcb_of(h)->ssthresh = segments * MSS; /* congestion avoidance from here on */
        inject(h, (struct seg){ .flags = "." });
        while (hear(h))
            ;
    }
    assert_int_equal(ref_flight(tcb_of(h)), segments * MSS);
    tcb_of(h)->cwnd = segments * MSS;
    tcb_of(h)->ssthresh = segments * MSS;
}

static void duplicate(struct host *h)
{
    inject(h, (struct seg){ .flags = "." });
}

static void sack(struct host *h, uint32_t count, const uint32_t (*offsets)[2])
{
    struct pkt_option_buffer options = { 0 };
    uint32_t blocks[4][2];
    for (uint32_t i = 0; i < count; i++) {
        blocks[i][0] = h->ack + offsets[i][0];
        blocks[i][1] = h->ack + offsets[i][1];
    }
    pkt_put_sack(&options, (const uint32_t (*)[2])blocks, count);
    inject(h, (struct seg){ .flags = ".", .options = &options });
}

/* ---- slow start, congestion avoidance, timeout ------------------------------------------------------------------- */

static void slow_start_adds_a_segment_for_each_acknowledgment(void **state)
{
    struct host *h = sender(NULL, false);
    (void)state;
    host_sends(h, 100000);
    for (int32_t i = 0; i < 4; i++)
        EXPECT(h, ".", i * MSS, 0, MSS);
    EXPECT_NOTHING(h);
    inject(h, (struct seg){ .flags = ".", .ack = 2 * MSS }); /* two acknowledged by one: still one segment more */
    for (int32_t i = 4; i < 7; i++)
        EXPECT(h, ".", i * MSS, 0, MSS);
    EXPECT_NOTHING(h);
    inject(h, (struct seg){ .flags = ".", .ack = 2 * MSS + 10 }); /* split acknowledgments gain only what they acknowledge */
    assert_int_equal(tcb_of(h)->cwnd, 5 * MSS + 10);
    host_free(h);
}

static void congestion_avoidance_adds_a_segment_a_round_trip(void **state)
{
    struct host *h = sender(NULL, false);
    (void)state;
    fill_pipe(h, 10);
    for (int i = 0; i < 9; i++) {
        h->ack += MSS;
        inject(h, (struct seg){ .flags = "." });
        assert_int_equal(tcb_of(h)->cwnd, 10 * MSS);
    }
    h->ack += MSS;
    inject(h, (struct seg){ .flags = "." });
    assert_int_equal(tcb_of(h)->cwnd, 11 * MSS);
    host_free(h);
}

static void a_timeout_collapses_the_window_and_resends_from_the_front(void **state)
{
    struct host *h = sender(NULL, false);
    (void)state;
    fill_pipe(h, 10);
    advance_by(h, S);
    EXPECT(h, ".", 0, 0, MSS);
    EXPECT_NOTHING(h);
    assert_int_equal(tcb_of(h)->cwnd, MSS);           /* the loss window */
    assert_int_equal(tcb_of(h)->ssthresh, 5 * MSS);   /* half of FlightSize */
    advance_by(h, 2 * S);
    EXPECT(h, ".", 0, 0, MSS);
    assert_int_equal(tcb_of(h)->ssthresh, 5 * MSS);   /* not again for the same segment */
    h->ack += MSS;
    inject(h, (struct seg){ .flags = "." });
    EXPECT(h, ".", 0, 0, MSS);                        /* slow start through what is lost */
    EXPECT(h, ".", MSS, 0, MSS);
    EXPECT_NOTHING(h);
    h->ack += 9 * MSS;                                /* the rest had arrived after all */
    inject(h, (struct seg){ .flags = "." });
    EXPECT(h, ".", 0, 0, MSS);                        /* new data */
    host_free(h);
}

static void karn_ignores_segments_sent_twice(void **state)
{
    struct host *h = sender(NULL, false);
    (void)state;
    host_sends(h, 10);
    advance_by(h, S);
    advance_by(h, 700 * MS);
    inject(h, (struct seg){ .flags = ".", .ack = 10 });
    assert_int_equal(tcb_of(h)->rtt.srtt_ns, 0);      /* of the handshake; nothing since */
    assert_int_equal(tcb_of(h)->rtt.rto_ns, 2 * S);   /* the backoff stays until a new measurement */
    while (hear(h))
        ;
    host_sends(h, 10);
    advance_by(h, 500 * MS);
    inject(h, (struct seg){ .flags = ".", .ack = 20 });
    assert_true(tcb_of(h)->rtt.srtt_ns > 0);
    assert_int_equal(tcb_of(h)->rtt.rto_ns, S);
    host_free(h);
}

static void after_an_idle_rto_the_restart_window_applies(void **state) /* RFC 5681 §4.1 */
{
    struct host *h = sender(NULL, false);
    (void)state;
    fill_pipe(h, 20);
    h->ack = tcb_of(h)->snd_nxt;
    for (int i = 0; i < 40 && tcb_of(h)->snd_queued; i++) {
        h->ack = tcb_of(h)->snd_nxt;
        inject(h, (struct seg){ .flags = "." });
        while (hear(h))
            ;
    }
    assert_int_equal(tcb_of(h)->snd_queued, 0);
    advance_by(h, 10 * S);
    host_sends(h, 50000);
    for (int32_t i = 0; i < 4; i++)
        EXPECT(h, ".", i * MSS, 0, MSS);
    EXPECT_NOTHING(h);
    host_free(h);
}

static void a_short_pause_leaves_the_window_alone(void **state)
{
    struct host *h = sender(NULL, false);
    (void)state;
    host_sends(h, 4000);
    advance_by(h, 5 * MS);
    for (int i = 0; i < 4; i++) {
        h->ack += MSS;
        inject(h, (struct seg){ .flags = "." });
    }
    while (hear(h))
        ;
    uint32_t cwnd = tcb_of(h)->cwnd;
    assert_true(cwnd > 4 * MSS); /* more than the restart window */
    advance_by(h, 900 * MS); /* less than an RTO since the last data was sent */
    host_sends(h, 1000);
    assert_int_equal(tcb_of(h)->cwnd, cwnd);
    host_free(h);
}

/* ---- NewReno ----------------------------------------------------------------------------------------------------- */

static void the_third_duplicate_retransmits_and_limited_transmit_precedes_it(void **state)
{
    struct host *h = sender(NULL, false);
    (void)state;
    fill_pipe(h, 10);
    duplicate(h);
    EXPECT(h, ".", 10 * MSS, 0, MSS); /* RFC 3042 */
    duplicate(h);
    EXPECT(h, ".", 11 * MSS, 0, MSS);
    EXPECT_NOTHING(h);
    assert_int_equal(tcb_of(h)->cwnd, 10 * MSS);
    duplicate(h);
    EXPECT(h, ".", 0, 0, MSS);
    EXPECT_NOTHING(h);
    assert_int_equal(tcb_of(h)->ssthresh, 5 * MSS); /* not counting what limited transmit sent */
    assert_int_equal(tcb_of(h)->cwnd, 8 * MSS);     /* ssthresh + 3*SMSS */
    for (int i = 0; i < 4; i++)
        duplicate(h);                               /* inflation up to FlightSize */
    EXPECT_NOTHING(h);
    duplicate(h);
    EXPECT(h, ".", 12 * MSS, 0, MSS);
    host_free(h);
}

static void partial_acknowledgments_retransmit_and_a_full_one_deflates(void **state)
{
    struct host *h = sender(NULL, false);
    (void)state;
    fill_pipe(h, 10);
    for (int i = 0; i < 3; i++)
        duplicate(h);
    while (hear(h))
        ;
    uint32_t cwnd = tcb_of(h)->cwnd;
    h->ack += 3 * MSS; /* the second hole */
    inject(h, (struct seg){ .flags = "." });
    EXPECT(h, ".", 0, 0, MSS);
    assert_int_equal(tcb_of(h)->cwnd, cwnd - 3 * MSS + MSS); /* deflated by what was acknowledged, and one added back */
    assert_int_equal(tcb_of(h)->recovery, REF_RECOVERY_NEWRENO);
    while (hear(h))
        ;
    h->ack += 9 * MSS;
    inject(h, (struct seg){ .flags = "." });
    assert_int_equal(tcb_of(h)->recovery, REF_RECOVERY_NONE);
    assert_true(tcb_of(h)->cwnd <= 5 * MSS);
    host_free(h);
}

static void duplicates_of_a_go_back_do_not_start_another_recovery(void **state) /* RFC 6582 §4 */
{
    struct host *h = sender(NULL, false);
    (void)state;
    fill_pipe(h, 10);
    advance_by(h, S);
    h->ack += 10 * MSS; /* all of it, exactly recover */
    while (hear(h))
        ;
    inject(h, (struct seg){ .flags = "." });
    while (hear(h))
        ;
    uint64_t before = ref_counters(h->stack)->fast_retransmits;
    for (int i = 0; i < 5; i++)
        duplicate(h);
    assert_int_equal(ref_counters(h->stack)->fast_retransmits, before);
    host_free(h);
}

static const struct duplicate_row { const char *says; struct seg seg; bool counts; } duplicate_rows[] = {
    { "a bare one",          { .flags = "." },                       true  },
    { "with text",           { .flags = ".", .len = 1 },             false },
    { "with another window", { .flags = ".", .win = 60000 },         false },
    { "with FIN",            { .flags = "F." },                      false },
    { "an older number",     { .flags = ".", .ack = -1 },            false },
};

static void only_true_duplicates_count(void **state) /* RFC 5681 §2 */
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(duplicate_rows); i++) {
        struct host *h = sender(NULL, false);
        fill_pipe(h, 10);
        inject(h, duplicate_rows[i].seg);
        if ((tcb_of(h)->dup_acks == 1) != duplicate_rows[i].counts)
            fail_msg("%s: expected %s", duplicate_rows[i].says, duplicate_rows[i].counts ? "a duplicate" : "none");
        host_free(h);
    }
}

/* ---- SACK as sender ---------------------------------------------------------------------------------------------- */

static void sack_recovery_fills_the_holes_in_order(void **state) /* RFC 6675 §5 */
{
    struct host *h = sender(NULL, true);
    (void)state;
    fill_pipe(h, 10);
    sack(h, 1, (const uint32_t[][2]){ { 1000, 2000 } });                   /* lost: 0, 2000, 5000 */
    EXPECT(h, ".", 10 * MSS, 0, MSS);
    sack(h, 1, (const uint32_t[][2]){ { 3000, 4000 } });
    EXPECT(h, ".", 11 * MSS, 0, MSS);
    sack(h, 1, (const uint32_t[][2]){ { 3000, 5000 } });
    EXPECT(h, ".", 0, 0, MSS);                                              /* HighACK + 1, at once */
    assert_int_equal(tcb_of(h)->recovery, REF_RECOVERY_SACK);
    assert_int_equal(tcb_of(h)->cwnd, 5 * MSS);
    EXPECT_NOTHING(h);                                                      /* pipe is too full */
    sack(h, 1, (const uint32_t[][2]){ { 6000, 9000 } });
    while (hear(h))
        ;
    sack(h, 1, (const uint32_t[][2]){ { 6000, 12000 } });
    bool second_hole = false;
    while (hear(h))
        second_hole |= h->got.tcp.seq == h->ack + 5 * MSS;
    assert_true(second_hole);
    h->ack += 13 * MSS;
    inject(h, (struct seg){ .flags = "." });
    assert_int_equal(tcb_of(h)->recovery, REF_RECOVERY_NONE);
    assert_int_equal(tcb_of(h)->cwnd, 5 * MSS);
    host_free(h);
}

static void a_duplicate_without_new_sack_counts_for_nothing(void **state) /* RFC 3042 §2, RFC 6675 §2 */
{
    struct host *h = sender(NULL, true);
    (void)state;
    fill_pipe(h, 10);
    duplicate(h);
    duplicate(h);
    duplicate(h);
    EXPECT_NOTHING(h);
    assert_int_equal(tcb_of(h)->dup_acks, 0);
    sack(h, 1, (const uint32_t[][2]){ { 1000, 2000 } });
    sack(h, 1, (const uint32_t[][2]){ { 1000, 2000 } });
    assert_int_equal(tcb_of(h)->dup_acks, 1);
    host_free(h);
}

static void sacked_data_is_kept_and_sent_again_after_a_timeout(void **state) /* RFC 2018 §5.1, §8 */
{
    struct host *h = sender(NULL, true);
    (void)state;
    fill_pipe(h, 4);
    tcb_of(h)->cwnd = MSS; /* nothing more leaves */
    sack(h, 1, (const uint32_t[][2]){ { 1000, 4000 } });
    while (hear(h))
        ;
    advance_by(h, S);
    EXPECT(h, ".", 0, 0, MSS);
    h->ack += MSS; /* the peer reneged: no SACK any more */
    inject(h, (struct seg){ .flags = "." });
    EXPECT(h, ".", 0, 0, MSS);
    EXPECT(h, ".", MSS, 0, MSS);
    host_free(h);
}

static void after_a_timeout_fresh_sack_information_is_used(void **state) /* RFC 6675 §5.1 */
{
    struct host *h = sender(NULL, true);
    (void)state;
    fill_pipe(h, 6);
    advance_by(h, S);
    EXPECT(h, ".", 0, 0, MSS);
    struct pkt_option_buffer options = { 0 };
    h->ack += MSS;
    const uint32_t held[1][2] = { { h->ack + MSS, h->ack + 3 * MSS } };
    pkt_put_sack(&options, held, 1);
    inject(h, (struct seg){ .flags = ".", .options = &options });
    EXPECT(h, ".", 0, 0, MSS);
    EXPECT(h, ".", 3 * MSS, 0, MSS); /* around what is held */
    host_free(h);
}

static void implausible_sack_blocks_are_ignored(void **state)
{
    static const uint32_t bad[][2] = { { 11000, 12000 }, { 2000, 1000 }, { 9000, 10001 }, { 0u - 500, 500 } };
    struct host *h = sender(NULL, true);
    (void)state;
    fill_pipe(h, 10);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        sack(h, 1, &bad[i]);
        assert_int_equal(tcb_of(h)->sacked.count, 0);
    }
    sack(h, 2, (const uint32_t[][2]){ { 2000, 3000 }, { 1000, 4000 } }); /* a D-SACK within the second block: RFC 2883 §5 */
    assert_int_equal(tcb_of(h)->sacked.count, 1);
    assert_int_equal(tcb_of(h)->sacked.items[0].left, h->ack + 1000);
    host_free(h);
}

/* ---- SACK as receiver -------------------------------------------------------------------------------------------- */

static void expect_blocks(struct host *h, uint32_t count, const int32_t (*offsets)[2])
{
    assert_int_equal(h->options.sack_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(h->options.sack[i].left, h->seq + (uint32_t)offsets[i][0]);
        assert_int_equal(h->options.sack[i].right, h->seq + (uint32_t)offsets[i][1]);
    }
}

static void arrives(struct host *h, int32_t seq, uint32_t len, int32_t ack)
{
    inject(h, (struct seg){ .flags = ".", .seq = seq, .len = len });
    EXPECT(h, ".", 0, ack, 0);
}

static void sack_blocks_come_most_recent_first(void **state) /* RFC 2018 §4 */
{
    struct host *h = sender(NULL, true);
    (void)state;
    arrives(h, 1000, 100, 0);
    expect_blocks(h, 1, (const int32_t[][2]){ { 1000, 1100 } });
    arrives(h, 3000, 100, 0);
    expect_blocks(h, 2, (const int32_t[][2]){ { 3000, 3100 }, { 1000, 1100 } });
    arrives(h, 2000, 100, 0);
    expect_blocks(h, 3, (const int32_t[][2]){ { 2000, 2100 }, { 3000, 3100 }, { 1000, 1100 } });
    arrives(h, 1100, 100, 0);
    expect_blocks(h, 3, (const int32_t[][2]){ { 1000, 1200 }, { 2000, 2100 }, { 3000, 3100 } });
    arrives(h, 4000, 100, 0);
    arrives(h, 5000, 100, 0);
    expect_blocks(h, 4, (const int32_t[][2]){ { 5000, 5100 }, { 4000, 4100 }, { 1000, 1200 }, { 2000, 2100 } });
    arrives(h, 0, 1000, 1200);
    expect_blocks(h, 4, (const int32_t[][2]){ { 5000, 5100 }, { 4000, 4100 }, { 2000, 2100 }, { 3000, 3100 } });
    host_free(h);
}

static void duplicates_are_reported_once(void **state) /* RFC 2883 §4, its examples */
{
    struct host *h = sender(NULL, true);
    (void)state;
    say(h, (struct seg){ .flags = ".", .len = 500 });
    say(h, (struct seg){ .flags = ".", .len = 500 });
    EXPECT(h, ".", 0, 0, 0);
    assert_int_equal(h->options.sack_count, 0);
    arrives(h, -500, 500, 0); /* §4.1: a full duplicate below the ACK */
    expect_blocks(h, 1, (const int32_t[][2]){ { -500, 0 } });
    arrives(h, 1000, 500, 0); /* once only */
    expect_blocks(h, 1, (const int32_t[][2]){ { 1000, 1500 } });
    arrives(h, 1000, 500, 0); /* §4.1.3: within a larger block */
    expect_blocks(h, 2, (const int32_t[][2]){ { 1000, 1500 }, { 1000, 1500 } });
    arrives(h, -200, 400, 200); /* §4.2: a partial one */
    expect_blocks(h, 2, (const int32_t[][2]){ { -200, 0 }, { 1000, 1500 } });
    host_free(h);
}

static void without_permission_no_sack_is_sent(void **state)
{
    struct host *h = sender(NULL, false);
    (void)state;
    arrives(h, 1000, 100, 0);
    assert_int_equal(h->options.sack_count, 0);
    host_free(h);
}

static void timestamps_leave_room_for_three_blocks(void **state)
{
    struct host *h = host_new(4, NULL);
    struct pkt_option_buffer options = { 0 };
    (void)state;
    pkt_put_mss(&options, MSS);
    pkt_put_sack_permitted(&options);
    pkt_put_timestamp(&options, h->ts_val, 0);
    peer_connects(h, (struct seg){ .options = &options });
    for (int32_t i = 1; i < 6; i++)
        arrives(h, i * 1000, 100, 0);
    assert_int_equal(h->options.sack_count, 3);
    host_free(h);
}

/* ---- timestamps: RFC 7323 ---------------------------------------------------------------------------------------- */

static struct host *with_timestamps(void)
{
    struct host *h = host_new(4, NULL);
    h->timestamps = true;
    peer_connects(h, (struct seg){ .mss = 1460 });
    assert_true(h->timestamps);
    return h;
}

static void an_old_timestamp_is_acknowledged_and_dropped(void **state) /* §5.3 R1 */
{
    struct host *h = with_timestamps();
    (void)state;
    h->ts_val -= 1;
    inject(h, (struct seg){ .flags = "P.", .len = 10 });
    EXPECT(h, ".", 0, 0, 0);
    inject(h, (struct seg){ .flags = "F." });
    EXPECT(h, ".", 0, 0, 0);
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    inject(h, (struct seg){ .flags = "R" }); /* §5.2: not for a RST */
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    host_free(h);
}

static void a_segment_without_the_timestamp_is_dropped_silently(void **state) /* §3.2 */
{
    struct host *h = with_timestamps();
    (void)state;
    inject(h, (struct seg){ .flags = "P.", .len = 10, .no_timestamp = true });
    advance_by(h, S);
    EXPECT_NOTHING(h);
    EXPECT_STATE(h, TCP_STATE_ESTABLISHED);
    inject(h, (struct seg){ .flags = "R", .no_timestamp = true });
    EXPECT_STATE(h, TCP_STATE_CLOSED);
    host_free(h);
}

static void the_echo_is_of_the_earliest_segment_not_acknowledged(void **state) /* §4.3 */
{
    struct host *h = with_timestamps();
    uint32_t first = h->ts_val + 10;
    (void)state;
    h->ts_val = first;
    say(h, (struct seg){ .flags = ".", .len = 100 });
    h->ts_val += 5;
    say(h, (struct seg){ .flags = ".", .len = 100 });
    EXPECT(h, ".", 0, 0, 0);
    assert_int_equal(h->options.ts_ecr, first);          /* delayed: the first of the two */
    h->ts_val += 5;
    uint32_t above = h->ts_val;
    inject(h, (struct seg){ .flags = ".", .seq = 100, .len = 100 });
    EXPECT(h, ".", 0, 0, 0);
    assert_int_equal(h->options.ts_ecr, first);          /* a hole: what last advanced the edge */
    h->ts_val += 5;
    inject(h, (struct seg){ .flags = ".", .len = 100 });
    EXPECT(h, ".", 0, 200, 0);
    assert_int_equal(h->options.ts_ecr, above + 5);      /* what filled it */
    host_free(h);
}

static void timestamps_measure_even_retransmissions(void **state)
{
    struct host *h = with_timestamps();
    (void)state;
    host_sends(h, 10);
    EXPECT(h, "P.", 0, 0, 10);
    advance_by(h, S);
    EXPECT(h, "P.", 0, 0, 10);
    advance_by(h, 300 * MS);
    h->ts_val += 1300;
    inject(h, (struct seg){ .flags = ".", .ack = 10 }); /* echoes the second */
    assert_in_range(tcb_of(h)->rtt.srtt_ns, 30 * MS, 301 * MS);
    host_free(h);
}

/* ---- ECN: RFC 3168 ----------------------------------------------------------------------------------------------- */

static void ecn(struct ref_config *c)
{
    c->ecn = REF_ECN_ON;
}

static void small_and_ecn(struct ref_config *c)
{
    ecn(c);
    c->receive_buffer = 2000;
}

static struct host *agreeing_on_ecn(void (*change)(struct ref_config *))
{
    struct host *h = host_new(4, change);
    host_listens(h);
    say(h, (struct seg){ .flags = "SEW", .mss = MSS });
    h->ack = tcb_of(h)->iss + 1;
    EXPECT(h, "SE.", -1, 0, 0);
    assert_int_equal(h->got.ip.tos & 3, 0);
    inject(h, (struct seg){ .flags = "." });
    h->handle = (int)ref_accept(h->stack, h->listener, NULL);
    return h;
}

static struct host *with_ecn(void)
{
    return agreeing_on_ecn(ecn);
}

static void ecn_is_agreed_upon_only_with_the_right_bits(void **state)
{
    static const struct { const char *syn; bool agreed; } rows[] = {
        { "SEW", true }, { "SE", false }, { "SW", false }, { "S", false }, { "SEWA", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct host *h = host_new(4, ecn);
        host_listens(h);
        say(h, (struct seg){ .flags = rows[i].syn });
        assert_true(hear(h));
        assert_int_equal((h->got.tcp.flags & (PKT_ECE | PKT_CWR)) == PKT_ECE, rows[i].agreed);
        assert_int_equal(h->got.tcp.flags & PKT_CWR, 0);
        host_free(h);
    }
}

static void a_mark_is_echoed_until_cwr(void **state)
{
    struct host *h = with_ecn();
    (void)state;
    say(h, (struct seg){ .flags = ".", .len = 100, .tos = 3 });
    say(h, (struct seg){ .flags = ".", .len = 100 });
    EXPECT(h, "E.", 0, 0, 0);
    say(h, (struct seg){ .flags = ".", .len = 100 });
    say(h, (struct seg){ .flags = ".", .len = 100 });
    EXPECT(h, "E.", 0, 0, 0);
    say(h, (struct seg){ .flags = "W.", .len = 100 });
    say(h, (struct seg){ .flags = ".", .len = 100 });
    EXPECT(h, ".", 0, 0, 0);
    host_free(h);
}

static void an_echo_halves_the_window_once_and_is_answered_by_cwr(void **state)
{
    struct host *h = with_ecn();
    (void)state;
    fill_pipe(h, 10);
    h->ack += MSS;
    inject(h, (struct seg){ .flags = "E." });
    assert_int_equal(tcb_of(h)->cwnd, 5 * MSS);
    h->ack += MSS;
    inject(h, (struct seg){ .flags = "E." });
    assert_int_equal(tcb_of(h)->cwnd, 5 * MSS); /* the same window of data */
    EXPECT_NOTHING(h);
    h->ack += 4 * MSS;
    inject(h, (struct seg){ .flags = "." });
    EXPECT(h, "W.", 4 * MSS, 0, MSS);
    assert_int_equal(h->got.ip.tos & 3, 2);     /* ECT(0) */
    h->ack += MSS;
    inject(h, (struct seg){ .flags = "." });
    EXPECT(h, ".", 4 * MSS, 0, MSS);            /* CWR on one segment */
    host_free(h);
}

static void any_reduction_is_told_by_cwr(void **state) /* §6.1.2 */
{
    struct host *h = with_ecn();
    (void)state;
    fill_pipe(h, 10);
    for (int i = 0; i < 3; i++)
        duplicate(h);
    bool told = false;
    while (hear(h))
        told |= (h->got.tcp.flags & PKT_CWR) != 0;
    assert_false(told); /* not on the retransmission */
    h->ack += 12 * MSS;
    inject(h, (struct seg){ .flags = "." });
    assert_true(hear(h));
    assert_true(h->got.tcp.flags & PKT_CWR);
    host_free(h);
}

static void a_marked_window_probe_is_echoed(void **state) /* §6.1.6 */
{
    struct host *h = agreeing_on_ecn(small_and_ecn);
    (void)state;
    say(h, (struct seg){ .flags = ".", .len = 1000 });
    say(h, (struct seg){ .flags = ".", .len = 1000 });
    EXPECT(h, ".", 0, 0, 0);
    assert_int_equal(h->got.tcp.window, 0);
    inject(h, (struct seg){ .flags = ".", .len = 1, .tos = 3 });
    EXPECT(h, "E.", 0, 0, 0);
    host_free(h);
}

static void ect_stands_on_new_data_alone(void **state)
{
    struct host *h = with_ecn();
    (void)state;
    host_sends(h, 10);
    EXPECT(h, "P.", 0, 0, 10);
    assert_int_equal(h->got.ip.tos & 3, 2);
    advance_by(h, S);
    EXPECT(h, "P.", 0, 0, 10);
    assert_int_equal(h->got.ip.tos & 3, 0);
    say(h, (struct seg){ .flags = ".", .len = 1 });
    advance_by(h, 50 * MS);
    EXPECT(h, ".", 10, 0, 0);
    assert_int_equal(h->got.ip.tos & 3, 0);
    host_free(h);
}

static void with_one_segment_of_window_an_echo_waits_for_the_timer(void **state) /* §6.1.2 */
{
    struct host *h = with_ecn();
    (void)state;
    tcb_of(h)->cwnd = MSS;
    host_sends(h, 5000);
    EXPECT(h, ".", 0, 0, MSS);
    EXPECT_NOTHING(h);
    h->ack += MSS;
    inject(h, (struct seg){ .flags = "E." });
    EXPECT_NOTHING(h);
    advance_by(h, S - 1);
    EXPECT_NOTHING(h);
    advance_by(h, 1);
    assert_true(hear(h));
    assert_int_equal(h->got.tcp.seq, h->ack);
    host_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_start_adds_a_segment_for_each_acknowledgment),
        cmocka_unit_test(congestion_avoidance_adds_a_segment_a_round_trip),
        cmocka_unit_test(a_timeout_collapses_the_window_and_resends_from_the_front),
        cmocka_unit_test(karn_ignores_segments_sent_twice),
        cmocka_unit_test(after_an_idle_rto_the_restart_window_applies),
        cmocka_unit_test(a_short_pause_leaves_the_window_alone),
        cmocka_unit_test(the_third_duplicate_retransmits_and_limited_transmit_precedes_it),
        cmocka_unit_test(partial_acknowledgments_retransmit_and_a_full_one_deflates),
        cmocka_unit_test(duplicates_of_a_go_back_do_not_start_another_recovery),
        cmocka_unit_test(only_true_duplicates_count),
        cmocka_unit_test(sack_recovery_fills_the_holes_in_order),
        cmocka_unit_test(a_duplicate_without_new_sack_counts_for_nothing),
        cmocka_unit_test(sacked_data_is_kept_and_sent_again_after_a_timeout),
        cmocka_unit_test(after_a_timeout_fresh_sack_information_is_used),
        cmocka_unit_test(implausible_sack_blocks_are_ignored),
        cmocka_unit_test(sack_blocks_come_most_recent_first),
        cmocka_unit_test(duplicates_are_reported_once),
        cmocka_unit_test(without_permission_no_sack_is_sent),
        cmocka_unit_test(timestamps_leave_room_for_three_blocks),
        cmocka_unit_test(an_old_timestamp_is_acknowledged_and_dropped),
        cmocka_unit_test(a_segment_without_the_timestamp_is_dropped_silently),
        cmocka_unit_test(the_echo_is_of_the_earliest_segment_not_acknowledged),
        cmocka_unit_test(timestamps_measure_even_retransmissions),
        cmocka_unit_test(ecn_is_agreed_upon_only_with_the_right_bits),
        cmocka_unit_test(a_mark_is_echoed_until_cwr),
        cmocka_unit_test(an_echo_halves_the_window_once_and_is_answered_by_cwr),
        cmocka_unit_test(any_reduction_is_told_by_cwr),
        cmocka_unit_test(a_marked_window_probe_is_echoed),
        cmocka_unit_test(ect_stands_on_new_data_alone),
        cmocka_unit_test(with_one_segment_of_window_an_echo_waits_for_the_timer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
