/* Fuzzes any stack that is a plugin (docs/your-stack.md): scenarios as octets (docs/fuzz-bytes.md) are played on it in this
 * process, with the model for a judge. A crash is a memory error or an endless loop of that stack, or, told by a line that begins
 * with FINDING, something that RFC 9293 forbids; the input is a scenario, and `tcpassay replay --target plugin:FILE.so INPUT` shows
 * it step by step.
 *
 * The library is the first argument, or in the environment: TCPASSAY_PLUGIN; else the reference stack as a plugin. Built with clang
 * -fsanitize=fuzzer-no-link (for AFL++: by afl-clang-fast) it gives coverage feedback. TCPASSAY_KNOWN names rules of the model,
 * separated by blanks, whose findings are known and do not stop the fuzzer; "all" leaves crashes only. */
#include "engine/fuzz/play.h"
#include "engine/fuzz/trial.h"
#include "targets/plugin/target_plugin.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { SEED = 1 };

static struct signals counters SIGNALS_SECTION;
static struct fuzz_virtual *player;
static const char *known;

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "tcpassay's fuzzer of plugins: %s%s\n", what, why);
    exit(3);
}

static bool is_library(const char *argument)
{
    const size_t len = strlen(argument);
    return len > 3 && strcmp(argument + len - 3, ".so") == 0;
}

/* Takes the library's name out of the arguments, of which the rest is the engine's. None is named: the reference stack, which lies
 * beside us. */
static const char *library_of(int *argc, char **argv)
{
    static char beside[4096];
    if (*argc >= 2 && is_library(argv[1])) {
        const char *path = argv[1];
        memmove(argv + 1, argv + 2, (size_t)(*argc - 1) * sizeof *argv); /* with the NULL at the end */
        --*argc;
        return path;
    }
    if (getenv("TCPASSAY_PLUGIN"))
        return getenv("TCPASSAY_PLUGIN");
    const ssize_t len = readlink("/proc/self/exe", beside, sizeof beside - sizeof "reference.so");
    beside[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(beside, '/');
    memcpy(slash ? slash + 1 : beside, "reference.so", sizeof "reference.so");
    return beside;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct target_error error;
    const char *given = library_of(argc, *argv);
    char *path = realpath(given, NULL); /* needed as long as the player is */
    if (!path)
        give_up("no such library; name it first (FUZZER ./mystack.so CORPUS…): ", given);
    /* Held for good: each loading anew would count its code again. */
    if (!dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE))
        give_up("", dlerror());
    known = getenv("TCPASSAY_KNOWN");
    const struct fuzz_virtual_config config = {
        .driver = &plugin_in_process_driver, .argument = path, .play = {.judged = true, .signals = &counters}};
    player = fuzz_virtual_new(&config, &error);
    if (!player)
        give_up("", error.text);
    return 0;
}

/* Is this rule among those named? */
static bool is_known(const char *rule)
{
    const size_t len = strlen(rule);
    for (const char *at = known; at && *at; at += strcspn(at, " ") + (strchr(at, ' ') != NULL))
        if (strncmp(at, "all", 3) == 0 || (strncmp(at, rule, len) == 0 && (at[len] == ' ' || !at[len])))
            return true;
    return false;
}

static bool report(const struct fuzz_finding *finding)
{
    if (!fuzz_finding_fails(finding, false) || is_known(finding->rule))
        return false;
    fprintf(stderr, "FINDING %s (%s): %s\n  permitted: %s\n  observed: %s\n", finding->rule, finding->requirement, finding->message,
            finding->permitted, finding->observed);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool found = false;
    const struct fuzz_outcome *outcome = fuzz_virtual_play(player, data, size, fuzz_seed(SEED, TRIAL_ID));
    if (!outcome)
        give_up("", fuzz_virtual_error(player)->text);
    for (unsigned i = 0; i < outcome->finding_count; i++)
        found |= report(&outcome->findings[i]);
    if (found)
        abort();
    return 0;
}
