/* `tcpassay probe`: why a connection to this host fails, or takes so long. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/cli/cli.h"
#include "engine/cli/terminal.h"
#include "engine/cli/probe_view.h"

static const char help_text[] =
    "usage: tcpassay probe [OPTION]… HOST PORT\n"
    "\n"
    "Tells whether a TCP port is open, closed, filtered or silent; how long a handshake takes beside the round trip; what the SYN-ACK offers;\n"
    "the handshake with states and numbers of both sides; when both sides send again; whether initial sequence numbers can be guessed.\n"
    "As root (or with CAP_NET_RAW) it captures and sends SYNs of its own; without, it measures what a plain socket can, and says what it\n"
    "could not see. It is no flood: SYNs are 10 ms apart at least, and a few hundred at most.\n"
    "\n"
    "  -4, -6                only addresses of this version\n"
    "  -n, --tries N         handshakes to time (default 10, up to 200)\n"
    "      --interval MS     from one to the next (default 100, at least 10)\n"
    "      --wait SECONDS    for an answer to one connect() (default 5)\n"
    "      --time SECONDS    to watch the host send its SYN-ACK again (default 4; 0: not at all)\n"
    "      --isn N           SYNs to sample sequence numbers with (default 64, up to 256; 0: none)\n"
    "      --request [PATH]  times an HTTP GET (default /): on a new connection, on one used again, with fast open\n"
    "      --host NAME       for the request's Host field (default: HOST)\n"
    "      --unprivileged    as without privilege, whoever runs it\n"
    "      --json            all of it as one JSON document\n"
    "  -h, --help\n"
    "\n"
    "Exit status: 0 the port is open · 1 it is closed, refused or silent · 2 usage · 3 the host has no address, or there is no way to it.\n";

enum { OPT_INTERVAL = 256, OPT_WAIT, OPT_TIME, OPT_ISN, OPT_REQUEST, OPT_HOST, OPT_UNPRIVILEGED, OPT_JSON };

static const struct option options[] = {
    {"tries", required_argument, NULL, 'n'}, {"interval", required_argument, NULL, OPT_INTERVAL}, {"wait", required_argument, NULL, OPT_WAIT},
    {"time", required_argument, NULL, OPT_TIME}, {"isn", required_argument, NULL, OPT_ISN}, {"request", optional_argument, NULL, OPT_REQUEST},
    {"host", required_argument, NULL, OPT_HOST}, {"unprivileged", no_argument, NULL, OPT_UNPRIVILEGED}, {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
};

enum { TLS_PORT = 443, INTERVAL_MS_MIN = 10, INTERVAL_MS_MAX = 60000, SECONDS_MAX = 600, PATH_MAX_OCTETS = 1024 };

struct arguments { struct probe_config probe; int ip_version; bool json; };

static bool parse_seconds(const char *text, bool zero, int64_t *out_ns)
{
    char *end;
    const double seconds = strtod(text, &end);
    *out_ns = end != text && seconds >= 0 && seconds <= SECONDS_MAX ? (int64_t)(seconds * 1e9) : -1;
    return end != text && !*end && (zero ? *out_ns >= 0 : *out_ns > 0);
}

/* Nothing that would end the line it is sent in. */
static bool is_printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    return true;
}

static int take_path(struct arguments *a, const char *path)
{
    a->probe.request_path = path;
    return *path == '/' && strlen(path) <= PATH_MAX_OCTETS && is_printable(path) ? EXIT_OK
         : cli_usage_error("probe", "--request takes a path that begins with /, without blanks, not \"%s\"", path);
}

static int take_number(const char *what, uint64_t least, uint64_t most, uint64_t *out)
{
    return cli_parse_number(optarg, least, most, out) ? EXIT_OK
         : cli_usage_error("probe", "%s takes a number from %llu to %llu, not \"%s\"", what, (unsigned long long)least,
                           (unsigned long long)most, optarg);
}

