/* `tcpassay targets`: what can be tested here, and what is missing. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cli/cli.h"
#include "engine/cli/discover.h"
#include "engine/cli/target_file.h"
#include "targets/saboteur/saboteur.h"

enum { PATIENCE_S = 65, PATIENCE_MAX_S = 300 };

static const char help_text[] =
    "usage: tcpassay targets [TARGET]\n"
    "       tcpassay targets --discover TARGET [--patience SECONDS]\n"
    "\n"
    "Lists what can be tested on this machine, and the target files (NAME.target here, in targets.d/ and in ~/.config/tcpassay), and says\n"
    "in words what is missing where something is. With a TARGET, only that one, with what it tells of itself (PIXIT); exit status 3 when it\n"
    "cannot work. `tcpassay targets saboteur` lists the faults.\n"
    "\n"
    "  --discover            fills in a target file by looking at the target: which options it offers, how it acknowledges and sends again,\n"
    "                        how long TIME-WAIT lasts; prints it\n"
    "  --patience SECONDS    of --discover: how long TIME-WAIT is watched (65 unless given, 300 at the most)\n";

static const struct option options[] = {
    {"discover", required_argument, NULL, 'd'}, {"patience", required_argument, NULL, 'p'}, {"help", no_argument, NULL, 'h'}, {0}};

static bool show(const char *name, const struct target_driver *driver, const char *argument, const char *summary)
{
    struct target_error error = {0};
    bool ready = !driver->preflight || driver->preflight(argument, &error);
    bool asks = !ready && !*argument && driver->argument && error.kind == TARGET_ERR_USAGE; /* nothing is wrong, something is to be named */
    printf("%-12s %-9s %s\n", name, ready ? "ready" : asks ? "to name" : "not here", summary);
    if (!ready)
        printf("%-22s %s\n", "", error.text);
    return ready;
}

static bool describe(const struct target_driver *driver, const char *argument)
{
    struct target_error error = {0};
    struct target_config config = {.seed = 1};
    struct target *target = driver->open(argument, &config, &error);
    if (!target) {
        printf("%-22s %s\n", "", error.text);
        return false;
    }
    const struct target_info *info = &target->info;
    char v4[PKT_ADDR_TEXT_MAX], v6[PKT_ADDR_TEXT_MAX];
    printf("  %s\n", info->description);
    printf("  addresses");
    if (info->capabilities & TARGET_IPV4)
        printf(" %s", pkt_addr_format(&info->iut[0], v4));
    if (info->capabilities & TARGET_IPV6)
        printf(" %s", pkt_addr_format(&info->iut[1], v6));
    printf(", mtu %u\n  timers may be late by %.1f ms and %.1f %% of their length; a reaction takes up to %.1f ms\n", info->mtu,
           (double)info->granularity_ns / 1e6, info->granularity_permille / 10.0, (double)info->latency_ns / 1e6);
    if (info->rtt_ns)
        printf("  the way there and back takes up to %.3g ms\n", (double)info->rtt_ns / 1e6);
    printf("  upper tester: %s; tells its state: %s\n", info->capabilities & TARGET_UPPER_TESTER ? "yes" : "none",
           info->capabilities & TARGET_STATUS ? "yes" : "no");
    if (*info->lacks)
        printf("  does not claim %s\n", info->lacks);
    for (unsigned i = 0; i < info->pixit_count; i++)
        printf("  %s = %s\n", info->pixit[i].name, info->pixit[i].value);
    target->ops->close(target);
    return true;
}

static void show_file(void *context, const char *name, const char *path)
{
    bool *heading = context;
    struct target_error error;
    char *text = target_file_load(path, &error);
    if (!*heading)
        printf("\nTarget files:\n");
    *heading = true;
    const char *argument = "";
    const struct target_driver *driver = text ? cli_find_driver(text, &argument) : NULL;
    if (driver)
        show(name, driver, argument, path);
    else
        printf("%-12s %-9s %s\n%-22s %s\n", name, "unusable", path, "", text ? "there is no such target" : error.text);
    free(text);
}

static int list(void)
{
    bool heading = false;
    for (size_t i = 0; cli_drivers[i]; i++)
        show(cli_drivers[i]->name, cli_drivers[i], "", cli_drivers[i]->summary);
    target_file_each(show_file, &heading);
    return EXIT_OK;
}

static int one(const char *name)
{
    struct cli_target target;
    int code = cli_open_name("targets", name, &target);
    if (code != EXIT_OK)
        return code;
    if (target.driver == &saboteur_driver && !*target.argument)
        cli_list_faults(stdout);
    else if (!show(name, target.driver, target.argument, target.driver->summary) || !describe(target.driver, target.argument))
        code = EXIT_UNABLE;
    cli_target_release(&target);
    return code;
}

static int find_out(const char *name, uint64_t patience_s)
{
    struct cli_target target;
    int code = cli_open_name("targets", name, &target);
    if (code == EXIT_OK)
        code = discover(&target, name, patience_s);
    cli_target_release(&target);
    return code;
}

int command_targets(int argc, char **argv)
{
    const char *discovered = NULL;
    uint64_t patience_s = PATIENCE_S;
    opterr = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 'd': discovered = optarg; break;
        case 'p':
            if (!cli_parse_number(optarg, 1, PATIENCE_MAX_S, &patience_s))
                return cli_usage_error("targets", "--patience takes seconds from 1 to %d, not \"%s\"", PATIENCE_MAX_S, optarg);
            break;
        case 'h': fputs(help_text, stdout); return EXIT_OK;
        default: return cli_usage_error("targets", "option %s is unknown, or lacks its value", argv[optind - 1]);
        }
    }
    if (argc - optind > (discovered ? 0 : 1))
        return cli_usage_error("targets", "one target at the most");
    return discovered ? find_out(discovered, patience_s) : optind < argc ? one(argv[optind]) : list();
}
