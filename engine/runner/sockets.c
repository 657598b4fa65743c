/* The sockets calls of a scenario, one function each, on the IUT's upper tester: arguments in, a result or a negative errno value
 * out. */
#include "engine/runner/attempt.h"
#include "engine/runner/judging.h"
#include "engine/runner/open_port.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALL_BUFFER_BYTES = 1 << 20, CALL_O_RDWR = 2, CALL_O_NONBLOCK = 0x800, CAPTURED_FD_BASE = 1000 };

/* ---- numbers and names in arguments */

struct constant { const char *name; int64_t value; };
static const struct constant constants[] = {
    {"AF_INET", 2}, {"PF_INET", 2}, {"AF_INET6", 10}, {"PF_INET6", 10}, {"SOCK_STREAM", 1}, {"SOCK_NONBLOCK", CALL_O_NONBLOCK},
    {"SOCK_CLOEXEC", 0x80000}, {"IPPROTO_TCP", 6}, {"O_RDWR", CALL_O_RDWR}, {"O_NONBLOCK", CALL_O_NONBLOCK}, {"F_GETFL", 3}, {"F_SETFL", 4},
    {"SHUT_RD", TARGET_SHUT_RD}, {"SHUT_WR", TARGET_SHUT_WR}, {"SHUT_RDWR", TARGET_SHUT_RDWR}, {"MSG_OOB", 1}, {"MSG_PEEK", 2},
    {"MSG_DONTWAIT", 0x40}, {"MSG_NOSIGNAL", 0x4000}, {"MSG_MORE", 0x8000}, {"MSG_FASTOPEN", 0x20000000}, {"POLLIN", 1}, {"POLLPRI", 2},
    {"POLLOUT", 4}, {"POLLERR", 8}, {"POLLHUP", 0x10}, {"POLLRDNORM", 0x40}, {"POLLWRNORM", 0x100}, {"POLLRDHUP", 0x2000},
    {"INADDR_ANY", 0}, {"IPTOS_LOWDELAY", 0x10}, {"IPTOS_THROUGHPUT", 8}, {"TCP_FASTOPEN_CONNECT", 30},
};

static bool argument_number(struct attempt *a, const struct scn_expr *e, int64_t *out)
{
    int64_t left, right;
    if (e->kind == SCN_EXPR_NAME) {
        for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
            if (!strcmp(constants[i].name, e->text)) {
                *out = constants[i].value;
                return true;
            }
        snprintf(a->why, sizeof a->why, "%s is not known to the upper tester", e->text);
        return false;
    }
    if (e->kind == SCN_EXPR_BINARY && e->op == SCN_OP_OR) {
        if (!argument_number(a, e->child[0], &left) || !argument_number(a, e->child[1], &right))
            return false;
        *out = left | right;
        return true;
    }
    char error[PLAYER_CAUSE_MAX];
    if (eval_number(a->p, a->p->values, e, out, NULL, error))
        return true;
    snprintf(a->why, sizeof a->why, "%.150s", error);
    return false;
}

static const struct scn_expr *argument(const struct attempt *a, unsigned i)
{
    return i < a->call->argument_count ? a->call->arguments[i] : NULL;
}

static bool is_ellipsis(const struct scn_expr *e)
{
    return !e || e->kind == SCN_EXPR_ELLIPSIS;
}

/* A number argument; fallback when it is missing or "...". */
static bool number_argument(struct attempt *a, unsigned i, int64_t fallback, int64_t *out)
{
    *out = fallback;
    return is_ellipsis(argument(a, i)) || argument_number(a, argument(a, i), out);
}

static const struct scn_expr *struct_field(const struct scn_expr *e, const char *name)
{
    for (unsigned i = 0; e && e->kind == SCN_EXPR_STRUCT && i < e->child_count; i++)
        if (e->child[i]->kind == SCN_EXPR_FIELD && !strcmp(e->child[i]->text, name))
            return e->child[i]->child[0];
    return NULL;
}

/* The value inside [n], n, or the i-th of a list. */
static const struct scn_expr *list_element(const struct scn_expr *e, unsigned i)
{
    if (e && e->kind == SCN_EXPR_LIST)
        return i < e->child_count ? e->child[i] : NULL;
    return i == 0 ? e : NULL;
}

