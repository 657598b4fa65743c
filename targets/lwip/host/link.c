/* lwIP's network interface: IP packets to and from the tester, no link layer, and so no address resolution between a segment and
 * the reaction to it. */
#include "targets/lwip/host/host.h"
#include "targets/lwip/host/port.h"

#include "lwip/ip6.h"
#include "lwip/netif.h"
#include "lwip/tcpip.h"

#include <errno.h>
#include <string.h>

static err_t emit(struct pbuf *packet)
{
    uint8_t octets[CHANNEL_OCTETS_MAX];
    host_output(octets, pbuf_copy_partial(packet, octets, packet->tot_len, 0));
    return ERR_OK;
}

static err_t emit_ipv4(struct netif *interface, struct pbuf *packet, const ip4_addr_t *destination)
{
    (void)interface;
    (void)destination;
    return emit(packet);
}

static err_t emit_ipv6(struct netif *interface, struct pbuf *packet, const ip6_addr_t *destination)
{
    (void)interface;
    (void)destination;
    return emit(packet);
}

static err_t set_up(struct netif *interface)
{
    const struct lwip_settings *settings = interface->state;
    interface->name[0] = 't';
    interface->name[1] = 'a';
    interface->output = emit_ipv4;
    interface->output_ip6 = emit_ipv6;
    interface->mtu = settings->mtu;
    return ERR_OK;
}

/* The process has one interface. */
static struct netif *the_interface(void)
{
    static struct netif interface;
    return &interface;
}

static ip4_addr_t ipv4_of(const struct lwip_address *address)
{
    ip4_addr_t out;
    memcpy(&out.addr, address->bytes, sizeof out.addr);
    return out;
}

static void add_ipv6(struct netif *interface, const struct lwip_address *address)
{
    ip6_addr_t ipv6 = { .zone = IP6_NO_ZONE };
    s8_t index;
    memcpy(ipv6.addr, address->bytes, sizeof ipv6.addr);
    if (netif_add_ip6_address(interface, &ipv6, &index) != ERR_OK)
        port_die("lwIP refuses its IPv6 address");
    netif_ip6_addr_set_state(interface, index, IP6_ADDR_PREFERRED); /* nobody else is there who could have it */
}

void link_begin(const struct lwip_settings *settings)
{
    struct netif *interface = the_interface();
    const ip4_addr_t own = ipv4_of(&settings->addresses[0]), router = ipv4_of(&settings->router);
    ip4_addr_t mask;
    IP4_ADDR(&mask, 255, 255, 255, 0);
    if (!netif_add(interface, &own, &mask, &router, (void *)(uintptr_t)settings, set_up, tcpip_input))
        port_die("lwIP refuses its interface");
    interface->state = NULL;
    netif_set_default(interface);
    netif_set_link_up(interface);
    netif_set_up(interface);
    add_ipv6(interface, &settings->addresses[1]);
}

/* Not from PBUF_POOL, as lwIP's own drivers do: in Debian's library its elements are smaller than lwIP takes them for
 * (docs/stacks/lwip.md), and longer packets overwrite what comes behind. */
int64_t link_input(const uint8_t *packet, size_t len)
{
    struct pbuf *copy = len ? pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_RAM) : NULL;
    if (!copy)
        return len ? -ENOMEM : 0;
    pbuf_take(copy, packet, (u16_t)len);
    if (the_interface()->input(copy, the_interface()) != ERR_OK) {
        pbuf_free(copy);
        return -ENOBUFS;
    }
    return 0;
}