static int take_option(struct arguments *a, int option, char **argv)
{
    uint64_t number = 0;
    int code = EXIT_OK;
    switch (option) {
    case '4': a->ip_version = 4; break;
    case '6': a->ip_version = 6; break;
    case 'n':
        code = take_number("--tries", 1, PROBE_TRIES_MAX, &number);
        a->probe.tries = (unsigned)number;
        break;
    case OPT_INTERVAL:
        code = take_number("--interval", INTERVAL_MS_MIN, INTERVAL_MS_MAX, &number);
        a->probe.interval_ns = (int64_t)number * 1000000;
        break;
    case OPT_ISN:
        code = take_number("--isn", 0, PROBE_ISN_MAX, &number);
        a->probe.isn_samples = (unsigned)number;
        break;
    case OPT_WAIT:
        return parse_seconds(optarg, false, &a->probe.wait_ns) ? EXIT_OK
             : cli_usage_error("probe", "--wait takes seconds, up to %d, not \"%s\"", SECONDS_MAX, optarg);
    case OPT_TIME:
        return parse_seconds(optarg, true, &a->probe.schedule_ns) ? EXIT_OK
             : cli_usage_error("probe", "--time takes seconds, up to %d, not \"%s\"", SECONDS_MAX, optarg);
    case OPT_REQUEST: /* its value may also be the next word */
        if (!optarg && argv[optind] && argv[optind][0] == '/')
            optarg = argv[optind++];
        return take_path(a, optarg ? optarg : "/");
    case OPT_HOST:
        a->probe.request_host = optarg;
        return *optarg && strlen(optarg) <= 255 && is_printable(optarg) ? EXIT_OK : cli_usage_error("probe", "--host takes a name");
    case OPT_UNPRIVILEGED: a->probe.unprivileged = true; break;
    case OPT_JSON: a->json = true; break;
    default: return cli_usage_error("probe", "option %s is unknown, or lacks its value", argv[optind - 1]);
    }
    return code;
}

/* ---- what goes on, on a terminal -------------------------------------------------------------------------------- */

static void show_progress(void *context, const char *what)
{
    (void)context;
    fprintf(stderr, "\r\033[K%s \u2026", what);
}

static void end_progress(const struct arguments *a)
{
    if (a->probe.progress)
        fputs("\r\033[K", stderr);
}

static int exit_code(enum probe_end end, const struct probe_report *report, const char *error)
{
    if (end == PROBE_INTERRUPTED)
        return EXIT_INTERRUPTED;
    if (end == PROBE_FAILED) {
        cli_error("probe", "%s", error);
        return EXIT_UNABLE;
    }
    return report->addresses[report->chosen].outcome.answer == PROBE_OPEN ? EXIT_OK : EXIT_TESTS_FAILED;
}

static int run(struct arguments *a, const char *host, const char *port)
{
    char error[PROBE_TEXT_MAX] = "";
    struct probe_report *report = calloc(1, sizeof *report);
    if (!report) {
        cli_error("probe", "out of memory");
        return EXIT_UNABLE;
    }
    cli_catch_interrupts();
    const enum probe_end end = probe(&a->probe, report, error);
    end_progress(a);
    int code = exit_code(end, report, error);
    if (a->json && probe_print_json(&a->probe, report, host, stdout) < 0) {
        cli_error("probe", "the report could not be written");
        code = EXIT_UNABLE;
    }
    if (!a->json && end != PROBE_FAILED)
        probe_print(&a->probe, report, host, port, stdout);
    free(report);
    return code;
}

int command_probe(int argc, char **argv)
{
    struct arguments a = {
        .probe = {.tries = 10, .interval_ns = 100000000, .wait_ns = 5000000000, .schedule_ns = 4000000000, .isn_samples = 64,
                  .interrupted = &cli_interrupted, .progress = terminal_is_live(stderr) ? show_progress : NULL},
    };
    char error[PROBE_TEXT_MAX];
    opterr = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "46n:h", options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help_text, stdout);
            return EXIT_OK;
        }
        const int code = take_option(&a, option, argv);
        if (code != EXIT_OK)
            return code;
    }
    if (argc - optind != 2)
        return cli_usage_error("probe", argc - optind < 2 ? "which host, and which port?" : "one host and one port at a time");
    const char *host = argv[optind], *port = argv[optind + 1];
    const enum probe_resolved resolved = probe_resolve(host, port, a.ip_version, &a.probe, error);
    if (resolved == PROBE_BAD_PORT)
        return cli_usage_error("probe", "%s", error);
    if (resolved == PROBE_NO_HOST) {
        cli_error("probe", "%s", error);
        return EXIT_UNABLE;
    }
    if (a.probe.request_path && a.probe.remotes[0].port == TLS_PORT)
        return cli_usage_error("probe",
                               "port 443 speaks TLS, which probe does not: without --request, its handshake can be probed");
    if (!a.probe.request_host)
        a.probe.request_host = host;
    return run(&a, host, port);
}
