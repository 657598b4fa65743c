/* What agent and tester say to each other (docs/agent-protocol.md): numbers, bounds, how values are written, and how messages are
 * sealed. Knows nothing of sockets. */
#ifndef TCPASSAY_TARGETS_AGENT_PROTOCOL_H
#define TCPASSAY_TARGETS_AGENT_PROTOCOL_H

#include "engine/packet/packet.h"
#include "engine/packet/state.h"

/* ---- bounds ----------------------------------------------------------------------------------------------------- */

enum {
    AGENT_VERSION_MIN = 1, AGENT_VERSION_MAX = 1,   /* what this program speaks */
    AGENT_PORT_DEFAULT = 32743, /* above the ports that scenarios listen on (1024 to 32223), below the ephemeral ones */
    AGENT_KEY_BYTES = 32,
    AGENT_NONCE_BYTES = 32,
    AGENT_PROOF_BYTES = 32,     /* HMAC-SHA-256 */
    AGENT_TAG_BYTES = 16,       /* Poly1305 */
    AGENT_LENGTH_BYTES = 4,     /* before each message */
    AGENT_GREETING_MAX = 256,   /* octets of a message of the handshake */
    AGENT_MESSAGE_LEAST = 2048, /* every agent takes messages of so many octets; its CHALLENGE says how many */
    AGENT_MESSAGE_MAX = (1 << 20) + 256, /* ours takes a SEND of a mebibyte */
    AGENT_NAME_MAX = 63,        /* octets of an option's, a setting's or a fact's name, and of a setting's or a fact's value */
    AGENT_TEXT_MAX = 255,       /* octets of other text */
    AGENT_OPTION_VALUES_MAX = 4,
    AGENT_SETTINGS_MAX = 64,
    AGENT_ECHO_MAX = 64,        /* octets that a PING carries */
    AGENT_HANDLES_MAX = 65536,
    AGENT_EVENTS_MAX = 64,      /* sockets that one message reports on */
};
#define AGENT_HANDSHAKE_NS INT64_C(5000000000) /* the handshake is done by then, or never */
#define AGENT_MESSAGE_NS INT64_C(20000000000)  /* a message that has begun is whole by then */
#define AGENT_PATIENCE_NS INT64_C(3000000000)  /* a tester waits so long for an answer, unless told otherwise */

/* ---- what a message is ------------------------------------------------------------------------------------------- */

enum agent_greeting { AGENT_HELLO = 1, AGENT_CHALLENGE = 2, AGENT_PROOF = 3, AGENT_WELCOME = 4, AGENT_REFUSAL = 5 };
enum agent_refusal { AGENT_REFUSED_VERSION = 1, AGENT_REFUSED_KEY = 2, AGENT_REFUSED_BUSY = 3, AGENT_REFUSED_NONSENSE = 4 };

enum agent_kind {
    AGENT_SOCKET = 1, AGENT_BIND, AGENT_LISTEN, AGENT_ACCEPT, AGENT_CONNECT, AGENT_SEND, AGENT_RECEIVE, AGENT_SHUTDOWN, AGENT_CLOSE,
    AGENT_ABORT, AGENT_SET_OPTION, AGENT_GET_OPTION, AGENT_IOCTL, AGENT_POLL, AGENT_LOCAL_ENDPOINT, AGENT_STATUS, AGENT_SETTINGS,
    AGENT_IDENTIFY, AGENT_PING, AGENT_RESET,
    AGENT_ANSWER = 0x80, AGENT_EVENT = 0x81,
};
enum agent_ability { AGENT_CAN_STATUS = 1u << 0, AGENT_CAN_SETTINGS = 1u << 1, AGENT_CAN_EVENTS = 1u << 2 };

