/* Tests grouped by RFC section, as every report lists them. */
#ifndef TCPASSAY_REPORTS_SECTIONS_H
#define TCPASSAY_REPORTS_SECTIONS_H

#include "reports/results.h"

struct section {
    const char *name;    /* name_len octets of it: "rfc9293/3.5-establishing", or "other" */
    size_t name_len;
    size_t first, count; /* within sections.tests */
    struct results_summary summary;
    int64_t duration_ns; /* of its tests, added up; they may have run at the same time */
};

struct sections {
    const struct result_test **tests; /* all of them, those of a section together */
    struct section *list;
    size_t count;
};

/* Borrows from results. False when memory ran out. Release with sections_release(). */
bool sections_make(const struct results *results, struct sections *out);
void sections_release(struct sections *sections);

#endif
