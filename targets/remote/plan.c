/* Makes the plan: host names, routes, addresses of the tester.
 *
 * The tester has IP addresses and a MAC address of its own wherever somebody can name a spare address (tester=). It then is a
 * station beside this machine, of which the kernel knows nothing. The MAC address is locally administered and made of the
 * interface's and the tester's address, so that runs at the same place look alike to switches and neighbours, and two testers on a
 * link do not collide. With address=own it shares the machine's addresses, and has ports to itself. */
#include "targets/remote/plan.h"
#include "targets/tap/failure.h"
#include "targets/remote/route.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- the host's name ------------------------------------------------------------------------------------------- */

static bool read_port(const char *text, uint16_t *out)
{
    char *end;
    unsigned long port = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
    if (port == 0 || port > UINT16_MAX || *end)
        return false;
    *out = (uint16_t)port;
    return true;
}

bool plan_split_host(const char *word, char *host, size_t capacity, uint16_t *port)
{
    struct pkt_addr addr;
    size_t len = strlen(word);
    const char *first = word;
    *port = 0;
    if (word[0] == '[') {
        const char *end = strchr(word, ']');
        if (!end || (end[1] && (end[1] != ':' || !read_port(end + 2, port))))
            return false;
        first = word + 1;
        len = (size_t)(end - first);
    } else if (!pkt_addr_parse(word, &addr) && strchr(word, ':')) {
        len = strcspn(word, ":");
        if (!read_port(word + len + 1, port))
            return false;
    }
    if (len == 0 || len >= capacity)
        return false;
    memcpy(host, first, len);
    host[len] = '\0';
    return true;
}

static void keep_address(const struct sockaddr *from, struct pkt_addr found[2])
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (from->sa_family == AF_INET && !found[0].version) {
        memcpy(&v4, from, sizeof v4);
        found[0].version = 4;
        memcpy(found[0].bytes, &v4.sin_addr, 4);
    } else if (from->sa_family == AF_INET6 && !found[1].version) {
        memcpy(&v6, from, sizeof v6);
        found[1].version = 6;
        memcpy(found[1].bytes, &v6.sin6_addr, 16);
    }
}

/* The first address of each IP version. */
static bool resolve(const char *host, struct pkt_addr found[2], struct target_error *error)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    int status = getaddrinfo(host, NULL, &hints, &list);
    if (status != 0)
        return target_fail(error, TARGET_ERR_UNAVAILABLE, "host %s is not known: %s", host, gai_strerror(status));
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        keep_address(a->ai_addr, found);
    freeaddrinfo(list);
    return found[0].version || found[1].version || target_fail(error, TARGET_ERR_UNAVAILABLE, "host %s has no IP address", host);
}

/* Is there an iut= of this IP version among the keys? */
static bool names_iut(const char *keys, unsigned v)
{
    static const char key[] = ",iut=";
    for (const char *at = strstr(keys, key); at; at = strstr(at, key)) {
        at += sizeof key - 1;
        const char *colon = strchr(at, ':');
        if ((colon && colon < at + strcspn(at, ",")) == (v == 1))
            return true;
    }
    return false;
}

/* Reads the argument as if those addresses of the host that iut= does not give had been given by it. */
static bool read_argument(const char *argument, struct plan *plan, struct target_error *error)
{
    char word[sizeof plan->host], completed[2048], text[PKT_ADDR_TEXT_MAX];
    struct pkt_addr found[2] = { { 0 } };
    uint16_t port;
    size_t len = strcspn(argument, ",");
    if (len == 0)
        return target_fail(error, TARGET_ERR_USAGE,
                    "no host is named: write remote:HOST,tester=ADDR with an address that nobody else uses, "
                                             "remote:HOST:PORT for a host without agent; docs/targets.md explains the rest");
    if (len >= sizeof word)
        return target_fail(error, TARGET_ERR_USAGE, "a host's name of %zu octets is too long", len);
    memcpy(word, argument, len);
    word[len] = '\0';
    if (!plan_split_host(word, plan->host, sizeof plan->host, &port))
        return target_fail(error, TARGET_ERR_USAGE,
                    "\"%.100s\" is neither HOST nor HOST:PORT; an IPv6 address before a port stands in brackets", word);
    bool given[2] = { names_iut(argument + len, 0), names_iut(argument + len, 1) };
    if (!(given[0] && given[1]) && !resolve(plan->host, found, error) && !given[0] && !given[1])
        return false;
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    int used = snprintf(completed, sizeof completed, "%s", word);
    for (unsigned v = 0; v < 2; v++)
        if (found[v].version && !given[v])
            used += snprintf(completed + used, sizeof completed - (size_t)used, ",iut=%s", pkt_addr_format(&found[v], text));
    if (snprintf(completed + used, sizeof completed - (size_t)used, "%s", argument + len) >= (int)sizeof completed - used)
        return target_fail(error, TARGET_ERR_USAGE, "the target's argument is longer than %zu octets: use a target file",
                    sizeof completed);
    if (!pixit_parse(completed, &plan->pixit, error))
        return false;
    if (port && plan->pixit.open_port)
        return target_fail(error, TARGET_ERR_USAGE, "the open port stands twice, as %s:%u and port=%u: leave one of them away",
                           plan->host, port, plan->pixit.open_port);
    if (port)
        plan->pixit.open_port = port;
    return true;
}

