/* Builds rtnetlink requests, sends each and reads its acknowledgment. */
#include "targets/tap/netlink.h"

#include <assert.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { REQUEST_BYTES_MAX = 256 }; /* the longest, a route, has under 100 */

struct request {
    _Alignas(NLMSG_ALIGNTO) uint8_t bytes[REQUEST_BYTES_MAX];
};

static struct nlmsghdr *header_of(struct request *request)
{
    return (struct nlmsghdr *)(void *)request->bytes;
}

/* Zeroed but for the netlink header; returns the family's own header behind it, of body_len octets. */
static void *start(struct request *request, uint16_t type, uint16_t flags, size_t body_len)
{
    memset(request, 0, sizeof *request);
    *header_of(request) = (struct nlmsghdr){
        .nlmsg_len = (uint32_t)NLMSG_LENGTH(body_len),
        .nlmsg_type = type,
        .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags),
    };
    return NLMSG_DATA(header_of(request));
}

static void put(struct request *request, uint16_t type, const void *data, size_t len)
{
    struct nlmsghdr *header = header_of(request);
    size_t at = NLMSG_ALIGN(header->nlmsg_len);
    assert(at + RTA_SPACE(len) <= sizeof request->bytes);
    struct rtattr attribute = { .rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type };
    memcpy(request->bytes + at, &attribute, sizeof attribute);
    memcpy(request->bytes + at + RTA_LENGTH(0), data, len);
    header->nlmsg_len = (uint32_t)(at + RTA_SPACE(len));
}

static void put_u32(struct request *request, uint16_t type, uint32_t value)
{
    put(request, type, &value, sizeof value);
}

static void put_address(struct request *request, uint16_t type, const struct pkt_addr *addr)
{
    put(request, type, addr->bytes, addr->version == 6 ? 16 : 4);
}

static uint8_t family_of(const struct pkt_addr *addr)
{
    return addr->version == 6 ? AF_INET6 : AF_INET;
}

static int transact(int fd, struct request *request)
{
    const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    const struct nlmsghdr *header = header_of(request);
    if (sendto(fd, request->bytes, header->nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof kernel) < 0)
        return -errno;
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        uint8_t rest[1024];
    } reply;
    ssize_t len = recv(fd, &reply, sizeof reply, 0);
    if (len < 0)
        return -errno;
    if ((size_t)len < sizeof reply.header + sizeof reply.error || reply.header.nlmsg_type != NLMSG_ERROR)
        return -EPROTO;
    return reply.error.error;
}

int rtnl_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    return fd < 0 ? -errno : fd;
}

int rtnl_set_link(int fd, const struct rtnl_link *link)
{
    struct request request;
    struct ifinfomsg *body = start(&request, RTM_NEWLINK, 0, sizeof *body);
    *body = (struct ifinfomsg){ .ifi_index = (int)link->ifindex, .ifi_change = IFF_UP, .ifi_flags = link->up ? IFF_UP : 0 };
    if (link->mtu)
        put_u32(&request, IFLA_MTU, link->mtu);
    if (link->queue_frames)
        put_u32(&request, IFLA_TXQLEN, link->queue_frames);
    if (link->mac)
        put(&request, IFLA_ADDRESS, link->mac->bytes, sizeof link->mac->bytes);
    return transact(fd, &request);
}

static int add_address(int fd, unsigned ifindex, const struct pkt_addr *addr, uint8_t prefix_len)
{
    struct request request;
    struct ifaddrmsg *body = start(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof *body);
    *body = (struct ifaddrmsg){ .ifa_family = family_of(addr), .ifa_prefixlen = prefix_len, .ifa_index = ifindex };
    if (addr->version == 6)
        body->ifa_flags = IFA_F_NODAD;
    put_address(&request, IFA_LOCAL, addr);
    put_address(&request, IFA_ADDRESS, addr);
    return transact(fd, &request);
}