#define AGENT_MAGIC "tcpassay"    /* the first octets of HELLO, CHALLENGE and REFUSAL */
enum {
    AGENT_MAGIC_BYTES = 8,
    AGENT_HELLO_BYTES = AGENT_MAGIC_BYTES + 1 + 2 + 2 + AGENT_NONCE_BYTES,     /* at least: a later version's may be longer */
    AGENT_CHALLENGE_BYTES = AGENT_MAGIC_BYTES + 1 + 2 + 4 + AGENT_NONCE_BYTES,
    AGENT_PROOF_MESSAGE_BYTES = 1 + AGENT_PROOF_BYTES,                         /* PROOF and WELCOME */
    AGENT_REFUSAL_BYTES = AGENT_MAGIC_BYTES + 1 + 2 + 2 + 2 + 1,               /* and the text */
    AGENT_REQUEST_HEADER = 4 + 1,            /* number, kind */
    AGENT_ANSWER_HEADER = 4 + 1 + 8 + 1,     /* number, kind, result, events */
    AGENT_RECEIVE_OVERHEAD = AGENT_ANSWER_HEADER + AGENT_TAG_BYTES,
    AGENT_SEND_OVERHEAD = AGENT_REQUEST_HEADER + 4 + 1 + AGENT_TAG_BYTES,
};

/* ---- reading and writing values: big-endian ---------------------------------------------------------------------- */

struct agent_reader {
    const uint8_t *bytes;
    size_t left;
    bool bad;              /* something was missing, or too long: what was read since is zero, or "" */
};
uint8_t agent_get8(struct agent_reader *r);
uint16_t agent_get16(struct agent_reader *r);
uint32_t agent_get32(struct agent_reader *r);
int64_t agent_get64(struct agent_reader *r);
/* len octets; NULL when there are not so many. */
const uint8_t *agent_get_bytes(struct agent_reader *r, size_t len);
/* A text of up to max octets, none of them NUL, into out[max + 1]. */
void agent_get_text(struct agent_reader *r, char *out, size_t max);
void agent_get_endpoint(struct agent_reader *r, struct pkt_endpoint *out);
/* Everything was there, and nothing is left over. */
bool agent_read_all(const struct agent_reader *r);

struct agent_writer {
    uint8_t *bytes;
    size_t len, capacity;
    bool full;             /* something did not fit, and was left out */
};
void agent_put8(struct agent_writer *w, uint8_t value);
void agent_put16(struct agent_writer *w, uint16_t value);
void agent_put32(struct agent_writer *w, uint32_t value);
void agent_put64(struct agent_writer *w, int64_t value);
void agent_put_bytes(struct agent_writer *w, const void *bytes, size_t len);
void agent_put_text(struct agent_writer *w, const char *text, size_t max); /* cut to max octets */
void agent_put_endpoint(struct agent_writer *w, const struct pkt_endpoint *endpoint);

uint32_t agent_length_at(const uint8_t bytes[static AGENT_LENGTH_BYTES]);
void agent_length_to(uint8_t bytes[static AGENT_LENGTH_BYTES], uint32_t length);

/* ---- proofs and seals -------------------------------------------------------------------------------------------- */

/* What both have said: the HELLO and the CHALLENGE, each with its length before it. */
struct agent_transcript {
    uint8_t bytes[2 * (AGENT_LENGTH_BYTES + AGENT_GREETING_MAX)];
    size_t len;
};
void agent_transcribe(struct agent_transcript *t, const uint8_t *message, size_t len); /* without its length */

enum agent_label { AGENT_PROOF_OF_TESTER, AGENT_PROOF_OF_AGENT, AGENT_KEY_OF_TESTER, AGENT_KEY_OF_AGENT };
void agent_derive(const uint8_t key[static AGENT_KEY_BYTES], enum agent_label label, const struct agent_transcript *t,
                  uint8_t out[static AGENT_PROOF_BYTES]);
bool agent_same_proof(const uint8_t a[static AGENT_PROOF_BYTES], const uint8_t b[static AGENT_PROOF_BYTES]); /* in constant time */

/* One direction of a connection: each message has its number, so none is taken twice, left out or put elsewhere. */
struct agent_seal {
    uint8_t key[AGENT_PROOF_BYTES];
    uint64_t number;       /* of the next message */
};
/* plain[len] becomes a whole message in out[AGENT_LENGTH_BYTES + len + AGENT_TAG_BYTES], length and all; the two may overlap when
 * plain == out + AGENT_LENGTH_BYTES. Returns the message's length. */
size_t agent_seal_message(struct agent_seal *s, const uint8_t *plain, size_t len, uint8_t *out);
/* sealed[len], without its length, is opened in place; the plain text has len - AGENT_TAG_BYTES octets. False: not authentic. */
bool agent_open_message(struct agent_seal *s, uint8_t *sealed, size_t len);

#endif
