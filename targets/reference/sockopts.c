/* Socket options by name: what RFC 9293 §3.9.1 leaves to the application (MUST-17, -21, -24, -27, -48, -49 …), as a table. */
#include "targets/reference/stack.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum { BUFFER_MIN = 256, BUFFER_MAX = 1 << 30, SECONDS_MAX = 32767 };

struct option_row {
    const char *name;
    size_t field;           /* in struct ref_options */
    int32_t min, max;       /* values allowed; both 0 and 1: any value but 0 counts as 1 */
};

#define FIELD(f) offsetof(struct ref_options, f)
static const struct option_row option_table[] = {
    { "TCP_NODELAY", FIELD(nodelay), 0, 1 },
    { "TCP_CORK", FIELD(cork), 0, 1 },
    { "TCP_QUICKACK", FIELD(quickack), 0, 1 },
    { "TCP_MAXSEG", FIELD(max_segment), REF_MSS_MIN, 65535 },
    { "TCP_WINDOW_CLAMP", FIELD(window_clamp), 0, BUFFER_MAX },
    { "TCP_SYNCNT", FIELD(syn_count), 1, 127 },
    { "TCP_USER_TIMEOUT", FIELD(user_timeout_ms), 0, INT32_MAX },
    { "TCP_DEFER_ACCEPT", FIELD(defer_accept_s), 0, SECONDS_MAX },
    { "TCP_FASTOPEN", FIELD(fastopen_queue), 0, 65535 },
    { "TCP_FASTOPEN_CONNECT", FIELD(fastopen_connect), 0, 1 },
    { "TCP_LINGER2", FIELD(linger2_s), 0, SECONDS_MAX },
    { "TCP_KEEPIDLE", FIELD(keep_idle_s), 1, SECONDS_MAX },
    { "TCP_KEEPINTVL", FIELD(keep_interval_s), 1, SECONDS_MAX },
    { "TCP_KEEPCNT", FIELD(keep_count), 1, 127 },
    { "SO_KEEPALIVE", FIELD(keepalive), 0, 1 },
    { "SO_REUSEADDR", FIELD(reuse_address), 0, 1 },
    { "SO_OOBINLINE", FIELD(oob_inline), 0, 1 },
    { "SO_RCVBUF", FIELD(receive_buffer), BUFFER_MIN, BUFFER_MAX },
    { "SO_SNDBUF", FIELD(send_buffer), BUFFER_MIN, BUFFER_MAX },
    { "IP_TOS", FIELD(tos), 0, 255 },
    { "IPV6_TCLASS", FIELD(tos), 0, 255 },
    { "IP_TTL", FIELD(ttl), 1, 255 },
    { "IPV6_UNICAST_HOPS", FIELD(ttl), 1, 255 },
    { "IP_MTU_DISCOVER", FIELD(mtu_discover), 0, 3 },
    { "IPV6_MTU_DISCOVER", FIELD(mtu_discover), 0, 3 },
    { "IPV6_V6ONLY", FIELD(v6only), 0, 1 },
    { "REF_REPORTS", FIELD(reports), 0, 1 }, /* asynchronous reports: §3.9.1.8 */
};
#undef FIELD

static const struct option_row *find_option(const char *name)
{
    for (size_t i = 0; i < sizeof option_table / sizeof *option_table; i++) {
        if (strcmp(option_table[i].name, name) == 0)
            return &option_table[i];
    }
    return NULL;
}

static int32_t *field_of(struct ref_options *options, const struct option_row *row)
{
    return (int32_t *)(void *)((uint8_t *)options + row->field);
}

/* ---- set --------------------------------------------------------------------------------------------------------- */

static int64_t set_linger(struct ref_options *options, const int64_t *values, unsigned count)
{
    if (count < 2 || values[1] < 0 || values[1] > SECONDS_MAX)
        return -EINVAL;
    options->linger_on = values[0] != 0;
    options->linger_s = (int32_t)values[1];
    return 0;
}

/* RFC 5482: values[0] ENABLED, values[1] ADV_UTO in seconds. */
static int64_t set_user_timeout_option(struct ref_options *options, const int64_t *values, unsigned count)
{
    if (count < 2 || values[1] < 0 || values[1] > 0x7fff * 60)
        return -EINVAL;
    options->uto_on = values[0] != 0;
    options->uto_advertise_s = (int32_t)values[1];
    return 0;
}