/* ---- descriptors */

struct descriptor *play_find_descriptor(struct player *p, int64_t number)
{
    for (unsigned i = 0; i < p->fd_count; i++)
        if (p->fds[i].number == number && p->fds[i].open)
            return &p->fds[i];
    return NULL;
}

struct descriptor *play_add_descriptor(struct player *p, int64_t number, int handle)
{
    struct descriptor *fd = NULL;
    for (unsigned i = 0; i < p->fd_count && !fd; i++)
        if (!p->fds[i].open)
            fd = &p->fds[i];
    if (!fd && p->fd_count < PLAYER_FDS_MAX)
        fd = &p->fds[p->fd_count++];
    if (fd)
        *fd = (struct descriptor){.number = number, .handle = handle, .open = true};
    return fd;
}

/* The number the scenario gives to a new descriptor: `= 4`, or `= <=4`, which is content with an error. */
static int64_t number_for(struct attempt *a, int handle)
{
    const struct scn_match *result = &a->call->result;
    int64_t number;
    char error[PLAYER_CAUSE_MAX];
    const bool numbers = result->relation == SCN_EQ || result->relation == SCN_LE;
    if (numbers && eval_number(a->p, a->p->values, result->value, &number, NULL, error) && number >= 0)
        return number;
    return CAPTURED_FD_BASE + handle;
}

int64_t attempt_new_descriptor(struct attempt *a, int64_t handle, struct descriptor **out)
{
    int64_t number = number_for(a, (int)handle);
    *out = play_add_descriptor(a->p, number, (int)handle);
    if (!*out) {
        snprintf(a->why, sizeof a->why, "more than %d descriptors", PLAYER_FDS_MAX);
        return -EMFILE;
    }
    return number;
}

/* ---- addresses: "...", @endpoint, {port=1}, or packetdrill's sockaddr with a port */

static bool local_address(struct attempt *a, const struct scn_expr *e, struct pkt_endpoint *out)
{
    struct player *p = a->p;
    int64_t index = 0, port;
    const struct scn_expr *port_index = struct_field(e, "port"), *sin_port = struct_field(e, "sin_port");
    if (!sin_port)
        sin_port = struct_field(e, "sin6_port");
    *out = (struct pkt_endpoint){.addr = p->target->info.iut[p->variant.ip_version == 6]};
    if (port_index && !argument_number(a, port_index, &index))
        return false;
    out->port = (uint16_t)(p->place.iut_port + index % PLAYER_IUT_PORTS);
    if (sin_port && sin_port->kind == SCN_EXPR_CALL && sin_port->child_count) /* htons(8080) */
        sin_port = sin_port->child[0];
    if (sin_port && argument_number(a, sin_port, &port))
        out->port = (uint16_t)port;
    return !*a->why;
}

static struct endpoint *remote_endpoint(struct attempt *a, const struct scn_expr *e)
{
    int64_t subscript = 0;
    if (!e || e->kind != SCN_EXPR_ENDPOINT)
        return play_endpoint_at(a->p, 0, 0);
    if (e->child_count && !argument_number(a, e->child[0], &subscript))
        return NULL;
    return play_endpoint_at(a->p, e->slot, subscript);
}

void play_learn_local_port(struct player *p, struct descriptor *fd)
{
    struct pkt_endpoint local;
    fd->tester_stream = fd->endpoint ? fd->endpoint->tester_streams : 0;
    if (fd->endpoint && p->target->ops->local_endpoint(p->target, fd->handle, &local) >= 0 && local.port) {
        fd->endpoint->iut.port = local.port;
        fd->endpoint->iut_port_known = true;
    }
}

/* ---- the calls: each returns a result, or a negative errno value; -EAGAIN or -EINPROGRESS means not yet */

static int64_t do_socket(struct attempt *a)
{
    struct descriptor *fd;
    int64_t type;
    if (!number_argument(a, 1, 1, &type))
        return -EINVAL;
    int64_t handle = a->p->target->ops->socket(a->p->target, a->p->variant.ip_version);
    if (handle < 0)
        return handle;
    int64_t number = attempt_new_descriptor(a, handle, &fd);
    if (fd)
        fd->nonblocking = type & CALL_O_NONBLOCK;
    return number;
}

