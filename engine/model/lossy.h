/* Judging captures: what lossy.c, which puts a segment into its connection, and the other lossy_*.c share. */
#ifndef TCPASSAY_MODEL_LOSSY_H
#define TCPASSAY_MODEL_LOSSY_H

#include "engine/model/inside.h"

/* ---- lossy_trail.c: the identifications of IPv4 packets ------------------------------------------------------------------ */

/* From the SYN to this packet not one of its direction is missing, but for the SYN itself. */
bool lossy_is_whole(const struct lossy_trail *trail);
/* The same, and the segment is the next. Before lossy_note_trail() of it. */
bool lossy_sent_next(const struct lossy_trail *trail, const struct segment *s);
/* The packet was sent (not long) after the one with the identification from. */
bool lossy_is_counted(const struct lossy_trail *trail, uint32_t from, const struct packet *packet);
void lossy_note_trail(struct judge *j, struct lossy_trail *trail, const struct segment *s);

/* ---- lossy_claims.c: octets acknowledged that were not seen ---------------------------------------------------------------- */

/* of_iut: the IUT's claim, of its peer's octets; else the peer's, of which only the evidence counts: the other endpoint's judge
 * finds. A claim is followed at a time; further ones are passed over. */
void lossy_claim_ack(struct judge *j, const struct segment *s, bool of_iut);
void lossy_claim_sack(struct judge *j, const struct segment *s, uint32_t left, uint32_t right);
/* A later segment from the sender of the octets, or from the claimant (after lossy_note_trail() of it, before facts_note()). */
void lossy_resolve_by_sender(struct judge *j, const struct segment *s, bool of_iut);
void lossy_resolve_by_claimant(struct judge *j, const struct segment *s, bool of_iut);
void lossy_claims_end(struct judge *j);
void lossy_claims_release(struct judge *j);

/* ---- lossy_later.c: what can only be decided when more has been seen ----------------------------------------------------- */

/* Data beyond the window, if no ACK was missed; and the peer's next packet, whose identification tells. */
void lossy_note_excess(struct judge *j, const struct segment *s, uint32_t data_end);
void lossy_resolve_excess(struct judge *j, const struct segment *s);

/* Data of the peer that the IUT, alive, never takes. */
void lossy_note_repeats(struct judge *j, const struct segment *s);
void lossy_judge_repeats(struct judge *j, const struct segment *s);

/* ---- lossy_numbers.c: the numbers of what is sent; next: lossy_sent_next() ------------------------------------------------- */

void lossy_judge_rst(struct judge *j, const struct segment *s, bool next);
void lossy_judge_syn_ack(struct judge *j, const struct segment *s);
/* SEG.SEQ of ACK, data and FIN. */
void lossy_judge_sequence(struct judge *j, const struct segment *s, bool next);
/* Nobody can have sent so much beyond what was seen: SEG.ACK, above SND.NXT of the sender. */
bool lossy_is_impossible(const struct side *claimant, const struct side *sender, uint32_t ack);
/* False: the number is not to be learned. */
bool lossy_judge_ack(struct judge *j, const struct segment *s);
/* After its own RST. */
void lossy_judge_life(struct judge *j, const struct segment *s, bool next);

/* ---- both ------------------------------------------------------------------------------------------------------------------- */

static const unsigned lossy_clean = JUDGE_NEEDS_COMPLETE | JUDGE_NEEDS_ORDER;
/* The segment with the numbers on the wire; owned by the caller; NULL without memory. */
char *lossy_in_words(const struct segment *s);

#endif
