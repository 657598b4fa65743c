/* Addresses between sockets and packets, and the way to a host. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "engine/probe/inside.h"

socklen_t socket_address(const struct pkt_endpoint *endpoint, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (endpoint->addr.version == 6) {
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(endpoint->port)};
        memcpy(&v6.sin6_addr, endpoint->addr.bytes, sizeof v6.sin6_addr);
        memcpy(out, &v6, sizeof v6);
        return sizeof v6;
    }
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(endpoint->port)};
    memcpy(&v4.sin_addr, endpoint->addr.bytes, sizeof v4.sin_addr);
    memcpy(out, &v4, sizeof v4);
    return sizeof v4;
}

/* ---- the interface of a route: rtnetlink(7) -------------------------------------------------------------------- */

struct route_query {
    struct nlmsghdr header;
    struct rtmsg route;
    struct rtattr attribute;
    uint8_t destination[16];
};

/* The interface in an answer; 0: none. */
static unsigned interface_in(const uint8_t *message, size_t len)
{
    for (size_t at = NLMSG_LENGTH(sizeof(struct rtmsg)); at + sizeof(struct rtattr) <= len;) {
        struct rtattr attribute;
        unsigned index;
        memcpy(&attribute, message + at, sizeof attribute);
        if (attribute.rta_len < sizeof attribute || attribute.rta_len > len - at)
            return 0;
        if (attribute.rta_type == RTA_OIF && attribute.rta_len >= RTA_LENGTH(sizeof index)) {
            memcpy(&index, message + at + sizeof attribute, sizeof index);
            return index;
        }
        at += RTA_ALIGN(attribute.rta_len);
    }
    return 0;
}

static unsigned interface_to(const struct pkt_addr *remote)
{
    const uint8_t address_len = remote->version == 6 ? 16 : 4;
    struct route_query query = {
        .header = {.nlmsg_len = (uint32_t)(offsetof(struct route_query, destination) + address_len), .nlmsg_type = RTM_GETROUTE,
                   .nlmsg_flags = NLM_F_REQUEST},
        .route = {.rtm_family = remote->version == 6 ? AF_INET6 : AF_INET, .rtm_dst_len = (uint8_t)(address_len * 8)},
        .attribute = {.rta_type = RTA_DST, .rta_len = (uint16_t)RTA_LENGTH(address_len)},
    };
    memcpy(query.destination, remote->bytes, address_len);
    uint8_t answer[4096];
    ssize_t len = -1;
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd >= 0 && send(fd, &query, query.header.nlmsg_len, 0) >= 0)
        len = recv(fd, answer, sizeof answer, 0);
    if (fd >= 0)
        close(fd);
    struct nlmsghdr header = {0};
    if (len >= (ssize_t)sizeof header)
        memcpy(&header, answer, sizeof header);
    return header.nlmsg_type == RTM_NEWROUTE && header.nlmsg_len <= (size_t)len ? interface_in(answer, header.nlmsg_len) : 0;
}

int route_to(const struct pkt_endpoint *remote, struct pkt_addr *local, char interface[static 16])
{
    struct sockaddr_storage address;
    struct pkt_endpoint bound;
    socklen_t len = socket_address(remote, &address);
    *local = (struct pkt_addr){0};
    interface[0] = '\0';
    const int fd = socket(remote->addr.version == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* of which no packet leaves */
    int code = fd < 0 || connect(fd, (struct sockaddr *)&address, len) < 0 || getsockname(fd, (struct sockaddr *)&address, &len) < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    if (code == 0 && pkt_endpoint_of_socket(&address, &bound))
        *local = bound.addr;
    char name[IF_NAMESIZE];
    const unsigned index = code == 0 ? interface_to(&remote->addr) : 0;
    if (index && if_indextoname(index, name))
        memcpy(interface, name, sizeof name < 16 ? sizeof name : 16);
    return code;
}
