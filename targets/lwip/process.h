/* A process of tcpassay-lwip: started, asked, and what it died of. */
#ifndef TCPASSAY_TARGETS_LWIP_PROCESS_H
#define TCPASSAY_TARGETS_LWIP_PROCESS_H

#include "engine/runner/target.h"
#include "targets/lwip/protocol.h"

struct process;

/* Looks the program up: TCPASSAY_LWIP, beside an installed tcpassay, where it was built. False with *error. */
bool process_find_program(char *out, size_t capacity, struct target_error *error);

/* Starts one; it has not been asked anything yet. patience_ms: whoever does not answer for so long hangs, and is ended. NULL with
 * *error. */
struct process *process_start(int patience_ms, struct target_error *error);

/* Ends it and frees all. */
void process_end(struct process *p);

/* Asks, and waits for the answer; what lwIP emits meanwhile is kept for process_output(). octets: of the request. out: the
 * answer's, CHANNEL_OCTETS_MAX; may be NULL when it has none. False when the process has died, now or before. */
bool process_ask(struct process *p, const struct lwip_request *request, const uint8_t *octets, struct lwip_answer *answer,
                 uint8_t *out);

/* The next packet that lwIP has emitted, valid until the next call of anything here; its length, or 0. */
size_t process_output(struct process *p, const uint8_t **packet, int64_t *at_ns);

/* How it died, in words; NULL while it lives. */
const char *process_death(const struct process *p);

/* Its process id; 0 when it is dead. */
int process_id(const struct process *p);

#endif
