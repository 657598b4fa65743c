/* Prints an inspection's report: first what was violated, connection by connection, then (if wanted) the hosts' portraits, and a
 * summary, which also says what was not judged and why. */
#include "engine/capture/text.h"

#include <assert.h>
#include <inttypes.h>

#include "engine/capture/link.h"

#define NS_PER_S 1e9

static const char *const standing_texts[] = {
    [FINDING_STANDS] = "",
    [FINDING_CAPTURE_MISSES] = "the capture misses packets",
    [FINDING_CAPTURE_REORDERS] = "packets overtook others before the capture, or were copied",
    [FINDING_SUMS_UNKNOWN] = "checksums were not yet computed where it was captured",
};
static_assert(sizeof standing_texts / sizeof *standing_texts == FINDING_STANDINGS, "a text for each");

const char *standing_text(enum standing standing)
{
    return standing_texts[standing];
}

const char *endpoint_text(const struct pkt_endpoint *endpoint, char out[static ENDPOINT_TEXT_MAX])
{
    char addr[PKT_ADDR_TEXT_MAX];
    snprintf(out, ENDPOINT_TEXT_MAX, endpoint->addr.version == 6 ? "[%s]:%u" : "%s:%u", pkt_addr_format(&endpoint->addr, addr),
             endpoint->port);
    return out;
}

/* ---- findings ------------------------------------------------------------------------------------------------------- */

static void print_connection(const struct inspected_connection *c, const struct text_config *config, FILE *out)
{
    char ends[2][ENDPOINT_TEXT_MAX];
    const char *bold = config->color ? "\033[1m" : "", *plain = config->color ? "\033[0m" : "";
    fprintf(out, "%s%s > %s%s  connection %u, frames %u to %u, %u + %u segments%s\n", bold, endpoint_text(&c->ends[0], ends[0]),
            endpoint_text(&c->ends[1], ends[1]), plain, c->number, c->first_frame, c->last_frame, c->segments[0], c->segments[1],
            c->from_start ? "" : ", begun before the capture");
    for (unsigned side = 0; side < 2; side++)
        if (c->inconclusive[side])
            fprintf(out, "  %s was not judged to the end: %s\n", ends[side], c->inconclusive[side]);
}

static void print_finding(const struct held_finding *f, const struct inspected_connection *c, const struct text_config *config,
                          FILE *out)
{
    const struct rule *rule = rule_at(f->rule);
    const bool failure = finding_is_failure(f->level);
    const char *color = !config->color || f->standing != FINDING_STANDS ? "" : failure ? "\033[31m" : "\033[33m";
    char end[ENDPOINT_TEXT_MAX];
    fprintf(out, "  %s%s%s  %s  frame %u at +%.6f s, by %s\n", color,
            f->standing != FINDING_STANDS ? "withheld " : failure ? "VIOLATION" : "deviation", *color ? "\033[0m" : "", f->requirement,
            f->segment, (double)f->at_ns / NS_PER_S, endpoint_text(&c->ends[f->side], end));
    if (f->standing != FINDING_STANDS)
        fprintf(out, "    since       %s\n", standing_text(f->standing));
    fprintf(out, "    what        %s\n    observed    %s\n    permitted   %s\n", f->message, f->observed, f->permitted);
    fprintf(out, "    rule        %s (%s, %s): when %s, %s\n", rule->name, rule->section, requirement_level_text(f->level),
            rule->condition, rule->demand);
}

static bool is_shown(const struct held_finding *finding, const struct text_config *config)
{
    return finding->standing == FINDING_STANDS || config->verbose;
}

static bool has_shown_finding(const struct inspection_report *report, const struct inspected_connection *c,
                              const struct text_config *config)
{
    for (uint32_t i = c->first_finding; i; i = report->findings.held[i].next)
        if (is_shown(&report->findings.held[i], config))
            return true;
    return false;
}

/* The list of a pair has the last finding first. */
static void print_findings(const struct inspection_report *report, const struct inspected_connection *c, uint32_t first,
                           const struct text_config *config, FILE *out)
{
    enum { SHOWN_MAX = 64 };
    uint32_t shown[SHOWN_MAX], count = 0, more = 0;
    for (uint32_t i = first; i; i = report->findings.held[i].next) {
        if (!is_shown(&report->findings.held[i], config))
            continue;
        if (count < SHOWN_MAX)
            shown[count++] = i;
        else
            more++;
    }
    while (count > 0)
        print_finding(&report->findings.held[shown[--count]], c, config, out);
    if (more > 0)
        fprintf(out, "  and %u before these\n", more);
}

