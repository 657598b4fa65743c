/* A static site of runs, for a project to publish from CI: each run that is added becomes the newest, and the earlier ones its
 * history. */
#ifndef TCPASSAY_REPORTS_SITE_H
#define TCPASSAY_REPORTS_SITE_H

#include "reports/results.h"

/* Adds a run to the site in dir, which is made when it is missing: history.jsonl gets a line, and index.html, tests.html,
 * requirements.html, report.html, badge.svg, line.txt, requirements.csv and tests.csv are made anew, each appearing whole or not at
 * all, index.html last. Nothing else in dir is touched; a dir that holds one of these names, but no history.jsonl, is somebody
 * else's and refused.
 *
 * The same run (target, start and seed) added again replaces itself. Lines of the history that cannot be read are left where they
 * are, and said. 0, with a note or "" in error; or -1 with the reason there. */
int site_add(const char *dir, const struct results *results, char *error, size_t error_size);

#endif
