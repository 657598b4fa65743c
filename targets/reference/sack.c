/* Selective acknowledgment: as sender the scoreboard of RFC 6675, as receiver the blocks of RFC 2018 and RFC 2883. */
#include "targets/reference/stack.h"

#include <string.h>

/* ---- sender: the scoreboard -------------------------------------------------------------------------------------- */

/* RFC 2883 §5: the first block is a D-SACK when it lies below the ACK of the same segment, or within the second block. */
static bool is_dsack(const struct ref_segment *seg)
{
    const struct pkt_options *o = &seg->options;
    if (seq_lt(o->sack[0].left, seg->ack))
        return true;
    return o->sack_count > 1 && seq_ge(o->sack[0].left, o->sack[1].left) && seq_le(o->sack[0].right, o->sack[1].right);
}

bool ref_sack_received(struct ref_tcb *tcb, const struct ref_segment *seg)
{
    const struct pkt_options *o = &seg->options;
    uint32_t news = 0, una = seq_max(tcb->snd_una, seg->ack);
    for (uint8_t i = o->sack_count && is_dsack(seg) ? 1 : 0; i < o->sack_count; i++) {
        uint32_t left = o->sack[i].left, right = o->sack[i].right, added = 0;
        bool plausible = seq_lt(left, right) && seq_gt(left, una) && seq_le(right, tcb->snd_nxt);
        if (!plausible)
            continue;
        if (!ref_ranges_add(&tcb->sacked, left, right, &added))
            tcb->stack->counters.ranges_full++;
        news += added;
    }
    return news != 0;
}

/* IsLost(): DupThresh discontiguous ranges, or more than (DupThresh - 1) * SMSS octets, are SACKed above. */
bool ref_sack_is_lost(const struct ref_tcb *tcb, uint32_t seq)
{
    uint32_t ranges = 0, octets = 0;
    for (uint16_t i = 0; i < tcb->sacked.count; i++) {
        const struct ref_range *r = &tcb->sacked.items[i];
        if (seq_le(r->left, seq))
            continue;
        ranges++;
        octets += r->right - r->left;
    }
    return ranges >= REF_DUP_THRESH || octets > (REF_DUP_THRESH - 1) * ref_eff_mss(tcb);
}

/* A stretch without SACKed octets, [left, right). */
static uint32_t gap_in_pipe(const struct ref_tcb *tcb, uint32_t left, uint32_t right)
{
    uint32_t octets = 0;
    if (seq_ge(left, right))
        return 0;
    if (!ref_sack_is_lost(tcb, left))
        octets += right - left;
    if (seq_gt(tcb->snd_rtx, left)) /* S1 <= HighRxt: it is in the network again */
        octets += seq_min(tcb->snd_rtx, right) - left;
    return octets;
}

/* SetPipe(). */
uint32_t ref_sack_pipe(const struct ref_tcb *tcb)
{
    uint32_t pipe = 0, at = tcb->snd_una;
    for (uint16_t i = 0; i < tcb->sacked.count; i++) {
        pipe += gap_in_pipe(tcb, at, tcb->sacked.items[i].left);
        at = tcb->sacked.items[i].right;
    }
    return pipe + gap_in_pipe(tcb, at, tcb->snd_nxt);
}

/* The first un-SACKed stretch from seq on that lies below the highest SACKed octet. */
static bool first_hole(const struct ref_tcb *tcb, uint32_t seq, struct ref_range *out)
{
    for (uint16_t i = 0; i < tcb->sacked.count; i++) {
        const struct ref_range *r = &tcb->sacked.items[i];
        if (seq_lt(seq, r->left)) {
            *out = (struct ref_range){ seq, r->left };
            return true;
        }
        seq = seq_max(seq, r->right);
    }
    return false;
}

