/* Judging captures: what lossy.c, which puts a segment into its connection, lossy_later.c and lossy_numbers.c share. */
#ifndef TCPASSAY_MODEL_LOSSY_H
#define TCPASSAY_MODEL_LOSSY_H

#include "engine/model/inside.h"

/* ---- lossy_later.c: what can only be decided when more has been seen ----------------------------------------------------- */

/* From the SYN to this packet not one of its direction is missing. Shown by senders that count their packets up, as most do (RFC
 * 6864 leaves it to them), but for the SYN itself. Before lossy_note_trail() of the same packet. */
bool lossy_sent_next(const struct lossy_trail *trail, const struct segment *s);
void lossy_note_trail(struct judge *j, struct lossy_trail *trail, const struct segment *s);

/* An acknowledgment of what was not seen. words: its finding will have to show it. */
void lossy_wait_for_ack(struct lossy_ack *a, const struct side *acknowledged, const struct segment *s, bool words);
/* The side goes on to send: does that show whether the octets acknowledged early had been sent? Of the peer's acknowledgments of
 * the IUT's octets only the evidence counts (blame is false): the other endpoint's judge finds. */
void lossy_resolve_by_data(struct judge *j, struct lossy_ack *a, const struct side *sender, const struct segment *s, bool blame);
/* A later acknowledgment below the early one, of octets that came in between. */
void lossy_resolve_by_ack(struct judge *j, uint32_t ack);
/* The peer's FIN has come. */
void lossy_resolve_by_fin(struct judge *j, const struct segment *s);

/* Data beyond the window, if no ACK was missed; and the peer's next packet, whose identification tells. */
void lossy_note_excess(struct judge *j, const struct segment *s, uint32_t data_end);
void lossy_resolve_excess(struct judge *j);

/* Data of the peer that the IUT, alive, never takes. */
void lossy_note_repeats(struct judge *j, const struct segment *s);
void lossy_judge_repeats(struct judge *j, const struct segment *s);

/* ---- lossy_numbers.c: the numbers of what is sent; next: lossy_sent_next() ------------------------------------------------- */

void lossy_judge_rst(struct judge *j, const struct segment *s, bool next);
void lossy_judge_syn_ack(struct judge *j, const struct segment *s);
/* SEG.SEQ of ACK, data and FIN. */
void lossy_judge_sequence(struct judge *j, const struct segment *s, bool next);
/* False: the number is not to be learned. */
bool lossy_judge_ack(struct judge *j, const struct segment *s);
/* After its own RST. */
void lossy_judge_life(struct judge *j, const struct segment *s, bool next);

/* ---- both ------------------------------------------------------------------------------------------------------------------- */

static const unsigned lossy_clean = JUDGE_NEEDS_COMPLETE | JUDGE_NEEDS_ORDER;
/* The segment with the numbers on the wire; owned by the caller; NULL without memory. */
char *lossy_in_words(const struct segment *s);

#endif
