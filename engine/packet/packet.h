/* Packets as values: what stood on the wire, however malformed, and how to put anything on it, right or wrong on purpose.
 *
 * Three layers that are never mixed up:
 *   bytes      an IP packet (version 4 or 6) without link header, as targets exchange it;
 *   struct packet       the fields exactly as they stood on the wire: lying lengths, options in order, reserved bits;
 *   struct pkt_options  the meaning of the options, derived from the fields on request.
 * All integers in structs are in host byte order. Nothing here keeps state between calls but the builder and the reassembler.
 *
 * Sources: RFC 791, RFC 8200 (IP), RFC 792, RFC 4443 (ICMP), RFC 826 (ARP), RFC 4861 (ND), RFC 9293 §3.1-3.2 (TCP),
 * RFC 7323 (window scale, timestamps), RFC 2018 (SACK), RFC 5482 (user timeout), RFC 7413 (fast open), RFC 9768 (AccECN).
 */
#ifndef TCPASSAY_PACKET_PACKET_H
#define TCPASSAY_PACKET_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    PKT_BYTES_MAX = 65575,      /* 65535 octets of payload behind an IPv6 header */
    PKT_TCP_OPTIONS_MAX = 40,   /* octets: 60 octets of header at most, 20 of them fixed (RFC 9293 §3.1) */
    PKT_SACK_BLOCKS_MAX = 4,    /* RFC 2018 §3 */
    PKT_FASTOPEN_COOKIE_MAX = 16, /* RFC 7413 §4.1.1 */
};

/* ---- addresses ------------------------------------------------------------------------------------------------- */

struct pkt_addr {
    uint8_t version;   /* 4 or 6; 0 is "none" */
    uint8_t bytes[16]; /* network order; the first 4 hold an IPv4 address, the rest are then zero */
};

bool pkt_addr_equal(const struct pkt_addr *a, const struct pkt_addr *b);
/* "192.0.2.1" or "2001:db8::1" into *out; false when text is neither. */
bool pkt_addr_parse(const char *text, struct pkt_addr *out);
enum { PKT_ADDR_TEXT_MAX = 46 };
/* Writes the address as text into out and returns out. */
const char *pkt_addr_format(const struct pkt_addr *addr, char out[static PKT_ADDR_TEXT_MAX]);

struct pkt_endpoint {
    struct pkt_addr addr;
    uint16_t port;
};

/* ---- what stood on the wire ------------------------------------------------------------------------------------ */

enum pkt_flag { /* TCP control bits, and above them the reserved nibble of octet 12 (RFC 9293 §3.1) */
    PKT_FIN = 0x001, PKT_SYN = 0x002, PKT_RST = 0x004, PKT_PSH = 0x008, PKT_ACK = 0x010, PKT_URG = 0x020,
    PKT_ECE = 0x040, PKT_CWR = 0x080, PKT_AE = 0x100 /* RFC 9768; reserved before */, PKT_RESERVED = 0xe00,
};

enum { PKT_PROTO_ICMP = 1, PKT_PROTO_TCP = 6, PKT_PROTO_UDP = 17, PKT_PROTO_ICMP6 = 58 };

struct pkt_ip {
    uint8_t version;          /* 4 or 6 */
    uint8_t tos;              /* DSCP and ECN; the traffic class in IPv6 */
    uint8_t ttl;              /* the hop limit in IPv6 */
    uint8_t protocol;         /* of what follows the last extension header */
    uint16_t header_len;      /* octets, IPv6 extension headers included */
    uint32_t total_len;       /* octets, as stated: IPv4 total length; IPv6 40 + payload length */
    uint32_t flow_label;      /* IPv6 */
    uint32_t id;              /* IPv4 identification, or that of the IPv6 fragment header */
    uint32_t fragment_offset; /* octets */
    bool dont_fragment, more_fragments, has_fragment_header;
    uint16_t checksum;        /* IPv4, as stated */
    bool checksum_ok;         /* true for IPv6, which has none */
    struct pkt_addr src, dst;
};

struct pkt_tcp {
    uint16_t src_port, dst_port;
    uint32_t seq, ack;
    uint8_t data_offset;      /* 32-bit words, as stated */
    uint16_t flags;           /* enum pkt_flag */
    uint16_t window;          /* as stated, unscaled */
    uint16_t checksum, urgent;
    bool checksum_ok;
    uint8_t options_len;      /* octets */
    const uint8_t *options;   /* into the parsed bytes */
    uint32_t payload_len;
    const uint8_t *payload;   /* into the parsed bytes */
};

