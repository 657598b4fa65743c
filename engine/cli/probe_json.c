/* A probe's report for machines. Times are nanoseconds; what was not measured is not there. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cli/probe_view.h"

/* Strings of ours are ASCII but for what a host or a person has given: what is no UTF-8 becomes null. */
static json_t *text(const char *s)
{
    json_t *string = json_string(s);
    return string ? string : json_null();
}

static json_t *address(const struct pkt_addr *addr)
{
    char out[PKT_ADDR_TEXT_MAX];
    return addr->version ? json_string(pkt_addr_format(addr, out)) : json_null();
}

static json_t *times(const struct probe_times *t)
{
    return t->count ? json_pack("{s:i,s:I,s:I,s:I,s:I}", "count", (int)t->count, "min_ns", (json_int_t)t->min_ns, "median_ns",
                                (json_int_t)t->median_ns, "p99_ns", (json_int_t)t->p99_ns, "max_ns", (json_int_t)t->max_ns)
                    : NULL;
}

static void put(json_t *object, const char *name, json_t *value)
{
    if (value)
        json_object_set_new(object, name, value);
}

static json_t *outcome(const struct probe_outcome *o)
{
    json_t *out = json_pack("{s:s,s:I}", "answer", probe_answer_text(o->answer), "took_ns", (json_int_t)o->took_ns);
    if (o->error)
        put(out, "error", text(strerror(o->error)));
    if (o->has_icmp)
        put(out, "icmp",
            json_pack("{s:o,s:i,s:i,s:s}", "from", address(&o->icmp_from), "type", o->icmp_type, "code", o->icmp_code, "text",
                                   probe_icmp_text(o->icmp_from.version, o->icmp_type, o->icmp_code)));
    return out;
}

static json_t *addresses(const struct probe_report *r)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < r->address_count; i++) {
        const struct probe_address *a = &r->addresses[i];
        json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:o}", "address", address(&a->remote.addr), "from", address(&a->local), "interface",
                                              *a->interface ? text(a->interface) : json_null(), "outcome", outcome(&a->outcome)));
    }
    return list;
}

static json_t *offer(const struct probe_report *r)
{
    static const char *const sources[] = {[PROBE_FROM_TCP_INFO] = "tcp_info", [PROBE_FROM_KERNEL] = "kernel", [PROBE_FROM_OWN_SYN] = "own-syn"};
    const struct probe_offer *o = &r->offer;
    if (o->source == PROBE_NOWHERE)
        return NULL;
    json_t *out = json_pack("{s:s,s:b,s:b,s:b,s:b}", "source", sources[o->source], "sack", o->options.sack_permitted, "timestamps",
                            o->options.has_timestamp, "ecn", o->ecn, "ecn_asked", o->ecn_asked);
    put(out, "wscale", o->options.has_wscale ? json_integer(o->options.wscale) : json_null());
    put(out, "tick_hz", o->tick_known ? json_real(o->tick_hz) : NULL);
    if (o->source == PROBE_FROM_TCP_INFO)
        return out;
    put(out, "mss", o->options.has_mss ? json_integer(o->options.mss) : json_null());
    put(out, "window", json_integer(o->window));
    put(out, "ttl", json_integer(o->ttl));
    put(out, "options", text(o->options_text));
    put(out, "fastopen_asked", json_boolean(o->fastopen_asked));
    put(out, "fastopen_cookie_octets", o->options.has_fastopen ? json_integer(o->options.fastopen_cookie_len) : json_null());
    put(out, "everything_unanswered", json_boolean(o->everything_unanswered));
    return out;
}

static json_t *ladder(const struct probe_report *r)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < r->ladder.count; i++) {
        const struct ladder_rung *g = &r->ladder.rungs[i];
        char flags[16];
        pkt_format_flags(g->flags, flags, sizeof flags);
        json_array_append_new(list, json_pack("{s:I,s:s,s:s,s:I,s:I,s:I,s:I,s:i,s:i,s:o,s:s,s:s}", "at_ns", (json_int_t)g->at_ns, "from",
            g->from_client ? "client" : "server", "flags", flags, "seq", (json_int_t)g->seq, "ack", (json_int_t)g->ack, "relative_seq",
            (json_int_t)g->rel_seq, "relative_ack", (json_int_t)g->rel_ack, "window", g->window, "payload_octets", (int)g->payload_len, "options",
            text(g->options), "client", g->client == LADDER_UNKNOWN ? "?" : tcp_state_name(g->client), "server",
            g->server == LADDER_UNKNOWN ? "?" : tcp_state_name(g->server)));
    }
    return list;
}

static json_t *integers(const int64_t *values, unsigned count)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(list, json_integer(values[i]));
    return list;
}

