/* A stack as a shared library, as a target of the runner.
 *
 * Each operation is a request to a holder (holder.h), which performs it on the plugin (adapter.h) and answers with what the plugin
 * emitted meanwhile, and with its next deadline. So receive() and deadline() ask nobody, and advance() asks only when something is
 * due: until then the time goes along with the next request, and the plugin is told of it before that.
 *
 * When the holder dies, or answers what cannot be, the instance is dead: its calls fail with -ECOMM, its clock has no more
 * deadlines, and deaths() says what happened. An instance that dies while it is made is opened nevertheless, dead: it is that test
 * which fails. */
#include "targets/plugin/target_plugin.h"

#include "targets/plugin/holder.h"
#include "targets/plugin/tcpassay_plugin.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TESTER_ADDRESSES = 200, MTU_DEFAULT = 1500, MTU_MIN = 68, NS_PER_MS = 1000000, QUEUE_MAX = 4 * EXCHANGE_OUTPUTS_MAX };

struct plugin {
    struct target target;    /* first: a struct target is a struct plugin */
    struct holder *holder;
    struct exchange *x;
    int64_t now_ns, deadline_ns;
    bool dead, finished;     /* finished: the instance has been destroyed */
    struct pkt_endpoint watched_local, watched_remote; /* the connection whose status comes with each answer … */
    bool watched;            /* … and came with the last one … */
    int64_t watched_ns, status_result; /* … at this time */
    struct target_status status;
    uint8_t *queue;          /* packets it emitted, as in the exchange's outputs */
    size_t queue_head, queue_tail, queue_capacity;
};

static struct plugin *plugin_of(struct target *t)
{
    return (struct plugin *)t;
}

/* ---- requests */

static void die(struct plugin *p, const char *words)
{
    if (words)
        holder_condemn(p->holder, words);
    p->dead = true;
    p->deadline_ns = INT64_MAX;
}

/* Is this a row of packets, as it should be? */
static bool is_whole(const uint8_t *block, size_t size)
{
    while (size) {
        uint32_t len;
        if (size < sizeof len)
            return false;
        memcpy(&len, block, sizeof len);
        if (len == 0 || len > PKT_BYTES_MAX || sizeof len + (len + 3) / 4 * 4 > size)
            return false;
        block += sizeof len + (len + 3) / 4 * 4;
        size -= sizeof len + (len + 3) / 4 * 4;
    }
    return true;
}

static bool make_room(struct plugin *p, size_t more)
{
    if (p->queue_head == p->queue_tail)
        p->queue_head = p->queue_tail = 0;
    if (p->queue_tail + more <= p->queue_capacity)
        return true;
    size_t capacity = p->queue_capacity ? p->queue_capacity : 65536;
    while (capacity < p->queue_tail + more)
        capacity *= 2;
    uint8_t *grown = capacity <= QUEUE_MAX ? realloc(p->queue, capacity) : NULL;
    if (!grown)
        return false;
    p->queue = grown;
    p->queue_capacity = capacity;
    return true;
}

/* Copied first, checked then: the other side may still be writing. */
static void take_outputs(struct plugin *p, uint32_t size)
{
    if (size == 0)
        return;
    if (size <= EXCHANGE_OUTPUTS_MAX && !make_room(p, size)) {
        die(p, "it emitted more packets than there is memory for");
        return;
    }
    if (size <= EXCHANGE_OUTPUTS_MAX)
        memcpy(p->queue + p->queue_tail, p->x->outputs, size);
    if (size <= EXCHANGE_OUTPUTS_MAX && is_whole(p->queue + p->queue_tail, size))
        p->queue_tail += size;
    else
        die(p, "it wrote over memory that is not its own (what it emitted is not to be read)");
}

static void take_status(struct plugin *p)
{
    p->watched = p->x->answer.status_there != 0;
    p->watched_ns = p->now_ns;
    if (!p->watched)
        return;
    p->status_result = p->x->answer.status_result;
    p->status = p->x->answer.status;
    if ((unsigned)p->status.state >= TCP_STATE_COUNT || p->status_result > 0)
        die(p, "it wrote over memory that is not its own (a status that cannot be)");
}