static int64_t do_bind(struct attempt *a)
{
    struct pkt_endpoint local;
    if (!local_address(a, argument(a, 1), &local))
        return -EINVAL;
    a->fd->bound_port = local.port;
    return a->p->target->ops->bind(a->p->target, a->fd->handle, &local);
}

static int64_t do_listen(struct attempt *a)
{
    int64_t backlog;
    if (!number_argument(a, 1, 1, &backlog))
        return -EINVAL;
    judging_catch_up(a->p);
    int64_t result = a->p->target->ops->listen(a->p->target, a->fd->handle, (int)backlog);
    if (result >= 0)
        judging_listen(a->p, a->fd, backlog);
    return result;
}

static int64_t do_accept(struct attempt *a)
{
    struct pkt_endpoint peer = {0};
    struct descriptor *fd;
    int64_t handle = a->p->target->ops->accept(a->p->target, a->fd->handle, &peer);
    if (handle < 0)
        return handle;
    struct endpoint *wanted = argument(a, 1) && argument(a, 1)->kind == SCN_EXPR_ENDPOINT ? remote_endpoint(a, argument(a, 1)) : NULL;
    int64_t number = attempt_new_descriptor(a, handle, &fd);
    if (!fd)
        return number;
    fd->endpoint = play_endpoint_of_port(a->p, &peer.addr, peer.port);
    play_learn_local_port(a->p, fd);
    judging_accept(a->p, a->fd, fd, &peer);
    if (wanted && wanted != fd->endpoint) {
        struct play_cause cause = {.rule = "call", .expected = a->step->source, .observed = "another connection"};
        snprintf(cause.message, sizeof cause.message, "accept() gave another connection than the scenario asks for (peer port %u)",
                 peer.port);
        play_blame(a->p, &cause);
    }
    return number;
}

/* After EINPROGRESS, a connect is over when the socket is writable or in error; SO_ERROR tells how it ended. */
static int64_t finish_connect(struct attempt *a)
{
    const struct target_ops *ops = a->p->target->ops;
    int64_t error = 0;
    if (!(ops->poll(a->p->target, a->fd->handle) & (TARGET_EVENT_OUT | TARGET_EVENT_ERROR | TARGET_EVENT_HANGUP)))
        return -EINPROGRESS;
    int64_t result = ops->get_option(a->p->target, a->fd->handle, "SO_ERROR", &error);
    if (result >= 0)
        judging_error(a->p, a->fd, error);
    return result < 0 ? result : -error;
}

void play_note_connect(struct player *p, struct descriptor *fd, struct endpoint *e, const struct pkt_endpoint *remote,
                       int64_t result)
{
    const bool told = fd->connect_untold && result != -EALREADY;
    fd->connect_untold = result == -EINPROGRESS || (fd->connect_untold && result == -EALREADY);
    if ((result < 0 && result != -EINPROGRESS) || (result == 0 && told)) /* that is what came of the connect() before */
        return;
    fd->endpoint = e;
    fd->written_bytes = fd->read_bytes = 0;
    endpoint_begin_stream(e);
    play_learn_local_port(p, fd);
    judging_connect(p, fd, remote, result);
}

static int64_t do_connect(struct attempt *a)
{
    if (a->pending->connecting)
        return finish_connect(a);
    struct endpoint *e = remote_endpoint(a, argument(a, 1));
    if (!e)
        return -EINVAL;
    struct pkt_endpoint remote = e->tester;
    const struct scn_expr *address = struct_field(argument(a, 1), "address");
    if (address && (address->kind != SCN_EXPR_STRING || !pkt_addr_parse(address->text, &remote.addr))) {
        snprintf(a->why, sizeof a->why, "an address is written in quotes, as in {address=\"224.0.0.1\"}");
        return -EINVAL;
    }
    judging_catch_up(a->p);
    int64_t result = a->p->target->ops->connect(a->p->target, a->fd->handle, &remote);
    a->pending->connecting = result == -EINPROGRESS;
    play_note_connect(a->p, a->fd, e, &remote, result);
    return result;
}

