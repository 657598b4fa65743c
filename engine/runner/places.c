/* A player's endpoints: made when first mentioned, on the addresses and ports of the player's place. */
#include "engine/runner/play.h"

#include <stdlib.h>

static struct pkt_addr address_after(struct pkt_addr first, unsigned steps)
{
    unsigned last = first.version == 4 ? 3 : 15;
    for (unsigned i = last, carry = steps; carry && i < 16; i--) {
        carry += first.bytes[i];
        first.bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
    return first;
}

static void place_endpoint(struct player *p, struct endpoint *e, unsigned ordinal)
{
    const struct scn_endpoint *declared = &p->scenario->endpoints[e->slot];
    const struct target_info *info = &p->target->info;
    unsigned family = p->variant.ip_version == 6;
    unsigned address = p->place.tester_address + (declared->address_index ? declared->address_index - 1 : 0);
    e->tester.addr = address_after(info->tester[family], address % info->tester_count);
    e->tester.port = (uint16_t)(p->place.tester_port + (p->place.first_port + ordinal) % PLAYER_PORTS);
    e->iut.addr = info->iut[family];
    e->iut.port = p->on_open_port ? info->open_port : (uint16_t)(p->place.iut_port + declared->port_index % PLAYER_IUT_PORTS);
    e->isn_base = p->scenario->has_isn ? p->scenario->isn : p->scenario->has_front_matter ? (uint32_t)play_random(p) : 0;
}

/* Room for one more. False: out of memory. */
static bool make_endpoint(struct player *p)
{
    struct endpoint **grown = realloc(p->endpoints, (p->endpoints_made + 1) * sizeof *grown);
    if (!grown)
        return false;
    p->endpoints = grown;
    struct endpoint *made = malloc(sizeof *made);
    if (!made)
        return false;
    p->endpoints[p->endpoints_made++] = made;
    return true;
}

struct endpoint *play_endpoint_at(struct player *p, unsigned slot, int64_t subscript)
{
    for (unsigned i = p->endpoint_count; i-- > 0;)
        if (p->endpoints[i]->slot == slot && p->endpoints[i]->subscript == subscript)
            return p->endpoints[i];
    if (p->endpoint_count == PLAYER_ENDPOINTS_MAX)
        return NULL;
    if (p->endpoint_count == p->endpoints_made && !make_endpoint(p))
        return NULL;
    struct endpoint *e = p->endpoints[p->endpoint_count];
    *e = (struct endpoint){.slot = slot, .subscript = subscript};
    place_endpoint(p, e, p->endpoint_count++);
    return e;
}

struct endpoint *play_endpoint(struct player *p, const struct scn_endpoint_ref *ref)
{
    int64_t subscript = 0;
    char error[PLAYER_CAUSE_MAX];
    if (ref->subscript && !eval_number(p, p->values, ref->subscript, &subscript, NULL, error)) {
        play_stop(p, VERDICT_ERROR, "the subscript of @%s: %s", p->scenario->endpoints[ref->slot].name, error);
        return NULL;
    }
    struct endpoint *e = play_endpoint_at(p, ref->slot, subscript);
    if (!e)
        play_stop(p, VERDICT_ERROR, "more than %d endpoints", PLAYER_ENDPOINTS_MAX);
    return e;
}

struct endpoint *play_endpoint_of_port(struct player *p, const struct pkt_addr *tester, uint16_t port)
{
    unsigned place = (unsigned)(uint16_t)(port - p->place.tester_port);
    unsigned ordinal = (place + PLAYER_PORTS - p->place.first_port) % PLAYER_PORTS; /* ports are given out in order of making */
    if (place >= PLAYER_PORTS || ordinal >= p->endpoint_count)
        return NULL;
    struct endpoint *e = p->endpoints[ordinal];
    return endpoint_is_at(e, tester, port) ? e : NULL;
}
