/* RFC 9293 §3.10.7.3, SYN-SENT STATE. */
#include "targets/reference/stack.h"

#include <errno.h>

/* First, check the ACK bit. False: the segment is done with. */
static bool check_ack(struct ref_tcb *tcb, const struct ref_segment *seg)
{
    if (!(seg->flags & PKT_ACK))
        return true;
    if (seq_in_window(seg->ack, tcb->iss + 1, tcb->snd_nxt - tcb->iss))
        return true;
    if (!(seg->flags & PKT_RST))
        ref_send_reset_reply(tcb->stack, seg); /* <SEQ=SEG.ACK><CTL=RST> */
    return false;
}

/* Second, check the RST bit: believed only when it acknowledges our SYN (also RFC 5961 §3.2). */
static bool check_rst(struct ref_tcb *tcb, const struct ref_segment *seg)
{
    if (!(seg->flags & PKT_RST))
        return true;
    if (seg->flags & PKT_ACK)
        ref_tcb_close(tcb, ECONNREFUSED);
    return false;
}

static void synchronise(struct ref_tcb *tcb, const struct ref_segment *syn)
{
    ref_heard(tcb);
    tcb->irs = syn->seq;
    tcb->rcv_nxt = tcb->last_ack_sent = syn->seq + 1;
    ref_options_from_syn(tcb, syn);
    tcb->snd_wnd = tcb->max_snd_wnd = syn->wnd;
    tcb->snd_wl1 = syn->seq;
    tcb->snd_wl2 = syn->ack;
}

static void enter_established(struct ref_tcb *tcb, struct ref_segment *seg)
{
    ref_fastopen_remember(tcb, seg);
    ref_enter_established(tcb);
    ref_acknowledge(tcb, seg);
    if (tcb->snd_una != tcb->snd_nxt) /* data of our SYN was not taken: it goes into the first segments (RFC 7413 §4.2.2) */
        ref_cc_go_back(tcb);
    tcb->ack_now = true; /* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, or with data */
    ref_check_urg_text_fin(tcb, seg); /* other controls or text: continue at the sixth step */
    if (tcb->state != TCP_STATE_CLOSED)
        ref_tcp_output(tcb);
}

/* Simultaneous open (MUST-10). */
static void enter_syn_received(struct ref_tcb *tcb, struct ref_segment *seg)
{
    tcb->state = TCP_STATE_SYN_RECEIVED;
    tcb->snd_wl2 = tcb->iss;
    ref_hold_text(tcb, seg);
    ref_send_syn_ack(tcb); /* <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> */
    ref_arm_timers(tcb);
}

/* Fourth, check the SYN bit. */
static void check_syn(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (!(seg->flags & PKT_SYN))
        return; /* Fifth, if neither of the SYN or RST bits is set, then drop the segment */
    bool acks_our_syn = seg->flags & PKT_ACK;
    synchronise(tcb, seg);
    seg->seq++;
    seg->flags &= (uint16_t)~PKT_SYN;
    if (acks_our_syn)
        enter_established(tcb, seg);
    else
        enter_syn_received(tcb, seg);
}

void ref_arrives_syn_sent(struct ref_tcb *tcb, struct ref_segment *seg)
{
    if (!check_ack(tcb, seg) || !check_rst(tcb, seg))
        return;
    /* Third, check the security: there are no compartments here */
    check_syn(tcb, seg);
}
