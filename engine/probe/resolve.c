/* Names into addresses and ports. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/probe/inside.h"

static bool is_known(const struct probe_config *config, const struct pkt_endpoint *remote)
{
    for (unsigned i = 0; i < config->remote_count; i++)
        if (pkt_addr_equal(&config->remotes[i].addr, &remote->addr))
            return true;
    return false;
}

/* A number, or the name of a service. */
static bool parse_port(const char *text, uint16_t *out)
{
    char *end;
    const unsigned long number = strtoul(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end) {
        *out = (uint16_t)number;
        return number >= 1 && number <= 65535 && strlen(text) <= 5;
    }
    const struct servent *service = getservbyname(text, "tcp");
    if (service)
        *out = (uint16_t)((uint16_t)service->s_port << 8 | (uint16_t)service->s_port >> 8);
    return service != NULL;
}

enum probe_resolved probe_resolve(const char *host, const char *port, int ip_version, struct probe_config *out,
                                  char error[static PROBE_TEXT_MAX])
{
    const struct addrinfo hints = {
        .ai_family = ip_version == 4 ? AF_INET : ip_version == 6 ? AF_INET6 : AF_UNSPEC, .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *found = NULL;
    uint16_t number;
    char bare[256];
    out->remote_count = 0;
    if (!parse_port(port, &number)) {
        snprintf(error, PROBE_TEXT_MAX,
                 "a port is a number from 1 to 65535 or the name of a service (/etc/services), not \"%.60s\"", port);
        return PROBE_BAD_PORT;
    }
    const size_t len = strlen(host); /* [2001:db8::1], as in a URL */
    const bool bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';
    snprintf(bare, sizeof bare, "%.*s", (int)(bracketed ? len - 2 : len), bracketed ? host + 1 : host);
    const int code = getaddrinfo(bare, NULL, &hints, &found);
    for (const struct addrinfo *a = found; code == 0 && a && out->remote_count < PROBE_ADDRESSES_MAX; a = a->ai_next) {
        struct sockaddr_storage address = {0};
        struct pkt_endpoint remote;
        memcpy(&address, a->ai_addr, a->ai_addrlen);
        if (!pkt_endpoint_of_socket(&address, &remote) || is_known(out, &remote))
            continue;
        remote.port = number;
        out->remotes[out->remote_count++] = remote;
    }
    if (found)
        freeaddrinfo(found);
    if (out->remote_count)
        return PROBE_RESOLVED;
    snprintf(error, PROBE_TEXT_MAX, "%.100s: %s%s", host, code ? gai_strerror(code) : "no address",
             ip_version == 4 ? " (an IPv4 address was asked for: -4)" : ip_version == 6 ? " (an IPv6 address was asked for: -6)" : "");
    return PROBE_NO_HOST;
}