/* ---- the way there --------------------------------------------------------------------------------------------- */

/* The route to the IUT of one IP version. False when there is none; *error only when the argument is to blame. */
static bool find_way(struct plan *plan, unsigned v, struct route *route, struct target_error *error)
{
    const struct pkt_addr *iut = &plan->pixit.iut[v];
    char text[PKT_ADDR_TEXT_MAX];
    if (!iut->version)
        return false;
    int status = route_find(iut, plan->ifindex, route);
    if (status < 0)
        return target_fail(error, TARGET_ERR_UNAVAILABLE, "there is no route to %s (%s): is its network's interface up? \"ip route get %s\" shows the way",
                    pkt_addr_format(iut, text), strerror(-status), text);
    if (route->local)
        return target_fail(error, TARGET_ERR_USAGE,
                           "%s is an address of this machine itself: to test its kernel, write --target linux",
                    pkt_addr_format(iut, text));
    return true;
}

static bool name_interface(struct plan *plan, struct target_error *error)
{
    const char *name = plan->pixit.interface;
    if (!*name)
        return true;
    struct link link;
    plan->ifindex = if_nametoindex(name);
    snprintf(plan->interface, sizeof plan->interface, "%s", name);
    if (!plan->ifindex || link_read(plan->ifindex, &link) < 0)
        return target_fail(error, TARGET_ERR_UNAVAILABLE, "there is no interface %s: \"ip -brief link\" lists those there are",
                           name);
    return link.up ||
           target_fail(error, TARGET_ERR_UNAVAILABLE, "interface %s is down: switch it on with: ip link set %s up", name, name);
}

/* Of both IP versions by one interface; a version that goes another way is left out. */
static bool find_ways(struct plan *plan, struct route routes[2], struct target_error *error)
{
    if (!name_interface(plan, error))
        return false;
    bool any = false;
    for (unsigned v = 0; v < 2; v++) {
        struct pixit *p = &plan->pixit;
        bool wanted =
            p->iut[v].version && (p->own_address || p->tester[v].version || (!p->tester[0].version && !p->tester[1].version));
        bool found = wanted && find_way(plan, v, &routes[v], error);
        if (found && plan->ifindex && routes[v].ifindex != plan->ifindex)
            found = false;
        if (!found) {
            p->iut[v].version = p->tester[v].version = 0;
            continue;
        }
        any = true;
        plan->ifindex = routes[v].ifindex;
        memcpy(plan->interface, routes[v].interface, sizeof plan->interface);
        if (!p->router[v].version && routes[v].router.version == p->iut[v].version)
            p->router[v] = routes[v].router;
        if (routes[v].source_prefix_len)
            p->prefix[v] = routes[v].source_prefix_len;
    }
    if (any)
        *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    else if (error->kind == TARGET_ERR_NONE)
        target_fail(error, TARGET_ERR_USAGE,
             "tester= and the addresses of %s are of different IP versions: name one of the same with iut=", plan->host);
    return any;
}

/* ---- the tester's addresses ------------------------------------------------------------------------------------ */

static bool say_that_none_is_spare(const struct plan *plan, const struct route routes[2], struct target_error *error)
{
    char text[PKT_ADDR_TEXT_MAX] = "", example[PKT_ADDR_TEXT_MAX];
    const struct route *route = &routes[plan->pixit.iut[0].version ? 0 : 1];
    struct pkt_addr spare = route->source;
    spare.bytes[spare.version == 6 ? 15 : 3] = 200;
    return target_fail(
        error, TARGET_ERR_USAGE,
                "the tester needs an IP address that nobody else uses on %s, where this machine has %s/%u: write for instance "
                "remote:%s,tester=%s+20 for twenty from there on; or, where none can be had, remote:%s,address=own",
                plan->interface, pkt_addr_format(&route->source, text), route->source_prefix_len, plan->pixit.word,
                pkt_addr_format(&spare, example), plan->pixit.word);
}

