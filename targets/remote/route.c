/* Asks the kernel for routes, addresses and links by rtnetlink(7), and reads its answers. */
#include "targets/remote/route.h"
#include "targets/tap/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_BYTES_MAX = 16384 };

struct question {
    struct nlmsghdr header;
    union {
        struct rtmsg route;
        struct ifinfomsg link;
        struct ifaddrmsg address;
    } body;
    uint8_t attributes[64];
};

static void ask_with(struct question *q, uint16_t type, const void *data, size_t len)
{
    uint8_t *bytes = (uint8_t *)q;
    const struct rtattr attribute = { .rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type };
    memcpy(bytes + q->header.nlmsg_len, &attribute, sizeof attribute);
    memcpy(bytes + q->header.nlmsg_len + RTA_LENGTH(0), data, len);
    q->header.nlmsg_len += (uint32_t)RTA_SPACE(len);
}

/* The attribute of that type behind a body of body_len octets; NULL when there is none. */
static const uint8_t *attribute_of(const uint8_t *message, size_t len, size_t body_len, uint16_t type, size_t *attribute_len)
{
    struct rtattr attribute;
    for (size_t at = NLMSG_SPACE(body_len); at + sizeof attribute <= len; at += RTA_ALIGN(attribute.rta_len)) {
        memcpy(&attribute, message + at, sizeof attribute);
        if (attribute.rta_len < sizeof attribute || attribute.rta_len > len - at)
            return NULL;
        if ((attribute.rta_type & NLA_TYPE_MASK) == type) {
            *attribute_len = RTA_PAYLOAD(&attribute);
            return message + at + RTA_LENGTH(0);
        }
    }
    return NULL;
}

typedef void message_fn(const uint8_t *message, size_t len, void *context);

/* Hands each message of one datagram on. 1 when more datagrams follow, 0 at the end, or a negative errno value. */
static int read_messages(const uint8_t *bytes, size_t len, message_fn *take, void *context)
{
    struct nlmsghdr header;
    int more = 0;
    for (size_t at = 0; at + sizeof header <= len; at += NLMSG_ALIGN(header.nlmsg_len)) {
        memcpy(&header, bytes + at, sizeof header);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > len - at)
            return -EPROTO;
        if (header.nlmsg_type == NLMSG_DONE)
            return 0;
        if (header.nlmsg_type == NLMSG_ERROR) {
            int code = -EPROTO;
            if (header.nlmsg_len >= sizeof header + sizeof code)
                memcpy(&code, bytes + at + sizeof header, sizeof code);
            return code;
        }
        more = (header.nlmsg_flags & NLM_F_MULTI) != 0;
        take(bytes + at, header.nlmsg_len, context);
    }
    return more;
}

static int ask(struct question *q, message_fn *take, void *context)
{
    int fd = rtnl_open();
    if (fd < 0)
        return fd;
    const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    int status = sendto(fd, q, q->header.nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof kernel) < 0 ? -errno : 1;
    while (status > 0) {
        uint8_t bytes[ANSWER_BYTES_MAX];
        ssize_t len = recv(fd, bytes, sizeof bytes, 0);
        status = len < 0 ? -errno : read_messages(bytes, (size_t)len, take, context);
    }
    close(fd);
    return status;
}

static void read_address(const uint8_t *bytes, size_t len, struct pkt_addr *out)
{
    *out = (struct pkt_addr){ 0 };
    if (!bytes || (len != 4 && len != 16))
        return;
    out->version = len == 16 ? 6 : 4;
    memcpy(out->bytes, bytes, len);
}

static void address_of(const uint8_t *message, size_t len, size_t body_len, uint16_t type, struct pkt_addr *out)
{
    size_t got = 0;
    const uint8_t *bytes = attribute_of(message, len, body_len, type, &got);
    read_address(bytes, got, out);
}

/* 0 when there is no such attribute. */
static uint32_t number_of(const uint8_t *message, size_t len, size_t body_len, uint16_t type)
{
    size_t got = 0;
    uint32_t number = 0;
    const uint8_t *bytes = attribute_of(message, len, body_len, type, &got);
    if (bytes && got == sizeof number)
        memcpy(&number, bytes, sizeof number);
    return number;
}

