/* A stack that goes wrong on purpose, for the tests: how is said by the environment variable BAD, "CALL:DEED" ("input:segv"). It
 * behaves until a segment with the window ARMING comes, so that one scenario is to blame and no other; a call named "early" goes
 * wrong at once. Built as a plugin; what it does otherwise is nothing, politely. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "targets/plugin/tcpassay_plugin.h"

enum { ARMING = 0x6666, WINDOW_AT_4 = 20 + 14 };

struct tcpassay_stack {
    const struct tcpassay_tester *tester;
    int64_t now_ns;
    int armed;
};

static const char *deed_of(const char *call)
{
    const char *bad = getenv("BAD");
    const size_t len = strlen(call);
    return bad && !strncmp(bad, call, len) && bad[len] == ':' ? bad + len + 1 : "";
}

static int is(const char *deed, const char *name)
{
    return !strcmp(deed, name);
}

/* ---- deeds */

static int deepen(volatile int *depth)
{
    volatile int here[1024];
    here[0] = *depth + 1;
    return here[0] < INT_MAX ? deepen(here) + here[0] : here[0];
}

static void leak_all(void)
{
    static char *volatile kept; /* else a compiler sees that nobody wants it */
    for (;;) {
        char *block = malloc(1 << 20);
        if (!block) {
            fputs("out of memory, says the plugin\n", stderr);
            abort();
        }
        memset(block, 1, 1 << 20);
        kept = block;
        kept[0]++;
    }
}

/* Writes over the memory that it shares with the tester. */
static void scribble(void)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        if (strstr(line, "plugin-exchange") && sscanf(line, "%lx-%lx", &from, &to) == 2)
            memset((void *)(from + 64), 0xff, to - from - 64); /* but for the words by which calls are counted */
    }
    if (maps)
        fclose(maps);
}

static void *emit_from_afar(void *context)
{
    struct tcpassay_stack *s = context;
    static const unsigned char packet[20] = {0x45};
    s->tester->output(s->tester->context, packet, sizeof packet);
    return NULL;
}

static jmp_buf elsewhere;

/* Where longjmp() goes, when this has returned long ago. */
static void mark_place(void)
{
    if (setjmp(elsewhere)) {
        fputs("thrown out of a function into one that had returned\n", stderr);
        abort();
    }
}

/* NOLINTBEGIN(clang-analyzer-core.NullDereference): whether there is a stack is among what goes wrong */
static void emit_forever(struct tcpassay_stack *s)
{
    static const unsigned char packet[1500] = {0x45};
    for (;;)
        s->tester->output(s->tester->context, packet, sizeof packet);
}

static void start_thread(struct tcpassay_stack *s)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, emit_from_afar, s) == 0)
        pthread_join(thread, NULL);
}

static void do_deed(struct tcpassay_stack *s, const char *deed)
{
    static volatile int one = 1;
    volatile unsigned turns = 0;
    if (is(deed, "segv"))
        *(volatile int *)(uintptr_t)one = 1;
    else if (is(deed, "abort"))
        abort();
    else if (is(deed, "exit"))
        exit(7);
    else if (is(deed, "loop"))
        while (one)
            turns++;
    else if (is(deed, "sleep"))
        while (one)
            sleep(1000);
    else if (is(deed, "recursion"))
        deepen(&one);
    else if (is(deed, "leak"))
        leak_all();
    else if (is(deed, "scribble"))
        scribble();
    else if (is(deed, "thread"))
        start_thread(s);
    else if (is(deed, "flood"))
        emit_forever(s);
    else if (is(deed, "longjmp"))
        longjmp(elsewhere, 1);
    else if (is(deed, "closefds"))
        for (int fd = 0; fd < 64; fd++)
            close(fd);
    else if (is(deed, "print"))
        for (int i = 0; i < 3; i++)
            puts("{\"printed\": \"by the plugin\"}"), fflush(stdout);
    else if (is(deed, "nopacket"))
        s->tester->output(s->tester->context, NULL, 40);
    else if (is(deed, "bigpacket"))
        s->tester->output(s->tester->context, deed, (size_t)1 << 40);
    else if (is(deed, "say"))
        fputs("stack.c:17: Assertion `the moon is blue' failed.\n", stderr), abort();
}

