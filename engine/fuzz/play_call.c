/* The calls of records, on the IUT's upper tester: what sockets.c does by way of a scenario. None blocks, and any result will do,
 * so that none is ever tried again. */
#include "engine/fuzz/play_inside.h"

#include <errno.h>

static int64_t make_descriptor(struct player *p, int64_t handle, unsigned number, struct descriptor **out)
{
    *out = play_add_descriptor(p, number, (int)handle);
    return *out ? (int64_t)number : -EMFILE;
}

static int64_t call_socket(struct player *p, unsigned number)
{
    struct descriptor *fd;
    const int64_t handle = p->target->ops->socket(p->target, p->variant.ip_version);
    return handle < 0 ? handle : make_descriptor(p, handle, number, &fd);
}

static int64_t call_bind(struct player *p, struct descriptor *fd, unsigned port_index)
{
    const struct pkt_endpoint local = {.addr = p->target->info.iut[p->variant.ip_version == 6],
                                       .port = (uint16_t)(p->place.iut_port + port_index % PLAYER_IUT_PORTS)};
    fd->bound_port = local.port;
    return p->target->ops->bind(p->target, fd->handle, &local);
}

static int64_t call_listen(struct player *p, struct descriptor *fd, int backlog)
{
    judging_catch_up(p);
    const int64_t result = p->target->ops->listen(p->target, fd->handle, backlog);
    if (result >= 0)
        judging_listen(p, fd, backlog);
    return result;
}

static int64_t call_accept(struct player *p, struct descriptor *listener, unsigned number)
{
    struct pkt_endpoint peer = {0};
    struct descriptor *fd;
    const int64_t handle = p->target->ops->accept(p->target, listener->handle, &peer);
    if (handle < 0)
        return handle;
    const int64_t result = make_descriptor(p, handle, number, &fd);
    if (!fd)
        return result;
    fd->endpoint = play_endpoint_of_port(p, &peer.addr, peer.port);
    play_learn_local_port(p, fd);
    judging_accept(p, listener, fd, &peer);
    return result;
}

static int64_t call_connect(struct player *p, struct descriptor *fd, unsigned slot)
{
    struct endpoint *e = play_endpoint_at(p, slot, 0);
    if (!e)
        return -EINVAL;
    const struct pkt_endpoint remote = e->tester;
    judging_catch_up(p);
    const int64_t result = p->target->ops->connect(p->target, fd->handle, &remote);
    play_note_connect(p, fd, e, &remote, result);
    return result;
}

static int64_t write_some(struct fuzz_play *f, struct descriptor *fd, size_t len, unsigned flags)
{
    struct player *p = f->player;
    play_fill_write(fd, f->transfer, len);
    judging_catch_up(p);
    const int64_t result = p->target->ops->send_data(p->target, fd->handle, f->transfer, len, flags);
    judging_send(p, fd, f->transfer, flags, result);
    play_note_write(fd, result);
    return result;
}

/* As much as is taken without waiting. */
static int64_t call_send(struct fuzz_play *f, struct descriptor *fd, size_t len, unsigned flags)
{
    size_t done = 0;
    do {
        const int64_t result = write_some(f, fd, len - done, flags);
        if (result < 0)
            return done ? (int64_t)done : result;
        done += (size_t)result;
        if (result == 0)
            break;
    } while (done < len);
    return (int64_t)done;
}

static int64_t call_receive(struct fuzz_play *f, struct descriptor *fd, size_t len, unsigned flags)
{
    struct player *p = f->player;
    judging_catch_up(p);
    const int64_t result = p->target->ops->receive_data(p->target, fd->handle, f->transfer, len, flags);
    judging_receive(p, fd, f->transfer, (int64_t)len, flags, result);
    if (result > 0)
        play_check_read(p, fd, f->transfer, (size_t)result, NULL, flags);
    return result;
}

static int64_t call_shutdown(struct player *p, struct descriptor *fd, enum target_shutdown how)
{
    judging_catch_up(p);
    const int64_t result = p->target->ops->shutdown(p->target, fd->handle, how);
    if (result >= 0)
        judging_shutdown(p, fd, how);
    return result;
}

