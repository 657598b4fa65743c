/* The target "lwip": each instance is a process of tcpassay-lwip, on the tester's clock.
 *
 * Theory of operation. A request that nothing answers in another way is answered by the process (protocol.h): so send() returns
 * when lwIP has dealt with the packet, and all it has emitted is here. The process knows of the time what the last request said.
 * advance() therefore asks only when a timer of lwIP has run out; otherwise the next request brings the time along.
 *
 * What lwIP sends to others than the tester's addresses (router solicitations, group reports) is dropped here. */
#include "targets/lwip/process.h"
#include "targets/lwip/target_lwip.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TESTER_ADDRESSES = 200, MTU_DEFAULT = 1500, MTU_MIN = 68, MTU_MAX = 65535, MTU_IPV6_MIN = 1280, PATIENCE_MS = 10000 };
static const int64_t SLOW_TIMER_NS = INT64_C(500000000), MSL_NS = INT64_C(60000000000);

struct lwip_target {
    struct target base;        /* first: the runner's view */
    struct process *process;
    struct lwip_settings settings;
    bool started;              /* the clock has been told */
    int64_t start_ns;          /* … first this, where lwIP's begins */
    int64_t now_ns, deadline_ns;
    uint64_t deaths;
    char death[TARGET_TEXT_MAX];
    uint8_t octets[CHANNEL_OCTETS_MAX];
};