/* What a call gives: its deed is done, or a value given that there cannot be, or what it should. */
static int64_t gives(struct tcpassay_stack *s, const char *call, int64_t otherwise)
{
    const char *deed = s->armed ? deed_of(call) : "";
    if (!*deed)
        return otherwise;
    if (is(deed, "huge"))
        return INT64_MAX;
    if (is(deed, "nonsense"))
        return -1000000;
    do_deed(s, deed);
    return otherwise;
}

/* ---- life and time */

static struct tcpassay_stack *bad_create(const struct tcpassay_config *config, const struct tcpassay_tester *tester)
{
    struct tcpassay_stack *s = calloc(1, sizeof *s);
    const char *deed = deed_of("early");
    if (!s || config->size < sizeof *config || is(deed, "null")) {
        free(s);
        return NULL;
    }
    s->tester = tester;
    mark_place();
    if (config->setting_count) { /* the test's way of blaming create() */
        s->armed = 1;
        gives(s, "create", 0);
        tester->refuse(tester->context, "not with this value");
        free(s);
        return NULL;
    }
    do_deed(s, deed);
    return s;
}

static void bad_destroy(struct tcpassay_stack *s)
{
    gives(s, "destroy", 0);
    free(s);
}

static void bad_input(struct tcpassay_stack *s, const void *packet, size_t length, int64_t now_ns)
{
    const unsigned char *octets = packet;
    s->now_ns = now_ns;
    if (length >= WINDOW_AT_4 + 2 && octets[WINDOW_AT_4] == (ARMING >> 8) && octets[WINDOW_AT_4 + 1] == (ARMING & 255))
        s->armed = 1;
    if (s->armed && is(deed_of("input"), "overrun"))
        ((volatile unsigned char *)packet)[length + 64] = 1;
    if (s->armed && is(deed_of("input"), "overread"))
        s->now_ns += ((const volatile unsigned char *)packet)[length + 64];
    gives(s, "input", 0);
}

static void bad_advance(struct tcpassay_stack *s, int64_t now_ns)
{
    s->now_ns = now_ns;
    gives(s, "advance", 0);
}

static int64_t bad_deadline(struct tcpassay_stack *s)
{
    const char *deed = s->armed ? deed_of("next_deadline") : "";
    if (is(deed, "past"))
        return 1;
    if (is(deed, "negative"))
        return INT64_MIN;
    if (is(deed, "creeping"))
        return s->now_ns + 1;
    gives(s, "next_deadline", 0);
    return s->armed && *deed_of("advance") ? s->now_ns + 1000000 : INT64_MAX;
}

/* ---- the application's calls */

static int64_t bad_socket(struct tcpassay_stack *s, int ip_version)
{
    (void)ip_version;
    return gives(s, "socket", 3);
}

static int64_t bad_bind(struct tcpassay_stack *s, int64_t handle, const struct tcpassay_endpoint *local)
{
    (void)handle, (void)local;
    return gives(s, "bind", 0);
}

static int64_t bad_listen(struct tcpassay_stack *s, int64_t handle, int backlog)
{
    (void)handle, (void)backlog;
    return gives(s, "listen", 0);
}

static int64_t bad_accept(struct tcpassay_stack *s, int64_t handle, struct tcpassay_endpoint *peer)
{
    (void)handle;
    peer->address.version = s->armed && is(deed_of("accept"), "version") ? 77 : 4;
    memcpy(peer->address.bytes, "\xc6\x33\x64\x01", 4);
    return gives(s, "accept", 4);
}

