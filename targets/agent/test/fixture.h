/* What the tests of the agent share: a table of sockets that does what a test says, the server core on it, and a stream that joins
 * a client to that server inside the process, with a clock of its own. */
#ifndef TCPASSAY_TARGETS_AGENT_TEST_FIXTURE_H
#define TCPASSAY_TARGETS_AGENT_TEST_FIXTURE_H

#include "targets/agent/client.h"
#include "targets/agent/server.h"

enum { FAKE_HANDLES = 8, FAKE_LOG_MAX = 512, RAW_MAX = 4096 };

/* Sockets that note each call in log, and return `result` from it (from socket() and accept() the next free handle, unless it is
 * negative). */
struct fake {
    struct agent_sockets base;
    struct agent_sockets_ops ops;
    char log[FAKE_LOG_MAX];
    int64_t result;
    bool open[FAKE_HANDLES];
    unsigned events[FAKE_HANDLES];
    unsigned aborted, calls, polls, begun, ended;
    uint8_t received[64];      /* what receive_data() gives */
    size_t sent_len;           /* what send_data() took last */
    struct target_error refusal; /* of configure(); kind NONE: it succeeds */
};
void fake_init(struct fake *f);

/* A tester and an agent in one process. */
struct world {
    struct fake fake;
    struct agent_server_config config;
    struct agent_server *server;  /* NULL: the connection is closed */
    struct agent_stream stream;
    int64_t now_ns;
    unsigned requests;            /* pieces written by the client */
    size_t piece;                 /* octets that go through at a time; 0: all */
    uint8_t to_client[RAW_MAX];   /* said instead of what the server says, when there is any */
    size_t to_client_len;
    bool deaf, mute;              /* the server: takes nothing; says nothing */
    bool refuses_reconnect;
    size_t flip_at;               /* the octet of the server's output so far that is altered on its way; 0: none */
    size_t said;                  /* octets of output so far */
    bool busy;
};
extern const uint8_t world_key[AGENT_KEY_BYTES];

void world_init(struct world *w);
/* The client's side, with the key given; NULL with *error. */
struct upper *world_connect(struct world *w, const uint8_t *key, struct target_error *error);
/* The same, which must succeed; then the fake's log is empty. */
struct upper *world_connected(struct world *w);
void world_end(struct world *w);

/* A tester that says what a test wants it to, octet by octet. */
struct raw {
    struct world *world;
    struct agent_transcript transcript;
    struct agent_seal to_agent, from_agent;
    uint8_t last[RAW_MAX];     /* the last message that raw_take() gave */
    size_t last_len;
};
void raw_begin(struct raw *r, struct world *w);   /* a new connection */
void raw_say(struct raw *r, const void *bytes, size_t len);         /* as it is */
void raw_say_message(struct raw *r, const void *bytes, size_t len); /* with its length before it */
void raw_hello(struct raw *r, uint16_t least, uint16_t most);
void raw_prove(struct raw *r, const uint8_t *key);
void raw_authenticate(struct raw *r);              /* all of the handshake */
/* A sealed request, in out[RAW_MAX], not yet said; its length. */
size_t raw_seal(struct raw *r, uint32_t number, uint8_t kind, const void *arguments, size_t len, uint8_t *out);
void raw_request(struct raw *r, uint32_t number, uint8_t kind, const void *arguments, size_t len);
/* Takes the next whole message of the agent's, opened when sealed; false when there is none. */
bool raw_take(struct raw *r, bool sealed);
/* Takes an answer, which must be there, to this request; its result. */
int64_t raw_answer(struct raw *r, uint32_t number);

#endif
