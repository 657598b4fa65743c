/* The events of the matrix: which segments arrive, as classes, and which combinations of classes are tried after a way in.
 *
 * A segment is put together from five choices: its flags, where it lies relative to the receive window, what it acknowledges, how
 * much text it carries, what its Timestamps option says. The checks of RFC 9293 §3.10.7.4 are made one after another, and what one
 * of them looks at is a choice or two: so the full product of all five would mostly repeat itself. Tried are
 *
 *   - *products*, in full, where one check depends on several choices: the RST check on number and length, the ACK check on
 *     acknowledgment and place in the window, text and FIN on where they lie and what came with them;
 *   - *pairs*: each class of each choice meets each class of each other choice in some case, so that no check hides another.
 *
 * Each set of events is a short table of those. Combinations that mean nothing (an acknowledgment class without ACK, half an octet
 * across an edge) are left out, and doubles are tried once. Everything is a function of the way in: no chance is involved.
 */
#include "engine/scenario/matrix/inside.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define BIT(n) (1u << (n))
#define ALL(count) (BIT(count) - 1)

/* ---- the classes -------------------------------------------------------------------------------------------------- */

enum {
    NONE, F, S, R, P, U, A, FA, SA, RA, PA, UA, SF, SFA, SR, SRA, FR, FRA, FPU, PUA, FPUA, EVERY,
    FLAGS_COUNT
};
static const struct { const char *name; uint16_t flags; } flag_sets[FLAGS_COUNT] = {
    [NONE] = {"no-flags", 0}, [F] = {"fin", PKT_FIN}, [S] = {"syn", PKT_SYN}, [R] = {"rst", PKT_RST}, [P] = {"psh", PKT_PSH},
    [U] = {"urg", PKT_URG}, [A] = {"ack", PKT_ACK}, [FA] = {"fin-ack", PKT_FIN | PKT_ACK}, [SA] = {"syn-ack", PKT_SYN | PKT_ACK},
    [RA] = {"rst-ack", PKT_RST | PKT_ACK}, [PA] = {"psh-ack", PKT_PSH | PKT_ACK}, [UA] = {"urg-ack", PKT_URG | PKT_ACK},
    [SF] = {"syn-fin", PKT_SYN | PKT_FIN}, [SFA] = {"syn-fin-ack", PKT_SYN | PKT_FIN | PKT_ACK}, [SR] = {"syn-rst", PKT_SYN | PKT_RST},
    [SRA] = {"syn-rst-ack", PKT_SYN | PKT_RST | PKT_ACK}, [FR] = {"fin-rst", PKT_FIN | PKT_RST},
    [FRA] = {"fin-rst-ack", PKT_FIN | PKT_RST | PKT_ACK}, [FPU] = {"fin-psh-urg", PKT_FIN | PKT_PSH | PKT_URG},
    [PUA] = {"psh-urg-ack", PKT_PSH | PKT_URG | PKT_ACK}, [FPUA] = {"fin-psh-urg-ack", PKT_FIN | PKT_PSH | PKT_URG | PKT_ACK},
    [EVERY] = {"all-flags", PKT_FIN | PKT_SYN | PKT_RST | PKT_PSH | PKT_ACK | PKT_URG},
};