static int64_t bad_send(struct tcpassay_stack *s, int64_t handle, const void *data, size_t length, unsigned flags)
{
    (void)handle, (void)data, (void)flags;
    return gives(s, "send", s->armed && is(deed_of("send"), "more") ? (int64_t)length + 1 : (int64_t)length);
}

static int64_t bad_receive(struct tcpassay_stack *s, int64_t handle, void *out, size_t length, unsigned flags)
{
    const char *deed = s->armed ? deed_of("receive") : "";
    (void)handle, (void)flags;
    if (is(deed, "overrun"))
        memset(out, 0, length + 4096);
    if (is(deed, "one-over"))
        memset(out, 0, length + 1);
    if (is(deed, "more"))
        return (int64_t)length + 1;
    memset(out, 'x', length);
    return gives(s, "receive", (int64_t)length);
}

static int64_t bad_close(struct tcpassay_stack *s, int64_t handle)
{
    (void)handle;
    return gives(s, "close", 0);
}

static int64_t bad_status(struct tcpassay_stack *s, const struct tcpassay_endpoint *local, const struct tcpassay_endpoint *remote,
                          struct tcpassay_status *out)
{
    (void)local, (void)remote;
    out->state = s->armed && is(deed_of("status"), "state") ? 99 : TCPASSAY_CLOSED;
    if (s->armed && is(deed_of("status"), "longer"))
        memset(out, 0, sizeof *out + 200); /* as a plugin with a later header would, which is no fault */
    return gives(s, "status", 0);
}

/* ---- what it says of itself */

static struct tcpassay_plugin bad = {
    .abi = TCPASSAY_PLUGIN_ABI, .size = sizeof bad, .name = "bad", .flags = TCPASSAY_IPV4, .create = bad_create, .destroy = bad_destroy,
    .input = bad_input, .advance = bad_advance, .next_deadline = bad_deadline, .socket = bad_socket, .bind = bad_bind,
    .listen = bad_listen, .accept = bad_accept, .send = bad_send, .receive = bad_receive, .close = bad_close, .status = bad_status,
};

/* A struct of a later version: longer, with members that this program does not know. */
static const struct { struct tcpassay_plugin plugin; void *more[8]; } later = {
    .plugin = {.abi = TCPASSAY_PLUGIN_ABI, .size = sizeof later, .name = "later", .flags = TCPASSAY_IPV4, .create = bad_create,
               .destroy = bad_destroy, .input = bad_input, .advance = bad_advance},
};

TCPASSAY_PLUGIN_EXPORT const struct tcpassay_plugin *tcpassay_plugin_v1(void)
{
    static const char *const endless[] = {"a-setting-that-is-named-again-and-again", "and-again", NULL};
    const char *lie = deed_of("load");
    bad.settings = endless;
    if (is(lie, "null"))
        return NULL;
    if (is(lie, "later"))
        return &later.plugin;
    bad.abi = is(lie, "version") ? 2 : TCPASSAY_PLUGIN_ABI;
    bad.size = is(lie, "small") ? 24 : is(lie, "odd") ? sizeof bad + 3 : is(lie, "vast") ? UINT32_MAX - 7 : sizeof bad;
    if (is(lie, "older")) { /* one that ends with advance() */
        bad.size = offsetof(struct tcpassay_plugin, next_deadline);
        bad.socket = (int64_t(*)(struct tcpassay_stack *, int))(uintptr_t)1; /* beyond its size: nobody looks there */
    }
    bad.flags = is(lie, "flags") ? 0 : TCPASSAY_IPV4;
    bad.tick_ns = is(lie, "tick") ? -1 : 0;
    if (is(lie, "lacks"))
        bad.input = NULL;
    if (is(lie, "name"))
        bad.name = (const char *)(uintptr_t)16;
    do_deed(NULL, lie);
    return &bad;
}
/* NOLINTEND(clang-analyzer-core.NullDereference) */