static struct lwip_target *self(struct target *t)
{
    return (struct lwip_target *)t;
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

/* False when lwIP is dead. */
static bool ask(struct lwip_target *l, struct lwip_request *request, const uint8_t *octets, struct lwip_answer *answer)
{
    request->now_ns = l->now_ns - l->start_ns;
    if (l->process && process_ask(l->process, request, octets, answer, l->octets)) {
        l->deadline_ns = answer->at_ns == INT64_MAX ? INT64_MAX : answer->at_ns + l->start_ns;
        return true;
    }
    if (l->process && process_death(l->process) && l->deadline_ns != INT64_MAX) {
        l->deaths++;
        snprintf(l->death, sizeof l->death, "%.255s", process_death(l->process));
    }
    l->deadline_ns = INT64_MAX;
    *answer = (struct lwip_answer){ .result = -ECOMM };
    return false;
}

/* A call that answers nothing but its result. */
static int64_t call(struct target *t, struct lwip_request request)
{
    struct lwip_answer answer;
    ask(self(t), &request, NULL, &answer);
    return answer.result;
}

static struct lwip_endpoint to_lwip(const struct pkt_endpoint *endpoint)
{
    struct lwip_endpoint out = { .address.version = endpoint->addr.version, .port = endpoint->port };
    memcpy(out.address.bytes, endpoint->addr.bytes, sizeof out.address.bytes);
    return out;
}

static void from_lwip(const struct lwip_endpoint *endpoint, struct pkt_endpoint *out)
{
    *out = (struct pkt_endpoint){ .addr.version = endpoint->address.version, .port = endpoint->port };
    memcpy(out->addr.bytes, endpoint->address.bytes, sizeof endpoint->address.bytes);
}

/* ---- link and time ---------------------------------------------------------------------------------------------- */

static void lwip_target_close(struct target *t)
{
    process_end(self(t)->process);
    free(t);
}

static int lwip_target_send(struct target *t, const uint8_t *bytes, size_t len)
{
    struct lwip_request request = { .call = ASK_INPUT, .octets = (uint32_t)len };
    struct lwip_answer answer;
    if (len >= CHANNEL_OCTETS_MAX)
        return -EMSGSIZE;
    return ask(self(t), &request, bytes, &answer) ? (int)answer.result : -ENETDOWN;
}

static bool is_for_tester(const struct target_info *info, const uint8_t *packet, size_t len)
{
    if (len >= 20 && packet[0] >> 4 == 4)
        return memcmp(packet + 16, info->tester[0].bytes, 3) == 0;
    return len >= 40 && packet[0] >> 4 == 6 && memcmp(packet + 24, info->tester[1].bytes, 15) == 0;
}

static ssize_t lwip_target_receive(struct target *t, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    const uint8_t *packet;
    size_t len;
    do
        len = process_output(self(t)->process, &packet, at_ns);
    while (len && !is_for_tester(&t->info, packet, len));
    if (!len)
        return process_death(self(t)->process) ? -ENETDOWN : 0;
    if (len > capacity)
        return -EMSGSIZE;
    memcpy(out, packet, len);
    *at_ns += self(t)->start_ns;
    return (ssize_t)len;
}

static int64_t lwip_target_deadline(struct target *t)
{
    return self(t)->deadline_ns;
}

static void lwip_target_advance(struct target *t, int64_t now_ns)
{
    struct lwip_target *l = self(t);
    if (!l->started) {
        l->deadline_ns += l->deadline_ns == INT64_MAX ? 0 : now_ns;
        l->start_ns = now_ns;
        l->started = true;
    }
    l->now_ns = now_ns;
    if (now_ns >= l->deadline_ns)
        call(t, (struct lwip_request){ .call = ASK_ADVANCE });
}

static int lwip_target_fd(struct target *t)
{
    (void)t;
    return -1;
}

/* ---- upper tester ----------------------------------------------------------------------------------------------- */

static int64_t lwip_target_socket(struct target *t, uint8_t ip_version)
{
    return call(t, (struct lwip_request){ .call = ASK_SOCKET, .numbers = { ip_version } });
}

static int64_t lwip_target_bind(struct target *t, int handle, const struct pkt_endpoint *local)
{
    return call(t, (struct lwip_request){ .call = ASK_BIND, .handle = handle, .endpoint = to_lwip(local) });
}

static int64_t lwip_target_listen(struct target *t, int handle, int backlog)
{
    return call(t, (struct lwip_request){ .call = ASK_LISTEN, .handle = handle, .numbers = { backlog } });
}

static int64_t lwip_target_accept(struct target *t, int handle, struct pkt_endpoint *peer)
{
    struct lwip_request request = { .call = ASK_ACCEPT, .handle = handle };
    struct lwip_answer answer;
    ask(self(t), &request, NULL, &answer);
    if (answer.result >= 0 && peer)
        from_lwip(&answer.endpoint, peer);
    return answer.result;
}

static int64_t lwip_target_connect(struct target *t, int handle, const struct pkt_endpoint *remote)
{
    return call(t, (struct lwip_request){ .call = ASK_CONNECT, .handle = handle, .endpoint = to_lwip(remote) });
}

static int64_t lwip_target_send_data(struct target *t, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    struct lwip_request request = { .call = ASK_SEND, .handle = handle, .numbers = { flags } };
    struct lwip_answer answer;
    request.octets = len > CHANNEL_OCTETS_MAX / 2 ? CHANNEL_OCTETS_MAX / 2 : (uint32_t)len;
    ask(self(t), &request, data, &answer);
    return answer.result;
}

static int64_t lwip_target_receive_data(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct lwip_request request = { .call = ASK_RECEIVE, .handle = handle, .numbers = { (int64_t)len, flags } };
    struct lwip_answer answer;
    if (ask(self(t), &request, NULL, &answer) && answer.result > 0)
        memcpy(out, self(t)->octets, (size_t)answer.result);
    return answer.result;
}

static int64_t lwip_target_shutdown(struct target *t, int handle, enum target_shutdown how)
{
    return call(t, (struct lwip_request){ .call = ASK_SHUTDOWN, .handle = handle, .numbers = { how } });
}

static int64_t lwip_target_close_handle(struct target *t, int handle)
{
    return call(t, (struct lwip_request){ .call = ASK_CLOSE, .handle = handle });
}

static int64_t lwip_target_set_option(struct target *t, int handle, const char *name, const int64_t *values, unsigned count)
{
    struct lwip_request request = { .call = ASK_SET_OPTION, .handle = handle };
    struct lwip_answer answer;
    if (count < 1)
        return -EINVAL;
    memcpy(request.numbers, values, (count > 2 ? 2 : count) * sizeof *values);
    snprintf(request.name, sizeof request.name, "%s", name);
    ask(self(t), &request, NULL, &answer);
    return answer.result;
}

static int64_t ask_value(struct target *t, enum lwip_call what, int handle, const char *name, int64_t *value)
{
    struct lwip_request request = { .call = what, .handle = handle };
    struct lwip_answer answer;
    snprintf(request.name, sizeof request.name, "%s", name);
    if (ask(self(t), &request, NULL, &answer) && answer.result >= 0)
        *value = answer.value;
    return answer.result;
}

static int64_t lwip_target_get_option(struct target *t, int handle, const char *name, int64_t *value)
{
    return ask_value(t, ASK_GET_OPTION, handle, name, value);
}

static int64_t lwip_target_ioctl(struct target *t, int handle, const char *name, int64_t *value)
{
    return ask_value(t, ASK_IOCTL, handle, name, value);
}

static unsigned lwip_target_poll(struct target *t, int handle)
{
    int64_t events = 0;
    ask_value(t, ASK_POLL, handle, "", &events);
    return (unsigned)events;
}

static int64_t lwip_target_local_endpoint(struct target *t, int handle, struct pkt_endpoint *out)
{
    struct lwip_request request = { .call = ASK_LOCAL_ENDPOINT, .handle = handle };
    struct lwip_answer answer;
    if (ask(self(t), &request, NULL, &answer) && answer.result >= 0)
        from_lwip(&answer.endpoint, out);
    return answer.result;
}

static int64_t lwip_target_status(struct target *t, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                                  struct target_status *out)
{
    struct lwip_request request = { .call = ASK_STATUS, .endpoint = to_lwip(local), .peer = to_lwip(remote) };
    struct lwip_answer answer;
    struct lwip_status status;
    if (!ask(self(t), &request, NULL, &answer) || answer.result < 0)
        return answer.result;
    memcpy(&status, self(t)->octets, sizeof status);
    *out = (struct target_status){ .state = (enum tcp_state)status.state };
    if (!status.connection)
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

static uint64_t lwip_target_deaths(struct target *t, char *text, size_t capacity)
{
    snprintf(text, capacity, "%s", self(t)->death);
    return self(t)->deaths;
}

/* ---- settings --------------------------------------------------------------------------------------------------- */

static bool refuse(const struct target_setting *setting, const char *why, struct target_error *error)
{
    error->kind = TARGET_ERR_UNSUPPORTED;
    snprintf(error->text, sizeof error->text, "lwip: setting %s %s: %s", setting->name, setting->value, why);
    return false;
}

/* Most of what lwIP can be told it is told when it is compiled. */
static bool apply_setting(struct lwip_settings *settings, const struct target_setting *wanted, struct target_error *error)
{
    const struct { const char *name; uint32_t *field; long min, max; } NUMBERS[] = {
        { "keepalive-idle-s", &settings->keepalive_idle_s, 1, INT32_MAX / 1000 },
        { "keepalive-interval-s", &settings->keepalive_interval_s, 1, INT32_MAX / 1000 },
        { "keepalive-probes", &settings->keepalive_probes, 1, 255 },
    };
    char *end;
    errno = 0;
    long value = strtol(wanted->value, &end, 10);
    bool number = *wanted->value && !*end && !errno;
    if (strcmp(wanted->name, "mtu") == 0) {
        settings->mtu = (uint16_t)value;
        return (number && value >= MTU_MIN && value <= MTU_MAX) || refuse(wanted, "an MTU is a number from 68 to 65535", error);
    }
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        if (strcmp(wanted->name, NUMBERS[i].name) != 0)
            continue;
        *NUMBERS[i].field = (uint32_t)value;
        return (number && value >= NUMBERS[i].min && value <= NUMBERS[i].max) || refuse(wanted, "out of range", error);
    }
    return refuse(wanted, "lwIP has that only as a constant of its compilation, if at all", error);
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static const struct target_ops LWIP_OPS = {
    .close = lwip_target_close, .send = lwip_target_send, .receive = lwip_target_receive, .deadline = lwip_target_deadline,
    .advance = lwip_target_advance, .fd = lwip_target_fd, .socket = lwip_target_socket, .bind = lwip_target_bind,
    .listen = lwip_target_listen, .accept = lwip_target_accept, .connect = lwip_target_connect, .send_data = lwip_target_send_data,
    .receive_data = lwip_target_receive_data, .shutdown = lwip_target_shutdown, .close_handle = lwip_target_close_handle,
    .set_option = lwip_target_set_option, .get_option = lwip_target_get_option, .ioctl = lwip_target_ioctl, .poll = lwip_target_poll,
    .local_endpoint = lwip_target_local_endpoint, .status = lwip_target_status, .deaths = lwip_target_deaths,
};

static struct lwip_address address_of(const char *text)
{
    struct pkt_endpoint endpoint = { .port = 0 };
    pkt_addr_parse(text, &endpoint.addr);
    return to_lwip(&endpoint).address;
}

static void describe(struct target_info *info, uint16_t mtu)
{
    snprintf(info->name, sizeof info->name, "lwip");
    info->capabilities = TARGET_VIRTUAL_TIME | TARGET_SYNCHRONOUS | TARGET_UPPER_TESTER | TARGET_STATUS | TARGET_IPV4 | TARGET_ECHO |
                         TARGET_MANY | TARGET_DISRUPTION | (mtu >= MTU_IPV6_MIN ? TARGET_IPV6 : 0u);
    pkt_addr_parse("192.0.2.2", &info->iut[0]);
    pkt_addr_parse("2001:db8::2", &info->iut[1]);
    pkt_addr_parse("198.51.100.1", &info->tester[0]);
    pkt_addr_parse("2001:db8:1::1", &info->tester[1]);
    info->tester_count = TESTER_ADDRESSES;
    info->mtu = mtu;
    info->granularity_ns = SLOW_TIMER_NS;
    info->msl_ns = MSL_NS;
}

/* "name=value" lines. */
static void take_facts(struct target_info *info, char *facts)
{
    char *rest;
    for (char *line = strtok_r(facts, "\n", &rest); line && info->pixit_count < TARGET_PIXIT_MAX;
         line = strtok_r(NULL, "\n", &rest)) {
        char *value = strchr(line, '=');
        if (!value)
            continue;
        *value++ = '\0';
        unsigned i = info->pixit_count++;
        snprintf(info->pixit[i].name, sizeof info->pixit[i].name, "%s", line);
        snprintf(info->pixit[i].value, sizeof info->pixit[i].value, "%s", value);
        if (strcmp(line, "lwIP") == 0)
            snprintf(info->description, sizeof info->description,
                     "lwIP %s (Debian's liblwip), a process of its own, in virtual time", value);
    }
}

static bool begin(struct lwip_target *l, struct target_error *error)
{
    struct lwip_request request = { .call = ASK_BEGIN, .octets = sizeof l->settings };
    struct lwip_answer answer;
    l->process = process_start(PATIENCE_MS, error);
    if (!l->process)
        return false;
    if (!ask(l, &request, (const uint8_t *)&l->settings, &answer)) {
        error->kind = TARGET_ERR_UNAVAILABLE;
        snprintf(error->text, sizeof error->text, "tcpassay-lwip %.400s", process_death(l->process));
        return false;
    }
    l->octets[answer.octets < CHANNEL_OCTETS_MAX ? answer.octets : CHANNEL_OCTETS_MAX - 1] = '\0';
    take_facts(&l->base.info, (char *)l->octets);
    return true;
}

static bool lwip_preflight(const char *argument, struct target_error *error)
{
    char program[512];
    if (!argument || !*argument)
        return process_find_program(program, sizeof program, error);
    error->kind = TARGET_ERR_USAGE;
    snprintf(error->text, sizeof error->text, "target lwip takes no argument, found \"%.200s\"", argument);
    return false;
}

static struct target *lwip_open(const char *argument, const struct target_config *config, struct target_error *error)
{
    if (!lwip_preflight(argument, error))
        return NULL;
    struct lwip_target *l = calloc(1, sizeof *l);
    if (!l) {
        error->kind = TARGET_ERR_UNAVAILABLE;
        snprintf(error->text, sizeof error->text, "lwip: out of memory");
        return NULL;
    }
    l->base.ops = &LWIP_OPS;
    l->settings = (struct lwip_settings){ .seed = config->seed, .mtu = MTU_DEFAULT, .router = address_of("192.0.2.1"),
                                          .addresses = { address_of("192.0.2.2"), address_of("2001:db8::2") } };
    bool fine = true;
    for (unsigned i = 0; i < config->setting_count && fine; i++)
        fine = apply_setting(&l->settings, &config->settings[i], error);
    describe(&l->base.info, l->settings.mtu);
    if (fine && begin(l, error))
        return &l->base;
    lwip_target_close(&l->base);
    return NULL;
}

const struct target_driver lwip_driver = {
    .name = "lwip",
    .summary = "lwIP, of Debian's liblwip, in a process of its own and in virtual time",
    .many = true,
    .virtual_time = true,
    .preflight = lwip_preflight,
    .open = lwip_open,
};