/* ---- routes ---------------------------------------------------------------------------------------------------- */

static void take_route(const uint8_t *message, size_t len, void *context)
{
    struct route *out = context;
    struct rtmsg body;
    size_t got = 0;
    if (len < NLMSG_LENGTH(sizeof body))
        return;
    memcpy(&body, message + NLMSG_HDRLEN, sizeof body);
    out->local = body.rtm_type == RTN_LOCAL;
    out->ifindex = number_of(message, len, sizeof body, RTA_OIF);
    address_of(message, len, sizeof body, RTA_GATEWAY, &out->router);
    address_of(message, len, sizeof body, RTA_PREFSRC, &out->source);
    const uint8_t *via = attribute_of(message, len, sizeof body, RTA_VIA, &got); /* an IPv4 network behind an IPv6 router */
    if (via && got > 2)
        read_address(via + 2, got - 2, &out->router);
}

static void take_prefix(const uint8_t *message, size_t len, void *context)
{
    struct route *out = context;
    struct ifaddrmsg body;
    struct pkt_addr address;
    if (len < NLMSG_LENGTH(sizeof body))
        return;
    memcpy(&body, message + NLMSG_HDRLEN, sizeof body);
    address_of(message, len, sizeof body, IFA_LOCAL, &address);
    if (!address.version)
        address_of(message, len, sizeof body, IFA_ADDRESS, &address);
    if (body.ifa_index == out->ifindex && pkt_addr_equal(&address, &out->source))
        out->source_prefix_len = body.ifa_prefixlen;
}

int route_find(const struct pkt_addr *host, unsigned ifindex, struct route *out)
{
    const uint8_t family = host->version == 6 ? AF_INET6 : AF_INET, bits = host->version == 6 ? 128 : 32;
    struct question q = {
        .header = { .nlmsg_len = NLMSG_SPACE(sizeof q.body.route), .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST },
        .body.route = { .rtm_family = family, .rtm_dst_len = bits },
    };
    *out = (struct route){ 0 };
    ask_with(&q, RTA_DST, host->bytes, bits / 8);
    if (ifindex)
        ask_with(&q, RTA_OIF, &(uint32_t){ ifindex }, sizeof(uint32_t));
    int status = ask(&q, take_route, out);
    if (status < 0)
        return status;
    if (!if_indextoname(out->ifindex, out->interface))
        return -ENETUNREACH;
    struct question prefixes = {
        .header = { .nlmsg_len = NLMSG_SPACE(sizeof q.body.address), .nlmsg_type = RTM_GETADDR, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
        .body.address = { .ifa_family = family },
    };
    return ask(&prefixes, take_prefix, out);
}

/* ---- links ----------------------------------------------------------------------------------------------------- */

static void take_link(const uint8_t *message, size_t len, void *context)
{
    struct link *out = context;
    struct ifinfomsg body;
    size_t got = 0;
    if (len < NLMSG_LENGTH(sizeof body))
        return;
    memcpy(&body, message + NLMSG_HDRLEN, sizeof body);
    const uint8_t *mac = attribute_of(message, len, sizeof body, IFLA_ADDRESS, &got);
    *out = (struct link){
        .up = body.ifi_flags & IFF_UP, .running = body.ifi_flags & IFF_RUNNING, .ethernet = body.ifi_type == ARPHRD_ETHER,
        .loopback = body.ifi_flags & IFF_LOOPBACK,
    };
    if (mac && got == sizeof out->mac.bytes)
        memcpy(out->mac.bytes, mac, sizeof out->mac.bytes);
    uint32_t mtu = number_of(message, len, sizeof body, IFLA_MTU);
    out->mtu = mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu;
    out->carrier_changes = number_of(message, len, sizeof body, IFLA_CARRIER_CHANGES);
}

int link_read(unsigned ifindex, struct link *out)
{
    struct question q = {
        .header = { .nlmsg_len = NLMSG_SPACE(sizeof q.body.link), .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST },
        .body.link = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex },
    };
    *out = (struct link){ 0 };
    return ask(&q, take_link, out);
}
