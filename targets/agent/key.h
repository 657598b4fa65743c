/* Key files of agent and tester. */
#ifndef TCPASSAY_TARGETS_AGENT_KEY_H
#define TCPASSAY_TARGETS_AGENT_KEY_H

#include "engine/runner/target.h"
#include "targets/agent/protocol.h"

/* 64 hexadecimal digits on a line by themselves. False with *error: unreadable, readable by others than its owner, not a key. */
bool agent_key_read(const char *path, uint8_t out[static AGENT_KEY_BYTES], struct target_error *error);
/* Makes a new one, in a new file that only its owner may read (0600). */
bool agent_key_make(const char *path, struct target_error *error);

#endif
