/* Inside the byte codec: what both directions share beside the layout. Included by engine/scenario/bytes's own files only.
 *
 *   tables.c  what octets choose from        decode.c  octets to a scenario
 *   linear.c  expressions as base and offset encode.c  a scenario to octets
 *   track.c   what a script's numbers come to encode_packet.c segments and ICMP errors
 *   same.c    do two steps do the same?      flat.c    a scenario's steps in one row
 */
#ifndef TCPASSAY_SCENARIO_BYTES_INSIDE_H
#define TCPASSAY_SCENARIO_BYTES_INSIDE_H

#include "engine/scenario/arena.h"
#include "engine/scenario/bytes/layout.h"

/* ---- expressions ------------------------------------------------------------------------------------------------- */

enum term { TERM_SND_NXT, TERM_SND_UNA, TERM_RCV_NXT, TERM_WINDOW, TERM_TS_RECENT, TERM_TICKS /* now() / 1000000 */, TERM_COUNT };

/* A sum of functions of the live connection and a constant. */
struct linear {
    int64_t constant;
    int8_t terms[TERM_COUNT];
    bool absolute; /* as it stands on the wire */
    bool assumed;  /* holds where the window is as large as one may hope */
    bool known;    /* it is one */
};

/* Where a script that plays as it says has come to: its numbers, at one endpoint, as endpoint.h keeps them of a live connection. */
struct tracked {
    bool tester_known, iut_known;         /* their SYNs were seen */
    bool tester_renumbers, iut_renumbers; /* their next SYNs begin anew */
    int64_t snd_nxt, snd_una, rcv_nxt;    /* relative, as in the script */
    int64_t begun_at;                     /* what the script's SYN added to the ISN */
};
enum { TRACKED_COUNT = 8 };

struct variables { /* what a scenario's variables are, as far as that is known */
    const struct scenario *scenario;
    struct linear *values;
    struct tracked tracked[TRACKED_COUNT]; /* by endpoints' slots; others, and those with subscripts, are not tracked */
    unsigned endpoint;                     /* whose numbers are spoken of: TRACKED_COUNT for one that is not tracked */
    bool own_endpoint;                     /* functions are of that one, whatever they name */
};
/* What an expression comes to; !known for what is no such sum. NULL is not known. */
struct linear bytes_linear(const struct variables *variables, const struct scn_expr *expr);
/* What a table's value comes to. */
struct linear bytes_linear_value(const struct scn_value *value);
static inline bool bytes_linear_constant(const struct linear *l)
{
    for (unsigned i = 0; i < TERM_COUNT; i++)
        if (l->terms[i])
            return false;
    return l->known;
}
/* The value, or fallback where it is not constant. */
int64_t bytes_constant(const struct variables *variables, const struct scn_expr *expr, int64_t fallback);

/* ---- what a script's numbers come to ----------------------------------------------------------------------------- */

/* The tracked numbers in place of the functions that they are now the values of. */
struct linear bytes_settled(const struct variables *variables, struct linear l);
/* Speaks of this endpoint from here on. */
void bytes_speak_of(struct variables *variables, const struct scn_endpoint_ref *endpoint);
/* A segment's number, relative where that is known; ours: of the tester's, as that of a SYN. !known for one that is left out. */
struct linear bytes_number(const struct variables *variables, const struct scn_match *match, bool ours, bool syn);
unsigned bytes_flags_of(const struct variables *variables, const struct scn_packet *packet);
/* A segment is sent; an expected one has come, and what it captures is known; numbers have come; the next SYNs begin anew. */
void bytes_track_sent(struct variables *variables, const struct scn_packet *packet);
void bytes_track_expected(struct variables *variables, const struct scn_packet *packet);
void bytes_track_gathered(struct variables *variables, const struct scn_step *step);
void bytes_track_incarnation(struct variables *variables, const struct scn_step *step);
void bytes_track_let(struct variables *variables, const struct scn_step *step);

/* ---- a scenario's steps in one row ------------------------------------------------------------------------------- */

struct flat { const struct scn_step *step; int slot; int64_t turn; }; /* a step, or (step NULL) a repeat's index takes this value */
struct flat_list { struct flat *entries; unsigned count, capacity, turns; bool stopped, failed; };
/* Blocks are opened up: repeats turn as often as they constantly do, of an `either` the first branch that does not skip is taken.
 * The list's entries are malloc'ed; failed: out of memory. */
void bytes_flatten(struct flat_list *list, struct variables *variables, const struct scn_block *block);

/* ---- packets to octets ------------------------------------------------------------------------------------------- */

static inline int64_t bytes_within(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}
/* Into a record whose operation, time and endpoint are set. */
void bytes_put_segment(struct variables *v, const uint8_t *header, uint8_t *r, const struct scn_packet *packet);
void bytes_put_icmp(struct variables *v, const uint8_t *header, uint8_t *r, const struct scn_packet *packet);
void bytes_put_option(const struct variables *v, uint8_t *r, const struct scn_option *option);

/* ---- do two steps do the same? ----------------------------------------------------------------------------------- */

/* How a scenario's names are named in octets. */
enum { DESCRIPTORS_MAX = 8 };
struct naming {
    const struct scenario *scenario;
    struct { int64_t script, octets; } descriptors[DESCRIPTORS_MAX];
    unsigned descriptor_count;
};
int64_t bytes_descriptor(const struct naming *naming, int64_t script);
/* The endpoint (0 to 3) that stands for one; *exact: and is one like it. */
unsigned bytes_endpoint(const struct naming *naming, const struct scn_endpoint_ref *endpoint, bool *exact);
/* ICMP's type and code as numbers. */
void bytes_icmp_numbers(const struct variables *variables, const struct scn_packet *packet, unsigned version, int64_t *type,
                        int64_t *code);

/* NULL when b, which was decoded, does what a does; else what differs. What is expected of either, results among it, counts not. */
const char *bytes_differs(const struct variables *variables, const struct naming *naming, const struct scn_step *a,
                          const struct scn_step *b);

#endif
