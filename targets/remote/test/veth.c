/* Makes veth pairs by rtnetlink(7). */
#include "targets/remote/test/veth.h"
#include "targets/tap/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
    struct nlmsghdr header;
    struct ifinfomsg link;
    uint8_t attributes[256];
};

static size_t put(struct request *r, uint16_t type, const void *data, size_t len)
{
    uint8_t *bytes = (uint8_t *)r;
    size_t at = NLMSG_ALIGN(r->header.nlmsg_len);
    const struct rtattr attribute = { .rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type };
    memcpy(bytes + at, &attribute, sizeof attribute);
    if (len)
        memcpy(bytes + at + RTA_LENGTH(0), data, len);
    r->header.nlmsg_len = (uint32_t)(at + RTA_SPACE(len));
    return at;
}

/* The attribute that begins there holds all that was put since. */
static void close_nest(struct request *r, size_t at)
{
    struct rtattr attribute;
    memcpy(&attribute, (uint8_t *)r + at, sizeof attribute);
    attribute.rta_len = (uint16_t)(r->header.nlmsg_len - at);
    memcpy((uint8_t *)r + at, &attribute, sizeof attribute);
}

static int transact(struct request *r)
{
    const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        uint8_t rest[1024];
    } reply;
    int fd = rtnl_open();
    if (fd < 0)
        return fd;
    ssize_t len = sendto(fd, r, r->header.nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof kernel);
    if (len >= 0)
        len = recv(fd, &reply, sizeof reply, 0);
    int status = len < 0 ? -errno : reply.header.nlmsg_type == NLMSG_ERROR ? reply.error.error : -EPROTO;
    close(fd);
    return status;
}

static struct request start(uint16_t type, uint16_t flags)
{
    return (struct request){
        .header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)), .nlmsg_type = type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags) },
    };
}

int veth_switch(const char *end, bool up)
{
    const struct rtnl_link change = { .ifindex = if_nametoindex(end), .up = up };
    int fd = rtnl_open();
    int status = fd < 0 ? fd : rtnl_set_link(fd, &change);
    if (fd >= 0)
        close(fd);
    return status;
}

int veth_make(void)
{
    struct request r = start(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    put(&r, IFLA_IFNAME, VETH_NEAR, sizeof VETH_NEAR);
    size_t info = put(&r, IFLA_LINKINFO | NLA_F_NESTED, NULL, 0);
    put(&r, IFLA_INFO_KIND, "veth", 4);
    size_t data = put(&r, IFLA_INFO_DATA | NLA_F_NESTED, NULL, 0);
    const struct ifinfomsg nothing = { 0 };
    size_t peer = put(&r, VETH_INFO_PEER | NLA_F_NESTED, &nothing, sizeof nothing);
    put(&r, IFLA_IFNAME, VETH_FAR, sizeof VETH_FAR);
    close_nest(&r, peer);
    close_nest(&r, data);
    close_nest(&r, info);
    int status = transact(&r);
    if (status == 0)
        status = veth_switch(VETH_NEAR, true);
    return status == 0 ? veth_switch(VETH_FAR, true) : status;
}

int veth_remove(void)
{
    struct request r = start(RTM_DELLINK, 0);
    r.link.ifi_index = (int)if_nametoindex(VETH_NEAR);
    return transact(&r);
}

bool veth_enter(struct netns *ns, struct target_error *error)
{
    if (!netns_open(ns, error))
        return false;
    int status = netns_enter(ns);
    if (status == 0)
        status = veth_make();
    if (status == 0)
        return true;
    netns_leave(ns);
    netns_close(ns);
    error->kind = TARGET_ERR_UNAVAILABLE;
    strcpy(error->text, "no veth pair can be made here");
    return false;
}

void veth_leave(struct netns *ns)
{
    netns_leave(ns);
    netns_close(ns);
}
