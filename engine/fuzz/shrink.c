/* Delta debugging of octets (see shrink.h). A *question* is a list of inputs, each somewhat smaller than the best so far; the first
 * that still shows the finding becomes the best, and the rest of that list is made anew from it. */
#include "engine/fuzz/shrink.h"

#include "engine/scenario/bytes/layout.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 6 };

struct shrinking {
    const struct shrink *how;
    struct shrink_input *best;
    struct shrink_input *question;
    size_t count;       /* of the question */
    size_t asked;
};

void shrink_tidy(struct shrink_input *input)
{
    size_t steps = input->len <= SCN_BYTES_HEADER_LEN ? 0 : (input->len - SCN_BYTES_HEADER_LEN + SCN_BYTES_RECORD_LEN - 1) / SCN_BYTES_RECORD_LEN;
    if (steps > SCN_BYTES_STEPS_MAX)
        steps = SCN_BYTES_STEPS_MAX;
    const size_t whole = SCN_BYTES_HEADER_LEN + steps * SCN_BYTES_RECORD_LEN;
    if (input->len < whole)
        memset(input->octets + input->len, 0, whole - input->len);
    input->len = whole;
    memcpy(input->octets, scn_bytes_magic, SCN_BYTES_MAGIC_LEN);
}

unsigned shrink_steps(const struct shrink_input *input)
{
    return input->len <= SCN_BYTES_HEADER_LEN ? 0 : (unsigned)((input->len - SCN_BYTES_HEADER_LEN) / SCN_BYTES_RECORD_LEN);
}

static size_t record_at(unsigned step)
{
    return SCN_BYTES_HEADER_LEN + (size_t)step * SCN_BYTES_RECORD_LEN;
}

static bool is_used_up(const struct shrinking *s)
{
    return s->asked >= s->how->plays_max;
}

/* Asks the question. True when one of it shows the finding: it is the best then, and *which the place it had. */
static bool ask(struct shrinking *s, size_t *which)
{
    const size_t count = s->count;
    s->count = 0;
    if (count == 0)
        return false;
    *which = s->how->shows(s->how->context, s->question, count);
    s->asked += *which < count ? *which + 1 : count;
    if (*which >= count)
        return false;
    *s->best = s->question[*which];
    return true;
}

static struct shrink_input *propose(struct shrinking *s)
{
    struct shrink_input *input = &s->question[s->count++];
    *input = *s->best;
    return input;
}

/* ---- steps */

static void leave_out(struct shrink_input *input, unsigned first, unsigned steps)
{
    const size_t from = record_at(first), to = record_at(first + steps) < input->len ? record_at(first + steps) : input->len;
    memmove(input->octets + from, input->octets + to, input->len - to);
    input->len -= to - from;
}

/* Leaves out runs of this many steps, last first: what comes late is most often beside the point. */
static bool drop_runs(struct shrinking *s, unsigned run)
{
    bool better = false;
    unsigned end = shrink_steps(s->best);
    while (end > 0 && !is_used_up(s)) {
        unsigned ends[64];
        for (unsigned at = end; at > 0 && s->count < s->how->at_once_max && s->count < 64; at = at > run ? at - run : 0) {
            ends[s->count] = at;
            leave_out(propose(s), at > run ? at - run : 0, at < run ? at : run);
        }
        size_t asked = s->count, which;
        if (ask(s, &which)) {
            better = true;
            end = ends[which] > run ? ends[which] - run : 0;
        } else {
            end = ends[asked - 1] > run ? ends[asked - 1] - run : 0;
        }
    }
    return better;
}

static bool drop_steps(struct shrinking *s)
{
    bool better = false;
    for (unsigned run = shrink_steps(s->best); run > 0 && !is_used_up(s); run /= 2)
        for (bool helps = true; helps && run <= shrink_steps(s->best); helps = helps && run == 1) {
            helps = drop_runs(s, run);
            better |= helps;
        }
    return better;
}

/* ---- fields: places that belong together are tried together before they are tried apart */

