/* The agent as a program: command line, listening, one tester at a time. */
#ifndef TCPASSAY_TARGETS_AGENT_AGENT_H
#define TCPASSAY_TARGETS_AGENT_AGENT_H

#include "engine/runner/target.h"
#include "targets/agent/protocol.h"

struct agent_options {
    struct pkt_endpoint listen;    /* port 0: any that is free */
    const char *key_file;          /* NULL: none, which is for loopback only */
    bool settings;                 /* may make settings for a test; needs privilege, and a key */
    bool once;                     /* ends when the first tester has gone */
};

/* Serves until SIGINT or SIGTERM (true), or, with once, until a tester has been and gone (true). False with *error: it could not
 * begin. Says on stdout where it listens, on stderr who comes and goes. Drops its privileges, for good. */
bool agent_serve(const struct agent_options *options, struct target_error *error);

enum agent_exit_code { AGENT_EXIT_DONE = 0, AGENT_EXIT_USAGE = 2, AGENT_EXIT_UNABLE = 3 };
/* The command: "tcpassay agent", or the program tcpassay-agent (`name` is for messages). Returns one of these. */
int agent_command(int argc, char **argv, const char *name);

#endif
