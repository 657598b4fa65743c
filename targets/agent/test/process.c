/* Tests of a real agent, a process in a network namespace: whatever happens to it or to the tester, both sides end in time, say
 * what happened, and leave nothing. $TCPASSAY_AGENT is the program. */
#include "targets/agent/client.h"
#include "targets/agent/key.h"
#include "targets/sockets/diag.h"
#include "targets/sockets/sysctl.h"
#include "targets/tap/namespace.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { SKIP = 77, PATIENCE_MS = 400 };
#define PATIENCE_NS (PATIENCE_MS * INT64_C(1000000))
#define LONG_NS INT64_C(20000000000) /* nothing takes so long, sanitizers and a busy machine included */

static char folder[] = "/tmp/tcpassay-agent-test.XXXXXX", key_file[64], other_key_file[64], program[4096];

struct process {
    pid_t pid;
    int out;              /* its standard output and error: at its end, all its processes have ended */
    uint16_t port;
};

/* ---- a process -------------------------------------------------------------------------------------------------- */

/* Reads what it says until `text` is in it; false at the end. */
static bool read_until(struct process *p, const char *text, char *said, size_t capacity)
{
    size_t len = 0;
    said[0] = '\0';
    while (len + 1 < capacity && !strstr(said, text)) {
        struct pollfd asked = { .fd = p->out, .events = POLLIN };
        if (poll(&asked, 1, (int)(LONG_NS / 1000000)) <= 0 || read(p->out, said + len, 1) != 1)
            return false;
        said[++len] = '\0';
    }
    return strstr(said, text) != NULL;
}

