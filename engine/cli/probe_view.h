/* A probe's report in plain words, and as JSON. */
#ifndef TCPASSAY_CLI_PROBE_VIEW_H
#define TCPASSAY_CLI_PROBE_VIEW_H

#include <stdio.h>

#include "engine/probe/probe.h"

/* host and port as they were typed. */
void probe_print(const struct probe_config *config, const struct probe_report *report, const char *host, const char *port,
                 FILE *out);
/* 0, or -1 when it could not be written. docs: tcpassay-probe(1). */
int probe_print_json(const struct probe_config *config, const struct probe_report *report, const char *host, FILE *out);

/* "open", "closed" …: the words of the JSON, too. */
const char *probe_answer_text(enum probe_answer answer);
const char *probe_isn_text(enum isn_kind kind);

#endif