static bool message_flags(struct attempt *a, unsigned i, unsigned *out)
{
    static const struct { int64_t linux_flag; unsigned flag; } map[] = {
        {1, TARGET_MSG_OOB}, {2, TARGET_MSG_PEEK}, {0x8000, TARGET_MSG_MORE}, {0x20000000, TARGET_MSG_FASTOPEN}};
    int64_t flags;
    *out = 0;
    if (!number_argument(a, i, 0, &flags))
        return false;
    for (size_t m = 0; m < sizeof map / sizeof *map; m++)
        *out |= flags & map[m].linux_flag ? map[m].flag : 0;
    a->nonblocking |= (flags & 0x40) != 0;
    return true;
}

void play_fill_write(const struct descriptor *fd, uint8_t *out, size_t len)
{
    if (fd->endpoint)
        endpoint_fill_pattern(fd->endpoint, false, fd->written_bytes, out, len);
    else
        memset(out, 0, len);
}

void play_note_write(struct descriptor *fd, int64_t result)
{
    if (result <= 0 || !fd->endpoint)
        return;
    fd->written_bytes += (uint64_t)result;
    fd->endpoint->iut_written = fd->written_bytes;
}

/* What the application writes: the pattern's next octets, or the scenario's own text. */
static void fill_written(struct attempt *a, const struct scn_expr *content, uint8_t *out, size_t len, int64_t skip)
{
    struct endpoint *e = a->fd->endpoint;
    if (content && content->kind == SCN_EXPR_STRING) {
        for (size_t i = 0; i < len; i++)
            out[i] = (size_t)skip + i < content->text_len ? (uint8_t)content->text[(size_t)skip + i] : 0;
        if (e)
            e->iut_pattern_broken = true;
    } else {
        play_fill_write(a->fd, out, len);
    }
}

static int64_t write_some(struct attempt *a, int64_t total, unsigned flags)
{
    int64_t left = total - a->pending->done_bytes;
    size_t len = left < CALL_BUFFER_BYTES ? (size_t)left : CALL_BUFFER_BYTES;
    uint8_t *buffer = malloc(len ? len : 1);
    if (!buffer) {
        snprintf(a->why, sizeof a->why, "out of memory");
        return -ENOMEM;
    }
    fill_written(a, argument(a, 1), buffer, len, a->pending->done_bytes);
    judging_catch_up(a->p);
    int64_t result = a->p->target->ops->send_data(a->p->target, a->fd->handle, buffer, len, flags);
    judging_send(a->p, a->fd, buffer, flags, result);
    free(buffer);
    play_note_write(a->fd, result);
    return result;
}

/* Blocking writes take all octets before they return; what an error cuts short returns what went. */
static int64_t write_all(struct attempt *a, int64_t total, unsigned flags)
{
    if (total < 0 || total > INT32_MAX) {
        snprintf(a->why, sizeof a->why, "a write of %" PRId64 " octets", total);
        return -EINVAL;
    }
    do {
        int64_t result = write_some(a, total, flags);
        if (result < 0)
            return a->pending->done_bytes && (a->nonblocking || result != -EAGAIN) ? a->pending->done_bytes : result;
        a->pending->done_bytes += result;
        if (result == 0)
            break;
    } while (a->pending->done_bytes < total);
    return a->pending->done_bytes;
}

static int64_t do_write(struct attempt *a)
{
    int64_t len;
    unsigned flags = 0;
    const struct scn_expr *content = argument(a, 1);
    int64_t fallback = content && content->kind == SCN_EXPR_STRING ? (int64_t)content->text_len : 0;
    if (!number_argument(a, 2, fallback, &len) || !message_flags(a, 3, &flags))
        return -EINVAL;
    return write_all(a, len, flags);
}

