/* The reference stack behind the runner's target interface: an instance is one host on 192.0.2.2 and 2001:db8::2, in virtual time.
 */
#include "targets/reference/target_reference.h"

#include "targets/reference/reference.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000, TESTER_ADDRESSES = 200 };

struct reference {
    struct target target; /* first: a struct target is a struct reference */
    struct ref_stack *stack;
};

static struct ref_stack *stack_of(struct target *t)
{
    return ((struct reference *)t)->stack;
}

/* ---- settings ---------------------------------------------------------------------------------------------------- */

struct word { const char *name; int64_t value; };
static const struct word on_off[] = { { "off", 0 }, { "on", 1 }, { NULL, 0 } };
static const struct word syncookie_words[] = { { "off", REF_SYNCOOKIES_OFF }, { "on", REF_SYNCOOKIES_ON },
                                               { "always", REF_SYNCOOKIES_ALWAYS }, { NULL, 0 } };
static const struct word fastopen_words[] = { { "off", REF_FASTOPEN_OFF }, { "client", REF_FASTOPEN_CLIENT },
                                              { "server", REF_FASTOPEN_SERVER }, { "both", REF_FASTOPEN_BOTH }, { NULL, 0 } };

enum setting { SYN_RETRIES, SYNACK_RETRIES, DATA_RETRIES, ORPHAN_RETRIES, SYNCOOKIES, MAX_SYN_BACKLOG, TIMESTAMPS, SACK, WINDOW_SCALING,
               ECN, FASTOPEN, FIN_WAIT_2_MS, TW_REUSE, RFC1337, MTU, RECEIVE_BUFFER, SEND_BUFFER, SYN_LINEAR_TIMEOUTS, CHALLENGE_ACK_LIMIT,
               KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S, KEEPALIVE_PROBES, MIN_RTO_MS, ABORT_ON_OVERFLOW, MSL_MS, DELAYED_ACK_MS };

static const struct setting_row {
    const char *name;
    enum setting setting;
    int64_t min, max;          /* of a number */
    const struct word *words;  /* or one of these */
} setting_table[] = {
    { "syn-retries", SYN_RETRIES, 0, 255, NULL },
    { "synack-retries", SYNACK_RETRIES, 0, 255, NULL },
    { "data-retries", DATA_RETRIES, 0, 255, NULL },
    { "orphan-retries", ORPHAN_RETRIES, 0, 255, NULL },
    { "syncookies", SYNCOOKIES, 0, 0, syncookie_words },
    { "max-syn-backlog", MAX_SYN_BACKLOG, 0, 65535, NULL },
    { "timestamps", TIMESTAMPS, 0, 0, on_off },
    { "sack", SACK, 0, 0, on_off },
    { "window-scaling", WINDOW_SCALING, 0, 0, on_off },
    { "ecn", ECN, 0, 0, on_off },
    { "fastopen", FASTOPEN, 0, 0, fastopen_words },
    { "fin-wait-2-ms", FIN_WAIT_2_MS, 1, INT32_MAX, NULL },
    { "tw-reuse", TW_REUSE, 0, 0, on_off },
    { "rfc1337", RFC1337, 0, 0, on_off },
    { "mtu", MTU, 1280, 65535, NULL },
    { "receive-buffer", RECEIVE_BUFFER, 256, 1 << 30, NULL },
    { "send-buffer", SEND_BUFFER, 256, 1 << 30, NULL },
    { "syn-linear-timeouts", SYN_LINEAR_TIMEOUTS, 0, 255, NULL },
    { "challenge-ack-limit", CHALLENGE_ACK_LIMIT, 0, INT32_MAX, NULL },
    { "keepalive-idle-s", KEEPALIVE_IDLE_S, 1, 32767, NULL },
    { "keepalive-interval-s", KEEPALIVE_INTERVAL_S, 1, 32767, NULL },
    { "keepalive-probes", KEEPALIVE_PROBES, 1, 127, NULL },
    { "min-rto-ms", MIN_RTO_MS, 1, 60000, NULL },
    { "abort-on-overflow", ABORT_ON_OVERFLOW, 0, 0, on_off },
    { "msl-ms", MSL_MS, 0, INT32_MAX, NULL },
    { "delayed-ack-ms", DELAYED_ACK_MS, 0, 499, NULL }, /* MUST-40 */
};
enum { SETTING_COUNT = sizeof setting_table / sizeof *setting_table };