static bool refuse_own(const struct plan *plan, struct target_error *error)
{
    for (unsigned v = 0; v < 2; v++) {
        struct route route;
        char text[PKT_ADDR_TEXT_MAX];
        const struct pkt_addr *tester = &plan->pixit.tester[v];
        if (tester->version && route_find(tester, 0, &route) == 0 && route.local)
            return !target_fail(
                error, TARGET_ERR_USAGE,
                         "tester=%s is an address of this machine, whose kernel would answer too: name one that nobody uses, or write "
                "address=own",
                pkt_addr_format(tester, text));
    }
    return false;
}

/* FNV-1a. */
static uint64_t hash(uint64_t seed, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        seed = (seed ^ bytes[i]) * UINT64_C(0x100000001b3);
    return seed;
}

static struct eth_addr make_mac(const struct plan *plan, const struct eth_addr *interface_mac)
{
    uint64_t h = hash(UINT64_C(0xcbf29ce484222325), interface_mac->bytes, sizeof interface_mac->bytes);
    for (unsigned v = 0; v < 2; v++)
        h = hash(h, plan->pixit.tester[v].bytes, sizeof plan->pixit.tester[v].bytes);
    struct eth_addr mac = { { 0x02 } };
    for (unsigned i = 1; i < 6; i++)
        mac.bytes[i] = (uint8_t)(h >> 8 * i);
    return mac;
}

bool plan_choose_ports(unsigned low, unsigned high, uint16_t *first, uint16_t *count)
{
    unsigned from = OWN_PORTS_FIRST, to = low;
    if (to < from + OWN_PORTS_BLOCK) { /* none below: those above */
        from = (high / OWN_PORTS_BLOCK + 1) * OWN_PORTS_BLOCK;
        to = UINT16_MAX + 1;
        if (from < OWN_PORTS_FIRST)
            from = OWN_PORTS_FIRST;
    }
    if (to < from + OWN_PORTS_BLOCK)
        return false;
    unsigned most = (to - from) / OWN_PORTS_BLOCK * OWN_PORTS_BLOCK;
    *first = (uint16_t)from;
    *count = (uint16_t)(most < OWN_PORTS_MAX ? most : OWN_PORTS_MAX);
    return true;
}

static bool take_own_ports(struct plan *plan, struct target_error *error)
{
    unsigned low = 32768, high = 60999; /* Linux's defaults */
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (file) {
        if (fscanf(file, "%u %u", &low, &high) != 2)
            low = 32768, high = 60999;
        fclose(file);
    }
    return plan_choose_ports(low, high, &plan->first_port, &plan->port_count)
        || target_fail(error, TARGET_ERR_UNAVAILABLE, "address=own: net.ipv4.ip_local_port_range (%u to %u) leaves no %d ports from %d on for the tester: "
                                               "narrow it", low, high, OWN_PORTS_BLOCK, OWN_PORTS_FIRST);
}

static bool take_own_addresses(struct plan *plan, const struct route routes[2], struct target_error *error)
{
    struct pixit *p = &plan->pixit;
    p->tester_count = 1;
    for (unsigned v = 0; v < 2; v++)
        if (p->iut[v].version)
            p->tester[v] = routes[v].source;
    if (!p->tester[0].version && !p->tester[1].version)
        return target_fail(error, TARGET_ERR_UNAVAILABLE, "address=own: this machine has no address on %s", plan->interface);
    return take_own_ports(plan, error);
}

static bool settle_tester(struct plan *plan, const struct route routes[2], struct target_error *error)
{
    struct pixit *p = &plan->pixit;
    struct link link;
    if (link_read(plan->ifindex, &link) < 0)
        return target_fail(error, TARGET_ERR_UNAVAILABLE, "interface %s cannot be looked at", plan->interface);
    if (p->own_address) {
        p->mac = link.mac;
        p->mac_given = true;
        return take_own_addresses(plan, routes, error);
    }
    if (!p->tester[0].version && !p->tester[1].version)
        return say_that_none_is_spare(plan, routes, error);
    if (refuse_own(plan, error))
        return false;
    if (!p->mac_given)
        p->mac = make_mac(plan, &link.mac);
    p->mac_given = true;
    return true;
}

bool plan_make(const char *argument, struct plan *out, struct target_error *error)
{
    struct route routes[2] = { { 0 } };
    *out = (struct plan){ .ifindex = 0 };
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    return read_argument(argument, out, error) && find_ways(out, routes, error) && settle_tester(out, routes, error);
}

struct filter plan_filter(const struct plan *plan)
{
    const struct pixit *p = &plan->pixit;
    return (struct filter){
        .mac = p->mac, .tester = { p->tester[0], p->tester[1] }, .tester_count = p->tester_count, .own_address = p->own_address,
        .iut = { p->iut[0], p->iut[1] }, .first_port = plan->first_port, .last_port = (uint16_t)(plan->first_port + plan->port_count - 1),
    };
}
