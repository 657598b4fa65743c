/* Lists the connections of running servers, as `ss -tano` lists the kernel's.
 *
 * Servers are found by their sockets' names (targets/reference/serve/status_socket.h). In folders that anybody may write to,
 * anybody may have put such a name: sockets of others than us and root are not asked, and what an answer holds is taken for JSON of
 * unknown making. A socket that nobody listens to any more has been left by a server that was killed, and is removed. */
#include "engine/cli/serve_status.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/cli/cli.h"
#include "engine/cli/page.h"
#include "targets/reference/serve/status_socket.h"

enum { ANSWER_MAX = 16 << 20, PATIENCE_MS = 3000, SERVERS_MAX = 64, ENDPOINT_MAX = 64 };

/* ---- asking ---------------------------------------------------------------------------------------------------- */

/* A connected socket, or a negative errno value. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        const int code = errno;
        if (fd >= 0)
            close(fd);
        return -code;
    }
    return fd;
}

/* All that comes until the end of the stream; malloc'ed. NULL: too slow, too long, or broken. */
static char *read_all(int fd, size_t *len)
{
    char *text = NULL;
    size_t capacity = 0;
    for (*len = 0;;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (*len == capacity) {
            capacity = capacity ? capacity * 2 : 65536;
            char *more = capacity <= ANSWER_MAX ? realloc(text, capacity) : NULL;
            if (!more)
                break;
            text = more;
        }
        if (poll(&readable, 1, PATIENCE_MS) != 1)
            break;
        const ssize_t got = recv(fd, text + *len, capacity - *len, 0);
        if (got == 0)
            return text;
        if (got < 0)
            break;
        *len += (size_t)got;
    }
    free(text);
    return NULL;
}

/* NULL with a negative errno value in *status: -EPROTO when what came is no document of ours. */
static json_t *ask(const char *path, int *status)
{
    size_t len = 0;
    const int fd = connect_to(path);
    *status = fd < 0 ? fd : -EPROTO;
    if (fd < 0)
        return NULL;
    char *text = read_all(fd, &len);
    close(fd);
    json_t *document = text ? json_loadb(text, len, 0, NULL) : NULL;
    free(text);
    if (document && !json_is_array(json_object_get(document, "connections"))) {
        json_decref(document);
        document = NULL;
    }
    return document;
}

/* ---- showing --------------------------------------------------------------------------------------------------- */

static json_int_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* "" when it is not there, or has what would disturb a terminal. */
static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    for (const char *c = text ? text : ""; *c; c++)
        if (*c <= ' ' || *c > '~')
            return "?";
    return text ? text : "";
}

static const char *endpoint(const json_t *c, const char *address, const char *port, char out[static ENDPOINT_MAX])
{
    const char *addr = word(c, address);
    snprintf(out, ENDPOINT_MAX, !*addr ? "%s*:%u" : strchr(addr, ':') ? "[%.46s]:%u" : "%.46s:%u", addr, (unsigned)number(c, port) & 0xffffu);
    return out;
}

static enum page_style style_of(const char *state)
{
    return !strcmp(state, "ESTABLISHED") ? PAGE_GOOD : !strcmp(state, "LISTEN") ? PAGE_BOLD : PAGE_DOUBTFUL;
}

/* The one due first: "timer retransmit in 0.180 s" */
static void show_timer(const struct page *page, const json_t *c)
{
    const char *name;
    json_t *value, *timers = json_object_get(c, "timers_ns");
    const char *first = NULL;
    json_int_t due_ns = 0;
    json_object_foreach (timers, name, value) {
        if (first && json_integer_value(value) >= due_ns)
            continue;
        first = name;
        due_ns = json_integer_value(value);
    }
    if (first)
        fprintf(page->out, ", timer %s in %.3f s", word(timers, first)[0] ? "?" : first, (double)due_ns / 1e9);
}

static void show_details(const struct page *page, const json_t *c)
{
    fprintf(page->out, "%s             windows %lld in, %lld out, cwnd %lld, mss %lld%s\n", page_style(page, PAGE_FAINT),
            (long long)number(c, "rcv_wnd"), (long long)number(c, "snd_wnd"), (long long)number(c, "cwnd"),
            (long long)number(c, "mss"), page_end(page));
    fprintf(page->out, "%s             rtt %.3f ms, rto %.0f ms, retransmits %lld", page_style(page, PAGE_FAINT),
            (double)number(c, "srtt_ns") / 1e6, (double)number(c, "rto_ns") / 1e6, (long long)number(c, "retransmits"));
    show_timer(page, c);
    fprintf(page->out, "%s%s\n", json_is_true(json_object_get(c, "orphan")) ? ", closed by its application" : "", page_end(page));
}