/* Is this the notice of the route by which the kernel takes packets for addr? */
static bool is_local_route_to(const uint8_t *message, size_t len, const struct pkt_addr *addr)
{
    struct nlmsghdr header;
    struct rtmsg body;
    struct rtattr attribute;
    const size_t body_at = NLMSG_HDRLEN, attributes_at = NLMSG_LENGTH(sizeof body);
    if (len < attributes_at)
        return false;
    memcpy(&header, message, sizeof header);
    memcpy(&body, message + body_at, sizeof body);
    if (header.nlmsg_type != RTM_NEWROUTE || body.rtm_type != RTN_LOCAL || body.rtm_dst_len != 128)
        return false;
    for (size_t at = attributes_at; at + sizeof attribute <= len; at += RTA_ALIGN(attribute.rta_len)) {
        memcpy(&attribute, message + at, sizeof attribute);
        if (attribute.rta_len < sizeof attribute || attribute.rta_len > len - at)
            return false;
        if (attribute.rta_type == RTA_DST)
            return RTA_PAYLOAD(&attribute) == 16 && memcmp(message + at + RTA_LENGTH(0), addr->bytes, 16) == 0;
    }
    return false;
}

/* The kernel acknowledges an IPv6 address at once, but makes it work, by a local route, in a worker thread of its own. */
static int add_address_and_wait(int fd, unsigned ifindex, const struct pkt_addr *addr, uint8_t prefix_len)
{
    const struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV6_ROUTE };
    const struct timeval patience = { .tv_sec = 5 };
    int notices = rtnl_open();
    if (notices < 0)
        return notices;
    int status = 0;
    if (bind(notices, (const struct sockaddr *)&group, sizeof group) < 0
        || setsockopt(notices, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0)
        status = -errno;
    else
        status = add_address(fd, ifindex, addr, prefix_len);
    for (bool works = false; status == 0 && !works;) {
        uint8_t message[1024];
        ssize_t len = recv(notices, message, sizeof message, 0);
        if (len < 0)
            status = errno == EAGAIN ? -ETIMEDOUT : -errno;
        else
            works = is_local_route_to(message, (size_t)len, addr);
    }
    close(notices);
    return status;
}

int rtnl_add_address(int fd, unsigned ifindex, const struct pkt_addr *addr, uint8_t prefix_len)
{
    return addr->version == 6 ? add_address_and_wait(fd, ifindex, addr, prefix_len) : add_address(fd, ifindex, addr, prefix_len);
}

int rtnl_add_route(int fd, unsigned ifindex, const struct pkt_addr *prefix, uint8_t prefix_len, const struct pkt_addr *router)
{
    struct request request;
    struct rtmsg *body = start(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sizeof *body);
    *body = (struct rtmsg){
        .rtm_family = family_of(prefix), .rtm_dst_len = prefix_len, .rtm_table = RT_TABLE_MAIN,
        .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST,
    };
    put_address(&request, RTA_DST, prefix);
    put_address(&request, RTA_GATEWAY, router);
    put_u32(&request, RTA_OIF, ifindex);
    return transact(fd, &request);
}

int rtnl_add_neighbour(int fd, unsigned ifindex, const struct pkt_addr *addr, const struct eth_addr *mac)
{
    struct request request;
    struct ndmsg *body = start(&request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, sizeof *body);
    *body = (struct ndmsg){ .ndm_family = family_of(addr), .ndm_ifindex = (int)ifindex, .ndm_state = NUD_PERMANENT };
    put_address(&request, NDA_DST, addr);
    put(&request, NDA_LLADDR, mac->bytes, sizeof mac->bytes);
    return transact(fd, &request);
}

int rtnl_remove_queueing(int fd, unsigned ifindex)
{
    struct request request;
    struct tcmsg *body = start(&request, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, sizeof *body);
    *body = (struct tcmsg){ .tcm_family = AF_UNSPEC, .tcm_ifindex = (int)ifindex, .tcm_parent = TC_H_ROOT };
    put(&request, TCA_KIND, "noqueue", sizeof "noqueue");
    return transact(fd, &request);
}