/* Starts it; arguments are ended by NULL. */
static struct process execute(const char *const *arguments)
{
    struct process p = { .out = -1 };
    const char *argv[8] = { program };
    int fds[2];
    for (size_t i = 0; arguments[i] && i < 6; i++)
        argv[1 + i] = arguments[i];
    assert_int_equal(pipe(fds), 0);
    p.out = fds[0];
    p.pid = fork();
    if (p.pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        execv(program, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(fds[1]);
    return p;
}

/* The same, on a free port; returns when it listens. */
static struct process start(const char *const *arguments)
{
    const char *all[7] = { "--listen", "127.0.0.1:0" };
    char said[512];
    for (size_t i = 0; arguments[i] && i < 4; i++)
        all[2 + i] = arguments[i];
    struct process p = execute(all);
    if (!read_until(&p, " port ", said, sizeof said) || !read_until(&p, "\n", said, sizeof said))
        fail_msg("the agent does not start: %s", said);
    p.port = (uint16_t)strtoul(said, NULL, 10);
    return p;
}

static struct process start_simple(void)
{
    return start((const char *[]){ NULL });
}

static struct process start_keyed(void)
{
    return start((const char *[]){ "--key", key_file, NULL });
}

/* All that it still has to say; returns when it and its keeper have ended. Its exit status, or 128 + the signal. */
static int ended(struct process *p, char *said, size_t capacity)
{
    int status = 0;
    char none[2048];
    if (!said) {
        said = none;
        capacity = sizeof none;
    }
    read_until(p, "\n there is no such line", said, capacity);
    close(p->out);
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int stop(struct process *p)
{
    kill(p->pid, SIGTERM);
    return ended(p, NULL, 0);
}

static struct upper *connect_to(const struct process *p, const char *key, struct target_error *error)
{
    return agent_connect("127.0.0.1", p->port, key, LONG_NS, error);
}

static struct upper *connected(const struct process *p, const char *key)
{
    struct target_error error;
    struct upper *u = connect_to(p, key, &error);
    if (!u)
        fail_msg("%s", error.text);
    return u;
}

/* Waits until the agent says so. */
static void wait_for_log(struct process *p, const char *text)
{
    char said[4096];
    if (!read_until(p, text, said, sizeof said))
        fail_msg("the agent never said \"%s\", but: %s", text, said);
}

/* ---- sockets ---------------------------------------------------------------------------------------------------- */

static const struct pkt_endpoint ANY_PORT = { { 4, { 127, 0, 0, 1 } }, 0 };

static int listen_at(struct upper *u, struct pkt_endpoint *where)
{
    int listener = (int)u->ops->socket(u, 4);
    assert_true(listener >= 0);
    assert_int_equal(u->ops->bind(u, listener, &ANY_PORT), 0);
    assert_int_equal(u->ops->listen(u, listener, 5), 0);
    assert_int_equal(u->ops->local_endpoint(u, listener, where), 0);
    return listener;
}

/* As the runner waits: until fd() says that something may have changed. */
static void wait_for_events(struct upper *u, int handle, unsigned events)
{
    for (int i = 0; i < 1000 && !(u->ops->poll(u, handle) & events); i++) {
        struct pollfd asked = { .fd = u->ops->fd(u), .events = POLLIN };
        if (poll(&asked, 1, (int)(LONG_NS / 1000000)) <= 0)
            fail_msg("event %u never came", events);
        u->ops->work(u);
    }
    assert_true(u->ops->poll(u, handle) & events);
}

/* A socket of this process's own, connected to a listener of the agent's; and the agent's end of it. */
static int connect_here(struct upper *u, int *handle)
{
    struct pkt_endpoint where;
    int listener = listen_at(u, &where), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(where.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    wait_for_events(u, listener, TARGET_EVENT_IN);
    int64_t accepted = u->ops->accept(u, listener, NULL);
    assert_true(accepted >= 0);
    *handle = (int)accepted;
    return fd;
}

static void expect_reset(int fd)
{
    char octet;
    assert_int_equal(recv(fd, &octet, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(fd);
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static void it_opens_uses_and_closes_connections(void **state)
{
    (void)state;
    struct process p = start_simple();
    struct upper *u = connected(&p, NULL);
    struct pkt_endpoint where, peer, local;
    struct target_status status;
    uint8_t octets[16];
    int64_t value = 0;
    int listener = listen_at(u, &where), active = (int)u->ops->socket(u, 4);
    assert_int_equal(u->ops->accept(u, listener, &peer), -EAGAIN);
    assert_int_equal(u->ops->connect(u, active, &where), -EINPROGRESS);
    wait_for_events(u, active, TARGET_EVENT_OUT);
    assert_int_equal(u->ops->get_option(u, active, "SO_ERROR", &value), 0);
    assert_int_equal(value, 0);
    wait_for_events(u, listener, TARGET_EVENT_IN);
    int passive = (int)u->ops->accept(u, listener, &peer);
    assert_true(passive >= 0);
    assert_int_equal(u->ops->local_endpoint(u, active, &local), 0);
    assert_true(pkt_addr_equal(&local.addr, &peer.addr) && local.port == peer.port);
    assert_int_equal(u->ops->receive_data(u, passive, octets, sizeof octets, 0), -EAGAIN);
    assert_int_equal(u->ops->send_data(u, active, (const uint8_t *)"hello", 5, 0), 5);
    wait_for_events(u, passive, TARGET_EVENT_IN);
    assert_int_equal(u->ops->ioctl(u, passive, "SIOCINQ", &value), 0);
    assert_int_equal(value, 5);
    assert_int_equal(u->ops->receive_data(u, passive, octets, sizeof octets, 0), 5);
    assert_memory_equal(octets, "hello", 5);
    assert_int_equal(u->ops->status(u, &local, &where, &status), 0);
    assert_int_equal(status.state, TCP_STATE_ESTABLISHED);
    assert_int_equal(u->ops->shutdown(u, active, TARGET_SHUT_WR), 0);
    wait_for_events(u, passive, TARGET_EVENT_READ_HANGUP);
    assert_int_equal(u->ops->receive_data(u, passive, octets, sizeof octets, 0), 0);
    assert_int_equal(u->ops->set_option(u, passive, "SO_LINGER", (const int64_t[]){ 1, 0 }, 2), 0);
    assert_int_equal(u->ops->close_handle(u, passive), 0);
    wait_for_events(u, active, TARGET_EVENT_ERROR);
    assert_int_equal(u->ops->receive_data(u, active, octets, sizeof octets, 0), -ECONNRESET);
    u->ops->close(u);
    assert_int_equal(stop(&p), 0);
    assert_int_equal(diag_count(), 0);
}

static void a_refused_connection_is_told(void **state)
{
    (void)state;
    struct process p = start_simple();
    struct upper *u = connected(&p, NULL);
    const struct pkt_endpoint nobody = { { 4, { 127, 0, 0, 1 } }, 1 };
    int64_t value = 0;
    int handle = (int)u->ops->socket(u, 4);
    int64_t result = u->ops->connect(u, handle, &nobody);
    if (result == -EINPROGRESS) {
        wait_for_events(u, handle, TARGET_EVENT_ERROR);
        assert_int_equal(u->ops->get_option(u, handle, "SO_ERROR", &value), 0);
        result = -value;
    }
    assert_int_equal(result, -ECONNREFUSED);
    u->ops->close(u);
    stop(&p);
}

static void an_agent_killed_in_the_middle_is_lost_and_its_connections_are_reset(void **state)
{
    (void)state;
    struct process p = start_simple();
    struct upper *u = connected(&p, NULL);
    char why[256];
    int handle, fd = connect_here(u, &handle);
    kill(p.pid, SIGKILL);
    assert_int_equal(ended(&p, NULL, 0), 128 + SIGKILL);
    assert_int_equal(u->ops->send_data(u, handle, (const uint8_t *)"x", 1, 0), -ECOMM);
    assert_int_equal(u->ops->trouble(u, why, sizeof why), 1);
    assert_non_null(strstr(why, "the agent at 127.0.0.1 port"));
    struct target_error error;
    assert_false(u->ops->recover(u, &error));
    assert_non_null(strstr(error.text, "nothing listens there"));
    expect_reset(fd);
    u->ops->close(u);
    assert_int_equal(diag_count(), 0);
}

static void a_tester_that_dies_leaves_no_sockets_and_the_agent_serves_the_next(void **state)
{
    (void)state;
    struct process p = start_simple();
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) { /* connects, is connected to, and dies without a word */
        struct target_error error;
        struct pkt_endpoint where;
        struct upper *u = connect_to(&p, NULL, &error);
        listen_at(u, &where);
        _exit(write(fds[1], &where.port, sizeof where.port) == (ssize_t)sizeof where.port && getppid() > 0 ? 0 : 1);
    }
    uint16_t port = 0;
    assert_int_equal(read(fds[0], &port, sizeof port), sizeof port);
    waitpid(pid, NULL, 0);
    wait_for_log(&p, "has gone");
    struct target_status status;
    struct upper *u = connected(&p, NULL); /* the next one */
    const struct pkt_endpoint where = { { 4, { 127, 0, 0, 1 } }, port }, none = { .port = 0 };
    assert_int_equal(u->ops->status(u, &where, &none, &status), -ENOENT); /* it listens no more */
    u->ops->close(u);
    stop(&p);
    assert_int_equal(diag_count(), 0);
    close(fds[0]);
    close(fds[1]);
}

static void a_second_tester_is_told_and_served_later(void **state)
{
    (void)state;
    struct process p = start_keyed();
    struct target_error error;
    struct upper *first = connected(&p, key_file);
    assert_null(connect_to(&p, key_file, &error));
    assert_non_null(strstr(error.text, "is serving another tester"));
    assert_true(first->ops->socket(first, 6) >= 0); /* which is not disturbed */
    first->ops->close(first);
    wait_for_log(&p, "has gone");
    struct upper *second = connected(&p, key_file);
    second->ops->close(second);
    stop(&p);
}

static void a_wrong_key_or_none_is_told_in_words(void **state)
{
    (void)state;
    struct process keyed = start_keyed(), open = start_simple();
    struct target_error error;
    static const char *const words = "has another key than this tester: give both the same key file";
    assert_null(connect_to(&keyed, other_key_file, &error));
    assert_non_null(strstr(error.text, words));
    assert_null(connect_to(&keyed, NULL, &error));
    assert_non_null(strstr(error.text, words));
    assert_null(connect_to(&open, key_file, &error)); /* nor is one talked out of its key */
    assert_non_null(strstr(error.text, words));
    wait_for_log(&keyed, "was turned away");
    stop(&keyed);
    stop(&open);
}

static int raw_connection(const struct process *p)
{
    const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(p->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* All it says until it closes. */
static size_t read_all(int fd, uint8_t *out, size_t capacity)
{
    size_t len = 0;
    ssize_t taken;
    while (len < capacity && (taken = recv(fd, out + len, capacity - len, 0)) > 0)
        len += (size_t)taken;
    close(fd);
    return len;
}

static void testers_of_other_versions_and_strangers_are_turned_away(void **state)
{
    (void)state;
    static const uint8_t later[AGENT_LENGTH_BYTES + AGENT_HELLO_BYTES] = "\0\0\0\x2dtcpassay\1\0\7\0\x9";
    struct process p = start_keyed();
    uint8_t said[512];
    int fd = raw_connection(&p);
    assert_int_equal(send(fd, later, sizeof later, 0), sizeof later);
    assert_true(read_all(fd, said, sizeof said) > AGENT_LENGTH_BYTES + AGENT_REFUSAL_BYTES);
    assert_memory_equal(said + AGENT_LENGTH_BYTES, "tcpassay\5\0\1\0\1\0\1", 15);
    fd = raw_connection(&p);
    assert_int_equal(send(fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
    assert_int_equal(read_all(fd, said, sizeof said), 0);
    struct upper *u = connected(&p, key_file); /* and goes on serving */
    u->ops->close(u);
    stop(&p);
}

static void those_who_only_connect_keep_nobody_out(void **state)
{
    (void)state;
    struct process p = start_keyed();
    int idle[40];
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++) {
        idle[i] = raw_connection(&p);
        assert_int_equal(send(idle[i], "\0\0", 2, MSG_NOSIGNAL), 2);
    }
    struct upper *u = connected(&p, key_file);
    assert_true(u->ops->socket(u, 4) >= 0);
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
        close(idle[i]);
    assert_true(u->ops->socket(u, 4) >= 0);
    u->ops->close(u);
    stop(&p);
}

static void an_agent_that_hangs_is_given_up_in_time_and_found_again(void **state)
{
    (void)state;
    struct process p = start_simple();
    struct target_error error;
    char why[256];
    struct upper *u = agent_connect("127.0.0.1", p.port, NULL, PATIENCE_NS, &error);
    assert_non_null(u);
    kill(p.pid, SIGSTOP);
    assert_int_equal(u->ops->socket(u, 4), -ECOMM);
    assert_int_equal(u->ops->trouble(u, why, sizeof why), 1);
    assert_non_null(strstr(why, "does not answer"));
    assert_false(u->ops->recover(u, &error)); /* its kernel accepts the connection, and nobody answers */
    kill(p.pid, SIGCONT);
    assert_true(u->ops->recover(u, &error));
    assert_true(u->ops->socket(u, 4) >= 0);
    u->ops->close(u);
    stop(&p);
}

static void an_agent_that_is_started_again_is_found_again(void **state)
{
    (void)state;
    struct process p = start_keyed();
    struct target_error error;
    char port[32];
    struct upper *u = connected(&p, key_file);
    snprintf(port, sizeof port, "127.0.0.1:%u", p.port);
    kill(p.pid, SIGKILL);
    ended(&p, NULL, 0);
    p = start((const char *[]){ "--key", key_file, "--listen", port, NULL });
    assert_int_equal(u->ops->socket(u, 4), -ECOMM); /* as a host that has rebooted */
    assert_true(u->ops->recover(u, &error));
    assert_true(u->ops->socket(u, 4) >= 0);
    assert_int_equal(u->ops->trouble(u, NULL, 0), 1);
    u->ops->close(u);
    stop(&p);
}

/* Somebody else at the port of an agent: says this, and closes when it has read something. */
static void impostor(const char *bytes, size_t len, const char *words)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t address_len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&address, &address_len);
    pid_t pid = fork();
    if (pid == 0) {
        char heard[64];
        int fd = accept(listener, NULL, NULL);
        ssize_t taken = recv(fd, heard, sizeof heard, 0);
        _exit(taken > 0 && send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : 1);
    }
    struct target_error error;
    assert_null(agent_connect("127.0.0.1", ntohs(address.sin_port), NULL, LONG_NS, &error));
    if (!strstr(error.text, words))
        fail_msg("\"%s\" is not in \"%s\"", words, error.text);
    waitpid(pid, NULL, 0);
    close(listener);
}

static void what_is_no_agent_is_told_in_words(void **state)
{
    (void)state;
    struct target_error error;
    impostor("HTTP/1.0 400 Bad Request\r\n", 26, "speaks nonsense");
    impostor("", 0, "has closed the control connection");
    impostor("\0\0\0\5hello", 9, "is none: something else answers there");
    assert_null(agent_connect("127.0.0.1", 1, NULL, LONG_NS, &error));
    assert_non_null(strstr(error.text, "nothing listens there"));
    assert_null(agent_connect("127.0.0.1", 1, "/there/is/no/such/file", LONG_NS, &error));
    assert_non_null(strstr(error.text, "/there/is/no/such/file"));
}

static void it_ends_when_asked_to(void **state)
{
    (void)state;
    struct process once = start((const char *[]){ "--once", NULL }), p = start_simple();
    struct upper *u = connected(&once, NULL);
    u->ops->close(u);
    assert_int_equal(ended(&once, NULL, 0), 0);
    u = connected(&p, NULL);
    int handle, fd = connect_here(u, &handle);
    assert_int_equal(stop(&p), 0);
    expect_reset(fd);
    u->ops->work(u);
    assert_int_equal(u->ops->socket(u, 4), -ECOMM);
    u->ops->close(u);
}

static void it_keeps_no_privilege(void **state)
{
    (void)state;
    struct process p = start_simple();
    char path[64], line[256];
    unsigned long long capabilities = 1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)p.pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "CapPrm: %llx", &capabilities) == 1)
            break;
    fclose(file);
    assert_true(capabilities == 0);
    stop(&p);
}

/* ---- settings --------------------------------------------------------------------------------------------------- */

static void expect_sysctl(const char *path, const char *wanted)
{
    char value[SYSCTL_VALUE_MAX];
    assert_true(sysctl_read(path, value));
    assert_string_equal(value, wanted);
}

/* Skips the test where a program that is started has no privilege: a user namespace gives it to this process only. */
static struct process start_with_settings(void)
{
    if (geteuid() != 0)
        skip();
    return start((const char *[]){ "--key", key_file, "--settings", NULL });
}

static const struct target_setting NO_SACK[] = { { "sack", "off" }, { "syn-retries", "2" } };

static void settings_are_made_and_taken_back(void **state)
{
    (void)state;
    struct process p = start_with_settings();
    struct target_error error;
    const struct target_setting half[] = { { "timestamps", "off" }, { "msl-ms", "10" } }, wrong = { "sack", "perhaps" };
    char limit[SYSCTL_VALUE_MAX];
    assert_true(sysctl_read("ipv4/tcp_invalid_ratelimit", limit) && strcmp(limit, "0") != 0);
    struct upper *u = connected(&p, key_file);
    assert_true(u->configures);
    expect_sysctl("ipv4/tcp_invalid_ratelimit", "0"); /* while a tester is there */
    assert_true(u->ops->configure(u, NO_SACK, 2, &error));
    expect_sysctl("ipv4/tcp_sack", "0");
    expect_sysctl("ipv4/tcp_syn_retries", "2");
    assert_false(u->ops->configure(u, half, 2, &error)); /* all or none, and those of before are taken back */
    assert_int_equal(error.kind, TARGET_ERR_UNSUPPORTED);
    expect_sysctl("ipv4/tcp_sack", "1");
    expect_sysctl("ipv4/tcp_timestamps", "1");
    assert_false(u->ops->configure(u, &wrong, 1, &error));
    assert_int_equal(error.kind, TARGET_ERR_USAGE);
    assert_true(u->ops->configure(u, NO_SACK, 1, &error));
    expect_sysctl("ipv4/tcp_sack", "0");
    assert_true(u->ops->configure(u, NULL, 0, &error));
    expect_sysctl("ipv4/tcp_sack", "1");
    assert_true(u->ops->configure(u, NO_SACK, 1, &error));
    u->ops->close(u);
    wait_for_log(&p, "has gone");
    expect_sysctl("ipv4/tcp_sack", "1");
    expect_sysctl("ipv4/tcp_invalid_ratelimit", limit);
    stop(&p);
}

static void settings_are_taken_back_however_the_agent_ends(void **state)
{
    (void)state;
    static const int signals[] = { SIGTERM, SIGINT, SIGKILL, SIGSEGV };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct process p = start_with_settings();
        struct target_error error;
        struct upper *u = connected(&p, key_file);
        assert_true(u->ops->configure(u, NO_SACK, 2, &error));
        expect_sysctl("ipv4/tcp_sack", "0");
        kill(p.pid, signals[i]);
        ended(&p, NULL, 0); /* the end of its output is that of its keeper */
        expect_sysctl("ipv4/tcp_sack", "1");
        expect_sysctl("ipv4/tcp_syn_retries", "6");
        u->ops->close(u);
    }
}

/* ---- the command line ------------------------------------------------------------------------------------------- */

static void the_command_line_says_what_is_wrong(void **state)
{
    (void)state;
    static const struct { const char *arguments[5]; int code; const char *words; } rows[] = {
        { { "--help" }, 0, "--make-key" },
        { { "--listen", "192.0.2.1" }, 2, "off loopback a key is required" },
        { { "--listen", "[2001:db8::1]:80" }, 2, "off loopback a key is required" },
        { { "--listen", "0.0.0.0" }, 2, "off loopback a key is required" },
        { { "--settings" }, 2, "--settings requires a key" },
        { { "--listen", "example" }, 2, "--listen takes an address" },
        { { "--listen", "127.0.0.1:65536" }, 2, "--listen takes an address" },
        { { "--listen", "[::1" }, 2, "--listen takes an address" },
        { { "--listen" }, 2, "an option is unknown, or lacks its value" },
        { { "--sesame" }, 2, "an option is unknown, or lacks its value, not \"--sesame\"" },
        { { "now" }, 2, "takes options only, not \"now\"" },
        { { "--key", "/there/is/no/such/file" }, 3, "No such file" },
        { { "--key", "/dev/null" }, 3, "key file /dev/null" },
        { { "--listen", "203.0.113.1", "--key", key_file }, 3, "cannot listen on 203.0.113.1 port 32743" },
        { { "--make-key", key_file }, 3, "File exists" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char said[4096];
        struct process p = execute(rows[i].arguments);
        int code = ended(&p, said, sizeof said);
        if (code != rows[i].code || !strstr(said, rows[i].words))
            fail_msg("row %zu: exit %d, said: %s", i, code, said);
    }
}

static void a_key_is_kept_from_others(void **state)
{
    (void)state;
    struct target_error error;
    uint8_t key[AGENT_KEY_BYTES];
    char path[96];
    snprintf(path, sizeof path, "%s/third", folder);
    assert_true(agent_key_make(path, &error));
    assert_true(agent_key_read(path, key, &error));
    assert_int_equal(chmod(path, 0640), 0);
    assert_false(agent_key_read(path, key, &error));
    assert_non_null(strstr(error.text, "chmod 600"));
    assert_int_equal(chmod(path, 0600), 0);
    FILE *file = fopen(path, "a");
    fputs("more\n", file);
    fclose(file);
    assert_false(agent_key_read(path, key, &error));
    assert_non_null(strstr(error.text, "is no key"));
    unlink(path);
}

/* ---- where they run ---------------------------------------------------------------------------------------------- */

static bool prepare(struct netns *ns)
{
    struct target_error error;
    const char *named = getenv("TCPASSAY_AGENT");
    snprintf(program, sizeof program, "%s", named ? named : "");
    if (!named || !netns_open(ns, &error) || netns_enter(ns) != 0 || netns_loopback_up() != 0) {
        fprintf(stderr, "skipped: no network namespace, or no TCPASSAY_AGENT\n");
        return false;
    }
    if (!mkdtemp(folder))
        return false;
    snprintf(key_file, sizeof key_file, "%s/key", folder);
    snprintf(other_key_file, sizeof other_key_file, "%s/other", folder);
    return agent_key_make(key_file, &error) && agent_key_make(other_key_file, &error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_uses_and_closes_connections),
        cmocka_unit_test(a_refused_connection_is_told),
        cmocka_unit_test(an_agent_killed_in_the_middle_is_lost_and_its_connections_are_reset),
        cmocka_unit_test(a_tester_that_dies_leaves_no_sockets_and_the_agent_serves_the_next),
        cmocka_unit_test(a_second_tester_is_told_and_served_later),
        cmocka_unit_test(a_wrong_key_or_none_is_told_in_words),
        cmocka_unit_test(testers_of_other_versions_and_strangers_are_turned_away),
        cmocka_unit_test(those_who_only_connect_keep_nobody_out),
        cmocka_unit_test(an_agent_that_hangs_is_given_up_in_time_and_found_again),
        cmocka_unit_test(an_agent_that_is_started_again_is_found_again),
        cmocka_unit_test(what_is_no_agent_is_told_in_words),
        cmocka_unit_test(it_ends_when_asked_to),
        cmocka_unit_test(it_keeps_no_privilege),
        cmocka_unit_test(settings_are_made_and_taken_back),
        cmocka_unit_test(settings_are_taken_back_however_the_agent_ends),
        cmocka_unit_test(the_command_line_says_what_is_wrong),
        cmocka_unit_test(a_key_is_kept_from_others),
    };
    struct netns ns;
    if (!prepare(&ns))
        return SKIP;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(key_file);
    unlink(other_key_file);
    rmdir(folder);
    return failed;
}
