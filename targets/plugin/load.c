/* Loading a plugin: is it one, and can what it says of itself be true? Whatever is wrong is said in words, with what to do about
 * it. */
#include "targets/plugin/within.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRUCT_SIZE_MAX = 65536 /* bigger than any later version will be */, TICK_MIN_NS = 10000 };
static const int64_t time_max_ns = INT64_C(1000000000) * 3600;

typedef const struct tcpassay_plugin *entry_point(void);

/* The least that a struct must hold: everything up to advance(). */
static const size_t size_min = offsetof(struct tcpassay_plugin, next_deadline);

static const char *const call_names[EXCHANGE_CALL_COUNT] = {
    [EXCHANGE_LOAD] = "the loading of the library", [EXCHANGE_CREATE] = "create()", [EXCHANGE_DESTROY] = "destroy()",
    [EXCHANGE_INPUT] = "input()", [EXCHANGE_ADVANCE] = "advance()", [EXCHANGE_DEADLINE] = "next_deadline()",
    [EXCHANGE_SOCKET] = "socket()", [EXCHANGE_BIND] = "bind()", [EXCHANGE_LISTEN] = "listen()", [EXCHANGE_ACCEPT] = "accept()",
    [EXCHANGE_CONNECT] = "connect()", [EXCHANGE_SEND] = "send()", [EXCHANGE_RECEIVE] = "receive()",
    [EXCHANGE_SHUTDOWN] = "shutdown()", [EXCHANGE_CLOSE] = "close()", [EXCHANGE_SET_OPTION] = "set_option()",
    [EXCHANGE_GET_OPTION] = "get_option()", [EXCHANGE_IOCTL] = "ioctl()", [EXCHANGE_POLL] = "poll()",
    [EXCHANGE_LOCAL_ENDPOINT] = "local_endpoint()", [EXCHANGE_STATUS] = "status()",
};

const char *exchange_call_name(enum exchange_call call)
{
    return (unsigned)call < EXCHANGE_CALL_COUNT ? call_names[call] : "a call";
}

/* ---- what is wrong with the file */

static bool complain(struct exchange_about *about, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool complain(struct exchange_about *about, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(about->error, sizeof about->error, format, arguments);
    va_end(arguments);
    return false;
}

static const struct { const char *in_message, *advice; } advices[] = {
    {"libclang_rt.", "the runtime of its sanitizer is not found: set LD_LIBRARY_PATH to the folder of `clang -print-file-name=libclang_rt.asan-x86_64.so`"},
    {"__asan_", "it is built with AddressSanitizer, without its runtime: build it with gcc, or link it with clang -shared-libsan"},
    {"__ubsan_", "it is built with UndefinedBehaviorSanitizer, without its runtime: build it with gcc, or link it with clang -shared-libsan"},
    {"invalid ELF header", "it is no shared library: build it with cc -shared -fPIC"},
    {"file too short", "it is no shared library: build it with cc -shared -fPIC"},
    {"cannot dynamically load", "it is a program: build it with cc -shared -fPIC"},
    {"wrong ELF class", "it is built for another kind of processor than this program"},
    {"undefined symbol", "it uses a function that it does not hold: link it with the rest of your stack"},
};

static bool complain_of_loading(struct exchange_about *about, const char *message)
{
    for (size_t i = 0; message && i < sizeof advices / sizeof *advices; i++)
        if (strstr(message, advices[i].in_message))
            return complain(about, "cannot be loaded: %.300s; %s", message, advices[i].advice);
    return complain(about, "cannot be loaded: %.400s", message ? message : "for no reason given");
}

/* ---- what is wrong with what it says */

static bool check_version(struct exchange_about *about, const struct tcpassay_plugin *theirs)
{
    about->abi = theirs->abi;
    about->size = theirs->size;
    if (about->abi != TCPASSAY_PLUGIN_ABI)
        return complain(about,
                        "says that it speaks version %u of the plugin interface; this program speaks version %u: build it with the "
                        "tcpassay_plugin.h of this program",
                        about->abi, TCPASSAY_PLUGIN_ABI);
    if (about->size < size_min)
        return complain(
            about,
            "says that its struct tcpassay_plugin has %u octets, but it takes %zu to hold what must be there: set size to "
            "sizeof(struct tcpassay_plugin)",
            about->size, size_min);
    if (about->size > STRUCT_SIZE_MAX || about->size % sizeof(void *))
        return complain(about,
                        "says that its struct tcpassay_plugin has %u octets, which cannot be: set size to sizeof(struct "
                        "tcpassay_plugin)",
                        about->size);
    return true;
}

static bool check_numbers(struct exchange_about *about, const struct tcpassay_plugin *p)
{
    if (!(p->flags & (TCPASSAY_IPV4 | TCPASSAY_IPV6)))
        return complain(about, "claims neither TCPASSAY_IPV4 nor TCPASSAY_IPV6 in its flags: nothing could be tested");
    if (p->granularity_ns < 0 || p->granularity_ns > time_max_ns || p->granularity_permille > 1000)
        return complain(about, "says that its timers may be late by %" PRId64 " ns and %u per mille, which cannot be",
                        p->granularity_ns, p->granularity_permille);
    if (p->tick_ns < 0 || (p->tick_ns && p->tick_ns < TICK_MIN_NS) || p->tick_ns > time_max_ns)
        return complain(about, "wants a tick each %" PRId64 " ns; from %d ns on it could have one", p->tick_ns, TICK_MIN_NS);
    if (p->msl_ns < 0 || p->msl_ns > time_max_ns)
        return complain(about, "has an MSL of %" PRId64 " ns, which cannot be", p->msl_ns);
    return true;
}

static bool check_functions(struct exchange_about *about, const struct tcpassay_plugin *p)
{
    const struct { bool there; const char *name; } needed[] = {
        {p->create != NULL, " create()"}, {p->destroy != NULL, " destroy()"}, {p->input != NULL, " input()"}, {p->advance != NULL, " advance()"}};
    char missing[64] = "";
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!needed[i].there)
            snprintf(missing + strlen(missing), sizeof missing - strlen(missing), "%s", needed[i].name);
    return !*missing || complain(about, "lacks what must be there:%s", missing);
}