static void apply(struct ref_config *c, enum setting setting, int64_t value)
{
    switch (setting) {
    case SYN_RETRIES: c->syn_retries = (uint32_t)value; break;
    case SYNACK_RETRIES: c->synack_retries = (uint32_t)value; break;
    case DATA_RETRIES: c->data_retries = (uint32_t)value; break;
    case ORPHAN_RETRIES: c->orphan_retries = (uint32_t)value; break;
    case SYNCOOKIES: c->syncookies = (enum ref_syncookies)value; break;
    case MAX_SYN_BACKLOG: c->syn_backlog_max = (uint32_t)value; break;
    case TIMESTAMPS: c->timestamps = value != 0; break;
    case SACK: c->sack = value != 0; break;
    case WINDOW_SCALING: c->window_scaling = value != 0; break;
    case ECN: c->ecn = value ? REF_ECN_ON : REF_ECN_OFF; break;
    case FASTOPEN: c->fastopen = (unsigned)value; break;
    case FIN_WAIT_2_MS: c->fin_wait_2_ns = value * NS_PER_MS; break;
    case TW_REUSE: c->tw_reuse = value != 0; break;
    case RFC1337: c->rfc1337 = value != 0; break;
    case MTU: c->mtu = (uint16_t)value; break;
    case RECEIVE_BUFFER: c->receive_buffer = (uint32_t)value; break;
    case SEND_BUFFER: c->send_buffer = (uint32_t)value; break;
    case SYN_LINEAR_TIMEOUTS: c->syn_linear_timeouts = (uint32_t)value; break;
    case CHALLENGE_ACK_LIMIT:
        c->challenge_ack_limit = (uint32_t)value;
        c->challenge_ack_interval_ns = NS_PER_S;
        break;
    case KEEPALIVE_IDLE_S: c->keepalive_idle_ns = value * NS_PER_S; break;
    case KEEPALIVE_INTERVAL_S: c->keepalive_interval_ns = value * NS_PER_S; break;
    case KEEPALIVE_PROBES: c->keepalive_probes = (uint32_t)value; break;
    case MIN_RTO_MS: c->min_rto_ns = value * NS_PER_MS; break;
    case ABORT_ON_OVERFLOW: c->abort_on_overflow = value != 0; break;
    case MSL_MS: c->msl_ns = value * NS_PER_MS; break;
    case DELAYED_ACK_MS: c->delayed_ack_ns = value * NS_PER_MS; break;
    }
}

static bool parse_word(const struct word *words, const char *text, int64_t *value)
{
    for (; words->name; words++) {
        if (strcmp(words->name, text) == 0) {
            *value = words->value;
            return true;
        }
    }
    return false;
}

static bool parse_number(const struct setting_row *row, const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return *text && !*end && !errno && *value >= row->min && *value <= row->max;
}

static bool apply_setting(struct ref_config *config, const struct target_setting *wanted, struct target_error *error)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = &setting_table[i];
        int64_t value;
        if (strcmp(row->name, wanted->name) != 0)
            continue;
        if (row->words ? parse_word(row->words, wanted->value, &value) : parse_number(row, wanted->value, &value)) {
            apply(config, row->setting, value);
            return true;
        }
        error->kind = TARGET_ERR_UNSUPPORTED;
        if (row->words)
            snprintf(error->text, sizeof error->text, "reference: setting %s cannot be \"%s\"", row->name, wanted->value);
        else
            snprintf(error->text, sizeof error->text, "reference: setting %s takes %" PRId64 " to %" PRId64 ", not \"%s\"",
                     row->name, row->min, row->max, wanted->value);
        return false;
    }
    error->kind = TARGET_ERR_UNSUPPORTED;
    snprintf(error->text, sizeof error->text, "reference: there is no setting \"%s\"", wanted->name);
    return false;
}

