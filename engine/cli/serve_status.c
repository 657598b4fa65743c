/* Lists the connections of running servers, as `ss -tano` lists the kernel's.
 *
 * Servers are found by their sockets' names (targets/reference/serve/status_socket.h). In folders that anybody may write to,
 * anybody may have put such a name: sockets of others than us and root are not asked, and what an answer holds is taken for JSON of
 * unknown making. A socket that nobody listens to any more has been left by a server that was killed, and is removed. */
#include "engine/cli/serve_status.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/cli/cli.h"
#include "engine/cli/serve_view.h"
#include "targets/reference/serve/status_socket.h"

enum { ANSWER_MAX = 16 << 20, PATIENCE_MS = 3000, SERVERS_MAX = 64 };

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

/* NULL with a negative errno value in *status: -EPROTO when what came cannot be understood. */
static json_t *ask(const char *path, int *status)
{
    size_t len = 0;
    const int fd = connect_to(path);
    *status = fd < 0 ? fd : -EPROTO;
    if (fd < 0)
        return NULL;
    char *text = read_all(fd, &len);
    close(fd);
    json_t *document = text ? serve_view_read(text, len) : NULL;
    free(text);
    return document;
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
        serve_view_show(&page, json_array_get(found.documents, i));
    }
    json_decref(found.documents);
    return code;
}