/* sendto() with MSG_FASTOPEN opens and sends in one call; as TCP_FASTOPEN_CONNECT does in three. */
static int64_t do_sendto(struct attempt *a)
{
    unsigned flags;
    if (!message_flags(a, 3, &flags))
        return -EINVAL;
    if ((flags & TARGET_MSG_FASTOPEN) && !a->pending->connecting) {
        const int64_t on = 1;
        int64_t result = a->p->target->ops->set_option(a->p->target, a->fd->handle, "TCP_FASTOPEN_CONNECT", &on, 1);
        struct endpoint *e = remote_endpoint(a, argument(a, 4));
        if (result < 0 || !e)
            return result < 0 ? result : -EINVAL;
        judging_catch_up(a->p);
        a->fd->opens_fast = true;
        result = a->p->target->ops->connect(a->p->target, a->fd->handle, &e->tester);
        a->pending->connecting = true;
        play_note_connect(a->p, a->fd, e, &e->tester, result);
        if (result < 0)
            return result;
    }
    int64_t len;
    if (!number_argument(a, 2, 0, &len))
        return -EINVAL;
    return write_all(a, len, flags & ~(unsigned)TARGET_MSG_FASTOPEN);
}

static void blame_read_data(struct player *p, uint64_t offset)
{
    struct play_cause cause = {.rule = "stream", .requirement = "RFC9293:3.8-a", .expected = "the octets the tester sent, in order",
                               .observed = "others", .goes_on = true};
    snprintf(cause.message, sizeof cause.message, "the application read other data than was sent, from octet %" PRIu64 " of the stream on", offset);
    play_blame(p, &cause);
}

static void check_read_text(struct player *p, struct descriptor *fd, const uint8_t *data, size_t len, const struct scn_expr *text)
{
    size_t compared = len < text->text_len ? len : text->text_len;
    if (memcmp(data, text->text, compared))
        blame_read_data(p, fd->read_bytes);
}

void play_check_read(struct player *p, struct descriptor *fd, const uint8_t *data, size_t len, const struct scn_expr *text,
                     unsigned flags)
{
    if (text && text->kind == SCN_EXPR_STRING) {
        check_read_text(p, fd, data, len, text);
    } else if (fd->endpoint && fd->tester_stream == fd->endpoint->tester_streams && !fd->endpoint->tester_pattern_broken &&
               !(flags & TARGET_MSG_OOB)) {
        for (size_t i = 0; i < len; i++)
            if (data[i] != endpoint_pattern(fd->endpoint, true, fd->read_bytes + i)) {
                blame_read_data(p, fd->read_bytes + i);
                break;
            }
    }
    if (!(flags & (TARGET_MSG_PEEK | TARGET_MSG_OOB)))
        fd->read_bytes += len;
}

static int64_t do_read(struct attempt *a)
{
    int64_t len;
    unsigned flags;
    if (!number_argument(a, 2, 65536, &len) || !message_flags(a, 3, &flags))
        return -EINVAL;
    if (len < 0 || len > CALL_BUFFER_BYTES)
        len = CALL_BUFFER_BYTES;
    uint8_t *buffer = malloc((size_t)len + 1);
    if (!buffer) {
        snprintf(a->why, sizeof a->why, "out of memory");
        return -ENOMEM;
    }
    judging_catch_up(a->p);
    int64_t result = a->p->target->ops->receive_data(a->p->target, a->fd->handle, buffer, (size_t)len, flags);
    judging_receive(a->p, a->fd, buffer, len, flags, result);
    if (result > 0)
        play_check_read(a->p, a->fd, buffer, (size_t)result, argument(a, 1), flags);
    free(buffer);
    return result;
}

static int64_t do_shutdown(struct attempt *a)
{
    int64_t how;
    if (!number_argument(a, 1, TARGET_SHUT_RDWR, &how) || how < TARGET_SHUT_RD || how > TARGET_SHUT_RDWR)
        return -EINVAL;
    judging_catch_up(a->p);
    int64_t result = a->p->target->ops->shutdown(a->p->target, a->fd->handle, (enum target_shutdown)how);
    if (result >= 0)
        judging_shutdown(a->p, a->fd, (enum target_shutdown)how);
    return result;
}

static int64_t do_close(struct attempt *a)
{
    a->fd->open = false;
    judging_catch_up(a->p);
    int64_t result = a->p->target->ops->close_handle(a->p->target, a->fd->handle);
    judging_close(a->p, a->fd);
    return result;
}