/* Where SEG.SEQ lies. Distances are from RCV.NXT, or from the right edge RCV.NXT+RCV.WND; `lengths` times SEG.LEN is added. */
enum {
    OLDEST, OLD, LEFT, ACROSS_LEFT, NXT, AFTER_NXT, INSIDE, LAST, FITS, ACROSS_RIGHT, EDGE, BEYOND, NEWEST, /* there is a window */
    ZERO, ANY, MAX, WRAPS,                                                                                 /* there is none: as on the wire */
    SEQ_COUNT
};
enum fit { FITS_ANY, FITS_ONE /* SEG.LEN is 0 or 1 */, FITS_MORE /* SEG.LEN is 2 or more */ };
static const struct { const char *name; int64_t distance; bool from_edge; int twice_lengths; enum fit fit; } seq_classes[SEQ_COUNT] = {
    [OLDEST] = {"2g-old", -INT64_C(0x7fffffff), false, 0, FITS_ANY}, [OLD] = {"old", -70000, false, 0, FITS_ANY},
    [LEFT] = {"left", 0, false, -2, FITS_ANY}, [ACROSS_LEFT] = {"across-left", 0, false, -1, FITS_MORE},
    [NXT] = {"nxt", 0, false, 0, FITS_ANY}, [AFTER_NXT] = {"nxt+1", 1, false, 0, FITS_ANY}, [INSIDE] = {"inside", 500, false, 0, FITS_ANY},
    [LAST] = {"last", -1, true, 0, FITS_ONE}, [FITS] = {"fits", 0, true, -2, FITS_MORE},
    [ACROSS_RIGHT] = {"across-right", 0, true, -1, FITS_MORE}, [EDGE] = {"edge", 0, true, 0, FITS_ANY},
    [BEYOND] = {"beyond", 1000, true, 0, FITS_ANY}, [NEWEST] = {"2g-ahead", INT64_C(0x7fffffff), false, 0, FITS_ANY},
    [ZERO] = {"zero", 0, false, 0, FITS_ANY}, [ANY] = {"any", 1234567890, false, 0, FITS_ANY},
    [MAX] = {"max", UINT32_MAX, false, 0, FITS_ANY}, [WRAPS] = {"wraps", 0x100000000, false, -1, FITS_MORE},
};
#define SEQ_WINDOW ALL(ZERO)
#define SEQ_WIRE (ALL(SEQ_COUNT) & ~SEQ_WINDOW)

/* What SEG.ACK acknowledges, from the IUT's SND.UNA or SND.NXT. */
enum {
    NO_ACK, ACK_OLDEST, ACK_OLD, ACK_BELOW, ACK_UNA, ACK_INSIDE, ACK_NXT, ACK_AFTER, ACK_BEYOND, ACK_NEWEST, /* of a connection */
    ACK_ZERO, ACK_ANY, ACK_MAX,                                                                             /* as on the wire */
    ACK_COUNT
};
static const struct { const char *name; int64_t distance; bool from_nxt; } ack_classes[ACK_COUNT] = {
    [NO_ACK] = {"no-ack", 0, true}, [ACK_OLDEST] = {"ack-2g-old", -INT64_C(0x7fffffff), false},
    [ACK_OLD] = {"ack-old", -70000, false} /* below SND.UNA - MAX.SND.WND */, [ACK_BELOW] = {"ack-below-una", -1, false},
    [ACK_UNA] = {"ack-una", 0, false}, [ACK_INSIDE] = {"ack-inside", 0, false}, [ACK_NXT] = {"ack-nxt", 0, true},
    [ACK_AFTER] = {"ack-nxt+1", 1, true}, [ACK_BEYOND] = {"ack-beyond", 100000, true}, [ACK_NEWEST] = {"ack-2g-ahead", INT64_C(0x7fffffff), true},
    [ACK_ZERO] = {"ack-zero", 0, false}, [ACK_ANY] = {"ack-any", 987654321, false}, [ACK_MAX] = {"ack-max", UINT32_MAX, false},
};
#define ACK_SOME (ALL(ACK_ZERO) & ~BIT(NO_ACK))
#define ACK_WIRE (ALL(ACK_COUNT) & ~ALL(ACK_ZERO))

enum { EMPTY, ONE, TEN, FULL_SIZED, WINDOW, MORE_THAN_WINDOW, OCTETS_COUNT };
static const struct { const char *name; int octets; bool whole_window; } octets_classes[OCTETS_COUNT] = {
    [EMPTY] = {"0", 0, false}, [ONE] = {"1", 1, false}, [TEN] = {"10", 10, false}, [FULL_SIZED] = {"1400", 1400, false},
    [WINDOW] = {"window", 0, true}, [MORE_THAN_WINDOW] = {"window+1", 1, true},
};

enum { PLAIN, FRESH, SAME, STALE, ANCIENT, MISSING, ECHO_WRONG, STAMP_COUNT };
static const struct { const char *name; bool stamped; uint32_t later; int64_t echo; } stamp_classes[STAMP_COUNT] = {
    [PLAIN] = {"no-ts", false, 0, 0}, [FRESH] = {"ts-fresh", true, 10, 0}, [SAME] = {"ts-same", true, 0, 0},
    [STALE] = {"ts-stale", true, UINT32_MAX, 0}, [ANCIENT] = {"ts-ancient", true, UINT32_C(0x80000001), 0},
    [MISSING] = {"ts-missing", false, 0, 0}, [ECHO_WRONG] = {"ts-echo-wrong", true, 10, 100000},
};
#define STAMPS (ALL(STAMP_COUNT) & ~BIT(PLAIN))