/* Asks; the result, which is at most what it can be, or -ECOMM. */
static int64_t ask(struct plugin *p, enum exchange_call call, int handle, int64_t most)
{
    struct exchange_request *request = &p->x->request;
    if (p->dead)
        return -ECOMM;
    request->call = call;
    request->now_ns = p->now_ns;
    request->handle = handle;
    if (!holder_call(p->holder)) {
        die(p, NULL);
        return -ECOMM;
    }
    const int64_t result = p->x->answer.result;
    p->deadline_ns = p->x->answer.deadline_ns;
    take_outputs(p, p->x->answer.outputs_bytes);
    take_status(p);
    if (result > most)
        die(p, "it wrote over memory that is not its own (a result is larger than can be)");
    return p->dead ? -ECOMM : result;
}

/* ---- link and time */

static int plugin_send(struct target *t, const uint8_t *bytes, size_t len)
{
    struct plugin *p = plugin_of(t);
    if (len > PKT_BYTES_MAX)
        return -EMSGSIZE;
    p->x->request.len = (uint32_t)len;
    memcpy(p->x->data, bytes, len);
    return (int)ask(p, EXCHANGE_INPUT, 0, 0);
}

static ssize_t plugin_receive(struct target *t, uint8_t *out, size_t capacity, int64_t *at_ns)
{
    struct plugin *p = plugin_of(t);
    uint32_t len;
    if (p->queue_head == p->queue_tail)
        return 0;
    memcpy(&len, p->queue + p->queue_head, sizeof len);
    if (len > capacity)
        return -EMSGSIZE;
    memcpy(out, p->queue + p->queue_head + sizeof len, len);
    p->queue_head += sizeof len + (len + 3) / 4 * 4;
    *at_ns = p->now_ns;
    return (ssize_t)len;
}

static int64_t plugin_deadline(struct target *t)
{
    return plugin_of(t)->deadline_ns;
}

static void plugin_advance(struct target *t, int64_t now_ns)
{
    struct plugin *p = plugin_of(t);
    const bool starts = p->now_ns == 0;
    p->now_ns = now_ns;
    if (starts || now_ns >= p->deadline_ns)
        ask(p, EXCHANGE_ADVANCE, 0, 0);
}

static int plugin_fd(struct target *t)
{
    (void)t;
    return -1;
}

/* ---- the application's calls */

static int64_t plugin_socket(struct target *t, uint8_t ip_version)
{
    struct plugin *p = plugin_of(t);
    p->x->request.flags = ip_version;
    return ask(p, EXCHANGE_SOCKET, 0, INT32_MAX);
}

static int64_t plugin_bind(struct target *t, int handle, const struct pkt_endpoint *local)
{
    struct plugin *p = plugin_of(t);
    p->x->request.local = *local;
    return ask(p, EXCHANGE_BIND, handle, INT32_MAX);
}

static int64_t plugin_listen(struct target *t, int handle, int backlog)
{
    struct plugin *p = plugin_of(t);
    p->x->request.flags = (uint32_t)backlog;
    return ask(p, EXCHANGE_LISTEN, handle, INT32_MAX);
}

static int64_t take_endpoint(struct plugin *p, int64_t result, struct pkt_endpoint *out)
{
    if (result >= 0 && out)
        *out = p->x->answer.endpoint;
    return result;
}

static int64_t plugin_accept(struct target *t, int handle, struct pkt_endpoint *peer)
{
    struct plugin *p = plugin_of(t);
    return take_endpoint(p, ask(p, EXCHANGE_ACCEPT, handle, INT32_MAX), peer);
}

static int64_t plugin_connect(struct target *t, int handle, const struct pkt_endpoint *remote)
{
    struct plugin *p = plugin_of(t);
    p->x->request.remote = *remote;
    return ask(p, EXCHANGE_CONNECT, handle, INT32_MAX);
}

static uint32_t bounded(size_t len)
{
    return len < EXCHANGE_DATA_MAX ? (uint32_t)len : EXCHANGE_DATA_MAX;
}