/* Sequence space a segment occupies: SEG.LEN counts SYN and FIN (RFC 9293 §3.4). */
static inline uint32_t pkt_seg_len(const struct pkt_tcp *t)
{
    return t->payload_len + ((t->flags & PKT_SYN) ? 1u : 0u) + ((t->flags & PKT_FIN) ? 1u : 0u);
}

struct pkt_icmp { /* ICMPv4 and ICMPv6: the versions differ in type numbers and checksum only */
    uint8_t type, code;
    uint16_t checksum;
    bool checksum_ok;
    uint32_t rest;            /* octets 4-7: id and sequence of an echo, MTU of "fragmentation needed" / "packet too big" */
    const uint8_t *body;      /* what follows; of an error, the packet it is about, usually cut short */
    uint32_t body_len;
};

enum pkt_kind {
    PKT_KIND_UNPARSED,  /* not even an IP header */
    PKT_KIND_IP_ONLY,   /* valid IP, payload of another protocol, or an upper header that is damaged (see the error) */
    PKT_KIND_FRAGMENT,  /* a fragment: payload holds its part */
    PKT_KIND_TCP,
    PKT_KIND_ICMP,      /* ip.version says which */
};

struct packet {
    enum pkt_kind kind;
    struct pkt_ip ip;
    struct pkt_tcp tcp;       /* when kind is PKT_KIND_TCP */
    struct pkt_icmp icmp;     /* when kind is PKT_KIND_ICMP */
    const uint8_t *payload;   /* the IP payload, whatever the kind (but PKT_KIND_UNPARSED) */
    uint32_t payload_len;
    const uint8_t *bytes;     /* the whole packet as given; not owned */
    size_t len;
};

enum pkt_error {
    PKT_OK,
    PKT_ERR_EMPTY, PKT_ERR_IP_VERSION, PKT_ERR_IP_TRUNCATED, PKT_ERR_IP_HEADER_LEN, PKT_ERR_IP_TOTAL_LEN,
    PKT_ERR_IP_EXTENSION, PKT_ERR_TCP_TRUNCATED, PKT_ERR_TCP_DATA_OFFSET, PKT_ERR_ICMP_TRUNCATED,
    PKT_ERR_COUNT
};
/* "TCP data offset smaller than 5": a sentence for every value. */
const char *pkt_error_text(enum pkt_error error);

/* Reads one IP packet. Total: any bytes give PKT_OK, or the first reason why not, with everything before it filled in.
 * A wrong checksum is not an error but a fact (checksum_ok). Octets beyond ip.total_len (link padding) are ignored;
 * a total length beyond len is PKT_ERR_IP_TOTAL_LEN. *out points into bytes and lives as long as they do. */
enum pkt_error pkt_parse(const uint8_t *bytes, size_t len, struct packet *out);

/* Reads what an ICMP error quotes: as pkt_parse, but the quoted packet may end anywhere after its first 8 payload octets
 * (RFC 792); missing fields are zero, and ip.total_len and tcp.data_offset stay as stated. options_len, payload_len and body_len
 * count what is really there; a checksum that cannot be verified counts as not ok. */
enum pkt_error pkt_parse_quoted(const uint8_t *bytes, size_t len, struct packet *out);

/* Reads a packet of which a capture kept len octets of wire_len: as pkt_parse, but it may end anywhere behind the TCP header (with
 * its options, else it is truncated), and tcp.payload_len and payload_len of a segment are those of the wire, though only len
 * octets may be read. Of anything else they count what is there. A checksum that cannot be verified counts as right. An
 * ip.total_len stated as 0, as of a packet captured before the network card segments it, becomes wire_len. */
enum pkt_error pkt_parse_cut(const uint8_t *bytes, size_t len, size_t wire_len, struct packet *out);

/* ---- TCP options ----------------------------------------------------------------------------------------------- */

enum pkt_option_kind {
    PKT_OPT_EOL = 0, PKT_OPT_NOP = 1, PKT_OPT_MSS = 2, PKT_OPT_WSCALE = 3, PKT_OPT_SACK_PERMITTED = 4, PKT_OPT_SACK = 5,
    PKT_OPT_TIMESTAMP = 8, PKT_OPT_MD5 = 19, PKT_OPT_USER_TIMEOUT = 28, PKT_OPT_AO = 29, PKT_OPT_FASTOPEN = 34,
    PKT_OPT_ACCECN0 = 172, PKT_OPT_ACCECN1 = 174, PKT_OPT_EXPERIMENT_1 = 253, PKT_OPT_EXPERIMENT_2 = 254,
};

