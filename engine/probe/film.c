/* Live capture of one conversation (see film.h). */
#include "engine/probe/film.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/capture/link.h"

enum { FRAMES_A_CHUNK = 256, CHUNKS_MAX = FILM_FRAMES_MAX / FRAMES_A_CHUNK, BUFFER_BYTES = 4 << 20, TAKEN_AT_A_TIME = 512 };

struct film {
    pcap_t *pcap;
    int link;
    struct pkt_endpoint remote;
    size_t count;
    struct film_frame *chunks[CHUNKS_MAX]; /* they never move, so that packets may point into them */
};

static bool set_filter(struct film *film, char *error, size_t error_size)
{
    char text[160], addr[PKT_ADDR_TEXT_MAX];
    struct bpf_program program;
    snprintf(text, sizeof text, "(host %s and tcp port %u) or icmp or icmp6", pkt_addr_format(&film->remote.addr, addr),
             film->remote.port);
    if (pcap_compile(film->pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN) < 0) {
        snprintf(error, error_size, "filter: %s", pcap_geterr(film->pcap));
        return false;
    }
    const int set = pcap_setfilter(film->pcap, &program);
    pcap_freecode(&program);
    if (set < 0)
        snprintf(error, error_size, "filter: %s", pcap_geterr(film->pcap));
    return set == 0;
}

static bool activate(struct film *film, const char *interface, char *error, size_t error_size)
{
    pcap_set_snaplen(film->pcap, FILM_SNAP);
    pcap_set_promisc(film->pcap, 0);
    pcap_set_immediate_mode(film->pcap, 1);
    pcap_set_buffer_size(film->pcap, BUFFER_BYTES);
    pcap_set_timeout(film->pcap, 1);
    pcap_set_tstamp_precision(film->pcap, PCAP_TSTAMP_PRECISION_NANO);
    const int status = pcap_activate(film->pcap);
    if (status < 0) {
        snprintf(error, error_size, "capturing on %s: %s", interface,
                 status == PCAP_ERROR_PERM_DENIED ? "not permitted" : pcap_statustostr(status));
        return false;
    }
    film->link = pcap_datalink(film->pcap);
    char reason[PCAP_ERRBUF_SIZE];
    return link_is_known(film->link) && pcap_setnonblock(film->pcap, 1, reason) == 0;
}

struct film *film_open(const char *interface, const struct pkt_endpoint *remote, char *error, size_t error_size)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    struct film *film = calloc(1, sizeof *film);
    snprintf(error, error_size, "capturing on %s: the link cannot be read", interface);
    if (!film)
        return NULL;
    film->remote = *remote;
    film->pcap = pcap_create(interface, reason);
    if (!film->pcap)
        snprintf(error, error_size, "capturing on %s: %s", interface, reason);
    if (!film->pcap || !activate(film, interface, error, error_size) || !set_filter(film, error, error_size)) {
        film_close(film);
        return NULL;
    }
    return film;
}

void film_close(struct film *film)
{
    if (!film)
        return;
    if (film->pcap)
        pcap_close(film->pcap);
    for (size_t i = 0; i < CHUNKS_MAX; i++)
        free(film->chunks[i]);
    free(film);
}

int film_fd(const struct film *film)
{
    return pcap_get_selectable_fd(film->pcap);
}

/* ---- frames ---------------------------------------------------------------------------------------------------- */

/* Is it of our conversation? Both directions of a connection to ourselves come from one address: the port tells. */
static bool is_ours(const struct film *film, const struct packet *p, bool *from_client)
{
    const struct pkt_endpoint *remote = &film->remote;
    if (p->kind == PKT_KIND_TCP) {
        *from_client = p->tcp.dst_port == remote->port && pkt_addr_equal(&p->ip.dst, &remote->addr);
        return *from_client || (p->tcp.src_port == remote->port && pkt_addr_equal(&p->ip.src, &remote->addr));
    }
    struct packet quoted;
    *from_client = false;
    return p->kind == PKT_KIND_ICMP && pkt_parse_quoted(p->icmp.body, p->icmp.body_len, &quoted) == PKT_OK && quoted.kind == PKT_KIND_TCP
        && quoted.tcp.dst_port == remote->port && pkt_addr_equal(&quoted.ip.dst, &remote->addr);
}

static struct film_frame *next_frame(struct film *film)
{
    struct film_frame **chunk = &film->chunks[film->count / FRAMES_A_CHUNK];
    if (!*chunk)
        *chunk = calloc(FRAMES_A_CHUNK, sizeof **chunk);
    return *chunk ? &(*chunk)[film->count % FRAMES_A_CHUNK] : NULL;
}

static void keep(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct film *film = (struct film *)(void *)context;
    struct link_packet found;
    struct packet packet;
    bool from_client;
    if (film->count == FILM_FRAMES_MAX || link_unwrap(film->link, bytes, header->caplen, header->len, &found) != LINK_IP)
        return;
    struct film_frame *frame = next_frame(film);
    if (!frame || found.len > sizeof frame->bytes || pkt_parse_cut(found.bytes, found.len, found.wire_len, &packet) != PKT_OK
        || !is_ours(film, &packet, &from_client))
        return;
    memcpy(frame->bytes, found.bytes, found.len);
    pkt_parse_cut(frame->bytes, found.len, found.wire_len, &frame->packet);
    frame->from_client = from_client;
    frame->at_ns = (int64_t)header->ts.tv_sec * 1000000000 + header->ts.tv_usec; /* which is nanoseconds here */
    film->count++;
}

void film_take(struct film *film)
{
    while (film && pcap_dispatch(film->pcap, TAKEN_AT_A_TIME, keep, (u_char *)film) == TAKEN_AT_A_TIME) {
    }
}

size_t film_count(const struct film *film)
{
    return film->count;
}

const struct film_frame *film_at(const struct film *film, size_t index)
{
    return &film->chunks[index / FRAMES_A_CHUNK][index % FRAMES_A_CHUNK];
}

const struct film_frame *film_next(const struct film *film, struct film_flow *flow)
{
    while (film && flow->next < film->count) {
        const struct film_frame *frame = film_at(film, flow->next++);
        const struct packet *p = &frame->packet;
        if (p->kind == PKT_KIND_TCP && (frame->from_client ? p->tcp.src_port : p->tcp.dst_port) == flow->port)
            return frame;
    }
    return NULL;
}
