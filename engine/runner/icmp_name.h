/* ICMP types and codes by the names that packetdrill gives them. */
#ifndef TCPASSAY_RUNNER_ICMP_NAME_H
#define TCPASSAY_RUNNER_ICMP_NAME_H

#include "engine/scenario/scenario.h"

/* The number that a name or number of a scenario stands for in this IP version; -1 when there is none. */
int icmp_type_number(const struct scn_expr *type, uint8_t ip_version);
int icmp_code_number(const struct scn_expr *code, uint8_t ip_version);

#endif