struct pkt_option {
    uint8_t kind;
    uint8_t len;         /* as stated, kind and length octets included; 1 for EOL and NOP, which state none */
    uint8_t offset;      /* of the kind octet within the options */
    uint8_t data_len;    /* octets really there */
    const uint8_t *data;
};

enum pkt_option_status { PKT_OPTION_OK, PKT_OPTION_END, PKT_OPTION_ILLEGAL /* length 0, 1, or past the header */ };

/* Steps through the options in wire order. *cursor starts at 0. After EOL, or an illegal option (whose kind and stated length
 * are in *out), the next call gives PKT_OPTION_END. */
enum pkt_option_status pkt_option_next(const uint8_t *options, uint8_t options_len, uint8_t *cursor, struct pkt_option *out);

struct pkt_options { /* what the options say; of options repeated, the first counts */
    bool illegal;            /* an illegal option cut the reading short (MUST-7) */
    bool has_mss, has_wscale, sack_permitted, has_timestamp, has_user_timeout, has_fastopen, padding_not_zero;
    uint16_t mss;
    uint8_t wscale;          /* as stated, may exceed 14 */
    uint8_t sack_count;
    struct { uint32_t left, right; } sack[PKT_SACK_BLOCKS_MAX];
    uint32_t ts_val, ts_ecr;
    uint16_t user_timeout;   /* as stated: granularity bit and 15-bit value */
    uint8_t fastopen_cookie_len; /* 0: a cookie request */
    bool fastopen_experimental;
    uint8_t fastopen_cookie[PKT_FASTOPEN_COOKIE_MAX];
    uint8_t unknown_count;
};
/* An option whose stated length does not fit its kind (an MSS of length 5) counts as unknown, not as illegal. */
void pkt_options_read(const uint8_t *options, uint8_t options_len, struct pkt_options *out);

struct pkt_option_buffer { /* options being written; starts zeroed */
    uint8_t len;
    bool overflow;           /* something did not fit; what did is kept */
    uint8_t bytes[PKT_TCP_OPTIONS_MAX];
};
void pkt_put_nop(struct pkt_option_buffer *b);
void pkt_put_eol(struct pkt_option_buffer *b);
void pkt_put_mss(struct pkt_option_buffer *b, uint16_t mss);
void pkt_put_wscale(struct pkt_option_buffer *b, uint8_t shift);
void pkt_put_sack_permitted(struct pkt_option_buffer *b);
void pkt_put_sack(struct pkt_option_buffer *b, const uint32_t (*left_right)[2], unsigned count);
void pkt_put_timestamp(struct pkt_option_buffer *b, uint32_t val, uint32_t ecr);
void pkt_put_user_timeout(struct pkt_option_buffer *b, uint16_t value);
void pkt_put_fastopen(struct pkt_option_buffer *b, const uint8_t *cookie, uint8_t cookie_len);
/* Any kind with any stated length and data: the door to malformed options. */
void pkt_put_raw_option(struct pkt_option_buffer *b, uint8_t kind, uint8_t stated_len, const uint8_t *data, uint8_t data_len);
/* Pads with zeros (EOL) to a multiple of four. */
void pkt_pad_options(struct pkt_option_buffer *b);

/* ---- building -------------------------------------------------------------------------------------------------- */

enum pkt_override { /* fields that are otherwise computed; set the bit, then the value below is taken as it is */
    PKT_SET_IP_CHECKSUM = 1u << 0, PKT_SET_IP_TOTAL_LEN = 1u << 1, PKT_SET_IP_HEADER_LEN = 1u << 2,
    PKT_SET_IP_VERSION = 1u << 3, PKT_SET_IP_PROTOCOL = 1u << 4, PKT_SET_DATA_OFFSET = 1u << 5,
    PKT_SET_CHECKSUM = 1u << 6, /* of TCP or ICMP */
    PKT_SPOIL_CHECKSUM = 1u << 7, PKT_SPOIL_IP_CHECKSUM = 1u << 8, /* the right value plus one: wrong for sure */
    PKT_SET_TTL = 1u << 9, /* ttl as it is, 0 too */
};

