/* `tcpassay serve --status`: asks running servers for their connections. */
#ifndef TCPASSAY_CLI_SERVE_STATUS_H
#define TCPASSAY_CLI_SERVE_STATUS_H

#include <stdbool.h>

struct serve_status_config {
    const char *socket;          /* the one to ask; NULL: all that are found */
    const char *interface;       /* only servers on this interface; NULL: any */
    bool json;
};
/* An exit code. */
int serve_status(const struct serve_status_config *config);

#endif
