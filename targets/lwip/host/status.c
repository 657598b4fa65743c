/* STATUS and ABORT: what lwIP's sockets do not tell, from its connection records. */
#include "targets/lwip/host/host.h"

#include "lwip/api.h"
#include "lwip/priv/sockets_priv.h"
#include "lwip/priv/tcp_priv.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

_Static_assert(CLOSED == 0 && LISTEN == 1 && SYN_RCVD == 3 && TIME_WAIT == 10, "states are counted in the RFC's order");

static const int64_t TICK_NS = TCP_SLOW_INTERVAL * INT64_C(1000000);

static bool is_address(const ip_addr_t *address, const struct lwip_address *wanted)
{
    if (wanted->version == 4)
        return IP_IS_V4_VAL(*address) && memcmp(&ip_2_ip4(address)->addr, wanted->bytes, 4) == 0;
    return IP_IS_V6_VAL(*address) && memcmp(ip_2_ip6(address)->addr, wanted->bytes, 16) == 0;
}

static bool is_connection(const struct tcp_pcb *pcb, const struct lwip_endpoint *local, const struct lwip_endpoint *remote)
{
    return pcb->local_port == local->port && pcb->remote_port == remote->port && is_address(&pcb->local_ip, &local->address)
        && is_address(&pcb->remote_ip, &remote->address);
}

static bool listens_at(const struct tcp_pcb_listen *pcb, const struct lwip_endpoint *local)
{
    if (pcb->local_port != local->port)
        return false;
    return IP_IS_ANY_TYPE_VAL(pcb->local_ip) || is_address(&pcb->local_ip, &local->address)
        || (ip_addr_isany(&pcb->local_ip) && IP_IS_V6_VAL(pcb->local_ip) == (local->address.version == 6));
}

static void describe(const struct tcp_pcb *pcb, struct lwip_status *out)
{
    *out = (struct lwip_status){
        .state = pcb->state, .connection = 1, .snd_una = pcb->lastack, .snd_nxt = pcb->snd_nxt, .rcv_nxt = pcb->rcv_nxt,
        .snd_wnd = pcb->snd_wnd, .rcv_wnd = pcb->rcv_wnd, .unread_bytes = (uint32_t)(TCP_WND_MAX(pcb) - pcb->rcv_wnd),
        .unsent_bytes = pcb->snd_lbb - pcb->snd_nxt, .cwnd_bytes = pcb->cwnd, .ssthresh_bytes = pcb->ssthresh,
        .mss_bytes = pcb->mss, .retransmits = pcb->nrtx, .rto_ns = pcb->rto * TICK_NS, .srtt_ns = (pcb->sa >> 3) * TICK_NS,
    };
}

int64_t status_find(const struct lwip_endpoint *local, const struct lwip_endpoint *remote, struct lwip_status *out)
{
    struct tcp_pcb *const lists[] = { tcp_active_pcbs, tcp_tw_pcbs };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct tcp_pcb *pcb = lists[i]; pcb; pcb = pcb->next)
            if (is_connection(pcb, local, remote)) {
                describe(pcb, out);
                return 0;
            }
    for (const struct tcp_pcb_listen *pcb = tcp_listen_pcbs.listen_pcbs; pcb; pcb = pcb->next)
        if (listens_at(pcb, local)) {
            *out = (struct lwip_status){ .state = LISTEN };
            return 0;
        }
    return -ENOENT;
}

/* Open, with nothing on its way and nothing to say. */
static bool is_idle(const struct tcp_pcb *pcb)
{
    bool owes = pcb->unsent || pcb->unacked || pcb->ooseq || pcb->refused_data || pcb->persist_backoff
             || (pcb->flags & (TF_ACK_DELAY | TF_ACK_NOW | TF_RTO | TF_CLOSEPEND));
    return pcb->state == ESTABLISHED && !owes && !ip_get_option(pcb, SOF_KEEPALIVE);
}

bool status_all_idle(void)
{
    for (const struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        if (!is_idle(pcb))
            return false;
    return !tcp_tw_pcbs;
}

/* The connection behind a socket; NULL for a listener, and when there is none any more. */
static struct tcp_pcb *pcb_of(int socket)
{
    const struct lwip_sock *sock = lwip_socket_dbg_get_socket(socket);
    struct tcp_pcb *pcb = sock && sock->conn ? sock->conn->pcb.tcp : NULL;
    return pcb && pcb->state != LISTEN && pcb->state != CLOSED ? pcb : NULL;
}

void status_abort_socket(int socket)
{
    struct tcp_pcb *pcb = pcb_of(socket);
    if (pcb && pcb->state != TIME_WAIT) /* of that tcp_abort() does not tell the socket, which would free it again */
        tcp_abort(pcb);
}

int64_t status_unacknowledged(int socket)
{
    const struct tcp_pcb *pcb = pcb_of(socket);
    return pcb ? (int64_t)(pcb->snd_lbb - pcb->lastack) : -ENOTCONN;
}