/* ---- link and time ----------------------------------------------------------------------------------------------- */

static void reference_close(struct target *t)
{
    ref_stack_free(stack_of(t));
    free(t);
}

static bool reference_restart(struct target *t, uint64_t seed)
{
    ref_stack_restart(stack_of(t), seed, 0);
    return true;
}

static int reference_send(struct target *t, const uint8_t *bytes, size_t len)
{
    ref_input(stack_of(t), bytes, len, ref_now(stack_of(t)));
    return 0;
}

static ssize_t reference_receive(struct target *t, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    return ref_output(stack_of(t), out, capacity, ref_now(stack_of(t)), at_ns);
}

static int64_t reference_deadline(struct target *t)
{
    return ref_next_deadline(stack_of(t));
}

/* Each timer at its own time, however far the clock jumps. */
static void reference_advance(struct target *t, int64_t now_ns)
{
    struct ref_stack *stack = stack_of(t);
    int64_t next_ns;
    while ((next_ns = ref_next_deadline(stack)) < now_ns)
        ref_advance(stack, next_ns);
    ref_advance(stack, now_ns);
}

static int reference_fd(struct target *t)
{
    (void)t;
    return -1;
}

/* ---- upper tester ------------------------------------------------------------------------------------------------ */

_Static_assert((int)TARGET_SHUT_RD == (int)REF_SHUT_RD && (int)TARGET_SHUT_WR == (int)REF_SHUT_WR
               && (int)TARGET_SHUT_RDWR == (int)REF_SHUT_RDWR, "shutdown values are handed through");
_Static_assert((int)TARGET_MSG_OOB == (int)REF_MSG_OOB && (int)TARGET_MSG_PEEK == (int)REF_MSG_PEEK
               && (int)TARGET_MSG_MORE == (int)REF_MSG_MORE && (int)TARGET_MSG_FASTOPEN == (int)REF_MSG_FASTOPEN,
               "message flags are handed through");
_Static_assert((int)TARGET_EVENT_IN == (int)REF_EVENT_IN && (int)TARGET_EVENT_OUT == (int)REF_EVENT_OUT
               && (int)TARGET_EVENT_URGENT == (int)REF_EVENT_URGENT && (int)TARGET_EVENT_ERROR == (int)REF_EVENT_ERROR
               && (int)TARGET_EVENT_HANGUP == (int)REF_EVENT_HANGUP && (int)TARGET_EVENT_READ_HANGUP == (int)REF_EVENT_READ_HANGUP,
               "events are handed through");

static int64_t reference_socket(struct target *t, uint8_t ip_version)
{
    return ref_socket(stack_of(t), ip_version);
}

static int64_t reference_bind(struct target *t, int handle, const struct pkt_endpoint *local)
{
    return ref_bind(stack_of(t), handle, local);
}

static int64_t reference_listen(struct target *t, int handle, int backlog)
{
    return ref_listen(stack_of(t), handle, backlog);
}

static int64_t reference_accept(struct target *t, int handle, struct pkt_endpoint *peer)
{
    return ref_accept(stack_of(t), handle, peer);
}

static int64_t reference_connect(struct target *t, int handle, const struct pkt_endpoint *remote)
{
    return ref_connect(stack_of(t), handle, remote);
}

static int64_t reference_send_data(struct target *t, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    return ref_send(stack_of(t), handle, data, len, flags);
}

static int64_t reference_receive_data(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    return ref_receive(stack_of(t), handle, out, len, flags);
}

static int64_t reference_shutdown(struct target *t, int handle, enum target_shutdown how)
{
    return ref_shutdown(stack_of(t), handle, (enum ref_shutdown)how);
}

