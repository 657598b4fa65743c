/* ICMP types and codes by name, in both versions (RFC 792, RFC 1122 §3.2.2.1, RFC 4443). */
#include "engine/runner/icmp_name.h"

#include <string.h>

struct icmp_name { const char *name; int v4, v6; };

static const struct icmp_name types[] = {
    {"echo_reply", 0, 129},     {"unreachable", 3, 1},       {"source_quench", 4, -1},  {"redirect", 5, 137},
    {"echo_request", 8, 128},   {"time_exceeded", 11, 3},    {"parameter_problem", 12, 4}, {"packet_too_big", -1, 2},
    {"timestamp", 13, -1},      {"timestamp_reply", 14, -1},
};

static const struct icmp_name codes[] = {
    {"net_unreachable", 0, 0},     {"host_unreachable", 1, 3},    {"protocol_unreachable", 2, -1}, {"port_unreachable", 3, 4},
    {"frag_needed", 4, 0},         {"source_route_failed", 5, -1}, {"net_unknown", 6, -1},         {"host_unknown", 7, -1},
    {"source_host_isolated", 8, -1}, {"net_prohibited", 9, -1},   {"host_prohibited", 10, -1},     {"net_unreachable_for_tos", 11, -1},
    {"host_unreachable_for_tos", 12, -1}, {"packet_filtered", 13, 1}, {"admin_prohibited", 13, 1}, {"precedence_violation", 14, -1},
    {"precedence_cutoff", 15, -1}, {"no_route", -1, 0},           {"beyond_scope", -1, 2},         {"addr_unreachable", -1, 3},
    {"failed_policy", -1, 5},      {"reject_route", -1, 6},       {"ttl_exceeded", 0, 0},          {"reassembly_exceeded", 1, 1},
};

static int number_of(const struct scn_expr *e, uint8_t ip_version, const struct icmp_name *names, size_t count)
{
    if (e->kind == SCN_EXPR_NUMBER)
        return e->number >= 0 && e->number <= 255 ? (int)e->number : -1;
    for (size_t i = 0; e->kind == SCN_EXPR_NAME && i < count; i++)
        if (!strcmp(names[i].name, e->text))
            return ip_version == 4 ? names[i].v4 : names[i].v6;
    return -1;
}

int icmp_type_number(const struct scn_expr *type, uint8_t ip_version)
{
    return number_of(type, ip_version, types, sizeof types / sizeof *types);
}

int icmp_code_number(const struct scn_expr *code, uint8_t ip_version)
{
    return number_of(code, ip_version, codes, sizeof codes / sizeof *codes);
}