const char *play_option_name(const struct player *p, const char *name)
{
    static const struct { const char *v4, *v6; } twins[] = {
        {"IP_TOS", "IPV6_TCLASS"}, {"IP_TTL", "IPV6_UNICAST_HOPS"}, {"IP_MTU_DISCOVER", "IPV6_MTU_DISCOVER"}};
    for (size_t i = 0; p->variant.ip_version == 6 && i < sizeof twins / sizeof *twins; i++)
        if (!strcmp(name, twins[i].v4))
            return twins[i].v6;
    return name;
}

static const char *option_name(struct attempt *a)
{
    const struct scn_expr *name = argument(a, 2);
    if (!name || name->kind != SCN_EXPR_NAME) {
        snprintf(a->why, sizeof a->why, "an option is named, as in SO_LINGER");
        return NULL;
    }
    return play_option_name(a->p, name->text);
}

static int64_t do_setsockopt(struct attempt *a)
{
    int64_t values[2] = {0, 0};
    const char *name = option_name(a);
    const struct scn_expr *value = argument(a, 3), *onoff = struct_field(value, "onoff"), *linger = struct_field(value, "linger");
    unsigned count = onoff ? 2 : 1;
    if (!name)
        return -EINVAL;
    if (onoff && (!argument_number(a, onoff, &values[0]) || (linger && !argument_number(a, linger, &values[1]))))
        return -EINVAL;
    const struct scn_expr *single = onoff ? NULL : list_element(value, 0);
    if (single && !is_ellipsis(single) && !argument_number(a, single, &values[0]))
        return -EINVAL;
    judging_catch_up(a->p);
    int64_t result = a->p->target->ops->set_option(a->p->target, a->fd->handle, name, values, count);
    if (result >= 0)
        judging_option(a->p, a->fd, name, values, count);
    return result;
}

/* A value the IUT gave, against what the scenario has there: a number, a variable, or "...". */
static void compare_out_value(struct attempt *a, const struct scn_expr *wanted, int64_t value, const char *what)
{
    struct player *p = a->p;
    int64_t expected;
    if (is_ellipsis(wanted))
        return;
    if (wanted->kind == SCN_EXPR_VARIABLE && p->values[wanted->slot].kind == SCN_VALUE_UNSET) {
        p->values[wanted->slot] = (struct scn_value){.kind = SCN_VALUE_NUMBER, .number = value};
        return;
    }
    if (!argument_number(a, wanted, &expected) || expected == value)
        return;
    char observed[48];
    snprintf(observed, sizeof observed, "%" PRId64, value);
    struct play_cause cause = {.rule = "call", .expected = a->step->source, .observed = observed};
    snprintf(cause.message, sizeof cause.message, "`%.200s`: %s: expected %" PRId64 ", is %" PRId64, a->step->source, what,
             expected, value);
    play_blame(p, &cause);
}

static int64_t do_getsockopt(struct attempt *a)
{
    int64_t value = 0;
    const char *name = option_name(a);
    if (!name)
        return -EINVAL;
    int64_t result = a->p->target->ops->get_option(a->p->target, a->fd->handle, name, &value);
    if (result >= 0)
        compare_out_value(a, list_element(argument(a, 3), 0), value, name);
    return result;
}

static int64_t do_ioctl(struct attempt *a)
{
    int64_t value = 0;
    const struct scn_expr *name = argument(a, 1);
    if (!name || name->kind != SCN_EXPR_NAME) {
        snprintf(a->why, sizeof a->why, "a request is named, as in SIOCINQ");
        return -EINVAL;
    }
    int64_t result = a->p->target->ops->ioctl(a->p->target, a->fd->handle, name->text, &value);
    if (result >= 0)
        compare_out_value(a, list_element(argument(a, 2), 0), value, name->text);
    return result;
}

static int64_t do_fcntl(struct attempt *a)
{
    int64_t command, flags;
    if (!number_argument(a, 1, 0, &command) || !number_argument(a, 2, 0, &flags))
        return -EINVAL;
    if (command == 4)
        a->fd->nonblocking = flags & CALL_O_NONBLOCK;
    return command == 4 ? 0 : CALL_O_RDWR | (a->fd->nonblocking ? CALL_O_NONBLOCK : 0);
}

/* ---- poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, timeout) */

