/* Captures made in a test: packets are built, wrapped for a link layer, and written to a file in memory that is then inspected. */
#ifndef TCPASSAY_CAPTURE_TEST_FILM_H
#define TCPASSAY_CAPTURE_TEST_FILM_H

#include <pcap/pcap.h>

#include "engine/capture/inspection.h"
#include "engine/packet/test/support.h"

struct film {
    int link;
    uint32_t snaplen;          /* octets kept of each frame */
    int64_t now_ns;            /* of the next frame; each takes a millisecond */
    uint16_t ip_id;            /* of the next packet; 0 stays 0 */
    const uint8_t *header;     /* of the link layer; the usual one of the link when NULL */
    size_t header_len;
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    FILE *stream;
    char *bytes;
    size_t len;
};

/* A segment between two hosts: numbers are absolute. */
struct shot {
    bool from_server;          /* 192.0.2.2:80, else 192.0.2.1:PORT (IPv6: 2001:db8::) */
    uint16_t port;             /* of the client; 0: 40000 */
    uint16_t flags;
    uint32_t seq, ack, len;
    bool ipv6;
    unsigned overrides;        /* enum pkt_override */
    uint16_t checksum;
};

void film_begin(struct film *film, int link);
/* Writes bytes as an IP packet in one frame. */
void film_packet(struct film *film, const uint8_t *bytes, size_t len);
void film_frame(struct film *film, const uint8_t *bytes, size_t len);
/* Builds one into out; returns its length. */
size_t shot_build(const struct shot *shot, uint16_t ip_id, uint8_t *out, size_t capacity);
void film_shot(struct film *film, struct shot shot);
/* A whole conversation of a client port: a handshake, data both ways, FINs: SHOTS_OF_TALK segments. step: only that one. */
enum { SHOTS_OF_TALK = 10 };
struct shot talk_shot(unsigned step, uint16_t port, uint32_t client_iss, uint32_t server_iss);
void film_talk(struct film *film, uint16_t port, uint32_t client_iss, uint32_t server_iss);
/* No more frames: the file is film->bytes. */
void film_end(struct film *film);
void film_free(struct film *film);

/* Reads the file and inspects it; *end says how it ended. The caller frees. */
struct inspection *inspect_bytes(const char *bytes, size_t len, const char *filter, struct inspection_config config,
                                 enum capture_next *end);
/* Ends the film, and inspects all of it, which must be readable to its end. */
struct inspection *film_inspect(struct film *film, struct inspection_config config);

#endif
