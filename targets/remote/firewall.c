/* Writes rules for nft(8), runs it, and falls back to eBPF.
 *
 * The chain hangs before connection tracking, where captures have had their copy already (raw priority). Its rules match one host's
 * segments to one address and one range of ports, and nothing else: all other traffic of the machine passes as before. What the
 * tester sends does not go through the packet filter at all, for it is injected below it. */
#include "targets/remote/firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int firewall_text(const char *table, const struct guarded_ports *guarded, unsigned count, char *out, size_t capacity)
{
    int len = snprintf(out, capacity,
                       "table inet %s {\n"
                       "    chain guard {\n"
                       "        type filter hook prerouting priority raw; policy accept;\n",
                       table);
    for (unsigned i = 0; i < count && len > 0 && (size_t)len < capacity; i++) {
        char from[PKT_ADDR_TEXT_MAX], to[PKT_ADDR_TEXT_MAX];
        const char *family = guarded[i].to.version == 6 ? "ip6" : "ip";
        len += snprintf(out + len, capacity - (size_t)len, "        %s saddr %s %s daddr %s tcp dport %u-%u drop\n", family,
                        pkt_addr_format(&guarded[i].from, from), family, pkt_addr_format(&guarded[i].to, to), guarded[i].first,
                        guarded[i].last);
    }
    if (len > 0 && (size_t)len < capacity)
        len += snprintf(out + len, capacity - (size_t)len, "    }\n}\n");
    return len > 0 && (size_t)len < capacity ? len : -1;
}

/* ---- nft ------------------------------------------------------------------------------------------------------- */

static int spawn_nft(int in, int out, pid_t *pid)
{
    char *const argv[] = { "nft", "-f", "-", NULL };
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, out, 2);
    int code = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return -code;
}

/* Reads what nft says until it ends. 0, or 1 when it refused. */
static int listen_to(pid_t pid, int out, char *said, size_t capacity)
{
    size_t got = 0;
    ssize_t part;
    while (got < capacity - 1 && (part = read(out, said + got, capacity - 1 - got)) > 0)
        got += (size_t)part;
    said[got] = '\0';
    said[strcspn(said, "\n")] = '\0';
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

/* nft with this text as its standard input, a file that can be opened again by name, as nft does. The first line of what it says
 * goes into said. 0, a negative errno value when it cannot be run, or 1 when it refused. */
static int run_nft(const char *text, char *said, size_t capacity)
{
    int out[2] = { -1, -1 }, in = memfd_create("tcpassay-rules", MFD_CLOEXEC);
    size_t len = strlen(text);
    pid_t pid = -1;
    said[0] = '\0';
    int status = 0;
    if (in < 0 || pwrite(in, text, len, 0) < 0 || pipe2(out, O_CLOEXEC) < 0)
        status = -errno;
    else
        status = spawn_nft(in, out[1], &pid);
    if (in >= 0)
        close(in);
    if (out[1] >= 0)
        close(out[1]);
    if (status == 0)
        status = listen_to(pid, out[0], said, capacity);
    if (out[0] >= 0)
        close(out[0]);
    return status;
}

void firewall_delete_table(const char *table)
{
    char text[WATCHER_TABLE_MAX + 64], said[256];
    snprintf(text, sizeof text, "delete table inet %s\n", table);
    run_nft(text, said, sizeof said);
}

static int make_table(struct firewall *f, struct watcher *watcher, const struct guarded_ports *guarded, unsigned count, char *said,
                      size_t capacity)
{
    char text[FIREWALL_TEXT_MAX];
    struct deed deed;
    memset(&deed, 0, sizeof deed); /* deeds are compared as octets */
    deed.kind = DEED_TABLE_MADE;
    memcpy(deed.table, f->table, sizeof deed.table);
    if (firewall_text(f->table, guarded, count, text, sizeof text) < 0)
        return -EMSGSIZE;
    if (!watcher_tell(watcher, &deed))
        return -ECHILD;
    return run_nft(text, said, capacity);
}

/* ---- choice ---------------------------------------------------------------------------------------------------- */

static int hold_filters(struct firewall *f, unsigned ifindex, const struct guarded_ports *guarded, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        f->held[i] = bpf_hold_port_filter(ifindex, &guarded[i]);
        if (f->held[i] < 0) {
            int status = f->held[i];
            firewall_close(f);
            return status;
        }
    }
    return 0;
}

bool firewall_open(struct firewall *f, struct watcher *watcher, unsigned ifindex, const struct guarded_ports *guarded,
                   unsigned count, struct target_error *error)
{
    char said[256];
    *f = (struct firewall){ .held = { -1, -1 }, .means = "nftables" };
    snprintf(f->table, sizeof f->table, "tcpassay_%ld", (long)getpid());
    int by_nft = make_table(f, watcher, guarded, count, said, sizeof said);
    if (by_nft == 0)
        return true;
    f->means = "eBPF";
    int by_bpf = hold_filters(f, ifindex, guarded, count);
    if (by_bpf == 0)
        return true;
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(
        error->text, sizeof error->text,
             "the packet filter cannot be told to keep this machine's kernel out of the tester's connections (nft: %s; eBPF: %s): install "
             "nftables and run as root, or give the tester an address of its own with tester=ADDR",
             by_nft < 0 ? strerror(-by_nft) : said, strerror(-by_bpf));
    return false;
}

void firewall_close(struct firewall *f)
{
    for (unsigned i = 0; i < FIREWALL_RULES_MAX; i++) {
        if (f->held[i] >= 0)
            close(f->held[i]);
        f->held[i] = -1;
    }
}
