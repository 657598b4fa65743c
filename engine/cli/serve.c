/* `tcpassay serve`: the reference stack as a server on a TAP device, for curl, iperf3 and anybody's browser. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cli/cli.h"
#include "engine/cli/serve_status.h"
#include "targets/reference/serve/serve.h"

static const char help_text[] =
    "usage: tcpassay serve [OPTION]… [--] [COMMAND [ARGUMENT]…]\n"
    "\n"
    "Runs the reference TCP as a server in real time. It makes a network namespace in which this machine's kernel is 192.0.2.1 and\n"
    "2001:db8::1, and the reference 192.0.2.2 and 2001:db8::2; runs COMMAND there, and exits with its status. Without COMMAND it serves\n"
    "until it is stopped. Services: HTTP on port 80 (/bytes/N, /sha256/N, PUT and POST answer with the SHA-256 of what they were sent),\n"
    "echo on 7, discard on 9, an endless source of octets on 19.\n"
    "\n"
    "  tcpassay serve -- curl http://192.0.2.2/bytes/10000000 -o /dev/null\n"
    "  tcpassay serve --loss 3 -- curl -T FILE 'http://[2001:db8::2]/'\n"
    "\n"
    "      --tap IFACE        attaches to this TAP device of the machine instead\n"
    "      --unix PATH[,socket=stream][,listen=yes]\n"
    "                         speaks Ethernet on this UNIX socket instead, as a virtual machine does (docs/targets.md)\n"
    "      --agent [HOST:]PORT  lets an upper tester in at this TCP port of the kernel; on loopback, when there is no HOST\n"
    "      --key FILE         the key that it has to know; needed beyond loopback\n"
    "      --address A/LEN    an address of the stack, up to four; default 192.0.2.2/24 and 2001:db8::2/64\n"
    "      --loss PERCENT     packets lost, in each direction; 3 or 0.5\n"
    "      --duplicate PERCENT, --reorder PERCENT, --corrupt PERCENT\n"
    "                         packets doubled; delayed by up to 20 ms; damaged by a bit\n"
    "      --seed N           makes all that is random repeat itself\n"
    "      --http-root DIR    serves the files below DIR over HTTP\n"
    "      --size BYTES       answers GET of any path with so many octets\n"
    "      --pcap FILE        records the link\n"
    "      --status SECONDS   lists the connections on stderr every so often, and at the end; 0: at the end only\n"
    "      --status           without a number: starts no server, but lists the connections of those that run, with queues, windows and\n"
    "                         timers; --tap IFACE or --socket PATH chooses one, --json gives a document\n"
    "      --socket PATH      where the server can be asked (default: in $XDG_RUNTIME_DIR, else in /run or /tmp)\n";

enum { OPT_TAP = 256, OPT_UNIX, OPT_AGENT, OPT_KEY, OPT_ADDRESS, OPT_LOSS, OPT_DUPLICATE, OPT_REORDER, OPT_CORRUPT, OPT_SEED, OPT_ROOT,
       OPT_SIZE, OPT_PCAP, OPT_STATUS, OPT_SOCKET, OPT_JSON };

static const struct option options[] = {
    {"unix", required_argument, NULL, OPT_UNIX}, {"agent", required_argument, NULL, OPT_AGENT}, {"key", required_argument, NULL, OPT_KEY},
    {"tap", required_argument, NULL, OPT_TAP}, {"address", required_argument, NULL, OPT_ADDRESS},
    {"loss", required_argument, NULL, OPT_LOSS}, {"duplicate", required_argument, NULL, OPT_DUPLICATE},
    {"reorder", required_argument, NULL, OPT_REORDER}, {"corrupt", required_argument, NULL, OPT_CORRUPT},
    {"seed", required_argument, NULL, OPT_SEED}, {"http-root", required_argument, NULL, OPT_ROOT},
    {"size", required_argument, NULL, OPT_SIZE}, {"pcap", required_argument, NULL, OPT_PCAP},
    {"status", optional_argument, NULL, OPT_STATUS}, {"socket", required_argument, NULL, OPT_SOCKET}, {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
};

/* "192.0.2.2/24" */
static bool parse_address(const char *text, struct serve_address *out)
{
    char addr[PKT_ADDR_TEXT_MAX];
    uint64_t prefix_len;
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof addr)
        return false;
    snprintf(addr, sizeof addr, "%.*s", (int)(slash - text), text);
    if (!pkt_addr_parse(addr, &out->addr) || !cli_parse_number(slash + 1, 1, out->addr.version == 6 ? 128 : 32, &prefix_len))
        return false;
    out->prefix_len = (uint8_t)prefix_len;
    return true;
}

static bool parse_percent(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && !*end && *out >= 0 && *out <= 100;
}

/* One option that takes a percentage, or NULL. */
static double *percent_of(struct serve_config *config, int option)
{
    switch (option) {
    case OPT_LOSS: return &config->link.loss_percent;
    case OPT_DUPLICATE: return &config->link.duplicate_percent;
    case OPT_REORDER: return &config->link.reorder_percent;
    case OPT_CORRUPT: return &config->link.corrupt_percent;
    default: return NULL;
    }
}