static bool highest_outstanding(const struct ref_tcb *tcb, uint32_t most, struct ref_range *out)
{
    uint32_t right = tcb->snd_nxt, left = tcb->snd_una;
    if (tcb->sacked.count) {
        const struct ref_range *last = &tcb->sacked.items[tcb->sacked.count - 1];
        left = last->right;
        if (left == right) { /* the highest octets are SACKed: the hole below them */
            right = last->left;
            left = tcb->sacked.count > 1 ? last[-1].right : tcb->snd_una;
        }
    }
    if (seq_ge(left, right))
        return false;
    if (right - left > most)
        left = right - most;
    *out = (struct ref_range){ left, right };
    return true;
}

bool ref_sack_next(const struct ref_tcb *tcb, enum ref_sack_rule rule, struct ref_range *out)
{
    uint32_t most = ref_data_room(tcb);
    if (rule == REF_SACK_RULE_4)
        return highest_outstanding(tcb, most, out) && seq_le(out->right, tcb->snd_una + tcb->snd_wnd);
    if (!first_hole(tcb, seq_max(tcb->snd_rtx, tcb->snd_una), out))
        return false;
    if (rule == REF_SACK_RULE_1 && !ref_sack_is_lost(tcb, out->left))
        return false;
    if (out->right - out->left > most)
        out->right = out->left + most;
    return seq_le(out->right, tcb->snd_una + tcb->snd_wnd);
}

/* ---- receiver: what to report ------------------------------------------------------------------------------------ */

/* The block that holds seq becomes the most recent one. */
void ref_sack_note_arrival(struct ref_tcb *tcb, uint32_t seq)
{
    const struct ref_range *block = ref_ranges_find(&tcb->rcv_ranges, seq);
    if (!block)
        return;
    struct ref_range recent[PKT_SACK_BLOCKS_MAX] = { *block };
    uint8_t count = 1;
    for (uint8_t i = 0; i < tcb->rcv_recent_count && count < PKT_SACK_BLOCKS_MAX; i++) {
        if (!seq_in_window(tcb->rcv_recent[i].left, block->left, block->right - block->left))
            recent[count++] = tcb->rcv_recent[i];
    }
    memcpy(tcb->rcv_recent, recent, sizeof recent);
    tcb->rcv_recent_count = count;
}

void ref_sack_note_duplicate(struct ref_tcb *tcb, uint32_t left, uint32_t right)
{
    tcb->has_dsack = true;
    tcb->dsack = (struct ref_range){ left, right };
}

static bool already_out(const uint32_t (*out)[2], unsigned from, unsigned count, const struct ref_range *block)
{
    for (unsigned i = from; i < count; i++) {
        if (out[i][0] == block->left)
            return true;
    }
    return false;
}

static unsigned put_block(uint32_t (*out)[2], unsigned count, const struct ref_range *block)
{
    out[count][0] = block->left;
    out[count][1] = block->right;
    return count + 1;
}

unsigned ref_sack_blocks(const struct ref_tcb *tcb, uint32_t (*out)[2], unsigned max)
{
    unsigned count = 0, first = 0;
    if (max == 0)
        return 0;
    if (tcb->has_dsack) { /* RFC 2883 §4: first, and the block that contains it second */
        count = first = put_block(out, 0, &tcb->dsack);
        const struct ref_range *around = ref_ranges_find(&tcb->rcv_ranges, tcb->dsack.left);
        if (around && count < max)
            count = put_block(out, count, around);
    }
    for (uint8_t i = 0; i < tcb->rcv_recent_count && count < max; i++) {
        const struct ref_range *block = ref_ranges_find(&tcb->rcv_ranges, tcb->rcv_recent[i].left);
        if (block && !already_out((const uint32_t(*)[2])out, first, count, block))
            count = put_block(out, count, block);
    }
    for (uint16_t i = 0; i < tcb->rcv_ranges.count && count < max; i++) { /* as many distinct blocks as fit */
        const struct ref_range *block = &tcb->rcv_ranges.items[i];
        if (!already_out((const uint32_t(*)[2])out, first, count, block))
            count = put_block(out, count, block);
    }
    return count;
}