struct field { uint8_t at, len; };
static const struct field record_fields[] = {
    {AT_WHO, 22}, {AT_TSVAL, 9}, {AT_OPTIONS, 7}, {AT_KEY, 3}, {AT_TIME, 1}, {AT_HOW, 5}, {AT_SEQ, 2}, {AT_ACK, 2}, {AT_WINDOW, 2}, {AT_LEN, 2},
    {AT_WHO, 1}, {AT_HOW, 1}, {AT_OPTIONS, 1}, {AT_TSVAL, 2}, {AT_TSECR, 1}, {AT_SYN, 1}, {AT_FIRST, 1}, {AT_SECOND, 1}, {AT_KEY, 1}, {AT_VALUE, 2},
    {AT_URGENT, 1}, {AT_FLAGS, 1},
};
static const struct field header_fields[] = {{HEADER_WAY, 4}, {HEADER_USE, 3}, {HEADER_USE, 1}, {HEADER_SYN, 1}, {HEADER_ISN, 1}, {HEADER_WAY, 1}};
static const struct field numbers[] = {{AT_LEN, 2}, {AT_SEQ, 2}, {AT_ACK, 2}, {AT_WINDOW, 2}, {AT_TSVAL, 2}, {AT_VALUE, 2}};

static bool is_zero(const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (octets[i])
            return false;
    return true;
}

/* Sets fields at this place to zero, those that are not, as long as that helps. */
static bool clear_fields(struct shrinking *s, size_t place, const struct field *fields, size_t count)
{
    bool better = false;
    for (size_t next = 0; next < count && !is_used_up(s);) {
        size_t places[64], which;
        for (; next < count && s->count < s->how->at_once_max && s->count < 64; next++) {
            if (is_zero(s->best->octets + place + fields[next].at, fields[next].len))
                continue;
            places[s->count] = next;
            memset(propose(s)->octets + place + fields[next].at, 0, fields[next].len);
        }
        if (ask(s, &which)) {
            better = true;
            next = places[which] + 1;
        }
    }
    return better;
}

/* Bits that each say something of their own, one by one. */
static bool clear_bits(struct shrinking *s, size_t at)
{
    bool better = false;
    for (unsigned bit = 0; bit < 8 && !is_used_up(s); bit++) {
        size_t which;
        if (!(s->best->octets[at] & 1u << bit))
            continue;
        struct shrink_input *without = propose(s);
        without->octets[at] = (uint8_t)(without->octets[at] & ~(1u << bit));
        better |= ask(s, &which);
    }
    return better;
}

/* Towards zero from either side, by halves; numbers are signed where that makes a difference. */
static bool halve_numbers(struct shrinking *s, size_t place)
{
    bool better = false;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (bool helps = true; helps && !is_used_up(s);) {
            int16_t number = (int16_t)bytes_get16(s->best->octets + place, numbers[i].at);
            size_t which;
            if (number == 0 || number == 1 || number == -1)
                break;
            bytes_put16(propose(s)->octets + place, numbers[i].at, (uint16_t)(number / 2));
            helps = ask(s, &which);
            better |= helps;
        }
    return better;
}

/* An operation stands in its table more than once; the first place is the plain one, and says the same. */
static void plain_operations(struct shrink_input *input)
{
    for (unsigned step = 0; step < shrink_steps(input); step++) {
        uint8_t *op = &input->octets[record_at(step)];
        *op = bytes_place_of(bytes_ops, OP_TABLE_COUNT, bytes_ops[*op % OP_TABLE_COUNT]);
    }
}

static bool simplify_steps(struct shrinking *s)
{
    static const uint8_t with_bits[] = {AT_WHO, AT_HOW, AT_OPTIONS};
    bool better = clear_fields(s, 0, header_fields, sizeof header_fields / sizeof *header_fields);
    better |= clear_bits(s, HEADER_USE);
    for (unsigned step = shrink_steps(s->best); step-- > 0 && !is_used_up(s);) {
        better |= clear_fields(s, record_at(step), record_fields, sizeof record_fields / sizeof *record_fields);
        for (size_t i = 0; i < sizeof with_bits; i++)
            better |= clear_bits(s, record_at(step) + with_bits[i]);
        better |= halve_numbers(s, record_at(step));
    }
    return better;
}

/* ---- */

size_t shrink(const struct shrink *how, struct shrink_input *input)
{
    struct shrink_input *best = malloc(sizeof *best);
    struct shrinking s = {.how = how, .best = best, .question = calloc(how->at_once_max, sizeof *s.question)};
    if (best && s.question) {
        size_t which;
        *best = *input;
        shrink_tidy(propose(&s));
        plain_operations(&s.question[0]);
        ask(&s, &which);
        for (unsigned round = 0; round < ROUNDS_MAX && !is_used_up(&s); round++) {
            bool fewer = drop_steps(&s), simpler = simplify_steps(&s);
            if (!fewer && !simpler)
                break;
        }
        *input = *best;
    }
    free(best);
    free(s.question);
    return s.asked;
}
