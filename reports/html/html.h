/* The HTML report: one file with everything in it, for a browser without a network (docs/html.md). */
#ifndef TCPASSAY_REPORTS_HTML_H
#define TCPASSAY_REPORTS_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "reports/results.h"

/* False when memory ran out; errors of the stream stay in ferror(out). Scenarios are shown when results->sources is set. */
bool format_html(const struct results *results, FILE *out);

/* The page's style sheet, for other pages of the program's own. */
extern const char html_css[];

/* ---- within the module ------------------------------------------------------------------------------------------ */

/* The one function that makes text fit for HTML, in elements and quoted attributes: markup escaped, controls made visible. */
void html_print_text(const char *text, FILE *out);

/* Everything that the page's script reads, as <script> elements that are not executed. */
bool html_print_payload(const struct results *results, FILE *out);

/* Deflated (zlib's format) and in base64. False when memory ran out. */
bool html_print_packed(const char *bytes, size_t len, FILE *out);

#endif
