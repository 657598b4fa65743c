/* Plays the probes of an open port before anything else (engine/runner/open_port.h). */
#include "engine/runner/real/real.h"

#include <stdlib.h>
#include <string.h>

struct probing { struct suite suite; const struct suite_test *tests[2 * OPEN_PORT_PROBES]; struct open_port found; };

static int note_probe(void *context, const struct suite_test *test, struct result_test *result, const struct player *player)
{
    struct probing *probing = context;
    (void)player;
    for (unsigned i = 0; i < OPEN_PORT_PROBES; i++) {
        const char *id;
        open_port_probe(i, &id);
        bool is_this = !strcmp(test->file->id, id), counts = result->verdict != VERDICT_NOT_APPLICABLE;
        if (is_this && counts && result->verdict != VERDICT_PASS)
            open_port_probed(&probing->found, i, false);
    }
    return 0;
}

static bool load_probes(struct probing *probing)
{
    char text[256];
    for (unsigned i = 0; i < OPEN_PORT_PROBES; i++) {
        const char *id, *source = open_port_probe(i, &id);
        struct scn_diagnostics diagnostics = {0};
        struct scenario *scenario = scn_parse(id, source, strlen(source), &diagnostics);
        if (!scenario || suite_add(&probing->suite, id, scenario, text, sizeof text) < 0)
            return false;
        open_port_probed(&probing->found, i, true); /* until it is seen not to be so */
    }
    return suite_expand(&probing->suite, text, sizeof text) == 0 && probing->suite.test_count <= 2 * OPEN_PORT_PROBES;
}

/* Plays the probes on the lane that everybody shares, before the others come. False: out of memory. */
bool real_probe_open_port(struct real *r)
{
    const struct target_info *info = &r->lanes[0]->target->info;
    if (info->capabilities & TARGET_UPPER_TESTER || !info->open_port)
        return true;
    struct probing probing = {0};
    bool loaded = load_probes(&probing);
    const struct schedule *whole = r->s;
    struct schedule probes = *whole;
    r->port = probing.found;
    if (loaded) {
        for (size_t i = 0; i < probing.suite.test_count; i++)
            probing.tests[i] = &probing.suite.tests[i];
        probes.tests = probing.tests;
        probes.test_count = probing.suite.test_count;
        probes.finished = note_probe;
        probes.progress = NULL;
        probes.context = &probing;
        r->s = &probes;
        loaded = real_sort_tests(r);
        if (loaded)
            real_loop(r);
        r->s = whole;
        r->port = probing.found;
        r->done = 0;
    }
    free(r->shared);
    free(r->exclusive);
    r->shared = r->exclusive = NULL;
    r->shared_count = r->exclusive_count = 0;
    suite_release(&probing.suite);
    return loaded;
}