struct pkt_spec { /* a packet to build; zeroed fields get sensible values (ttl 64). Pointers are only read during the call. */
    uint8_t protocol;         /* PKT_PROTO_TCP, _ICMP or _ICMP6; any other: payload is the whole IP payload */
    struct pkt_addr src, dst; /* both of one version */
    uint8_t tos, ttl;
    uint16_t ip_id;
    bool dont_fragment;
    uint32_t flow_label;
    uint16_t src_port, dst_port; /* TCP */
    uint32_t seq, ack;
    uint16_t flags;              /* enum pkt_flag, reserved nibble included */
    uint16_t window, urgent;
    const uint8_t *options;      /* padded by the builder to a multiple of four with zeros */
    uint8_t options_len;
    uint8_t icmp_type, icmp_code;
    uint32_t icmp_rest;
    const uint8_t *payload;      /* of TCP, or the ICMP body */
    uint32_t payload_len;
    unsigned overrides;          /* enum pkt_override */
    uint8_t ip_version_value, ip_header_words, ip_protocol_value, data_offset_words;
    uint16_t ip_total_len_value; /* IPv6: what the payload length field says */
    uint16_t ip_checksum_value, checksum_value;
};

/* A builder reuses libnet's blocks from one packet to the next (no privilege: LIBNET_NONE). One per thread. */
struct pkt_builder;
struct pkt_builder *pkt_builder_new(void); /* NULL: out of memory */
/* One that makes the same packets without libnet, in a quarter of the time: for who makes millions. */
struct pkt_builder *pkt_builder_new_quick(void);
void pkt_builder_free(struct pkt_builder *builder);

/* Writes the packet into out. Returns its length; -1 when it does not fit into capacity or 65535 octets (IPv6: those behind its
 * header), options are longer than 40 octets, or addresses are of different versions (pkt_builder_error says which). Checksums are
 * right for the packet before lengths and protocol are overridden; the IPv4 checksum, for the header as it goes out. IPv6 has
 * neither header length nor checksum to set. */
ssize_t pkt_build(struct pkt_builder *builder, const struct pkt_spec *spec, uint8_t *out, size_t capacity);
const char *pkt_builder_error(const struct pkt_builder *builder);

/* The Internet checksum (RFC 1071) over the TCP or ICMPv6 pseudo header (RFC 9293 §3.1, RFC 8200 §8.1) and the bytes. */
uint16_t pkt_transport_checksum(const struct pkt_addr *src, const struct pkt_addr *dst, uint8_t protocol, const uint8_t *bytes,
                                size_t len);
uint16_t pkt_checksum(const uint8_t *bytes, size_t len);
/* What stands in the checksum field of a segment that is still to be completed by a network card: the sum of the pseudo header. */
uint16_t pkt_partial_checksum(const struct pkt_addr *src, const struct pkt_addr *dst, uint8_t protocol, uint32_t upper_len);

/* ---- fragments ------------------------------------------------------------------------------------------------- */

/* Cuts a packet into fragments of at most mtu octets each (a multiple of 8 of payload but for the last); emit is called for each.
 * Returns how many, or -1 when the IP headers do not parse, or mtu leaves no room, or it is an IPv6 fragment already. A packet that
 * fits is emitted as it is. "Don't fragment" is cleared; an IPv4 fragment is cut further and keeps its own id. A damaged TCP or
 * ICMP header does not matter. */
int pkt_fragment(const uint8_t *bytes, size_t len, size_t mtu, uint32_t id,
                 void (*emit)(void *context, const uint8_t *fragment, size_t fragment_len), void *context);

/* Puts fragments together again: at most PKT_REASSEMBLIES_MAX datagrams at a time, the oldest dropped first; one where a fragment
 * overlaps another with different content is dropped whole (RFC 5722, RFC 8200 §4.5), and so is one not complete 60 s after its
 * first fragment came. Fragments with a wrong IPv4 checksum, an impossible length, or more than PKT_REASSEMBLY_HEADER_MAX octets of
 * headers are ignored. */
enum { PKT_REASSEMBLIES_MAX = 8, PKT_REASSEMBLY_HEADER_MAX = 512 };
struct pkt_reassembler;
struct pkt_reassembler *pkt_reassembler_new(void);
void pkt_reassembler_free(struct pkt_reassembler *reassembler);
/* Takes one fragment; when it completes its datagram, gives the whole packet (valid until the next call) and true. */
bool pkt_reassemble(struct pkt_reassembler *reassembler, const struct packet *fragment, int64_t now_ns, const uint8_t **whole,
                    size_t *whole_len);

/* ---- text ------------------------------------------------------------------------------------------------------ */

/* One line as the scenario language writes it, with absolute numbers: "S. 100:100(0) ack 5 win 65535 <mss 1460>".
 * Always terminated; returns what snprintf would. */
int pkt_format(const struct packet *packet, char *out, size_t capacity);
/* "S.", "PU.", "-" for none; AE is A, ECE is E, CWR is W, as packetdrill writes them. */
int pkt_format_flags(uint16_t flags, char *out, size_t capacity);
int pkt_format_options(const uint8_t *options, uint8_t options_len, char *out, size_t capacity);

#endif
