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

#endif
