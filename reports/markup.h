/* Text within HTML, SVG and XML, and the frame of the small pages: those of a comparison and of a site. */
#ifndef TCPASSAY_REPORTS_MARKUP_H
#define TCPASSAY_REPORTS_MARKUP_H

#include <stdio.h>

/* The one function by which text gets there, as content or as a quoted attribute: markup escaped, controls made visible, what XML
 * cannot hold replaced, and cut at MARKUP_TEXT_BYTES_MAX. NULL is "". */
enum { MARKUP_TEXT_BYTES_MAX = 2000 };
void markup_text(const char *text, FILE *out);
/* An id for a fragment: what is not a letter, a digit or one of "-._~/:=,@!" percent-encoded, so that href="#…" finds it as it
 * stands. */
void markup_fragment(const char *id, FILE *out);

/* Everything up to <main>, its heading included; no page loads or sends anything (a Content-Security-Policy says so). */
void markup_begin(const char *title, FILE *out);
void markup_end(FILE *out);
/* A box that narrows the tables of the page down to rows with its text, and with the class "differs" alone while its check is set.
 */
void markup_filter(const char *check, FILE *out);

#endif
