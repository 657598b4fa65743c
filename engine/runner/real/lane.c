/* A lane: one instance of the target, who owns which of its ports, and the packets that come from it. */
#include "engine/runner/real/real.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

/* The tester's ports are dealt out in blocks, one block of one address a player: a packet's address and port tell whose it is. */
enum { FIRST_TESTER_PORT = 16384, FIRST_IUT_PORT = 1024, PORTS_APART = 64 };

struct lane *lane_open(struct real *r, const struct suite_test *test)
{
    struct target *target = schedule_open(r->s, test, r->error);
    if (!target)
        return NULL;
    struct lane *lane = calloc(1, sizeof *lane);
    unsigned first_port = target->info.port_count ? target->info.first_port : FIRST_TESTER_PORT;
    unsigned port_blocks = (target->info.port_count ? target->info.port_count : 65536u - FIRST_TESTER_PORT) / PLAYER_PORTS;
    struct player **owners = calloc((size_t)target->info.tester_count * port_blocks, sizeof(struct player *));
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = lane}};
    if (!lane || !owners || epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, target->ops->fd(target), &event) < 0) {
        *r->error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE};
        snprintf(r->error->text, sizeof r->error->text, "cannot wait for the target: %s", strerror(errno));
        free(lane);
        free(owners);
        target->ops->close(target);
        return NULL;
    }
    *lane = (struct lane){.real = r, .target = target, .owners = owners, .empty_ns = real_now_ns(), .exclusive = test != NULL,
                           .first_port = first_port, .port_blocks = port_blocks};
    lane->capabilities = target->info.capabilities;
    lane->troubles = schedule_troubles(target, lane->trouble, sizeof lane->trouble);
    return r->lanes[r->lane_count++] = lane;
}

void lane_close(struct real *r, unsigned index)
{
    struct lane *lane = r->lanes[index];
    for (unsigned i = 0; i < lane->seat_count; i++)
        player_free(lane->seats[i].player);
    lane->target->ops->close(lane->target);
    free(lane->owners);
    free(lane->seats);
    free(lane);
    memmove(&r->lanes[index], &r->lanes[index + 1], (r->lane_count - index - 1) * sizeof *r->lanes);
    r->lane_count--;
}

static struct player **owner_of(const struct lane *lane, unsigned address, uint16_t port)
{
    if (address >= lane->target->info.tester_count || port < lane->first_port)
        return NULL;
    unsigned block = (port - lane->first_port) / PLAYER_PORTS;
    return block < lane->port_blocks ? &lane->owners[address * lane->port_blocks + block] : NULL;
}

/* The n-th place: neighbours differ in everything. */
static struct player_place place_of(const struct lane *lane, uint64_t n)
{
    unsigned count = lane->target->info.tester_count;
    return (struct player_place){
        .tester_address = (unsigned)(n % count),
        .tester_port = (uint16_t)(lane->first_port + n / count % lane->port_blocks * PLAYER_PORTS),
        .first_port = (uint16_t)(n / count / lane->port_blocks * PORTS_APART % PLAYER_PORTS),
        .iut_port = (uint16_t)(FIRST_IUT_PORT + n % IUT_PORT_GROUPS * PLAYER_IUT_PORTS),
        .echo_id = (uint16_t)(n + 1),
    };
}

bool *lane_iut_port_taken(struct lane *lane, uint16_t iut_port)
{
    return &lane->iut_ports_taken[(unsigned)(iut_port - FIRST_IUT_PORT) / PLAYER_IUT_PORTS];
}

static bool is_free(struct lane *lane, const struct player_place *place, unsigned addresses)
{
    bool free_place = !*lane_iut_port_taken(lane, place->iut_port);
    for (unsigned i = 0; i < addresses && free_place; i++) {
        struct player **owner = owner_of(lane, place->tester_address + i, place->tester_port);
        free_place = !owner || !*owner;
    }
    return free_place;
}

