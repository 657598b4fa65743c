/* The `tcpassay` program: finds the command and runs it. */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/cli/cli.h"
#include "targets/plugin/target_plugin.h"
#include "targets/tap/closest.h"

struct command { const char *name; int (*run)(int argc, char **argv); const char *summary; };

static const struct command commands[] = {
    {"run", command_run, "run tests against a target"},
    {"list", command_list, "what would run, and what it covers"},
    {"explain", command_explain, "a requirement or a test: text, section, who tests it"},
    {"check", command_check, "judge captured traffic"},
    {"fuzz", command_fuzz, "sequences that nobody thought of, judged by the model; findings shrunk and kept"},
    {"replay", command_replay, "play scenario files and show every step"},
    {"probe", command_probe, "why a connection fails or is slow: timing, options, states, in plain words"},
    {"report", command_report, "results as a page, for CI servers, as a site, or several side by side"},
    {"targets", command_targets, "what can be tested here, and what is missing"},
    {"selftest", command_selftest, "shows that the tests can fail: plays them on a sabotaged stack"},
    {"serve", command_serve, "the reference stack as a server on a TAP device"},
    {"agent", command_agent, "the upper tester on another host: opens and uses connections there"},
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static int help(FILE *out, int code)
{
    fputs("tcpassay: is your TCP what the RFCs say it is?\n\nusage: tcpassay COMMAND [OPTION]… [ARGUMENT]…\n\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`tcpassay COMMAND --help` says more, and so does `man tcpassay`.\n", out);
    return code;
}

static int dispatch(int argc, char **argv)
{
    const char *names[COMMAND_COUNT];
    if (argc < 2)
        return help(stderr, EXIT_USAGE);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return help(stdout, EXIT_OK);
    if (!strcmp(argv[1], "--version")) {
        puts("tcpassay " TCPASSAY_VERSION);
        return EXIT_OK;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
        names[i] = commands[i].name;
    }
    const char *closest = closest_word(argv[1], names, COMMAND_COUNT);
    fprintf(stderr, "tcpassay: no command \"%s\"%s%s%s; see `tcpassay --help`\n", argv[1], closest ? "; did you mean \"" : "",
            closest ? closest : "", closest ? "\"?" : "");
    return EXIT_USAGE;
}

/* Descriptors 0 to 2 that are closed would be given to the next files opened, and what is printed would end up in the results. */
static void open_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return;
}

/* A list that the disk had no room for is not a list: said, and no success. A reader that has gone (`| head`) is no error. */
static bool output_is_lost(void)
{
    struct pollfd reader = {.fd = STDOUT_FILENO, .events = POLLOUT};
    const bool failed = fflush(stdout) != 0 || ferror(stdout);
    return failed && !(poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR));
}

int main(int argc, char **argv)
{
    if (plugin_is_holder(argc, argv))
        return plugin_holder(argc, argv);
    open_standard_files();
    const int code = dispatch(argc, argv);
    if (!output_is_lost())
        return code;
    fputs("tcpassay: standard output could not be written; is the disk full?\n", stderr);
    return code == EXIT_OK ? EXIT_UNABLE : code;
}