static void print_connections(const struct inspection_report *report, const struct text_config *config, FILE *out)
{
    for (uint32_t i = 0; i < report->listed; i++) {
        const struct inspected_connection *c = &report->connections_listed[i];
        const bool found = has_shown_finding(report, c, config);
        if (!found && !config->verbose)
            continue;
        print_connection(c, config, out);
        print_findings(report, c, c->first_finding, config, out);
        if (found)
            fputc('\n', out);
    }
}

/* ---- portraits ------------------------------------------------------------------------------------------------------ */

static void print_portraits(const struct inspection_report *report, FILE *out)
{
    char line[160], addr[PKT_ADDR_TEXT_MAX];
    for (unsigned i = 0; i < report->host_count; i++) {
        fprintf(out, "\nPortrait of %s\n", pkt_addr_format(&report->hosts[i].addr, addr));
        for (enum choice_id id = 0; id < CHOICE_COUNT; id++)
            if (portrait_describe(&report->hosts[i].host->portrait, id, line, sizeof line) > 0)
                fprintf(out, "  %s\n", line);
    }
}

/* ---- the summary ---------------------------------------------------------------------------------------------------- */

static void print_skipped(const struct inspection_report *report, FILE *out)
{
    const char *separator = "  not judged: ";
    for (enum skipped reason = 0; reason < SKIPPED_COUNT; reason++)
        if (report->skipped[reason]) {
            fprintf(out, "%s%" PRIu64 " %s", separator, report->skipped[reason], skipped_text(reason));
            separator = ", ";
        }
    if (*separator == ',')
        fputc('\n', out);
}

static void print_withheld(const struct inspection_report *report, const struct inspection_counts *counts, FILE *out)
{
    for (enum standing standing = FINDING_STANDS + 1; standing < FINDING_STANDINGS; standing++)
        if (counts->withheld[standing])
            fprintf(out, "  %" PRIu64 " findings withheld: %s (--verbose shows them)\n", counts->withheld[standing],
                    standing_text(standing));
    if (report->findings.beyond_waiting)
        fprintf(out, "  %" PRIu64 " findings beyond the first %u undecided, as the rest of the capture might speak against them\n",
                report->findings.beyond_waiting, report->findings.count_max);
}

/* What one should know of this capture to trust what is said about it. */
static void print_remarks(const struct inspection_report *report, FILE *out)
{
    if (report->contradicted & JUDGE_NEEDS_COMPLETE)
        fputs("  the capture misses packets: what needs all of them is not held against anybody\n", out);
    if (report->offload_seen)
        fputs(
            "  it shows segments before (or after) a network card worked on them: their sizes, and sums not yet made, are not judged\n",
            out);
    if (report->likely_copies)
        fprintf(out, "  %" PRIu64 " packets came twice at once: judged as sent once\n", report->likely_copies);
    if (report->clock_steps)
        fprintf(out, "  the clock went back %" PRIu64 " times: connections were judged anew from there\n", report->clock_steps);
    if (report->not_followed)
        fprintf(
            out,
            "  %" PRIu64
            " connections idle longest were not followed to their end, as too many were open (--connections raises the bound)\n",
                report->not_followed);
    if (report->inconclusive)
        fprintf(out, "  %" PRIu64 " endpoints were not judged to the end (--verbose says why)\n", report->inconclusive);
    if (report->out_of_memory)
        fputs("  memory ran out: some connections or findings are missing\n", out);
}

static void print_verdict(const struct inspection_counts *counts, const struct text_config *config, FILE *out)
{
    const char *color = !config->color ? "" : counts->failures ? "\033[31m" : "\033[32m";
    fprintf(out, "%s: %s%" PRIu64 " violations%s, %" PRIu64 " deviations\n", config->name, color, counts->failures, *color ? "\033[0m" : "",
            counts->deviations);
}

void inspection_print(const struct inspection_report *report, const struct text_config *config, FILE *out)
{
    struct inspection_counts counts;
    inspection_count(report, &counts);
    print_connections(report, config, out);
    if (config->quiet)
        return;
    if (config->verbose)
        print_portraits(report, out);
    fprintf(out, "%s%s: %s, %" PRIu64 " frames in %.3f s; %" PRIu64 " connections, %" PRIu64 " endpoints, %" PRIu64 " segments judged\n",
            config->verbose ? "\n" : "", config->name, link_name(config->link), report->frames, (double)report->duration_ns / NS_PER_S,
            report->connections, report->endpoints, report->segments);
    print_skipped(report, out);
    print_remarks(report, out);
    print_withheld(report, &counts, out);
    if (config->damage)
        fprintf(out, "  partial: the file could not be read beyond frame %" PRIu64 ": %s\n", report->frames, config->damage);
    print_verdict(&counts, config, out);
}
