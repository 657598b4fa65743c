/* What two targets do differently (see differ.h). */
#include "engine/fuzz/differ.h"

#include "engine/fuzz/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct differ {
    struct differ_choice *choices[DIFFER_CHOICES_MAX];
    size_t count;
};

struct differ *differ_new(void)
{
    return calloc(1, sizeof(struct differ));
}

void differ_free(struct differ *d)
{
    for (size_t i = 0; d && i < d->count; i++)
        free(d->choices[i]);
    free(d);
}

static uint16_t reactions_to(const struct reactions *r, unsigned state, unsigned event)
{
    uint16_t set = 0;
    for (unsigned reaction = 0; reaction < REACTIONS; reaction++)
        if (r->counts[state][event][reaction])
            set |= (uint16_t)(1u << reaction);
    return set;
}

static struct differ_choice *choice_of(struct differ *d, unsigned state, unsigned event, uint16_t a, uint16_t b)
{
    for (size_t i = 0; i < d->count; i++) {
        struct differ_choice *c = d->choices[i];
        if (c->state == state && c->event == event && c->did[0] == a && c->did[1] == b)
            return c;
    }
    struct differ_choice *fresh = d->count < DIFFER_CHOICES_MAX ? calloc(1, sizeof *fresh) : NULL;
    if (!fresh)
        return NULL;
    *fresh = (struct differ_choice){.state = (uint8_t)state, .event = (uint8_t)event, .did = {a, b}};
    return d->choices[d->count++] = fresh;
}

static void note(struct differ *d, const struct shrink_input *input, unsigned state, unsigned event, uint16_t a, uint16_t b)
{
    struct differ_choice *choice = choice_of(d, state, event, a, b);
    if (!choice)
        return;
    if (choice->plays++ == 0 || input->len < choice->example.len)
        choice->example = *input;
}

/* When a timer fires, and whether a call causes a segment at once, depends on much else: only arrivals are compared. */
void differ_note(struct differ *d, const struct shrink_input *input, const struct reactions *a, const struct reactions *b)
{
    for (unsigned state = 0; state < TCP_STATE_COUNT; state++)
        for (unsigned event = 0; event <= REACTION_ICMP; event++) {
            if (!memcmp(a->counts[state][event], b->counts[state][event], REACTIONS))
                continue;
            const uint16_t did_a = reactions_to(a, state, event), did_b = reactions_to(b, state, event);
            if (did_a && did_b && did_a != did_b)
                note(d, input, state, event, did_a, did_b);
        }
}

size_t differ_count(const struct differ *d)
{
    return d->count;
}

const struct differ_choice *differ_at(const struct differ *d, size_t index)
{
    return d->choices[index];
}

static int in_order(const void *left, const void *right)
{
    const struct differ_choice *a = *(struct differ_choice *const *)left, *b = *(struct differ_choice *const *)right;
    if (a->state != b->state)
        return a->state < b->state ? -1 : 1;
    if (a->event != b->event)
        return a->event < b->event ? -1 : 1;
    if (a->plays != b->plays)
        return a->plays > b->plays ? -1 : 1;
    return memcmp(a->did, b->did, sizeof a->did);
}

void differ_sort(struct differ *d)
{
    qsort(d->choices, d->count, sizeof(struct differ_choice *), in_order);
}

void differ_words(unsigned did, char *out, size_t capacity)
{
    size_t len = 0;
    *out = '\0';
    for (unsigned reaction = 0; reaction < REACTIONS; reaction++)
        if (did & 1u << reaction && len < capacity) {
            const int more = snprintf(out + len, capacity - len, "%s%s", len ? " or " : "", reaction_name(reaction));
            len += more > 0 ? (size_t)more : 0;
        }
}

static int store_example(const struct differ_choice *choice, const char *out, size_t number, char *error, size_t error_size)
{
    char path[4096];
    struct scenario *scenario = scn_bytes_decode(choice->example.octets, choice->example.len);
    char *text = scenario ? scn_print(scenario) : NULL;
    snprintf(path, sizeof path, "%s/choices/%zu.pkt", out, number);
    int failed = -1;
    if (text)
        failed = store_write(path, text, strlen(text), error, error_size);
    else
        snprintf(error, error_size, "out of memory");
    free(text);
    scn_free(scenario);
    return failed;
}

static void print_row(FILE *table, const struct differ_choice *c, size_t number)
{
    char event[REACTION_EVENT_TEXT_MAX], a[160], b[160];
    differ_words(c->did[0], a, sizeof a);
    differ_words(c->did[1], b, sizeof b);
    fprintf(table, "%s\t%s\t%s\t%s\t%llu\tchoices/%zu.pkt\n", reaction_state_name(c->state), reaction_event_name(c->event, event),
            a, b, (unsigned long long)c->plays, number);
}

int differ_store(const struct differ *d, const char *out, const char *a, const char *b, char *error, size_t error_size)
{
    char path[4096], *text = NULL;
    size_t len = 0;
    snprintf(path, sizeof path, "%s/choices", out);
    int failed = store_make_folder(path, error, error_size);
    FILE *table = open_memstream(&text, &len);
    if (!table) {
        snprintf(error, error_size, "out of memory");
        return -1;
    }
    fprintf(table, "state\tevent\t%s\t%s\tplays\texample\n", a, b);
    for (size_t i = 0; i < d->count && !failed; i++) {
        print_row(table, d->choices[i], i + 1);
        failed = store_example(d->choices[i], out, i + 1, error, error_size);
    }
    fclose(table);
    snprintf(path, sizeof path, "%s/choices.tsv", out);
    if (!failed && text)
        failed = store_write(path, text, len, error, error_size);
    free(text);
    return failed;
}
