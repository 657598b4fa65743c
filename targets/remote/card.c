/* Reads and switches a device's offloads by ethtool's ioctl, and completes checksums. */
#include "targets/remote/card.h"
#include "engine/packet/checksum.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct { const char *feature; unsigned bit; } offloads[] = {
    { "rx-gro", CARD_GRO }, { "rx-gro-hw", CARD_GRO_HW }, { "rx-lro", CARD_LRO }, { "rx-gro-list", CARD_GRO_LIST },
};
enum { FEATURES_MAX = 512 };

static int ethtool(const char *interface, void *command)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct ifreq request = { .ifr_data = command };
    strncpy(request.ifr_name, interface, sizeof request.ifr_name - 1);
    int status = ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
    close(fd);
    return status;
}

/* A zeroed command for the kernel, with room for extra octets behind its head; the caller frees it. NULL: out of memory. */
static void *new_command(size_t head_len, size_t extra_len)
{
    return calloc(1, head_len + extra_len);
}

/* How many features the kernel knows. */
static int feature_count(const char *interface, uint32_t *count)
{
    struct ethtool_sset_info *query = new_command(sizeof *query, sizeof *query->data);
    if (!query)
        return -ENOMEM;
    *query = (struct ethtool_sset_info){ .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1u << ETH_SS_FEATURES };
    int status = ethtool(interface, query);
    *count = query->data[0];
    free(query);
    if (status < 0)
        return status;
    return *count && *count <= FEATURES_MAX ? 0 : -EOPNOTSUPP;
}

/* The bit of ours that each of the kernel's features stands for, 0 for none, into bits. */
static int map_features(const char *interface, unsigned bits[static FEATURES_MAX], uint32_t *count)
{
    int status = feature_count(interface, count);
    if (status < 0)
        return status;
    struct ethtool_gstrings *names = new_command(sizeof *names, (size_t)*count * ETH_GSTRING_LEN);
    if (!names)
        return -ENOMEM;
    *names = (struct ethtool_gstrings){ .cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES, .len = *count };
    status = ethtool(interface, names);
    for (uint32_t i = 0; i < *count; i++) {
        bits[i] = 0;
        const char *name = (const char *)names->data + (size_t)i * ETH_GSTRING_LEN;
        for (size_t k = 0; k < sizeof offloads / sizeof *offloads; k++)
            if (strncmp(name, offloads[k].feature, ETH_GSTRING_LEN) == 0)
                bits[i] = offloads[k].bit;
    }
    free(names);
    return status;
}

int card_offloads(const char *interface, unsigned *out)
{
    unsigned bits[FEATURES_MAX];
    uint32_t count;
    *out = 0;
    int status = map_features(interface, bits, &count);
    if (status < 0)
        return status;
    const uint32_t blocks = (count + 31) / 32;
    struct ethtool_gfeatures *features = new_command(sizeof *features, blocks * sizeof *features->features);
    if (!features)
        return -ENOMEM;
    *features = (struct ethtool_gfeatures){ .cmd = ETHTOOL_GFEATURES, .size = blocks };
    status = ethtool(interface, features);
    for (uint32_t i = 0; status == 0 && i < count; i++)
        if (features->features[i / 32].active >> i % 32 & 1u)
            *out |= bits[i];
    free(features);
    return status;
}

int card_switch(const char *interface, unsigned which, bool on)
{
    unsigned bits[FEATURES_MAX];
    uint32_t count;
    int status = map_features(interface, bits, &count);
    if (status < 0)
        return status;
    const uint32_t blocks = (count + 31) / 32;
    struct ethtool_sfeatures *features = new_command(sizeof *features, blocks * sizeof *features->features);
    if (!features)
        return -ENOMEM;
    *features = (struct ethtool_sfeatures){ .cmd = ETHTOOL_SFEATURES, .size = blocks };
    for (uint32_t i = 0; i < count; i++) {
        if (!(bits[i] & which))
            continue;
        features->features[i / 32].valid |= 1u << i % 32;
        features->features[i / 32].requested |= on ? 1u << i % 32 : 0;
    }
    status = ethtool(interface, features);
    free(features);
    return status;
}

void card_driver(const char *interface, char name[static 32])
{
    struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
    name[0] = '\0';
    if (ethtool(interface, &info) < 0)
        return;
    memcpy(name, info.driver, 31);
    name[31] = '\0';
}

bool card_leaves_checksums(const char *driver)
{
    static const char *const drivers[] = { "veth",  "virtio_net", "tun",  "bridge",    "macvlan", "ipvlan",
                                           "vif",   "bonding",    "team", "openvswitch", "hv_netvsc", "802.1Q VLAN Support" };
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (strcmp(driver, drivers[i]) == 0)
            return true;
    return false;
}

bool card_complete_checksum(uint8_t *packet, size_t len)
{
    struct packet parsed;
    pkt_parse(packet, len, &parsed);
    if (parsed.kind != PKT_KIND_TCP || parsed.tcp.checksum_ok)
        return false;
    uint64_t pseudo = checksum_pseudo_header(&parsed.ip.src, &parsed.ip.dst, PKT_PROTO_TCP, parsed.payload_len);
    const uint16_t unfinished = (uint16_t)(UINT16_MAX - checksum_finish(pseudo));
    if (parsed.tcp.checksum != unfinished)
        return false;
    uint8_t *segment = packet + (parsed.payload - packet);
    uint16_t checksum = checksum_finish(checksum_sum(segment, parsed.payload_len));
    segment[16] = (uint8_t)(checksum >> 8);
    segment[17] = (uint8_t)checksum;
    return true;
}
