/* Scenarios as octets, for fuzzing: any octets are a scenario, near octets are near scenarios, and a scenario can be made octets.
 *
 * docs/fuzz-bytes.md has the format octet by octet. In short: SCN_BYTES_HEADER_LEN octets of header (a magic that decoding passes
 * over, the way in, IP version and options in use, ISN), then a record of SCN_BYTES_RECORD_LEN octets for each step; a record that
 * ends early is filled up with zeros, and what is behind SCN_BYTES_STEPS_MAX records is not read. No octet's meaning depends on
 * another record, so a changed octet changes one step at most, or the opening when it is one of the header's.
 *
 * A decoded scenario has no expectations, since the model judges; no call in it blocks. Sequence and acknowledgment numbers are
 * relative to the live connection. Printed by scn_print() it is a .pkt, which parses back to an equal scenario; only its steps'
 * source texts are but a word.
 */
#ifndef TCPASSAY_SCENARIO_BYTES_BYTES_H
#define TCPASSAY_SCENARIO_BYTES_BYTES_H

#include "engine/scenario/scenario.h"

enum {
    SCN_BYTES_VERSION = 2, SCN_BYTES_MAGIC_LEN = 4, SCN_BYTES_HEADER_LEN = 8, SCN_BYTES_RECORD_LEN = 24, SCN_BYTES_STEPS_MAX = 128,
    SCN_BYTES_MAX = SCN_BYTES_HEADER_LEN + SCN_BYTES_STEPS_MAX * SCN_BYTES_RECORD_LEN,
};
extern const uint8_t scn_bytes_magic[SCN_BYTES_MAGIC_LEN]; /* "TAB" and the version */

/* Do these octets begin with the magic? Decoding does not ask. */
bool scn_bytes_is_magic(const void *bytes, size_t len);
/* The scenario; never refuses. NULL: out of memory. Free it with scn_free(). */
struct scenario *scn_bytes_decode(const uint8_t *bytes, size_t len);

enum { SCN_BYTES_NOTES_MAX = 16, SCN_BYTES_REASONS_MAX = 24 };
struct scn_bytes_note { int line; /* of the step, as struct scn_at */ const char *what; };
struct scn_bytes_report { /* what became of a scenario's steps */
    /* of those that do something: segments sent, calls, link events, waits, fences, incarnations; the opening's too */
    unsigned exact;     /* do the same as octets, where the IUT does what the scenario expects of it */
    unsigned nearest;   /* became what is nearest to them */
    unsigned left_out;  /* have no octets */
    unsigned by_design; /* expect, and so have no octets: they became a fence or a wait where they take time */
    bool equal;         /* the octets decode to a scenario that is scn_equal() to this one */
    unsigned note_count;
    struct scn_bytes_note notes[SCN_BYTES_NOTES_MAX]; /* the first of them that are not exact, and why */
    struct { const char *why; unsigned count; } reasons[SCN_BYTES_REASONS_MAX]; /* why steps are not exact, in no order; ends at NULL */
};
/* The octets of one sub-test of a scenario (see scn_variant()), in canonical form, into out; returns how many, or 0 when memory is
 * out. Tables, variables and repeats are resolved as far as they are constant. report may be NULL. */
size_t scn_bytes_encode(const struct scenario *scenario, unsigned variant, uint8_t out[SCN_BYTES_MAX],
                        struct scn_bytes_report *report);

#endif