/* ---- what it says */

static uint32_t functions_of(const struct tcpassay_plugin *p)
{
    const struct { enum exchange_call call; bool there; } rows[] = {
        {EXCHANGE_CREATE, p->create}, {EXCHANGE_DESTROY, p->destroy}, {EXCHANGE_INPUT, p->input}, {EXCHANGE_ADVANCE, p->advance},
        {EXCHANGE_DEADLINE, p->next_deadline}, {EXCHANGE_SOCKET, p->socket}, {EXCHANGE_BIND, p->bind}, {EXCHANGE_LISTEN, p->listen},
        {EXCHANGE_ACCEPT, p->accept}, {EXCHANGE_CONNECT, p->connect}, {EXCHANGE_SEND, p->send}, {EXCHANGE_RECEIVE, p->receive},
        {EXCHANGE_SHUTDOWN, p->shutdown}, {EXCHANGE_CLOSE, p->close}, {EXCHANGE_SET_OPTION, p->set_option},
        {EXCHANGE_GET_OPTION, p->get_option}, {EXCHANGE_IOCTL, p->ioctl}, {EXCHANGE_POLL, p->poll},
        {EXCHANGE_LOCAL_ENDPOINT, p->local_endpoint}, {EXCHANGE_STATUS, p->status},
    };
    uint32_t functions = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        functions |= rows[i].there ? UINT32_C(1) << rows[i].call : 0;
    return functions;
}

static bool describe_settings(struct exchange_about *about, const char *const *settings)
{
    size_t used = 0;
    for (; settings && *settings; settings++) {
        int more = snprintf(about->settings + used, sizeof about->settings - used, "%s%s+", used ? "" : "+", *settings);
        if (more < 0 || (size_t)more >= sizeof about->settings - used)
            return complain(about, "names more settings than there are (more than %zu octets of names); is the list ended by NULL?",
                            sizeof about->settings);
        used += (size_t)more;
    }
    return true;
}

static bool describe(struct exchange_about *about, const struct tcpassay_plugin *p, const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(about->name, sizeof about->name, "%s", p->name ? p->name : slash ? slash + 1 : path);
    snprintf(about->description, sizeof about->description, "%s", p->description ? p->description : "");
    snprintf(about->lacks, sizeof about->lacks, "%s", p->lacks ? p->lacks : "");
    about->flags = p->flags;
    about->functions = functions_of(p);
    about->open_port = p->open_port;
    about->granularity_ns = p->granularity_ns;
    about->granularity_permille = p->granularity_permille;
    about->tick_ns = p->tick_ns;
    about->msl_ns = p->msl_ns;
    for (const struct tcpassay_pair *fact = p->facts; fact && fact->name && about->fact_count < TARGET_PIXIT_MAX; fact++) {
        snprintf(about->facts[about->fact_count].name, sizeof about->facts->name, "%s", fact->name);
        snprintf(about->facts[about->fact_count++].value, sizeof about->facts->value, "%s", fact->value ? fact->value : "");
    }
    return describe_settings(about, p->settings);
}

static bool load(struct adapter *a, const char *path)
{
    struct exchange_about *about = &a->x->about;
    adapter_enters(a, EXCHANGE_LOAD);
    a->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!a->library)
        return complain_of_loading(about, dlerror());
    entry_point *entry;
    void *symbol = dlsym(a->library, "tcpassay_plugin_v1");
    if (!symbol)
        return complain(
            about, "has no function tcpassay_plugin_v1(): is it a plugin, and is the function exported (TCPASSAY_PLUGIN_EXPORT, "
                               "extern \"C\" in C++)?");
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from one to the other */
    const struct tcpassay_plugin *theirs = entry();
    if (!theirs)
        return complain(about, "gives NULL from tcpassay_plugin_v1(), where its description is wanted");
    if (!check_version(about, theirs))
        return false;
    memcpy(&a->plugin, theirs, about->size < sizeof a->plugin ? about->size : sizeof a->plugin);
    if (!a->plugin.next_deadline && a->plugin.tick_ns == 0)
        a->plugin.tick_ns = 10000000;
    return check_functions(about, &a->plugin) && check_numbers(about, &a->plugin) && describe(about, &a->plugin, path);
}

struct adapter *adapter_load(const char *path, struct exchange *x, adapter_fault *fault)
{
    struct adapter *a = calloc(1, sizeof *a);
    x->about = (struct exchange_about){.error = "out of memory"};
    if (!a)
        return NULL;
    *a = (struct adapter){.x = x, .fault = fault, .thread = pthread_self()};
    if (!guarded_make(&a->in, EXCHANGE_DATA_MAX) || !guarded_make(&a->out, EXCHANGE_DATA_MAX)) {
        adapter_free(a);
        return NULL;
    }
    *x->about.error = '\0';
    if (!load(a, path)) {
        adapter_free(a);
        return NULL;
    }
    return a;
}

void adapter_free(struct adapter *a)
{
    if (!a)
        return;
    guarded_free(&a->in);
    guarded_free(&a->out);
    if (a->library)
        dlclose(a->library);
    free(a);
}
