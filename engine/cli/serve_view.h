/* Reads and shows what a server says of its connections. */
#ifndef TCPASSAY_CLI_SERVE_VIEW_H
#define TCPASSAY_CLI_SERVE_VIEW_H

#include <jansson.h>

#include "engine/cli/page.h"

/* A new reference; NULL when it is no document of a server's. */
json_t *serve_view_read(const char *text, size_t len);
void serve_view_show(const struct page *page, const json_t *document);

#endif