/* ---- which combinations are tried ---------------------------------------------------------------------------------- */

enum how { PRODUCT, PAIRS };
struct combination { enum how how; uint32_t flags, seq, ack, octets, stamp; /* bits of the classes above */ };
#define ANY_ACK (BIT(NO_ACK) | ACK_SOME)
#define NEAR (BIT(LEFT) | BIT(ACROSS_LEFT) | BIT(NXT) | BIT(INSIDE) | BIT(ACROSS_RIGHT) | BIT(EDGE))
#define UNSTAMPED BIT(PLAIN)

static const struct combination connected[] = {
    {PAIRS, ALL(FLAGS_COUNT), SEQ_WINDOW, ANY_ACK, BIT(EMPTY) | BIT(TEN), UNSTAMPED},
    /* RST: its number decides, whatever it carries; what it acknowledges does not matter */
    {PRODUCT, BIT(R), SEQ_WINDOW, BIT(NO_ACK), BIT(EMPTY) | BIT(TEN), UNSTAMPED},
    {PRODUCT, BIT(RA), BIT(NXT) | BIT(INSIDE), ACK_SOME, BIT(EMPTY), UNSTAMPED},
    /* SYN: challenged in the window, acknowledged outside */
    {PRODUCT, BIT(S) | BIT(SA), SEQ_WINDOW, BIT(NO_ACK) | BIT(ACK_NXT), BIT(EMPTY), UNSTAMPED},
    /* ACK: acceptable number first, then what is acknowledged */
    {PRODUCT, BIT(A), SEQ_WINDOW, ACK_SOME, BIT(EMPTY), UNSTAMPED},
    /* text: where it lies, and that nothing is taken from a segment whose acknowledgment is wrong */
    {PRODUCT, BIT(PA), SEQ_WINDOW, BIT(ACK_NXT), BIT(ONE) | BIT(TEN), UNSTAMPED},
    {PRODUCT, BIT(A), NEAR, BIT(ACK_NXT), BIT(FULL_SIZED), UNSTAMPED},
    {PRODUCT, BIT(PA), BIT(NXT) | BIT(INSIDE), ACK_SOME, BIT(TEN), UNSTAMPED},
    /* FIN: likewise */
    {PRODUCT, BIT(FA), SEQ_WINDOW, BIT(ACK_NXT), BIT(EMPTY) | BIT(TEN), UNSTAMPED},
    {PRODUCT, BIT(FA), BIT(NXT) | BIT(AFTER_NXT), ACK_SOME, BIT(EMPTY) | BIT(TEN), UNSTAMPED},
};

static const struct combination connected_short[] = {
    {PRODUCT, BIT(R), SEQ_WINDOW, BIT(NO_ACK), BIT(EMPTY), UNSTAMPED},
    {PRODUCT, BIT(S) | BIT(SA), NEAR, BIT(NO_ACK) | BIT(ACK_NXT), BIT(EMPTY), UNSTAMPED},
    {PRODUCT, BIT(A), BIT(LEFT) | BIT(NXT) | BIT(EDGE), ACK_SOME, BIT(EMPTY), UNSTAMPED},
    {PRODUCT, BIT(PA), SEQ_WINDOW, BIT(ACK_NXT), BIT(ONE) | BIT(TEN), UNSTAMPED},
    {PRODUCT, BIT(FA), NEAR, BIT(ACK_UNA) | BIT(ACK_NXT), BIT(EMPTY) | BIT(TEN), UNSTAMPED},
    {PRODUCT, BIT(NONE) | BIT(F) | BIT(RA) | BIT(PUA) | BIT(EVERY), BIT(LEFT) | BIT(NXT) | BIT(EDGE), BIT(NO_ACK) | BIT(ACK_NXT), BIT(EMPTY), UNSTAMPED},
    {PRODUCT, BIT(UA) | BIT(FPUA), NEAR, BIT(ACK_NXT), BIT(TEN), UNSTAMPED},
};

static const struct combination connected_few[] = {
    {PRODUCT, BIT(R) | BIT(S) | BIT(A) | BIT(FA), BIT(LEFT) | BIT(NXT) | BIT(INSIDE) | BIT(EDGE), BIT(NO_ACK) | BIT(ACK_NXT), BIT(EMPTY), UNSTAMPED},
    {PRODUCT, BIT(PA) | BIT(FA), NEAR, BIT(ACK_NXT), BIT(TEN), UNSTAMPED},
    {PRODUCT, BIT(A), BIT(NXT), ACK_SOME, BIT(EMPTY) | BIT(TEN), UNSTAMPED},
};