static int64_t poll_mask(unsigned events)
{
    static const struct { unsigned event; int64_t mask; } map[] = {
        {TARGET_EVENT_IN, 0x41}, {TARGET_EVENT_OUT, 0x104}, {TARGET_EVENT_URGENT, 2}, {TARGET_EVENT_ERROR, 8},
        {TARGET_EVENT_HANGUP, 0x10}, {TARGET_EVENT_READ_HANGUP, 0x2000}};
    int64_t mask = 0;
    for (size_t i = 0; i < sizeof map / sizeof *map; i++)
        mask |= events & map[i].event ? map[i].mask : 0;
    return mask;
}

/* The events one entry reports now; a negative errno value when it is not understood, or the target has no poll(). */
static int64_t poll_entry(struct attempt *a, const struct scn_expr *entry)
{
    int64_t number, wanted = 0;
    const struct scn_expr *fd_field = struct_field(entry, "fd"), *events = struct_field(entry, "events");
    if (!fd_field || !argument_number(a, fd_field, &number) || (events && !argument_number(a, events, &wanted)))
        return -EINVAL;
    struct descriptor *fd = play_find_descriptor(a->p, number);
    if (!fd)
        return 0x20; /* POLLNVAL */
    unsigned happened = a->p->target->ops->poll(a->p->target, fd->handle);
    if (happened & TARGET_EVENT_UNKNOWN)
        return -ENOSYS;
    return poll_mask(happened) & (wanted | 8 | 0x10);
}

static int64_t do_poll(struct attempt *a)
{
    const struct scn_expr *list = argument(a, 0);
    int64_t ready = 0, timeout_ms;
    if (!number_argument(a, 2, -1, &timeout_ms))
        return -EINVAL;
    for (unsigned i = 0; list && list->kind == SCN_EXPR_LIST && i < list->child_count; i++) {
        int64_t events = poll_entry(a, list->child[i]);
        if (events < 0)
            return events;
        ready += events != 0;
    }
    if (ready == 0 && timeout_ms != 0) {
        if (!a->pending->timeout_ns)
            a->pending->timeout_ns = timeout_ms < 0 ? INT64_MAX : a->p->now_ns + timeout_ms * 1000000;
        if (a->p->now_ns < a->pending->timeout_ns)
            return -EAGAIN;
    }
    for (unsigned i = 0; list && list->kind == SCN_EXPR_LIST && i < list->child_count; i++)
        compare_out_value(a, struct_field(list->child[i], "revents"), poll_entry(a, list->child[i]), "revents");
    return ready;
}

static const struct { const char *name; bool takes_fd; int64_t (*attempt)(struct attempt *); } calls[] = {
    {"socket", false, do_socket},   {"bind", true, do_bind},         {"listen", true, do_listen},         {"accept", true, do_accept},
    {"connect", true, do_connect},  {"read", true, do_read},         {"recv", true, do_read},             {"recvfrom", true, do_read},
    {"write", true, do_write},      {"send", true, do_write},        {"sendto", true, do_sendto},         {"shutdown", true, do_shutdown},
    {"close", true, do_close},      {"setsockopt", true, do_setsockopt}, {"getsockopt", true, do_getsockopt}, {"fcntl", true, do_fcntl},
    {"ioctl", true, do_ioctl},      {"poll", false, do_poll},
};

/* `= ...`, and the `<=` of a new descriptor: a descriptor that is not open is an error like others then. */
static bool accepts_anything(const struct scn_call *call)
{
    return call->result.relation == SCN_ANY || call->result.relation == SCN_LE;
}

int64_t attempt_call(struct attempt *a)
{
    int64_t number;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (strcmp(calls[i].name, a->call->name))
            continue;
        if (calls[i].takes_fd) {
            if (!argument(a, 0) || !argument_number(a, argument(a, 0), &number))
                return -EBADF;
            a->fd = play_find_descriptor(a->p, number);
            if (!a->fd && !a->call->error && !accepts_anything(a->call))
                snprintf(a->why, sizeof a->why, "descriptor %" PRId64 " is not open", number);
            if (!a->fd)
                return -EBADF;
            a->nonblocking = a->fd->nonblocking;
        }
        return a->p->on_open_port ? open_port_call(a) : calls[i].attempt(a);
    }
    snprintf(a->why, sizeof a->why, "no upper tester knows this call");
    return -ENOSYS;
}
