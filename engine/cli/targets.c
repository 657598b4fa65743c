/* `tcpassay targets`: what can be tested here, and what is missing. */
#include <stdio.h>
#include <string.h>

#include "engine/cli/cli.h"
#include "targets/saboteur/saboteur.h"

static const char help_text[] =
    "usage: tcpassay targets [TARGET]\n"
    "\n"
    "Lists what can be tested on this machine, and says in words what is missing where something is. With a TARGET, only that one,\n"
    "with what it tells of itself (PIXIT); exit status 3 when it cannot work.\n";

static bool show(const struct target_driver *driver, const char *argument)
{
    struct target_error error = {0};
    bool ready = !driver->preflight || driver->preflight(argument, &error);
    printf("%-12s %-9s %s\n", driver->name, ready ? "ready" : "not here", driver->summary);
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
    char v4[PKT_ADDR_TEXT_MAX], v6[PKT_ADDR_TEXT_MAX];
    printf("  %s\n  addresses %s and %s, mtu %u\n", target->info.description, pkt_addr_format(&target->info.iut[0], v4),
           pkt_addr_format(&target->info.iut[1], v6), target->info.mtu);
    printf("  timers may be late by %.1f ms and %.1f %% of their length; a reaction takes up to %.1f ms\n",
           (double)target->info.granularity_ns / 1e6, target->info.granularity_permille / 10.0,
           (double)target->info.latency_ns / 1e6);
    for (unsigned i = 0; i < target->info.pixit_count; i++)
        printf("  %s = %s\n", target->info.pixit[i].name, target->info.pixit[i].value);
    target->ops->close(target);
    return true;
}

int command_targets(int argc, char **argv)
{
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        fputs(help_text, stdout);
        return EXIT_OK;
    }
    if (argc > 2)
        return cli_usage_error("targets", "one target at the most");
    if (argc == 1) {
        for (size_t i = 0; cli_drivers[i]; i++)
            show(cli_drivers[i], "");
        return EXIT_OK;
    }
    const char *argument;
    const struct target_driver *driver = cli_find_driver(argv[1], &argument);
    if (!driver)
        return cli_usage_error("targets", "there is no target \"%s\"", argv[1]);
    if (driver == &saboteur_driver && !*argument) {
        cli_list_faults(stdout);
        return EXIT_OK;
    }
    return show(driver, argument) && describe(driver, argument) ? EXIT_OK : EXIT_UNABLE;
}
