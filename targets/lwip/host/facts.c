/* What lwIP was compiled with. Apart from the other parts: the C library's netinet/tcp.h, which lwIP's sockets include, has a
 * TCP_MSS of its own. */
#include "targets/lwip/host/host.h"

#include "lwip/init.h"
#include "lwip/priv/tcp_priv.h"

#include <stdio.h>

size_t facts_write(char *out, size_t capacity)
{
    static const char *const YES_NO[] = { "no", "yes" };
    int len = snprintf(out, capacity,
                       "lwIP=%s\nTCP_MSS=%d octets\nTCP_WND=%d octets\nTCP_SND_BUF=%d octets\nTCP_MSL=%lu ms\nTCP_MAXRTX=%d\n"
                       "TCP_SYNMAXRTX=%d\nTCP_TMR_INTERVAL=%d ms\nTCP_SLOW_INTERVAL=%d ms\n"
                       "TCP_FIN_WAIT_TIMEOUT=%d ms\nTCP_SYN_RCVD_TIMEOUT=%d ms\nwindow scaling=%s, shift %d\ntimestamps=%s\n"
                       "selective acknowledgments sent=%s\nsegments out of order kept=%s\nbacklog of listeners=%s\n",
                       LWIP_VERSION_STRING, TCP_MSS, TCP_WND, TCP_SND_BUF, (unsigned long)TCP_MSL, TCP_MAXRTX, TCP_SYNMAXRTX,
                       TCP_TMR_INTERVAL, TCP_SLOW_INTERVAL, TCP_FIN_WAIT_TIMEOUT, TCP_SYN_RCVD_TIMEOUT, YES_NO[LWIP_WND_SCALE],
                       TCP_RCV_SCALE, YES_NO[LWIP_TCP_TIMESTAMPS], YES_NO[LWIP_TCP_SACK_OUT], YES_NO[TCP_QUEUE_OOSEQ],
                       YES_NO[TCP_LISTEN_BACKLOG]);
    return len < 0 ? 0 : (size_t)len < capacity ? (size_t)len : capacity - 1;
}
