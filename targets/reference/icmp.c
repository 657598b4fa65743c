/* ICMP: echo (RFC 1122 §3.2.2.6, RFC 4443 §4), and errors about our segments (RFC 9293 §3.9.2.2, RFC 5927). */
#include "targets/reference/stack.h"

#include <errno.h>

enum { ICMP4_ECHO_REPLY = 0, ICMP4_UNREACHABLE = 3, ICMP4_ECHO = 8, ICMP4_TIME_EXCEEDED = 11, ICMP4_PARAMETER_PROBLEM = 12,
       ICMP6_UNREACHABLE = 1, ICMP6_TOO_BIG = 2, ICMP6_TIME_EXCEEDED = 3, ICMP6_PARAMETER_PROBLEM = 4, ICMP6_ECHO = 128,
       ICMP6_ECHO_REPLY = 129, ANY_CODE = -1 };

enum severity { SOFT, HARD, TOO_BIG };

static const struct error_row {
    uint8_t version, type;
    int code;
    enum severity severity;
    int error; /* errno the application gets */
} error_table[] = { /* §3.9.2.2; source quench is not here: silently discarded (MUST-55) */
    { 4, ICMP4_UNREACHABLE, 0, SOFT, ENETUNREACH },
    { 4, ICMP4_UNREACHABLE, 1, SOFT, EHOSTUNREACH },
    { 4, ICMP4_UNREACHABLE, 2, HARD, ENOPROTOOPT },
    { 4, ICMP4_UNREACHABLE, 3, HARD, ECONNREFUSED },
    { 4, ICMP4_UNREACHABLE, 4, TOO_BIG, EMSGSIZE }, /* "hard" to RFC 1122; path MTU discovery took it over */
    { 4, ICMP4_UNREACHABLE, 5, SOFT, EOPNOTSUPP },
    { 4, ICMP4_UNREACHABLE, ANY_CODE, SOFT, EHOSTUNREACH },
    { 4, ICMP4_TIME_EXCEEDED, ANY_CODE, SOFT, EHOSTUNREACH },
    { 4, ICMP4_PARAMETER_PROBLEM, ANY_CODE, SOFT, EPROTO },
    { 6, ICMP6_UNREACHABLE, 1, HARD, EACCES },       /* administratively prohibited: RFC 5927 §5.2 */
    { 6, ICMP6_UNREACHABLE, 4, HARD, ECONNREFUSED }, /* port unreachable */
    { 6, ICMP6_UNREACHABLE, ANY_CODE, SOFT, EHOSTUNREACH },
    { 6, ICMP6_TOO_BIG, ANY_CODE, TOO_BIG, EMSGSIZE },
    { 6, ICMP6_TIME_EXCEEDED, ANY_CODE, SOFT, EHOSTUNREACH },
    { 6, ICMP6_PARAMETER_PROBLEM, ANY_CODE, SOFT, EPROTO },
};

static const struct error_row *find_error(const struct packet *packet)
{
    for (size_t i = 0; i < sizeof error_table / sizeof *error_table; i++) {
        const struct error_row *row = &error_table[i];
        bool code_fits = row->code == ANY_CODE || row->code == packet->icmp.code;
        if (row->version == packet->ip.version && row->type == packet->icmp.type && code_fits)
            return row;
    }
    return NULL;
}

/* ---- echo -------------------------------------------------------------------------------------------------------- */

static bool is_echo_request(const struct packet *packet)
{
    return packet->icmp.type == (packet->ip.version == 4 ? ICMP4_ECHO : ICMP6_ECHO) && packet->icmp.code == 0;
}

static void answer_echo(struct ref_stack *stack, const struct packet *request)
{
    bool ipv4 = request->ip.version == 4;
    const struct pkt_spec reply = {
        .protocol = ipv4 ? PKT_PROTO_ICMP : PKT_PROTO_ICMP6, .src = request->ip.dst, .dst = request->ip.src, .tos = request->ip.tos,
        .icmp_type = ipv4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY, .icmp_rest = request->icmp.rest,
        .payload = request->icmp.body, .payload_len = request->icmp.body_len, .ip_id = (uint16_t)ref_random(stack),
    };
    ref_emit(stack, &reply);
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* The connection that sent the quoted segment, if it has that segment in flight (RFC 5927 §4.1: SND.UNA =< SEG.SEQ < SND.NXT). */
static struct ref_tcb *connection_in_error(const struct ref_stack *stack, const struct packet *error, struct packet *quoted)
{
    if (pkt_parse_quoted(error->icmp.body, error->icmp.body_len, quoted) != PKT_OK || quoted->kind != PKT_KIND_TCP)
        return NULL;
    const struct ref_tuple tuple = { .local = quoted->ip.src, .remote = quoted->ip.dst,
                                     .local_port = quoted->tcp.src_port, .remote_port = quoted->tcp.dst_port };
    struct ref_tcb *tcb = ref_tcb_find(stack, &tuple);
    bool in_flight = tcb && seq_le(tcb->snd_una, quoted->tcp.seq) && seq_lt(quoted->tcp.seq, tcb->snd_nxt);
    return in_flight ? tcb : NULL;
}

/* MUST NOT abort (MUST-56), but tell (SHLD-25); it also becomes the reason if the connection times out. */
static void soft_error(struct ref_tcb *tcb, int error)
{
    tcb->soft_error = error;
    ref_report(tcb, REF_REPORT_ICMP_ERROR, error);
}

/* SHLD-26; in synchronized states only where so configured, as forged ones are cheap (RFC 5927 §5.2). */
static void hard_error(struct ref_tcb *tcb, int error)
{
    bool synchronised = tcb->state >= TCP_STATE_ESTABLISHED;
    if (synchronised && !tcb->stack->config.hard_errors_abort) {
        soft_error(tcb, error);
        return;
    }
    if (tcb->state == TCP_STATE_SYN_SENT)
        ref_fastopen_negative(tcb);
    if (tcb->state == TCP_STATE_SYN_RECEIVED && tcb->passive && !tcb->socket)
        ref_tcb_give_back(tcb);
    else
        ref_tcb_close(tcb, error);
}

void ref_icmp_arrives(struct ref_stack *stack, const struct packet *packet)
{
    struct packet quoted;
    if (is_echo_request(packet)) {
        answer_echo(stack, packet);
        return;
    }
    const struct error_row *row = find_error(packet);
    struct ref_tcb *tcb = row ? connection_in_error(stack, packet, &quoted) : NULL;
    if (!tcb)
        return;
    switch (row->severity) {
    case SOFT:
        soft_error(tcb, row->error);
        break;
    case HARD:
        hard_error(tcb, row->error);
        break;
    case TOO_BIG:
        ref_pmtu_too_big(tcb, &quoted, packet->ip.version == 4 ? packet->icmp.rest & 0xffff : packet->icmp.rest);
        break;
    }
}