static const struct combination small_window[] = {
    {PRODUCT, BIT(R) | BIT(S) | BIT(A) | BIT(SA) | BIT(RA), SEQ_WINDOW, BIT(NO_ACK) | BIT(ACK_NXT), BIT(EMPTY), UNSTAMPED},
    {PRODUCT, BIT(PA) | BIT(FA), SEQ_WINDOW, BIT(ACK_NXT), BIT(ONE) | BIT(TEN), UNSTAMPED},
    {PRODUCT, BIT(PA) | BIT(FA) | BIT(P) | BIT(UA) | BIT(R), BIT(OLDEST) | BIT(NXT) | BIT(AFTER_NXT) | BIT(EDGE), BIT(NO_ACK) | BIT(ACK_NXT),
     BIT(WINDOW) | BIT(MORE_THAN_WINDOW), UNSTAMPED},
};

static const struct combination stamped[] = {
    {PRODUCT, BIT(A) | BIT(R) | BIT(S) | BIT(FA), BIT(LEFT) | BIT(NXT) | BIT(INSIDE) | BIT(EDGE), BIT(NO_ACK) | BIT(ACK_NXT), BIT(EMPTY), STAMPS},
    {PRODUCT, BIT(PA), BIT(LEFT) | BIT(NXT) | BIT(INSIDE) | BIT(EDGE), BIT(ACK_NXT), BIT(TEN), STAMPS},
    {PRODUCT, BIT(A), BIT(NXT), BIT(ACK_BELOW) | BIT(ACK_UNA) | BIT(ACK_AFTER), BIT(EMPTY), STAMPS},
    {PRODUCT, BIT(RA) | BIT(SA) | BIT(F) | BIT(NONE), BIT(NXT), BIT(NO_ACK) | BIT(ACK_NXT), BIT(EMPTY), STAMPS},
};

#define SENT_ACKS (BIT(ACK_OLDEST) | BIT(ACK_BELOW) | BIT(ACK_UNA) | BIT(ACK_NXT) | BIT(ACK_AFTER) | BIT(ACK_NEWEST))
static const struct combination syn_sent[] = {
    {PAIRS, ALL(FLAGS_COUNT), SEQ_WIRE, BIT(NO_ACK) | SENT_ACKS, BIT(EMPTY) | BIT(TEN), UNSTAMPED},
    {PRODUCT, BIT(A) | BIT(SA) | BIT(RA) | BIT(FA) | BIT(PA) | BIT(SFA) | BIT(SRA), BIT(ANY) | BIT(MAX), SENT_ACKS, BIT(EMPTY) | BIT(TEN), UNSTAMPED},
};
static const struct combination syn_sent_few[] = {
    {PRODUCT, BIT(A) | BIT(SA) | BIT(RA) | BIT(FA), BIT(ANY), SENT_ACKS, BIT(EMPTY), UNSTAMPED},
    {PRODUCT, BIT(NONE) | BIT(F) | BIT(S) | BIT(R) | BIT(SF), BIT(ANY) | BIT(MAX), BIT(NO_ACK), BIT(EMPTY) | BIT(TEN), UNSTAMPED},
};
static const struct combination no_connection[] = {
    {PRODUCT, ALL(FLAGS_COUNT), SEQ_WIRE, BIT(NO_ACK) | ACK_WIRE, BIT(EMPTY) | BIT(TEN), UNSTAMPED},
};
static const struct combination no_connection_few[] = {
    {PRODUCT, ALL(FLAGS_COUNT), BIT(ANY), BIT(NO_ACK) | BIT(ACK_ANY), BIT(EMPTY) | BIT(TEN), UNSTAMPED},
};

static const struct { const struct combination *list; unsigned count; } sets[EVENT_SET_COUNT] = {
    [EVENTS_CONNECTED] = {connected, COUNT(connected)}, [EVENTS_CONNECTED_SHORT] = {connected_short, COUNT(connected_short)},
    [EVENTS_CONNECTED_FEW] = {connected_few, COUNT(connected_few)}, [EVENTS_SMALL_WINDOW] = {small_window, COUNT(small_window)},
    [EVENTS_STAMPED] = {stamped, COUNT(stamped)}, [EVENTS_SYN_SENT] = {syn_sent, COUNT(syn_sent)},
    [EVENTS_SYN_SENT_FEW] = {syn_sent_few, COUNT(syn_sent_few)}, [EVENTS_NO_CONNECTION] = {no_connection, COUNT(no_connection)},
    [EVENTS_NO_CONNECTION_FEW] = {no_connection_few, COUNT(no_connection_few)},
};

