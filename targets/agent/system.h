/* What differs from system to system for an agent on plain sockets: one file for each, chosen by the build. */
#ifndef TCPASSAY_TARGETS_AGENT_SYSTEM_H
#define TCPASSAY_TARGETS_AGENT_SYSTEM_H

#include "targets/agent/server.h"

/* ---- what the system tells --------------------------------------------------------------------------------------- */

/* Whatever system_status() needs: a descriptor, or -1 when there is no such thing. */
int system_open_status(void);
/* As status() of struct target_ops. */
int64_t system_status(int fd, const struct pkt_endpoint *local, const struct pkt_endpoint *remote, struct target_status *out);
void system_identify(struct agent_identity *out);

/* ---- settings ---------------------------------------------------------------------------------------------------- */

enum { SYSTEM_NAME_MAX = 64, SYSTEM_VALUE_MAX = 64 }; /* octets of text, the NUL included */
struct system_change {
    char name[SYSTEM_NAME_MAX], value[SYSTEM_VALUE_MAX];
    const char *without;     /* where the system lacks it: the value it behaves as; NULL: unknown */
};
/* Can anything be set here at all? False with *error: what is missing. */
bool system_can_set(struct target_error *error);
/* What a setting of target.h means here. False with *error. */
bool system_change_of(const struct target_setting *setting, struct system_change *out, struct target_error *error);
bool system_read(const char *name, char out[static SYSTEM_VALUE_MAX]);
int system_write(const char *name, const char *value); /* 0, or a positive errno value */
/* The i-th of what is set for every tester; false: there are no more. */
bool system_baseline(unsigned i, struct system_change *out);

/* ---- privileges -------------------------------------------------------------------------------------------------- */

/* Gives up, for good, what root may do and others may not. False with *error, when it still has it. */
bool system_drop_privileges(struct target_error *error);

#endif
