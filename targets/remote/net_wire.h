/* The wire to a host across the network: frames out by libnet, frames in by libpcap, on an interface of this machine. */
#ifndef TCPASSAY_TARGETS_REMOTE_NET_WIRE_H
#define TCPASSAY_TARGETS_REMOTE_NET_WIRE_H

#include "targets/remote/watcher.h"
#include "targets/tap/wire.h"

#include <net/if.h>

struct net_wire_config {
    char interface[IFNAMSIZ];
    const char *filter;          /* in pcap-filter(7)'s language, see filter.h; copied */
    struct watcher *watcher;     /* borrowed; must outlive the wire */
};

#define NET_WIRE_PATIENCE_NS INT64_C(5000000000) /* an interface that is gone for longer is gone for good */

/* NULL with *error: privilege, an interface that is missing, down, or no Ethernet. */
struct wire *net_wire_open(const struct net_wire_config *config, struct target_error *error);

/* Can this process inject and capture at all? */
bool net_wire_preflight(struct target_error *error);

#endif