/* ---- does a combination mean anything? ------------------------------------------------------------------------------ */

static unsigned control_octets(unsigned flags)
{
    return (flag_sets[flags].flags & PKT_SYN ? 1 : 0) + (flag_sets[flags].flags & PKT_FIN ? 1 : 0);
}

static bool seq_makes_sense(const struct way *way, const struct event *e)
{
    unsigned len = (unsigned)octets_classes[e->octets].octets + control_octets(e->flags) + (octets_classes[e->octets].whole_window ? 2 : 0);
    enum fit fit = seq_classes[e->seq].fit;
    if ((fit == FITS_ONE && len > 1) || (fit == FITS_MORE && len < 2))
        return false;
    if (way->features & WAY_WINDOW_CLOSED) /* then RCV.NXT is the edge, and there is no inside */
        return e->seq != EDGE && e->seq != LAST && e->seq != FITS && e->seq != ACROSS_RIGHT;
    return true;
}

static bool ack_makes_sense(const struct way *way, const struct event *e)
{
    bool has_ack = flag_sets[e->flags].flags & PKT_ACK;
    int outstanding = way->nxt - way->una;
    if (has_ack != (e->ack != NO_ACK))
        return false;
    if (e->ack == ACK_UNA)
        return outstanding > 0;
    return e->ack != ACK_INSIDE || outstanding > 1;
}

static bool makes_sense(const struct way *way, const struct event *e)
{
    return seq_makes_sense(way, e) && ack_makes_sense(way, e);
}

/* ---- lists of events ------------------------------------------------------------------------------------------------ */

enum { CHOICES = 5, CLASSES_MAX = 32 };

struct list {
    const struct way *way;
    struct event *events;
    unsigned count, capacity;
    bool failed;
    bool met[CHOICES][CHOICES][CLASSES_MAX][CLASSES_MAX]; /* a class of this choice and one of that have been in one event */
};

static unsigned class_of(const struct event *e, unsigned choice)
{
    const uint8_t classes[CHOICES] = {e->flags, e->seq, e->ack, e->octets, e->stamp};
    return classes[choice];
}

static bool has(const struct list *list, const struct event *e)
{
    for (unsigned i = 0; i < list->count; i++)
        if (!memcmp(&list->events[i], e, sizeof *e))
            return true;
    return false;
}

static void note_pairs(struct list *list, const struct event *e)
{
    for (unsigned a = 0; a < CHOICES; a++)
        for (unsigned b = a + 1; b < CHOICES; b++)
            list->met[a][b][class_of(e, a)][class_of(e, b)] = true;
}

static unsigned new_pairs(const struct list *list, const struct event *e)
{
    unsigned count = 0;
    for (unsigned a = 0; a < CHOICES; a++)
        for (unsigned b = a + 1; b < CHOICES; b++)
            count += !list->met[a][b][class_of(e, a)][class_of(e, b)];
    return count;
}

static void add(struct list *list, const struct event *e)
{
    if (list->failed || has(list, e))
        return;
    if (list->count == list->capacity) {
        unsigned capacity = list->capacity ? 2 * list->capacity : 256;
        struct event *grown = realloc(list->events, capacity * sizeof *grown);
        list->failed = !grown;
        if (!grown)
            return;
        list->events = grown;
        list->capacity = capacity;
    }
    list->events[list->count++] = *e;
    note_pairs(list, e);
}

/* Steps an event through all combinations, the last choice fastest; false when it was the last. */
static bool next_event(const struct combination *c, struct event *e)
{
    const uint32_t allowed[CHOICES] = {c->flags, c->seq, c->ack, c->octets, c->stamp};
    uint8_t *const classes[CHOICES] = {&e->flags, &e->seq, &e->ack, &e->octets, &e->stamp};
    for (unsigned i = CHOICES; i-- > 0;) {
        uint32_t above = allowed[i] & ~(uint32_t)((UINT64_C(2) << *classes[i]) - 1);
        if (above) {
            *classes[i] = (uint8_t)__builtin_ctz(above);
            return true;
        }
        *classes[i] = (uint8_t)__builtin_ctz(allowed[i]);
    }
    return false;
}

