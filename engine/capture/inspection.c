/* Life cycle of an inspection, and its report (see inspection.h; the work is done in frames.c and connections.c). */
#include "engine/capture/within.h"

#include <assert.h>
#include <stdlib.h>

/* Nobody knows how far from its ends a capture was taken, or how coarse their timers are: generous. */
static const int64_t granularity_ns = 500000000, latency_ns = 1000000000;
enum { GRANULARITY_PERMILLE = 100 };

static const char *const skipped_texts[] = {
    [SKIPPED_NOT_IP] = "without IP",
    [SKIPPED_OTHER_PROTOCOL] = "of other protocols",
    [SKIPPED_ICMP] = "of ICMP about no connection here",
    [SKIPPED_DAMAGED] = "with damaged headers",
    [SKIPPED_CUT] = "cut within their headers",
    [SKIPPED_FRAGMENT] = "that are fragments",
    [SKIPPED_COPY] = "seen more than once on their way",
    [SKIPPED_SELF] = "from an endpoint to itself",
};
static_assert(sizeof skipped_texts / sizeof *skipped_texts == SKIPPED_COUNT, "a text for each");

const char *skipped_text(enum skipped reason)
{
    return skipped_texts[reason];
}

static bool allocate(struct inspection *in)
{
    in->pairs = pairs_new(in->config.seed);
    in->reassembler = pkt_reassembler_new();
    in->shared = calloc(1, sizeof *in->shared);
    in->octets = pool_new(OCTETS_CHUNK_LEN, false);
    return in->pairs && in->reassembler && in->shared && in->octets;
}

struct inspection *inspection_new(const struct inspection_config *config)
{
    struct inspection *in = calloc(1, sizeof *in);
    if (!in)
        return NULL;
    in->config = *config;
    in->config.connections_max = config->connections_max ? config->connections_max : CONNECTIONS_MAX;
    in->report.findings.count_max = config->findings_max ? config->findings_max : FINDINGS_MAX;
    if (!allocate(in)) {
        inspection_free(in);
        return NULL;
    }
    *in->shared = (struct judge_host){
        .link = JUDGE_LOSSY, .offload = config->offload == OFFLOAD_YES, .granularity_ns = granularity_ns,
        .granularity_permille = GRANULARITY_PERMILLE, .latency_ns = latency_ns, .pressed = true, .octets.pool = in->octets,
    };
    return in;
}

static void add_coverage(struct inspection *in)
{
    for (unsigned i = 0; i < in->report.host_count; i++)
        coverage_add(&in->shared->coverage, &in->report.hosts[i].host->coverage);
    in->report.coverage = &in->shared->coverage;
}

static int by_number(const void *left, const void *right)
{
    const struct inspected_connection *a = left, *b = right;
    return a->number < b->number ? -1 : a->number > b->number;
}

void inspection_finish(struct inspection *in)
{
    struct inspection_report *report = &in->report;
    connections_end_all(in);
    findings_settle_all(&report->findings, report->contradicted);
    report->out_of_memory |= report->findings.out_of_memory;
    if (report->listed > 0)
        qsort(report->connections_listed, report->listed, sizeof *report->connections_listed, by_number);
    add_coverage(in);
}

const struct inspection_report *inspection_report(const struct inspection *in)
{
    return &in->report;
}

uint32_t inspection_open(const struct inspection *in)
{
    return (uint32_t)(pairs_count(in->pairs, PAIR_OPEN) + pairs_count(in->pairs, PAIR_CLOSED));
}

void inspection_free(struct inspection *in)
{
    if (!in)
        return;
    if (in->pairs)
        connections_end_all(in);
    pairs_free(in->pairs);
    pkt_reassembler_free(in->reassembler);
    for (uint32_t i = 0; i < in->report.listed; i++)
        for (unsigned side = 0; side < 2; side++)
            free(in->report.connections_listed[i].inconclusive[side]);
    free(in->report.connections_listed);
    for (unsigned i = 0; i < in->report.host_count; i++)
        free(in->report.hosts[i].host);
    findings_release(&in->report.findings);
    free(in->shared);
    pool_free(in->octets);
    free(in);
}

void inspection_count(const struct inspection_report *report, struct inspection_counts *out)
{
    const struct findings *findings = &report->findings;
    *out = (struct inspection_counts){ 0 };
    for (uint32_t i = 1; i <= findings->count; i++) {
        const struct held_finding *finding = &findings->held[i];
        out->withheld[finding->standing]++;
        out->failures += finding->standing == FINDING_STANDS && finding_is_failure(finding->level);
        out->deviations += finding->standing == FINDING_STANDS && requirement_level_is_should(finding->level);
    }
    for (enum requirement_level level = 0; level < LEVEL_COUNT; level++) {
        out->failures += finding_is_failure(level) ? findings->beyond_certain[level] : 0;
        out->deviations += requirement_level_is_should(level) ? findings->beyond_certain[level] : 0;
    }
    out->withheld[FINDING_STANDS] = 0; /* they are not */
}