/* Places come round while a player who takes his time still has his: then the next one is taken. */
struct player_place lane_deal_place(struct lane *lane, const struct scenario *scenario, unsigned *addresses)
{
    unsigned count = lane->target->info.tester_count;
    struct player_place place;
    *addresses = schedule_addresses_needed(scenario);
    for (unsigned tries = 0; tries <= IUT_PORT_GROUPS; tries++) {
        if (lane->real->next_place % count + *addresses > count) /* a player's addresses lie side by side */
            lane->real->next_place += count - lane->real->next_place % count;
        place = place_of(lane, lane->real->next_place);
        lane->real->next_place += *addresses;
        if (is_free(lane, &place, *addresses))
            break;
    }
    *lane_iut_port_taken(lane, place.iut_port) = true;
    return place;
}

void lane_set_owner(struct lane *lane, const struct player_place *place, unsigned addresses, struct player *player)
{
    for (unsigned i = 0; i < addresses; i++) {
        struct player **owner = owner_of(lane, place->tester_address + i, place->tester_port);
        if (owner)
            *owner = player;
    }
}

/* ---- packets */

static unsigned address_index(const struct target_info *info, const struct pkt_addr *addr)
{
    const struct pkt_addr *first = &info->tester[addr->version == 6];
    unsigned last = addr->version == 6 ? 15 : 3;
    uint32_t a = (uint32_t)addr->bytes[last] | (uint32_t)addr->bytes[last - 1] << 8;
    uint32_t f = (uint32_t)first->bytes[last] | (uint32_t)first->bytes[last - 1] << 8;
    return a - f;
}

static struct player *addressee(const struct lane *lane, const struct packet *packet)
{
    if (packet->kind == PKT_KIND_TCP) {
        struct player **owner = owner_of(lane, address_index(&lane->target->info, &packet->ip.dst), packet->tcp.dst_port);
        return owner && *owner && player_owns(*owner, packet) ? *owner : NULL;
    }
    for (unsigned i = 0; i < lane->seat_count; i++)
        if (player_owns(lane->seats[i].player, packet))
            return lane->seats[i].player;
    return NULL;
}

/* Hands a packet to its player. at_ns: when the IUT emitted it, 0 where the driver cannot tell. */
static void deliver(struct real *r, struct lane *lane, size_t len, int64_t at_ns)
{
    struct packet packet;
    pkt_parse(r->buffer, len, &packet);
    struct player *player = addressee(lane, &packet);
    if (!player)
        return;
    int64_t read_ns = real_now_ns(), earliest = lane->empty_ns, latest = read_ns;
    if (at_ns > earliest && at_ns < latest)
        earliest = latest = at_ns;
    player_held_up(player, read_ns - earliest);
    player_receive(player, r->buffer, len, earliest - lane->target->info.rtt_ns, latest); /* it was on its way for a part of that */
}

/* The link is gone, or (status 0) trouble() says that something failed: what is being played proves nothing. */
void lane_troubled(struct lane *lane, int status)
{
    if (status && !lane->target->ops->trouble)
        snprintf(lane->trouble, sizeof lane->trouble, "the link to the target is gone: %s", strerror(status));
    for (unsigned i = 0; i < lane->seat_count; i++) {
        lane->seats[i].troubled = true;
        if (status)
            player_abort(lane->seats[i].player, "the link to the target is gone");
    }
    lane->link_gone |= status != 0;
}

/* Reads all that the lane's IUT has sent. True when there was something. */
bool lane_drain(struct real *r, struct lane *lane)
{
    lane->draining = true;
    for (bool any = false;; any = true) {
        int64_t before = real_now_ns(), at_ns = 0;
        ssize_t len = lane->target->ops->receive(lane->target, r->buffer, PKT_BYTES_MAX, &at_ns);
        if (len == 0) {
            lane->empty_ns = before;
            lane->draining = false;
            return any;
        }
        if (len < 0) {
            lane_troubled(lane, (int)-len);
            lane->draining = false;
            return false;
        }
        deliver(r, lane, (size_t)len, at_ns);
    }
}

/* The same in the midst of a player's run. */
void lane_catch_up(void *context)
{
    struct lane *lane = context;
    if (!lane->draining)
        lane_drain(lane->real, lane);
}
