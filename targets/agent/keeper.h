/* The keeper of an agent's settings: a process that keeps the privilege to set them, knows what was in force, and puts it back. */
#ifndef TCPASSAY_TARGETS_AGENT_KEEPER_H
#define TCPASSAY_TARGETS_AGENT_KEEPER_H

#include "engine/runner/target.h"

struct keeper;
/* Starts it; call this before anything is opened that it should not inherit, and before privileges go. NULL with *error. */
struct keeper *keeper_start(struct target_error *error);
/* Everything is put back, and the process has ended, when this returns. */
void keeper_stop(struct keeper *k);

/* A tester has come: sets what every run relies on. It has gone: everything is put back. */
void keeper_begin(struct keeper *k);
void keeper_end(struct keeper *k);
/* Puts back what the call before set, then sets these. False with *error; what was set before the one that failed is put back. */
bool keeper_configure(struct keeper *k, const struct target_setting *settings, unsigned count, struct target_error *error);

#endif