static int64_t reference_close_handle(struct target *t, int handle)
{
    return ref_close(stack_of(t), handle);
}

static int64_t reference_set_option(struct target *t, int handle, const char *name, const int64_t *values, unsigned count)
{
    return ref_set_option(stack_of(t), handle, name, values, count);
}

static int64_t reference_get_option(struct target *t, int handle, const char *name, int64_t *value)
{
    return ref_get_option(stack_of(t), handle, name, value);
}

static int64_t reference_ioctl(struct target *t, int handle, const char *name, int64_t *value)
{
    return ref_ioctl(stack_of(t), handle, name, value);
}

static unsigned reference_poll(struct target *t, int handle)
{
    return ref_poll(stack_of(t), handle);
}

static int64_t reference_local_endpoint(struct target *t, int handle, struct pkt_endpoint *out)
{
    return ref_local_endpoint(stack_of(t), handle, out);
}

static int64_t reference_status(struct target *t, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                                struct target_status *out)
{
    struct ref_status status;
    int64_t result = ref_status(stack_of(t), local, remote, &status);
    if (result)
        return result;
    *out = (struct target_status){ .state = status.state };
    if (status.state == TCP_STATE_LISTEN)
        return 0;
    out->known = TARGET_KNOWS_SEQUENCE | TARGET_KNOWS_WINDOWS | TARGET_KNOWS_QUEUES | TARGET_KNOWS_CONGESTION | TARGET_KNOWS_TIMERS;
    out->snd_una = status.snd_una;
    out->snd_nxt = status.snd_nxt;
    out->rcv_nxt = status.rcv_nxt;
    out->snd_wnd = status.snd_wnd;
    out->rcv_wnd = status.rcv_wnd;
    out->unread_bytes = status.unread_bytes;
    out->unsent_bytes = status.unsent_bytes;
    out->cwnd_bytes = status.cwnd_bytes;
    out->ssthresh_bytes = status.ssthresh_bytes;
    out->mss_bytes = status.mss_bytes;
    out->retransmits = status.retransmits;
    out->rto_ns = status.rto_ns;
    out->srtt_ns = status.srtt_ns;
    return 0;
}

static const struct target_ops reference_ops = {
    .close = reference_close, .send = reference_send, .receive = reference_receive, .deadline = reference_deadline,
    .advance = reference_advance, .fd = reference_fd, .socket = reference_socket, .bind = reference_bind, .listen = reference_listen,
    .accept = reference_accept, .connect = reference_connect, .send_data = reference_send_data, .receive_data = reference_receive_data,
    .shutdown = reference_shutdown, .close_handle = reference_close_handle, .set_option = reference_set_option,
    .get_option = reference_get_option, .ioctl = reference_ioctl, .poll = reference_poll, .local_endpoint = reference_local_endpoint,
    .status = reference_status, .restart = reference_restart,
};

/* ---- description and PIXIT --------------------------------------------------------------------------------------- */

static void put_pixit(struct target_info *info, const char *name, int64_t value, const char *unit)
{
    if (info->pixit_count == TARGET_PIXIT_MAX)
        return;
    snprintf(info->pixit[info->pixit_count].name, sizeof info->pixit[0].name, "%s", name);
    snprintf(info->pixit[info->pixit_count].value, sizeof info->pixit[0].value, "%" PRId64 "%s", value, unit);
    info->pixit_count++;
}