static void show_connection(const struct page *page, const json_t *c)
{
    char local[ENDPOINT_MAX], remote[ENDPOINT_MAX];
    const char *state = word(c, "state");
    const bool listens = !strcmp(state, "LISTEN");
    const json_int_t in = listens ? number(c, "to_accept") : number(c, "unread_octets");
    const json_int_t out = listens ? number(c, "half_open") : number(c, "unsent_octets") + number(c, "unacknowledged_octets");
    fprintf(page->out, "%s%-12s%s %6lld %6lld  %-21s %-21s %s\n", page_style(page, style_of(state)), state, page_end(page), (long long)in,
            (long long)out, endpoint(c, "local", "local_port", local), listens ? "*" : endpoint(c, "remote", "remote_port", remote), word(c, "service"));
    if (!listens)
        show_details(page, c);
}

static void show(const struct page *page, const json_t *document)
{
    size_t i;
    json_t *c;
    const json_t *connections = json_object_get(document, "connections"), *counters = json_object_get(document, "counters");
    fprintf(page->out, "%sserver %lld on %s%s: packets in %lld, out %lld; sent again %lld\n", page_style(page, PAGE_BOLD),
            (long long)number(document, "pid"), word(document, "interface"), page_end(page),
            (long long)number(counters, "packets_in"), (long long)number(counters, "packets_out"),
            (long long)number(counters, "retransmissions"));
    fprintf(page->out, "%s%-12s %6s %6s  %-21s %-21s %s%s\n", page_style(page, PAGE_FAINT), "State", "Recv-Q", "Send-Q", "Local",
            "Remote", "Service", page_end(page));
    json_array_foreach (connections, i, c)
        show_connection(page, c);
    if (number(document, "left_out"))
        fprintf(page->out, "and %lld more\n", (long long)number(document, "left_out"));
}

/* ---- finding --------------------------------------------------------------------------------------------------- */

struct found { json_t *documents; unsigned asked; };

static bool is_socket_of_ours(const char *path)
{
    struct stat file;
    return lstat(path, &file) == 0 && S_ISSOCK(file.st_mode) && (file.st_uid == geteuid() || file.st_uid == 0);
}

/* tcpassay-serve.INTERFACE.PID.sock */
static bool is_meant(const char *name, const char *interface)
{
    const size_t len = strlen(name), prefix = sizeof STATUS_PREFIX - 1, suffix = sizeof STATUS_SUFFIX - 1;
    if (len <= prefix + suffix || strncmp(name, STATUS_PREFIX, prefix) != 0 || strcmp(name + len - suffix, STATUS_SUFFIX) != 0)
        return false;
    return !interface || (!strncmp(name + prefix, interface, strlen(interface)) && name[prefix + strlen(interface)] == '.');
}

static void ask_found(struct found *found, const char *path)
{
    int status;
    if (!is_socket_of_ours(path) || found->asked++ >= SERVERS_MAX)
        return;
    json_t *document = ask(path, &status);
    if (document)
        json_array_append_new(found->documents, document);
    else if (status == -ECONNREFUSED)
        unlink(path); /* its server is gone */
    else
        cli_error("serve", "%s: %s", path, status == -EPROTO ? "no answer that can be read" : strerror(-status));
}

static void ask_all(struct found *found, const char *interface)
{
    const char *folder;
    for (unsigned i = 0; (folder = status_folder(i)); i++) {
        char path[4096];
        DIR *names = opendir(folder);
        for (const struct dirent *entry; names && (entry = readdir(names));)
            if (is_meant(entry->d_name, interface) &&
                snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path)
                ask_found(found, path);
        if (names)
            closedir(names);
    }
}

static int print_json(const json_t *documents)
{
    const int written = json_dumpf(documents, stdout, JSON_INDENT(2));
    putchar('\n');
    return written == 0 ? EXIT_OK : EXIT_UNABLE;
}

int serve_status(const struct serve_status_config *config)
{
    struct found found = {.documents = json_array()};
    const struct page page = page_for(stdout);
    int status = 0, code = EXIT_OK;
    if (config->socket) {
        json_t *document = ask(config->socket, &status);
        if (document)
            json_array_append_new(found.documents, document);
        else
            cli_error("serve", "%s: %s", config->socket, status == -EPROTO ? "no answer that can be read" : strerror(-status));
    } else {
        ask_all(&found, config->interface);
    }
    const size_t count = json_array_size(found.documents);
    if (!count && !config->socket)
        cli_error("serve", "no server is running%s%s, as far as %s tells; `tcpassay serve` starts one", config->interface ? " on " : "",
                  config->interface ? config->interface : "", status_folder(1) ? "/run and /tmp" : status_folder(0));
    if (!count)
        code = EXIT_UNABLE;
    else if (config->json)
        code = print_json(found.documents);
    for (size_t i = 0; i < count && !config->json; i++) {
        fputs(i ? "\n" : "", stdout);
        show(&page, json_array_get(found.documents, i));
    }
    json_decref(found.documents);
    return code;
}
