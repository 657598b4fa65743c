/* The agent's command line. */
#include "targets/agent/agent.h"
#include "targets/agent/key.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help_text[] =
    "Opens, uses and closes TCP connections on this host for a tester elsewhere, who sends and checks the packets: an upper tester.\n"
    "The tester proves that it knows the key; whoever does may use this host's TCP as an ordinary user could, and nothing else.\n"
    "\n"
    "  tcpassay agent --make-key agent.key                          once; copy the file to the tester's machine\n"
    "  tcpassay agent --key agent.key --listen 192.0.2.2            on the host under test\n"
    "  tcpassay run --target remote:192.0.2.2,agent=192.0.2.2,key=agent.key\n"
    "\n"
    "      --listen ADDR[:PORT]   where to listen; default 127.0.0.1:32743. An IPv6 address stands in brackets: [::1]:32743. Port 0\n"
    "                             takes a free one\n"
    "      --key FILE             the key that tester and agent share; required off loopback\n"
    "      --make-key FILE        writes a new key to a new file and exits\n"
    "      --settings             lets the tester change TCP's settings (sysctls) while it is connected; takes root, and a key\n"
    "      --once                 exits when the first tester has gone\n";

enum { OPT_LISTEN = 256, OPT_KEY, OPT_MAKE_KEY, OPT_SETTINGS, OPT_ONCE };
static const struct option options[] = {
    { "listen", required_argument, NULL, OPT_LISTEN }, { "key", required_argument, NULL, OPT_KEY },
    { "make-key", required_argument, NULL, OPT_MAKE_KEY }, { "settings", no_argument, NULL, OPT_SETTINGS },
    { "once", no_argument, NULL, OPT_ONCE }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
};

static int usage_error(const char *name, const char *what, const char *given)
{
    fprintf(stderr, "%s: %s%s%s%s; see `%s --help`\n", name, what, given ? ", not \"" : "", given ? given : "", given ? "\"" : "", name);
    return AGENT_EXIT_USAGE;
}

static int tell(const char *name, const struct target_error *error)
{
    fprintf(stderr, "%s: %s\n", name, error->text);
    return error->kind == TARGET_ERR_USAGE ? AGENT_EXIT_USAGE : AGENT_EXIT_UNABLE;
}

/* "ADDR", "ADDR:PORT", "[ADDR]", "[ADDR]:PORT"; a bare IPv6 address too. */
static bool parse_endpoint(const char *text, struct pkt_endpoint *out)
{
    char address[INET6_ADDRSTRLEN];
    const bool bracketed = *text == '[';
    const char *begin = text + bracketed, *end = bracketed ? strchr(begin, ']') : strchr(begin, ':');
    if (!bracketed && end && strchr(end + 1, ':'))
        end = NULL; /* two colons: an IPv6 address without a port */
    if (bracketed && !end)
        return false;
    size_t len = end ? (size_t)(end - begin) : strlen(begin);
    if (len >= sizeof address)
        return false;
    memcpy(address, begin, len);
    address[len] = '\0';
    *out = (struct pkt_endpoint){ .port = AGENT_PORT_DEFAULT };
    out->addr.version = inet_pton(AF_INET, address, out->addr.bytes) == 1 ? 4 : inet_pton(AF_INET6, address, out->addr.bytes) == 1 ? 6 : 0;
    const char *rest = end ? end + bracketed : "";
    if (*rest == ':') {
        char *after;
        unsigned long port = strtoul(rest + 1, &after, 10);
        if (rest[1] < '0' || rest[1] > '9' || *after || port > UINT16_MAX)
            return false;
        out->port = (uint16_t)port;
        rest = after;
    }
    return out->addr.version != 0 && !*rest;
}

static int help(const char *name)
{
    printf("usage: %s [OPTION]…\n\n%s", name, help_text);
    return AGENT_EXIT_DONE;
}

static int make_key(const char *name, const char *path)
{
    struct target_error error;
    if (!agent_key_make(path, &error))
        return tell(name, &error);
    printf("%s: a new key is in %s: copy it, by a way that others cannot read, to the tester's machine\n", name, path);
    return AGENT_EXIT_DONE;
}

int agent_command(int argc, char **argv, const char *name)
{
    struct agent_options chosen = { .listen = { { 4, { 127, 0, 0, 1 } }, AGENT_PORT_DEFAULT } };
    struct target_error error;
    opterr = 0;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 'h': return help(name);
        case OPT_MAKE_KEY: return make_key(name, optarg);
        case OPT_KEY: chosen.key_file = optarg; break;
        case OPT_SETTINGS: chosen.settings = true; break;
        case OPT_ONCE: chosen.once = true; break;
        case OPT_LISTEN:
            if (!parse_endpoint(optarg, &chosen.listen))
                return usage_error(name, "--listen takes an address, and a port behind a colon if you like, as in 192.0.2.2:32743",
                                   optarg);
            break;
        default: return usage_error(name, "an option is unknown, or lacks its value", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return usage_error(name, "takes options only", argv[optind]);
    return agent_serve(&chosen, &error) ? AGENT_EXIT_DONE : tell(name, &error);
}