static int64_t plugin_send_data(struct target *t, int handle, const uint8_t *data, size_t len, unsigned flags)
{
    struct plugin *p = plugin_of(t);
    const uint32_t taken = bounded(len);
    p->x->request.len = taken;
    p->x->request.flags = flags;
    memcpy(p->x->data, data, taken);
    return ask(p, EXCHANGE_SEND, handle, taken);
}

static int64_t plugin_receive_data(struct target *t, int handle, uint8_t *out, size_t len, unsigned flags)
{
    struct plugin *p = plugin_of(t);
    const uint32_t wanted = bounded(len);
    p->x->request.len = wanted;
    p->x->request.flags = flags;
    const int64_t result = ask(p, EXCHANGE_RECEIVE, handle, wanted);
    if (result > 0)
        memcpy(out, p->x->data, (size_t)result);
    return result;
}

static int64_t plugin_shutdown(struct target *t, int handle, enum target_shutdown how)
{
    struct plugin *p = plugin_of(t);
    p->x->request.flags = how;
    return ask(p, EXCHANGE_SHUTDOWN, handle, INT32_MAX);
}

static int64_t plugin_close_handle(struct target *t, int handle)
{
    return ask(plugin_of(t), EXCHANGE_CLOSE, handle, INT32_MAX);
}

static void put_name(struct plugin *p, const char *name)
{
    snprintf(p->x->request.name, sizeof p->x->request.name, "%s", name);
}

static int64_t plugin_set_option(struct target *t, int handle, const char *name, const int64_t *values, unsigned count)
{
    struct plugin *p = plugin_of(t);
    if (count > EXCHANGE_VALUES_MAX)
        return -EINVAL;
    put_name(p, name);
    p->x->request.flags = count;
    memcpy(p->x->request.values, values, count * sizeof *values);
    return ask(p, EXCHANGE_SET_OPTION, handle, INT32_MAX);
}

static int64_t take_value(struct plugin *p, int64_t result, int64_t *value)
{
    if (result >= 0)
        *value = p->x->answer.value;
    return result;
}

static int64_t plugin_get_option(struct target *t, int handle, const char *name, int64_t *value)
{
    struct plugin *p = plugin_of(t);
    put_name(p, name);
    return take_value(p, ask(p, EXCHANGE_GET_OPTION, handle, INT32_MAX), value);
}

static int64_t plugin_ioctl(struct target *t, int handle, const char *name, int64_t *value)
{
    struct plugin *p = plugin_of(t);
    put_name(p, name);
    return take_value(p, ask(p, EXCHANGE_IOCTL, handle, INT32_MAX), value);
}

static unsigned plugin_poll(struct target *t, int handle)
{
    const int64_t events = ask(plugin_of(t), EXCHANGE_POLL, handle, INT32_MAX);
    if (events == -ENOSYS)
        return TARGET_EVENT_UNKNOWN;
    return events < 0 ? TARGET_EVENT_ERROR | TARGET_EVENT_HANGUP : (unsigned)events;
}

static int64_t plugin_local_endpoint(struct target *t, int handle, struct pkt_endpoint *out)
{
    struct plugin *p = plugin_of(t);
    return take_endpoint(p, ask(p, EXCHANGE_LOCAL_ENDPOINT, handle, INT32_MAX), out);
}

static bool same_endpoint(const struct pkt_endpoint *a, const struct pkt_endpoint *b)
{
    return a->port == b->port && pkt_addr_equal(&a->addr, &b->addr);
}

static int64_t plugin_status(struct target *t, const struct pkt_endpoint *local, const struct pkt_endpoint *remote,
                             struct target_status *out)
{
    struct plugin *p = plugin_of(t);
    const bool known = p->watched && p->watched_ns == p->now_ns && same_endpoint(local, &p->watched_local) &&
                       same_endpoint(remote, &p->watched_remote);
    if (!known) {
        p->x->request.local = p->watched_local = *local;
        p->x->request.remote = p->watched_remote = *remote;
        int64_t result = ask(p, EXCHANGE_STATUS, 0, 0);
        if (result < 0)
            return result;
    }
    if (p->dead)
        return -ECOMM;
    *out = p->status;
    return p->status_result;
}