static int take_address(struct serve_config *config, const char *text)
{
    if (config->address_count == REF_ADDRESSES_MAX)
        return cli_usage_error("serve", "at most %d addresses", REF_ADDRESSES_MAX);
    if (!parse_address(text, &config->addresses[config->address_count++]))
        return cli_usage_error("serve", "--address takes an address and a prefix length, as in 192.0.2.2/24, not \"%s\"", text);
    return EXIT_OK;
}

/* "32743", "192.0.2.9:32743", "[::1]:32743" */
static int take_control(struct serve_config *config, const char *text)
{
    char host[PKT_ADDR_TEXT_MAX] = "127.0.0.1";
    const char *colon = strrchr(text, ':'), *first = text;
    size_t len = colon ? (size_t)(colon - text) : 0;
    uint64_t port;
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        first++;
        len -= 2;
    }
    if (len && len < sizeof host)
        snprintf(host, sizeof host, "%.*s", (int)len, first);
    if (len >= sizeof host || !pkt_addr_parse(host, &config->control.addr) ||
        !cli_parse_number(colon ? colon + 1 : text, 1, UINT16_MAX, &port))
        return cli_usage_error("serve", "--agent takes a port, or an address and a port as in 127.0.0.1:32743, not \"%s\"", text);
    config->control.port = (uint16_t)port;
    config->has_control = true;
    return EXIT_OK;
}

static int take_option(struct serve_config *config, int option, char **argv)
{
    uint64_t number;
    double *percent = percent_of(config, option);
    if (percent)
        return parse_percent(optarg, percent) ? EXIT_OK
             : cli_usage_error("serve", "a share of packets is a number from 0 to 100, not \"%s\"", optarg);
    switch (option) {
    case OPT_TAP: config->tap = optarg; return EXIT_OK;
    case OPT_UNIX: config->socket = optarg; return EXIT_OK;
    case OPT_AGENT: return take_control(config, optarg);
    case OPT_KEY: config->key_file = optarg; return EXIT_OK;
    case OPT_ADDRESS: return take_address(config, optarg);
    case OPT_ROOT: config->http_root = optarg; return EXIT_OK;
    case OPT_PCAP: config->pcap = optarg; return EXIT_OK;
    case OPT_SEED:
        config->has_seed = true;
        return cli_parse_number(optarg, 0, INT64_MAX, &config->seed) ? EXIT_OK
             : cli_usage_error("serve", "--seed takes a number, not \"%s\"", optarg);
    case OPT_SIZE:
        config->has_http_size = true;
        return cli_parse_number(optarg, 0, UINT64_C(1) << 40, &config->http_size) ? EXIT_OK
             : cli_usage_error("serve", "--size takes a number of octets up to 2^40, not \"%s\"", optarg);
    case OPT_SOCKET: config->status_socket = optarg; return EXIT_OK;
    case OPT_STATUS:
        if (!cli_parse_number(optarg, 0, 86400, &number))
            return cli_usage_error("serve", "--status takes a number of seconds, not \"%s\"", optarg);
        config->status = true;
        config->status_interval_s = (unsigned)number;
        return EXIT_OK;
    default: return cli_usage_error("serve", "option %s is unknown, or lacks its value", argv[optind - 1]);
    }
}

static int exit_code(const struct serve_config *config, enum serve_end end, int command_status, const struct target_error *error)
{
    if (end == SERVE_INTERRUPTED)
        return EXIT_INTERRUPTED;
    if (end == SERVE_DONE)
        return config->command ? command_status : EXIT_OK;
    cli_error("serve", "%s", error->text);
    return error->kind == TARGET_ERR_USAGE ? EXIT_USAGE : EXIT_UNABLE;
}

/* --status without a number asks; its number may also be the next word. */
static bool asks(char **argv)
{
    const char *next = argv[optind];
    if (!optarg && next && *next >= '0' && *next <= '9')
        optarg = argv[optind++];
    return !optarg;
}

int command_serve(int argc, char **argv)
{
    struct serve_config config = { .interrupted = &cli_interrupted };
    struct serve_status_config status = { 0 };
    bool asking = false;
    opterr = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "+h", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help_text, stdout);
            return EXIT_OK;
        }
        if (option == OPT_STATUS && asks(argv)) {
            asking = true;
            continue;
        }
        if (option == OPT_JSON) {
            status.json = true;
            continue;
        }
        int code = take_option(&config, option, argv);
        if (code != EXIT_OK)
            return code;
    }
    status.socket = config.status_socket;
    status.interface = config.tap;
    if (asking)
        return optind < argc ? cli_usage_error("serve", "--status without a number starts nothing") : serve_status(&status);
    if (status.json)
        return cli_usage_error("serve", "--json goes with --status");
    if (config.http_root && config.has_http_size)
        return cli_usage_error("serve", "either --http-root or --size");
    if (config.tap && config.socket)
        return cli_usage_error("serve", "either --tap or --unix");
    if (config.key_file && !config.has_control)
        return cli_usage_error("serve", "--key is of no use without --agent");
    if (optind < argc)
        config.command = argv + optind;
    struct target_error error;
    int command_status = 0;
    cli_catch_interrupts();
    enum serve_end end = serve(&config, &command_status, &error);
    return exit_code(&config, end, command_status, &error);
}