static int64_t set_from_table(struct ref_options *options, const struct option_row *row, int64_t value)
{
    if (row->min == 0 && row->max == 1)
        value = value != 0;
    if (value < row->min || value > row->max)
        return -EINVAL;
    *field_of(options, row) = (int32_t)value;
    return 0;
}

static void changed(struct ref_tcb *tcb, const char *name)
{
    const struct ref_options *options = &tcb->options;
    if (strcmp(name, "TCP_USER_TIMEOUT") == 0)
        tcb->user_timeout_ns = (int64_t)options->user_timeout_ms * REF_NS_PER_MS;
    if (strcmp(name, "REF_UTO") == 0)
        tcb->uto_pending = options->uto_on ? 1 : 0;
    if (strcmp(name, "TCP_MAXSEG") == 0 && tcb->snd_mss > options->max_segment && tcb->state >= TCP_STATE_ESTABLISHED)
        tcb->snd_mss = (uint16_t)options->max_segment;
    if (tcb->state == TCP_STATE_CLOSED)
        return;
    ref_keepalive_arm(tcb);
    if (tcb->state < TCP_STATE_ESTABLISHED || tcb->state == TCP_STATE_TIME_WAIT)
        return;
    ref_window_update(tcb); /* the receive buffer may have grown */
    ref_tcp_output(tcb);    /* Nagle and TCP_CORK may let go */
}

int64_t ref_set_option(struct ref_stack *stack, int handle, const char *name, const int64_t *values, unsigned count)
{
    struct ref_socket *socket = ref_socket_get(stack, handle);
    if (!socket)
        return -EBADF;
    if (count == 0)
        return -EINVAL;
    struct ref_options *options = ref_socket_options(socket);
    const struct option_row *row = find_option(name);
    int64_t result = -ENOPROTOOPT;
    if (strcmp(name, "SO_LINGER") == 0)
        result = set_linger(options, values, count);
    else if (strcmp(name, "REF_UTO") == 0)
        result = set_user_timeout_option(options, values, count);
    else if (row)
        result = set_from_table(options, row, values[0]);
    if (result)
        return result;
    if (strcmp(name, "TCP_USER_TIMEOUT") == 0)
        options->uto_fixed = options->user_timeout_ms > 0;
    if (socket->tcb)
        changed(socket->tcb, name);
    ref_reap(stack);
    return 0;
}

/* ---- get --------------------------------------------------------------------------------------------------------- */

static bool get_read_only(struct ref_stack *stack, struct ref_socket *socket, const char *name, int64_t *value)
{
    const struct ref_tcb *tcb = socket->tcb;
    if (strcmp(name, "SO_ERROR") == 0) { /* told once */
        *value = socket->error;
        socket->error = 0;
    } else if (strcmp(name, "SO_ACCEPTCONN") == 0) {
        *value = socket->listener != NULL;
    } else if (strcmp(name, "SO_TYPE") == 0) {
        *value = 1; /* SOCK_STREAM */
    } else if (strcmp(name, "IP_MTU") == 0 || strcmp(name, "IPV6_MTU") == 0) {
        *value = tcb ? tcb->pmtu : stack->config.mtu;
    } else if (strcmp(name, "TCP_MAXSEG") == 0 && tcb && tcb->state >= TCP_STATE_ESTABLISHED) {
        *value = ref_eff_mss(tcb);
    } else if (strcmp(name, "SO_LINGER") == 0) {
        const struct ref_options *options = ref_socket_options(socket);
        *value = options->linger_on ? options->linger_s : -1;
    } else {
        return false;
    }
    return true;
}

int64_t ref_get_option(struct ref_stack *stack, int handle, const char *name, int64_t *value)
{
    struct ref_socket *socket = ref_socket_get(stack, handle);
    if (!socket)
        return -EBADF;
    if (get_read_only(stack, socket, name, value))
        return 0;
    const struct option_row *row = find_option(name);
    if (!row)
        return -ENOPROTOOPT;
    *value = *field_of(ref_socket_options(socket), row);
    return 0;
}