/* ---- life */

static uint64_t plugin_deaths(struct target *t, char *text, size_t capacity)
{
    struct plugin *p = plugin_of(t);
    if (p->dead)
        snprintf(text, capacity, "%s", holder_death(p->holder));
    return p->dead;
}

static void plugin_finish(struct target *t)
{
    struct plugin *p = plugin_of(t);
    if (!p->finished)
        ask(p, EXCHANGE_DESTROY, 0, 0);
    p->finished = true;
}

static void plugin_close(struct target *t)
{
    struct plugin *p = plugin_of(t);
    plugin_finish(t);
    holder_release(p->holder);
    free(p->queue);
    free(p);
}

static const struct target_ops plugin_ops = {
    .close = plugin_close, .send = plugin_send, .receive = plugin_receive, .deadline = plugin_deadline, .advance = plugin_advance,
    .fd = plugin_fd, .socket = plugin_socket, .bind = plugin_bind, .listen = plugin_listen, .accept = plugin_accept,
    .connect = plugin_connect, .send_data = plugin_send_data, .receive_data = plugin_receive_data, .shutdown = plugin_shutdown,
    .close_handle = plugin_close_handle, .set_option = plugin_set_option, .get_option = plugin_get_option, .ioctl = plugin_ioctl,
    .poll = plugin_poll, .local_endpoint = plugin_local_endpoint, .status = plugin_status, .deaths = plugin_deaths,
    .finish = plugin_finish,
};

/* ---- what it is */

