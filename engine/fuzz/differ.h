/* Two targets that got the same input: where both did what the RFCs permit, and not the same.
 *
 * Compared is what each did in answer to an event in a state (engine/model/reactions.h): where both were in that state and saw that
 * event in a play, and the kinds of segments that they sent differ, that is a *choice*. A side that broke a rule in the play is not
 * compared: that is a finding of its own.
 */
#ifndef TCPASSAY_FUZZ_DIFFER_H
#define TCPASSAY_FUZZ_DIFFER_H

#include "engine/fuzz/shrink.h"
#include "engine/model/reactions.h"

enum { DIFFER_CHOICES_MAX = 2000 };

struct differ_choice {
    uint8_t state, event;
    uint16_t did[2];              /* what A did and B did: a bit (1u << enum reaction) each */
    uint64_t plays;               /* in which this was so */
    struct shrink_input example;  /* the shortest input that showed it */
};

struct differ;
struct differ *differ_new(void); /* NULL: out of memory */
void differ_free(struct differ *differ);
/* The same input, played on both. */
void differ_note(struct differ *differ, const struct shrink_input *input, const struct reactions *a, const struct reactions *b);
size_t differ_count(const struct differ *differ);
/* By state, event, and how often. */
const struct differ_choice *differ_at(const struct differ *differ, size_t index);
void differ_sort(struct differ *differ);

/* "ACK", "nothing or RST": into out. */
void differ_words(unsigned did, char *out, size_t capacity);
/* Writes DIR/choices.tsv, and of each choice the example as DIR/choices/N.pkt. 0, or -1 with the reason in error. */
int differ_store(const struct differ *differ, const char *out, const char *a, const char *b, char *error, size_t error_size);

#endif