static json_t *resends(const struct resends *s)
{
    static const char *const shapes[] = {[RESEND_TOO_FEW] = "too-few", [RESEND_DOUBLING] = "doubling", [RESEND_LINEAR_FIRST] = "linear-first",
                                         [RESEND_CONSTANT] = "constant", [RESEND_IRREGULAR] = "irregular"};
    return s->seen ? json_pack("{s:o,s:s,s:b,s:I}", "at_ns", integers(s->at_ns, s->count), "shape", shapes[resend_shape(s)], "gave_up",
                               s->end == RESEND_GAVE_UP, "watched_ns", (json_int_t)s->end_ns)
                   : NULL;
}

static json_t *plan(const struct probe_report *r)
{
    const struct resend_plan *p = &r->syn_plan;
    return p->known ? json_pack("{s:i,s:i,s:o,s:I}", "tcp_syn_retries", (int)p->retries, "tcp_syn_linear_timeouts", (int)p->linear, "at_ns",
                                integers(p->at_ns, p->count), "gives_up_ns", (json_int_t)p->gives_up_ns)
                    : NULL;
}

static json_t *isn(const struct probe_report *r)
{
    static const char *const how[] = {[ISN_BY_SAME] = "same", [ISN_BY_STEP] = "step", [ISN_BY_CLOCK] = "clock", [ISN_BY_TREND] = "trend"};
    const struct isn_judgement *j = &r->isn;
    if (!r->isn_sent)
        return NULL;
    json_t *out = json_pack("{s:s,s:i,s:i,s:i}", "kind", probe_isn_text(j->kind), "sent", (int)r->isn_sent, "ports", (int)j->ports,
                            "same_port", (int)j->same);
    if (j->kind != ISN_UNDECIDED) {
        put(out, "predictor", json_string(how[j->predictor]));
        put(out, "error", json_integer(j->error));
        put(out, "entropy_bits", json_real(j->entropy_bits));
        put(out, "spectral_line", json_real(j->line));
        put(out, "spectral_line_by_chance", json_real(j->line_by_chance));
    }
    put(out, "same_port_clock_hz", j->same_clock ? json_real(j->same_clock_hz) : NULL);
    return out;
}

static json_t *requests(const struct probe_config *config, const struct probe_report *r)
{
    static const char *const names[] = {[PROBE_REQUEST_NEW] = "new", [PROBE_REQUEST_REUSED] = "reused", [PROBE_REQUEST_FASTOPEN] = "fastopen"};
    if (!r->requested)
        return NULL;
    json_t *out = json_pack("{s:o,s:o}", "path", text(config->request_path), "status", text(r->request_status));
    for (enum probe_request_kind kind = 0; kind < PROBE_REQUEST_KINDS; kind++) {
        json_t *one = json_object();
        put(one, "connect", times(&r->requests[kind].connect));
        put(one, "first_octet", times(&r->requests[kind].first_byte));
        put(one, "whole", times(&r->requests[kind].whole));
        put(one, "why_not", *r->requests[kind].why_not ? text(r->requests[kind].why_not) : NULL);
        put(out, names[kind], one);
    }
    return out;
}

static json_t *missing(const struct probe_report *r)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < r->missing_count; i++)
        json_array_append_new(list, json_pack("{s:o,s:o}", "what", text(r->missing[i].what), "mend", text(r->missing[i].mend)));
    return list;
}

int probe_print_json(const struct probe_config *config, const struct probe_report *r, const char *host, FILE *out)
{
    const struct probe_address *chosen = &r->addresses[r->chosen];
    json_t *all = json_pack("{s:i,s:o,s:i,s:o,s:s,s:b,s:b,s:o}", "schema", 1, "host", text(host), "port", chosen->remote.port,
                            "address", address(&chosen->remote.addr), "answer", probe_answer_text(chosen->outcome.answer),
                            "captured", r->captured, "raw", r->raw, "addresses", addresses(r));
    if (!all)
        return -1;
    put(all, "tries",
        json_pack("{s:i,s:i,s:i}", "count", (int)r->tries, "sent_again", (int)r->lost, "ended_otherwise", (int)r->different_count));
    put(all, "connect", times(&r->connect));
    put(all, "wire", times(&r->wire));
    put(all, "kernel_rtt", times(&r->kernel_rtt));
    put(all, "echo", times(&r->echo));
    put(all, "offer", offer(r));
    put(all, "ladder", ladder(r));
    put(all, "syn_observed", resends(&r->syn));
    put(all, "syn_computed", plan(r));
    put(all, "syn_ack", resends(&r->syn_ack));
    put(all, "isn", isn(r));
    put(all, "request", requests(config, r));
    put(all, "missing", missing(r));
    const int written = json_dumpf(all, out, JSON_INDENT(2));
    json_decref(all);
    return written == 0 && fputc('\n', out) != EOF ? 0 : -1;
}
