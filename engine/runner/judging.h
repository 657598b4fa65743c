/* The model at a play: every pair of endpoints that segments or calls are about gets a judge (engine/model/judge.h), which is told
 * all that crosses the link *as the IUT sees it*, what the application does, what STATUS reveals, and the time.
 *
 * What the judges find stands beside what the scenario expects: findings are kept here and become part of the play's result. They
 * never end a play, and never prolong it.
 *
 * All functions do nothing for a play that is not judged (player.judging is NULL).
 */
#ifndef TCPASSAY_RUNNER_JUDGING_H
#define TCPASSAY_RUNNER_JUDGING_H

#include "engine/model/judge.h"
#include "engine/runner/play.h"

enum { JUDGING_FINDINGS_MAX = 16, JUDGING_PAIRS_MAX = 4096, JUDGING_OPTIONS_MAX = 64 };

/* NULL: out of memory. */
struct judging *judging_new(struct player *p);
void judging_free(struct judging *judging);
/* For another play of the same player, with what this one has allocated; coverage and portrait add up. */
void judging_again(struct player *p);

/* Reads what the IUT has sent so far: it must be judged before what is told next. */
void judging_catch_up(struct player *p);
/* Bytes have gone to the IUT; catch up before, and on a synchronous link behind. */
void judging_input(struct player *p, const uint8_t *bytes, size_t len, int64_t at_ns, uint32_t index);
/* A packet has come from the IUT, whole; before the link's rules take effect. */
void judging_output(struct player *p, const struct packet *packet, struct interval at, uint32_t index);
/* The IUT has answered an echo. */
/* Is something due at once that has not come? */
bool judging_owed(const struct player *p);
/* What was due at once, is overdue (settle.c). */
void judging_fence(struct player *p);
void judging_echoed(struct player *p, uint16_t sequence, int64_t at_ns);
/* STATUS has told the state of the endpoint's connection; what the IUT sent before that has been judged. */
void judging_state(struct player *p, const struct endpoint *e, enum tcp_state state);

/* The calls, once the target has made them. */
void judging_listen(struct player *p, struct descriptor *fd, int64_t backlog);
void judging_accept(struct player *p, struct descriptor *listener, struct descriptor *fd, const struct pkt_endpoint *peer);
/* result: 0 or -EINPROGRESS. */
void judging_connect(struct player *p, struct descriptor *fd, const struct pkt_endpoint *remote, int64_t result);
/* result: octets taken, or what errno would say, negative. */
void judging_send(struct player *p, struct descriptor *fd, const uint8_t *data, unsigned flags, int64_t result);
/* result: octets given; 0 when wanted is not: the end of the stream. */
void judging_receive(struct player *p, struct descriptor *fd, const uint8_t *data, int64_t wanted, unsigned flags, int64_t result);
void judging_shutdown(struct player *p, struct descriptor *fd, enum target_shutdown how);
void judging_close(struct player *p, struct descriptor *fd);
void judging_option(struct player *p, struct descriptor *fd, const char *name, const int64_t *values, unsigned count);
/* The application was told of an error; errno value, positive. */
void judging_error(struct player *p, struct descriptor *fd, int64_t error);

/* The play is over: nothing more is judged. */
void judging_end(struct player *p);

/* The findings, and the gravest of them: what it does to a verdict. */
size_t judging_findings(const struct judging *judging, const struct result_finding **list);
/* Where and when each of them was found, for those who compare findings: the state of the connection and the event (reactions.h),
 * as far as reactions are counted; player.record. */
struct judging_mark {
    enum rule_id rule;
    uint8_t state, event;
    unsigned record;
};
const struct judging_mark *judging_marks(const struct judging *judging);
/* Before anything is judged: where the judges count (state, event, reaction) tuples, NULL for nowhere; a pool of blocks of
 * OCTETS_CHUNK_LEN, NULL for the heap. Both outlive the player. */
void judging_lend(struct judging *judging, struct reactions *reactions, struct pool *octets);
/* The first finding that makes a test fail; NULL: none does. */
const struct result_finding *judging_failure(const struct judging *judging, bool strict);
const struct judge_host *judging_host(const struct judging *judging);

#endif