static struct event first_event(const struct combination *c)
{
    return (struct event){(uint8_t)__builtin_ctz(c->flags), (uint8_t)__builtin_ctz(c->seq), (uint8_t)__builtin_ctz(c->ack),
                          (uint8_t)__builtin_ctz(c->octets), (uint8_t)__builtin_ctz(c->stamp)};
}

static void add_product(struct list *list, const struct combination *c)
{
    struct event e = first_event(c);
    do
        if (makes_sense(list->way, &e))
            add(list, &e);
    while (next_event(c, &e));
}

/* Takes, again and again, the event that has most pairs which no event before had, until there is none. Greedy, and so not the
 * least possible number, but near it. Only an event with as many new pairs as the last best is looked for, and less when there is
 * none. */
static void add_pairs(struct list *list, const struct combination *c)
{
    for (unsigned wanted = CHOICES * (CHOICES - 1) / 2; wanted > 0; wanted--) {
        struct event e = first_event(c);
        do
            if (makes_sense(list->way, &e) && new_pairs(list, &e) >= wanted)
                add(list, &e);
        while (next_event(c, &e));
    }
}

struct event *matrix_events(const struct way *way, unsigned *count)
{
    struct list *list = calloc(1, sizeof *list);
    if (!list)
        return NULL;
    list->way = way;
    for (enum how how = PRODUCT; how <= PAIRS; how++) /* what products have shown need not be shown again */
        for (unsigned i = 0; i < sets[way->events].count; i++) {
            const struct combination *c = &sets[way->events].list[i];
            if (c->how == how)
                (how == PRODUCT ? add_product : add_pairs)(list, c);
        }
    struct event *events = list->events;
    *count = list->count;
    if (list->failed) {
        free(events);
        events = NULL;
    }
    free(list);
    return events;
}

/* ---- an event made concrete ----------------------------------------------------------------------------------------- */

bool matrix_is_absolute(const struct way *way)
{
    return way->state == TCP_STATE_CLOSED || way->state == TCP_STATE_LISTEN || way->state == TCP_STATE_SYN_SENT;
}

static int64_t acknowledgment(const struct way *way, const struct event *e)
{
    if (e->ack >= ACK_ZERO)
        return ack_classes[e->ack].distance;
    if (e->ack == ACK_INSIDE)
        return way->una + (way->nxt - way->una) / 2;
    return ack_classes[e->ack].distance + (ack_classes[e->ack].from_nxt ? way->nxt : way->una);
}

/* Whether our FIN was acknowledged shows in nothing but its retransmission. */
static bool is_watched(const struct way *way, const struct event *e)
{
    bool may_acknowledge = e->flags == A || e->flags == FA;
    return way->features & WAY_FIN_UNACKED && may_acknowledge && e->seq == NXT && (e->ack == ACK_UNA || e->ack == ACK_NXT || e->ack == ACK_INSIDE) &&
           e->octets == EMPTY;
}

void matrix_event_class(const struct way *way, const struct event *e, struct segment_class *out)
{
    int octets = octets_classes[e->octets].octets, len = octets + (int)control_octets(e->flags);
    int lengths = seq_classes[e->seq].twice_lengths;
    if (e->seq == LEFT && len == 0) /* an empty segment left of the window is one to the left */
        len = 1;
    *out = (struct segment_class){
        .flags = flag_sets[e->flags].flags, .seq = seq_classes[e->seq].distance + lengths * len / 2, .from_edge = seq_classes[e->seq].from_edge,
        .octets = octets, .whole_window = octets_classes[e->octets].whole_window, .ack = acknowledgment(way, e),
        .stamped = stamp_classes[e->stamp].stamped, .tsval = TESTER_TSVAL + stamp_classes[e->stamp].later, .tsecr = stamp_classes[e->stamp].echo,
        .syn = (flag_sets[e->flags].flags & (PKT_SYN | PKT_ACK | PKT_RST)) == PKT_SYN, .watched = is_watched(way, e),
    };
    snprintf(out->name, sizeof out->name, "%s/%s/%s/%s/%s", flag_sets[e->flags].name, seq_classes[e->seq].name,
             ack_classes[e->ack].name, octets_classes[e->octets].name, stamp_classes[e->stamp].name);
}