static int64_t call_close(struct player *p, struct descriptor *fd)
{
    fd->open = false;
    judging_catch_up(p);
    const int64_t result = p->target->ops->close_handle(p->target, fd->handle);
    judging_close(p, fd);
    return result;
}

static int64_t call_set_option(struct player *p, struct descriptor *fd, const struct sockopt_choice *choice, unsigned value)
{
    const int64_t values[2] = {choice->linger ? 1 : choice->fixed < 0 ? (int64_t)value : choice->fixed, 0};
    const unsigned count = choice->linger ? 2 : 1;
    const char *name = play_option_name(p, choice->name);
    judging_catch_up(p);
    const int64_t result = p->target->ops->set_option(p->target, fd->handle, name, values, count);
    if (result >= 0)
        judging_option(p, fd, name, values, count);
    return result;
}

/* ---- a step of them ------------------------------------------------------------------------------------------------- */

bool play_is_call(enum op op)
{
    return op == OP_SOCKET || op == OP_SEND || op == OP_RECEIVE || op == OP_CLOSE || op == OP_SHUTDOWN || op == OP_ACCEPT || op == OP_CONNECT ||
           op == OP_BIND || op == OP_LISTEN || op == OP_SET_OPTION;
}

static int64_t make_call(struct fuzz_play *f, const struct fuzz_step *step)
{
    static const enum target_shutdown hows[] = {TARGET_SHUT_WR, TARGET_SHUT_RD, TARGET_SHUT_RDWR, TARGET_SHUT_WR};
    struct player *p = f->player;
    const uint8_t *r = step->record;
    const unsigned value = bytes_get16(r, AT_LEN), oob = r[AT_HOW] & HOW_URGENT ? TARGET_MSG_OOB : 0;
    if (step->op == OP_SOCKET)
        return call_socket(p, step->which);
    const unsigned about = step->op == OP_ACCEPT ? (unsigned)FD_FIRST + r[AT_SYN] % FD_COUNT : step->which;
    struct descriptor *fd = play_find_descriptor(p, about);
    if (!fd)
        return -EBADF;
    switch (step->op) {
    case OP_SEND: return call_send(f, fd, value, oob);
    case OP_RECEIVE: return call_receive(f, fd, value, oob);
    case OP_CLOSE: return call_close(p, fd);
    case OP_SHUTDOWN: return call_shutdown(p, fd, hows[r[AT_SYN] % 4]);
    case OP_ACCEPT: return call_accept(p, fd, step->which);
    case OP_CONNECT: return call_connect(p, fd, bytes_endpoints[r[AT_WHO] & WHO_ENDPOINT]);
    case OP_BIND: return call_bind(p, fd, r[AT_SYN] % FD_COUNT);
    case OP_LISTEN: return call_listen(p, fd, r[AT_SYN]);
    case OP_SET_OPTION: return call_set_option(p, fd, &bytes_sockopts[r[AT_SYN] % SOCKOPT_COUNT], value);
    case OP_SEGMENT: case OP_SOCKET: case OP_LINK: case OP_WAIT: case OP_FENCE: case OP_INCARNATION: case OP_ICMP: case OP_COUNT: break;
    }
    return -ENOSYS;
}

/* What a result says about whether the play can go on; see conclude() in call.c. */
static void conclude(struct player *p, enum op op, int64_t result)
{
    if (p->finished)
        return;
    if (result == -ECOMM)
        play_stop(p, VERDICT_ERROR, "the upper tester cannot be reached any more");
    else if (result == -EADDRINUSE && (op == OP_BIND || op == OP_LISTEN) && p->trace.segments == 0) {
        p->place_taken = true;
        play_stop(p, VERDICT_ERROR, "something from before still has this port at the IUT");
    } else if (result == -ENOSYS) {
        play_stop(p, VERDICT_NOT_APPLICABLE, "the target lacks a call");
    }
}

void play_octet_call(struct fuzz_play *f, const struct fuzz_step *step)
{
    struct player *p = f->player;
    if (p->on_open_port) /* somebody else plays the application */
        return;
    const int64_t result = make_call(f, step);
    play_stirred(p);
    conclude(p, step->op, result);
}
