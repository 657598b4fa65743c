/* An inspection's report as people read it. */
#ifndef TCPASSAY_CAPTURE_TEXT_H
#define TCPASSAY_CAPTURE_TEXT_H

#include "engine/capture/inspection.h"

struct text_config {
    const char *name;          /* of the capture, as on the command line */
    int link;                  /* pcap's DLT_* */
    bool verbose, quiet, color;
    const char *damage;        /* why the file could not be read to its end, or NULL */
};

/* Findings by connection, and a summary. What the capture brought along is never sent to a terminal unescaped: it is all numbers.
 */
void inspection_print(const struct inspection_report *report, const struct text_config *config, FILE *out);
/* "192.0.2.1:80", "[2001:db8::1]:80". */
enum { ENDPOINT_TEXT_MAX = PKT_ADDR_TEXT_MAX + 8 };
const char *endpoint_text(const struct pkt_endpoint *endpoint, char out[static ENDPOINT_TEXT_MAX]);
/* "the capture misses packets": why a finding is withheld. */
const char *standing_text(enum standing standing);

#endif
