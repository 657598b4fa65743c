/* A talk between a peer and an IUT, line by line, for tests of the judge: each line becomes a packet and is told to the judge as a
 * caller of judge.h would. Numbers are relative to the initial sequence numbers of the two, which lie close below 2^32, so that
 * every talk crosses the wrap.
 *
 * - struct talk *t = talk_new(); (no connection yet; synchronous, MTU 1500, the application unknown)
 * - talk_in(t, "S 0 win 65535 <mss 1460,sackOK>");
 * - talk_out(t, "S. 0 ack 1 win 65535 <mss 1460>");
 * - talk_in(t, ". 1+1000 ack 1 win 65535"); (1000 octets)
 * - talk_out(t, ". 1 ack 2001"); talk_expect(t, RULE_ACK_NOT_RECEIVED);
 * - talk_free(t);
 */
#ifndef TCPASSAY_MODEL_TEST_TALK_H
#define TCPASSAY_MODEL_TEST_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/model/judge.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { TALK_FINDINGS_MAX = 64, TALK_TEXT_MAX = 512 };

struct talk_finding {
    enum rule_id rule;
    char requirement[RULE_REQUIREMENT_MAX];
    uint32_t segment;
    unsigned needs;
    char text[TALK_TEXT_MAX]; /* the message */
};

struct talk {
    struct judge_host host;      /* to be changed before the first line */
    struct judge_config config;  /* likewise: config.states, addresses */
    struct judge *judge;         /* made by the first line, or by talk_begin() */
    struct pkt_builder *builder;
    uint32_t iut_iss, peer_iss;
    struct pkt_spec in, out;     /* what lines do not say, for every packet of that direction: tos, ttl, dont_fragment, overrides … */
    const uint8_t *payload;      /* the octets of the lines to come; NULL: talk_octet() of their numbers */
    const char *const *preamble; /* of every row: lines as below, up to NULL; or NULL */
    bool cut_short;              /* the lines to come are not whole */
    int64_t now_ns;              /* time of the lines to come */
    int64_t early_ns;            /* outputs may have been emitted this much earlier */
    uint32_t index;              /* of the last line: they count from 1 */
    unsigned finding_count;
    struct talk_finding findings[TALK_FINDINGS_MAX];
};

struct talk *talk_new(void);
void talk_free(struct talk *t);
/* As new, with the same host and config: for the next row of a table. Before the host is changed, too. */
void talk_again(struct talk *t);

/* FLAGS SEQ[+LEN] [ack N] [win N] [urg N] [<option,option,…>]
 * FLAGS: letters of S F R P . U E W A, 1 2 4 for the reserved bits, or - for none; SEQ and ACK relative, or absolute behind '='.
 * Options: "mss 1460", "wscale 7", "sackOK", "TS 5 0", "sack 1001:2001 3001:4001" (relative to whom they acknowledge), "fastopen",
 * "fastopen 0102030405060708", "nop", "eol", "raw 05 02" (octets as they are; kind and length among them). A line that is none of
 * this fails the test. */
void talk_in(struct talk *t, const char *line);
void talk_out(struct talk *t, const char *line);
void talk_call(struct talk *t, enum judge_call_kind kind, int64_t amount);
void talk_wait(struct talk *t, int64_t ns); /* time passes, and the judge is told */
void talk_begin(struct talk *t);

/* A handshake by an active peer, up to its ACK: both SYNs with these options (NULL: none). */
void talk_open(struct talk *t, const char *peer_options, const char *iut_options);
/* The same begun by the IUT. */
void talk_connect(struct talk *t, const char *iut_options, const char *peer_options);

/* Whole talks as rows of a table: "< LINE" in, "> LINE" out, "+40" milliseconds pass, "~40" what follows may have been emitted up
 * to so many milliseconds earlier, "! close", "! send 100" a call, "|" a fence, "= CLOSED" the IUT tells its state, "? CLOSED
 * LISTEN" these and no others are the states it may be in. */
enum { TALK_ROW_LINES = 20, TALK_SOUND = RULE_COUNT /* nothing is broken */ };
struct talk_row {
    const char *says;
    unsigned broken; /* the rule that the last line breaks, and nothing else breaks any: enum rule_id, or TALK_SOUND */
    const char *lines[TALK_ROW_LINES];
};
/* Plays each row from its beginning; fails the test at the first that does not end as it says. */
void talk_rows(struct talk *t, const struct talk_row *rows, size_t count);

/* The octet of the stream that has this relative number. */
uint8_t talk_octet(uint32_t number);

bool talk_found(const struct talk *t, enum rule_id rule);
/* The finding of that rule; fails the test when there is none. */
const struct talk_finding *talk_finding(const struct talk *t, enum rule_id rule);
/* Fails the test when anything was found, and says what. */
void talk_expect_nothing(const struct talk *t);
/* Fails the test unless the last line has broken this rule, and nothing else any. */
void talk_expect(const struct talk *t, enum rule_id rule);

#endif