static void put_fact(struct target_info *info, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void put_fact(struct target_info *info, const char *name, const char *format, ...)
{
    va_list arguments;
    if (info->pixit_count == TARGET_PIXIT_MAX)
        return;
    snprintf(info->pixit[info->pixit_count].name, sizeof info->pixit->name, "%s", name);
    va_start(arguments, format);
    vsnprintf(info->pixit[info->pixit_count++].value, sizeof info->pixit->value, format, arguments);
    va_end(arguments);
}

static bool has(const struct exchange_about *about, enum exchange_call call)
{
    return about->functions >> call & 1;
}

/* What a plugin may leave out, and what that means: each a fact, so that nobody wonders why tests are not applicable. */
static void put_missing(struct target_info *info, const struct exchange_about *about)
{
    static const struct { enum exchange_call call; const char *means; } rows[] = {
        {EXCHANGE_DEADLINE, "told the time at each tick instead"}, {EXCHANGE_SOCKET, "no application's side"},
        {EXCHANGE_BIND, "no passive opens, no chosen ports"}, {EXCHANGE_LISTEN, "no passive opens"}, {EXCHANGE_ACCEPT, "no passive opens"},
        {EXCHANGE_CONNECT, "no active opens"}, {EXCHANGE_SEND, "nothing is written"}, {EXCHANGE_RECEIVE, "nothing is read"},
        {EXCHANGE_SHUTDOWN, "no half-closed connections"}, {EXCHANGE_CLOSE, "nothing is closed"}, {EXCHANGE_SET_OPTION, "no options"},
        {EXCHANGE_GET_OPTION, "no options; connect() is asked again"}, {EXCHANGE_IOCTL, "no queue lengths"},
        {EXCHANGE_POLL, "connect() is asked again instead"},
        {EXCHANGE_LOCAL_ENDPOINT, "its ports are seen on the link"}, {EXCHANGE_STATUS, "its states are not revealed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[64];
        snprintf(name, sizeof name, "missing %s", exchange_call_name(rows[i].call));
        if (!has(about, rows[i].call) &&
            (has(about, EXCHANGE_SOCKET) || rows[i].call <= EXCHANGE_SOCKET || rows[i].call == EXCHANGE_STATUS))
            put_fact(info, name, "%s", rows[i].means);
    }
}

static unsigned capabilities_of(const struct exchange_about *about)
{
    unsigned capabilities = TARGET_VIRTUAL_TIME | TARGET_SYNCHRONOUS | TARGET_MANY | TARGET_DISRUPTION;
    capabilities |= about->flags & TCPASSAY_IPV4 ? TARGET_IPV4 : 0;
    capabilities |= about->flags & TCPASSAY_IPV6 ? TARGET_IPV6 : 0;
    capabilities |= about->flags & TCPASSAY_ECHO ? TARGET_ECHO : 0;
    capabilities |= has(about, EXCHANGE_SOCKET) ? TARGET_UPPER_TESTER : 0;
    return capabilities | (has(about, EXCHANGE_STATUS) ? TARGET_STATUS : 0);
}

static void describe(struct target_info *info, const char *argument, const struct exchange_about *about, bool in_process)
{
    snprintf(info->name, sizeof info->name, "plugin%s:%.40s", in_process ? "-in-process" : "", argument);
    snprintf(info->description, sizeof info->description, "%s%s%.*s, a plugin, in virtual time", about->name, *about->description ? ": " : "",
             100, about->description);
    info->capabilities = capabilities_of(about);
    pkt_addr_parse("192.0.2.2", &info->iut[0]);
    pkt_addr_parse("2001:db8::2", &info->iut[1]);
    pkt_addr_parse("198.51.100.1", &info->tester[0]);
    pkt_addr_parse("2001:db8:1::1", &info->tester[1]);
    info->tester_count = TESTER_ADDRESSES;
    info->granularity_ns = about->granularity_ns;
    info->granularity_permille = about->granularity_permille;
    if (!has(about, EXCHANGE_DEADLINE) && info->granularity_ns < about->tick_ns)
        info->granularity_ns = about->tick_ns; /* between two ticks nothing can happen */
    info->msl_ns = about->msl_ns;
    info->open_port = about->open_port;
    snprintf(info->lacks, sizeof info->lacks, "%s", about->lacks);
    put_fact(info, "plugin interface", "version %u", about->abi);
    put_fact(info, "speaks", "%s%s%s%s", about->flags & TCPASSAY_IPV4 ? "IPv4 " : "", about->flags & TCPASSAY_IPV6 ? "IPv6 " : "",
             about->flags & TCPASSAY_ECHO ? "ICMP-echo " : "", about->flags & TCPASSAY_GLOBALS ? "(a process for each test)" : "");
    put_missing(info, about);
    for (unsigned i = 0; i < about->fact_count; i++)
        put_fact(info, about->facts[i].name, "%s", about->facts[i].value);
}

/* ---- opening */

/* The settings, as the exchange has them: false when there is no room, which no list of settings comes near to. */
static bool put_settings(struct plugin *p, const struct target_config *wanted)
{
    size_t used = 0;
    uint32_t count = 0;
    p->x->request.mtu = MTU_DEFAULT;
    for (unsigned i = 0; i < wanted->setting_count; i++) {
        const struct target_setting *setting = &wanted->settings[i];
        const size_t name_len = strlen(setting->name) + 1, value_len = strlen(setting->value) + 1;
        if (count == EXCHANGE_SETTINGS_MAX || used + name_len + value_len > EXCHANGE_DATA_MAX)
            return false;
        if (!strcmp(setting->name, "mtu")) { /* the link's: every plugin is told it, whether it has such a setting or not */
            const unsigned long mtu = strtoul(setting->value, NULL, 10);
            if (mtu < MTU_MIN || mtu > UINT16_MAX)
                return false;
            p->x->request.mtu = (uint16_t)mtu;
            continue;
        }
        memcpy(p->x->data + used, setting->name, name_len);
        memcpy(p->x->data + used + name_len, setting->value, value_len);
        used += name_len + value_len;
        count++;
    }
    p->x->request.setting_count = count;
    return true;
}

static struct plugin *refuse(struct plugin *p, enum target_error_kind kind, const char *words, struct target_error *error)
{
    error->kind = kind;
    snprintf(error->text, sizeof error->text, "%.100s: %.380s", p->target.info.name, words);
    p->finished = true; /* there is no instance */
    plugin_close(&p->target);
    return NULL;
}

static struct plugin *create(struct plugin *p, const struct target_config *wanted, struct target_error *error)
{
    struct exchange_request *request = &p->x->request;
    const struct target_info *info = &p->target.info;
    char words[sizeof p->x->answer.words];
    *request = (struct exchange_request){.seed = wanted->seed, .iut = {info->iut[0], info->iut[1]}, .tester = {info->tester[0], info->tester[1]}};
    if (!put_settings(p, wanted))
        return refuse(p, TARGET_ERR_UNSUPPORTED, "such settings cannot be made", error);
    p->target.info.mtu = request->mtu;
    const int64_t result = ask(p, EXCHANGE_CREATE, 0, 0);
    if (result >= 0 || p->dead)
        return p;
    memcpy(words, p->x->answer.words, sizeof words);
    words[sizeof words - 1] = '\0';
    if (result == -EINVAL)
        return refuse(p, TARGET_ERR_UNSUPPORTED, words, error);
    die(p, "create() gave NULL, and did not say why with refuse()");
    return p;
}

static struct plugin *open_plugin(const char *argument, bool in_process, const struct target_config *wanted,
                                  struct target_error *error)
{
    char path[PATH_MAX];
    error->kind = TARGET_ERR_USAGE;
    if (!*argument) {
        snprintf(error->text, sizeof error->text, "which plugin? It is named behind a colon: plugin:FILE.so");
        return NULL;
    }
    if (!realpath(argument, path)) {
        snprintf(error->text, sizeof error->text, "%.400s: %s", argument, strerror(errno));
        return NULL;
    }
    struct holder *holder = holder_acquire(path, in_process, error);
    if (!holder)
        return NULL;
    struct plugin *p = calloc(1, sizeof *p);
    if (!p) {
        holder_release(holder);
        *error = (struct target_error){.kind = TARGET_ERR_UNAVAILABLE, .text = "out of memory"};
        return NULL;
    }
    *p = (struct plugin){.target.ops = &plugin_ops, .holder = holder, .x = holder_exchange(holder), .deadline_ns = INT64_MAX};
    describe(&p->target.info, argument, holder_about(holder), in_process);
    return create(p, wanted, error);
}

/* Loads it, makes an instance and does away with it: whoever cannot do that need not be tested. */
static bool can_open(const char *argument, bool in_process, struct target_error *error)
{
    const struct target_config plain = {.seed = 1};
    if (!argument || !*argument)
        return true; /* which file is not known yet */
    struct plugin *p = open_plugin(argument, in_process, &plain, error);
    if (!p)
        return false;
    plugin_finish(&p->target);
    const bool lives = !p->dead;
    if (!lives) {
        error->kind = TARGET_ERR_UNAVAILABLE;
        plugin_deaths(&p->target, error->text, sizeof error->text);
    }
    plugin_close(&p->target);
    return lives;
}

static bool plugin_preflight(const char *argument, struct target_error *error)
{
    return can_open(argument, false, error);
}

static bool in_process_preflight(const char *argument, struct target_error *error)
{
    return can_open(argument, true, error);
}

static struct target *plugin_open(const char *argument, const struct target_config *config, struct target_error *error)
{
    return (struct target *)open_plugin(argument, false, config, error);
}

static struct target *in_process_open(const char *argument, const struct target_config *config, struct target_error *error)
{
    return (struct target *)open_plugin(argument, true, config, error);
}

bool plugin_is_holder(int argc, char **argv)
{
    return argc > 1 && !strcmp(argv[1], HOLDER_COMMAND);
}

int plugin_holder(int argc, char **argv)
{
    return holder_main(argc, argv);
}

const struct target_driver plugin_driver = {
    .name = "plugin", .argument = "FILE.so", .summary = "your stack as a shared library, in virtual time (tcpassay_plugin.h): plugin:FILE.so",
    .many = true, .virtual_time = true, .preflight = plugin_preflight, .open = plugin_open,
};

const struct target_driver plugin_in_process_driver = {
    .name = "plugin-in-process", .argument = "FILE.so", .summary = "the same without a process of its own, for debuggers; its crash is ours",
    .many = true, .virtual_time = true, .preflight = in_process_preflight, .open = in_process_open,
};
