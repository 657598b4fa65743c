/* Where the tester uses the machine's own address: keeps the local kernel from seeing, and so from answering, what is meant for the
 * tester's ports. A table of our own in nftables, or an eBPF filter where the machine has no nftables. */
#ifndef TCPASSAY_TARGETS_REMOTE_FIREWALL_H
#define TCPASSAY_TARGETS_REMOTE_FIREWALL_H

#include "targets/remote/bpf.h"
#include "targets/remote/watcher.h"

enum { FIREWALL_RULES_MAX = 2, FIREWALL_TEXT_MAX = 1024 };

struct firewall {
    char table[WATCHER_TABLE_MAX];     /* "tcpassay_1234" */
    int held[FIREWALL_RULES_MAX];      /* descriptors of eBPF filters, -1 for none */
    const char *means;                 /* "nftables", "eBPF" */
};

/* The text that nft(8) is given: makes the table, with one rule for each of the guarded ports. Returns its length, or -1. */
int firewall_text(const char *table, const struct guarded_ports *guarded, unsigned count, char *out, size_t capacity);

/* Puts the rules in force. The watcher removes the table; the filters end with their descriptors. False with *error. */
bool firewall_open(struct firewall *f, struct watcher *watcher, unsigned ifindex, const struct guarded_ports *guarded,
                   unsigned count, struct target_error *error);
/* Drops the descriptors; the table is the watcher's. */
void firewall_close(struct firewall *f);

/* For the watcher. */
void firewall_delete_table(const char *table);

#endif
