/* An upper tester in memory, which answers as it is told to, on a net with a clock of its own. Octets are written by hand here:
 * nothing of the client's encoding is used. */
#ifndef TCPASSAY_TARGETS_AGENT_TESTABILITY_TEST_FAKE_H
#define TCPASSAY_TARGETS_AGENT_TESTABILITY_TEST_FAKE_H

#include "targets/agent/testability/net.h"

enum { FAKE_LOG = 256, FAKE_QUEUE = 64, FAKE_BYTES = 2048, FAKE_ANSWERS = 32 };

struct fake_datagram {
    int channel;
    size_t len;
    uint8_t bytes[FAKE_BYTES];
};
struct fake_answer { /* to requests of this group and primitive; the last one that was given counts */
    uint8_t group, primitive, result;
    bool silent;
    size_t len;
    uint8_t parameters[16];
};

struct fake {
    struct tpsp_net base;
    int64_t now_ns;
    bool open[TPSP_CHANNELS_MAX];
    unsigned opened; /* channels, so far */
    struct fake_answer answers[FAKE_ANSWERS];
    unsigned answer_count;
    bool no_request_ids, twice; /* responses have zeros there; each comes twice */
    unsigned losses_left;       /* so many requests are lost from now on */
    uint16_t next_socket;       /* CREATE_AND_BIND gives it */
    uint64_t dropped;
    struct fake_datagram asked[FAKE_LOG]; /* what the client sent */
    unsigned asked_count;
    struct fake_datagram queue[FAKE_QUEUE];
    unsigned queued;
    bool closed;
};

void fake_begin(struct fake *f);
void fake_answer(struct fake *f, uint8_t group, uint8_t primitive, uint8_t result, const uint8_t *parameters, size_t len);
void fake_silence(struct fake *f, uint8_t group, uint8_t primitive);
/* Something from the upper tester: an event of the TCP group; octets as they are; a response to what was asked as number `asked`.
 */
void fake_event(struct fake *f, int channel, uint8_t primitive, uint8_t result, const uint8_t *parameters, size_t len);
void fake_say(struct fake *f, int channel, const uint8_t *bytes, size_t len);
void fake_respond(struct fake *f, unsigned asked, uint8_t result, const uint8_t *parameters, size_t len);
/* How often this was asked, and what was asked last (NULL: never). */
unsigned fake_count(const struct fake *f, uint8_t group, uint8_t primitive);
const struct fake_datagram *fake_last(const struct fake *f, uint8_t group, uint8_t primitive);

#endif
