/* SYNs of our own, from this machine's own address, without its kernel getting in the way.
 *
 * The kernel would answer a SYN-ACK that it has not asked for with RST. So each port is held by a listening socket with a filter
 * that lets nothing in (SO_ATTACH_FILTER, "ret 0"): what comes to it is dropped before TCP sees it, while a capture still does. No
 * packet filter rule is touched; the port is nobody else's meanwhile; and when the process ends, however it does, the sockets are
 * gone and the kernel answers as usual. Sending needs CAP_NET_RAW. */
#ifndef TCPASSAY_PROBE_RAW_H
#define TCPASSAY_PROBE_RAW_H

#include "engine/packet/packet.h"

enum { RAW_PORTS_MAX = 144 };

struct raw;
/* NULL with error. */
struct raw *raw_open(const struct pkt_addr *local, const struct pkt_endpoint *remote, unsigned ports, char *error,
                     size_t error_size);
void raw_close(struct raw *raw);
unsigned raw_count(const struct raw *raw);
uint16_t raw_port(const struct raw *raw, unsigned index);

struct raw_syn {
    unsigned index;              /* of the port */
    uint32_t seq;
    bool everything;             /* ECN and a fast open cookie are asked for, beside MSS, window scale, SACK and timestamps */
};
/* 0, or a negative errno value. */
int raw_send_syn(struct raw *raw, const struct raw_syn *syn);
/* Takes it back: <SEQ=seq><CTL=RST>. */
int raw_send_reset(struct raw *raw, unsigned index, uint32_t seq);

#endif