static void describe(struct target_info *info, const struct ref_config *config)
{
    snprintf(info->name, sizeof info->name, "reference");
    snprintf(info->description, sizeof info->description, "tcpassay %s reference TCP (RFC 9293), in process, in virtual time",
             TCPASSAY_VERSION);
    info->capabilities = TARGET_VIRTUAL_TIME | TARGET_SYNCHRONOUS | TARGET_UPPER_TESTER | TARGET_STATUS | TARGET_IPV4 |
                         TARGET_IPV6 | TARGET_ECHO | TARGET_MANY | TARGET_DISRUPTION;
    info->iut[0] = config->addresses[0];
    info->iut[1] = config->addresses[1];
    pkt_addr_parse("198.51.100.1", &info->tester[0]);
    pkt_addr_parse("2001:db8:1::1", &info->tester[1]);
    info->tester_count = TESTER_ADDRESSES;
    info->mtu = config->mtu;
    info->granularity_ns = NS_PER_MS; /* of the timestamp clock, by which round trips are measured */
    put_pixit(info, "MSL", config->msl_ns / NS_PER_MS, " ms");
    put_pixit(info, "initial RTO", config->initial_rto_ns / NS_PER_MS, " ms");
    put_pixit(info, "minimum RTO", config->min_rto_ns / NS_PER_MS, " ms");
    put_pixit(info, "maximum RTO", config->max_rto_ns / NS_PER_S, " s");
    put_pixit(info, "delayed ACK", config->delayed_ack_ns / NS_PER_MS, " ms");
    put_pixit(info, "SYN retransmissions (R2)", config->syn_retries, "");
    put_pixit(info, "SYN,ACK retransmissions (R2)", config->synack_retries, "");
    put_pixit(info, "data retransmissions (R2)", config->data_retries, "");
    put_pixit(info, "SYN backlog", config->syn_backlog_max, "");
    put_pixit(info, "orphan in FIN-WAIT-2", config->fin_wait_2_ns / NS_PER_MS, " ms");
    put_pixit(info, "keep-alive idle", config->keepalive_idle_ns / NS_PER_S, " s");
    put_pixit(info, "keep-alive interval", config->keepalive_interval_ns / NS_PER_S, " s");
    put_pixit(info, "keep-alive probes", config->keepalive_probes, "");
    put_pixit(info, "receive buffer", config->receive_buffer, "");
    put_pixit(info, "send buffer", config->send_buffer, "");
    put_pixit(info, "challenge ACKs per connection", config->challenge_ack_limit, "");
    put_pixit(info, "challenge ACK interval", config->challenge_ack_interval_ns / NS_PER_MS, " ms");
}

static bool reference_preflight(const char *argument, struct target_error *error)
{
    if (!argument || !*argument)
        return true;
    error->kind = TARGET_ERR_USAGE;
    snprintf(error->text, sizeof error->text, "target reference takes no argument, found \"%s\"", argument);
    return false;
}

struct target *reference_target_new(const struct ref_config *base, const struct target_config *wanted, int64_t now_ns,
                                    struct target_error *error)
{
    struct ref_config config = *base;
    for (unsigned i = 0; i < wanted->setting_count; i++) {
        if (!apply_setting(&config, &wanted->settings[i], error))
            return NULL;
    }
    struct reference *reference = calloc(1, sizeof *reference);
    if (reference)
        reference->stack = ref_stack_new(&config, now_ns);
    if (!reference || !reference->stack) {
        free(reference);
        error->kind = TARGET_ERR_UNAVAILABLE;
        snprintf(error->text, sizeof error->text, "reference: out of memory, or addresses and MTU that make no sense");
        return NULL;
    }
    reference->target.ops = &reference_ops;
    describe(&reference->target.info, &config);
    return &reference->target;
}

struct ref_stack *reference_target_stack(struct target *target)
{
    return stack_of(target);
}

static struct target *reference_open(const char *argument, const struct target_config *wanted, struct target_error *error)
{
    struct ref_config config = ref_config_default();
    if (!reference_preflight(argument, error))
        return NULL;
    config.seed = wanted->seed;
    config.address_count = 2;
    pkt_addr_parse("192.0.2.2", &config.addresses[0]);
    pkt_addr_parse("2001:db8::2", &config.addresses[1]);
    return reference_target_new(&config, wanted, 0, error);
}

const struct target_driver reference_driver = {
    .name = "reference",
    .summary = "the reference TCP of this project, in process and in virtual time",
    .many = true,
    .virtual_time = true,
    .preflight = reference_preflight,
    .open = reference_open,
};
