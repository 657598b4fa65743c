/* Messages of the AUTOSAR Testability Protocol (AUTOSAR document 778, "Testability Protocol and Service Primitives"; section
 * numbers are those of TC release 1.2.0), in and out of octets. docs/testability.md says what is known of it, and from where.
 *
 * A message is one of SOME/IP: 16 octets of header (§6.1), then parameters one after the other without padding, all big endian
 * (§6.7). What comes in is hostile until decoded: every function here is bounded by the lengths it is given. */
#ifndef TCPASSAY_TARGETS_AGENT_TESTABILITY_WIRE_H
#define TCPASSAY_TARGETS_AGENT_TESTABILITY_WIRE_H

#include "engine/packet/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TPSP_HEADER_BYTES = 16,
    TPSP_MESSAGE_MAX = 65507, /* what a UDP datagram holds */
    TPSP_SERVICE = 0x0105,    /* §6.1: SID, the usual one */
    TPSP_PORT_ANY = 0xFFFF,   /* §6.10: CREATE_AND_BIND's localPort */
    TPSP_LIMITLESS = 0xFFFF,  /* §6.10: RECEIVE_AND_FORWARD's maxLen */
};
enum tpsp_type { TPSP_REQUEST = 0x00, TPSP_EVENT = 0x02, TPSP_RESPONSE = 0x80 }; /* §6.2: TID */
enum tpsp_group { TPSP_GENERAL = 0, TPSP_TCP = 2 };                              /* §6.9: GID, those that are used */
enum tpsp_general { TPSP_GET_VERSION = 1, TPSP_START_TEST = 2, TPSP_END_TEST = 3 };
enum tpsp_tcp { /* §6.10: PID of the TCP group */
                TPSP_CLOSE_SOCKET = 0,
                TPSP_CREATE_AND_BIND = 1,
                TPSP_SEND_DATA = 2,
                TPSP_RECEIVE_AND_FORWARD = 3,
                TPSP_LISTEN_AND_ACCEPT = 4,
                TPSP_CONNECT = 5,
                TPSP_CONFIGURE_SOCKET = 6,
                TPSP_SHUTDOWN = 7,
};
enum tpsp_parameter { /* §6.10.10: CONFIGURE_SOCKET's paramId */
                      TPSP_TTL = 0,
                      TPSP_PRIORITY = 1,
                      TPSP_DONT_FRAGMENT = 2,
                      TPSP_TOS = 4,
                      TPSP_MSS = 5,
                      TPSP_NAGLE = 6,
};
enum tpsp_result { /* §6.8: RID */
                   TPSP_OK = 0x00,
                   TPSP_NOK = 0x01,
                   TPSP_NTF = 0xFF,
                   TPSP_PEN = 0xFE,
                   TPSP_ISB = 0xFD,
                   TPSP_INV = 0xFC, /* not found, pending, buffer too small, invalid parameter */
                   TPSP_ISD = 0xEF,
                   TPSP_UCS = 0xEE,
                   TPSP_UBS = 0xED, /* no such socket, none to be had, port taken */
                   TPSP_TCP_PNA = 0xEB,
                   TPSP_TCP_FSU = 0xEA,
                   TPSP_TCP_ILP = 0xE9,
                   TPSP_TCP_INR = 0xE8,
                   TPSP_TCP_CAE = 0xE7,
                   TPSP_TCP_COC = 0xE6,
                   TPSP_TCP_CNE = 0xE5,
                   TPSP_TCP_CRE = 0xE4,
                   TPSP_TCP_CAT = 0xE3,
                   TPSP_TCP_COR = 0xE2,
                   TPSP_TCP_OAP = 0xE1, /* RFC 793's user errors */
};

struct tpsp_message {
    uint16_t service;
    bool event; /* EVB */
    uint8_t group, primitive, type, result;
    uint32_t request_id; /* SOME/IP's client and session; without meaning here (§6.1), though most upper testers return it */
    const uint8_t *parameters;
    size_t parameters_len;
};

/* The first message of a datagram, which may hold several; *out points into bytes. How many octets it takes; 0: that is none. */
size_t tpsp_decode(const uint8_t *bytes, size_t len, struct tpsp_message *out);

/* The errno value of Linux that a result comes to, negative; 0 for TPSP_OK; -ENOSYS when it does not say what has happened. */
int tpsp_errno(uint8_t result);
const char *tpsp_result_name(uint8_t result); /* "E_UBS"; "a result of its own" */

/* ---- parameters in ----------------------------------------------------------------------------------------------- */

struct tpsp_reader {
    const uint8_t *at;
    size_t left;
    bool failed; /* something did not fit: whatever was read since is 0 */
};
struct tpsp_reader tpsp_read(const struct tpsp_message *message);
uint8_t tpsp_read_u8(struct tpsp_reader *r);
uint16_t tpsp_read_u16(struct tpsp_reader *r);
const uint8_t *tpsp_read_octets(struct tpsp_reader *r, size_t *len); /* vint8 (§6.7.5) */
void tpsp_read_address(struct tpsp_reader *r, struct pkt_addr *out); /* ipxaddr (§6.7.5.1) */

/* ---- messages out ------------------------------------------------------------------------------------------------ */

struct tpsp_writer {
    uint8_t *bytes;
    size_t len, capacity;
    bool failed; /* it did not fit */
};
/* A request's header; its parameters follow, then tpsp_end(). */
struct tpsp_writer tpsp_begin(uint8_t *bytes, size_t capacity, uint8_t group, uint8_t primitive, uint32_t request_id);
void tpsp_write_u8(struct tpsp_writer *w, uint8_t value);
void tpsp_write_u16(struct tpsp_writer *w, uint16_t value);
void tpsp_write_octets(struct tpsp_writer *w, const uint8_t *octets, size_t len);
void tpsp_write_address(struct tpsp_writer *w, const struct pkt_addr *address);
/* Fills in the length: how long the message is; 0: it did not fit. */
size_t tpsp_end(struct tpsp_writer *w);

#endif
