/* Writes eBPF programs instruction by instruction, loads them, and ties them to an interface by a link.
 *
 * A link made with BPF_LINK_CREATE lives as long as its descriptor (bpf(2)); it needs no process that cleans up. */
#include "targets/remote/bpf.h"

#include <assert.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    ATTACH_TCX_INGRESS = 46, /* BPF_TCX_INGRESS, newer than some machines' headers */
    TCX_PASS = 0, TCX_DROP = 2,
    IPV6_HEADER_LEN = 40,
    PROGRAM_MAX = 80,        /* instructions; the longest, for IPv6, has under 70 */
};

struct program {
    struct bpf_insn code[PROGRAM_MAX];
    unsigned count;
};

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
    long result = syscall(SYS_bpf, command, attr, sizeof *attr);
    return result < 0 ? -errno : (int)result;
}

/* The descriptor of the link, which keeps the program. */
static int load_and_link(const struct program *program, enum bpf_prog_type type, uint32_t load_flags, uint32_t attach_type,
                         unsigned ifindex, uint32_t link_flags)
{
    union bpf_attr load;
    memset(&load, 0, sizeof load);
    load.prog_type = type;
    load.insns = (uint64_t)(uintptr_t)program->code;
    load.insn_cnt = program->count;
    load.license = (uint64_t)(uintptr_t) "Apache-2.0";
    load.prog_flags = load_flags;
    load.expected_attach_type = attach_type;
    memcpy(load.prog_name, "tcpassay", sizeof "tcpassay");
    int loaded = bpf(BPF_PROG_LOAD, &load);
    if (loaded < 0)
        return loaded;
    union bpf_attr link;
    memset(&link, 0, sizeof link);
    link.link_create.prog_fd = (uint32_t)loaded;
    link.link_create.target_ifindex = ifindex;
    link.link_create.attach_type = attach_type;
    link.link_create.flags = link_flags;
    int held = bpf(BPF_LINK_CREATE, &link);
    close(loaded);
    return held;
}

static void add(struct program *p, struct bpf_insn instruction)
{
    assert(p->count < PROGRAM_MAX);
    p->code[p->count++] = instruction;
}

static void set_result(struct program *p, int32_t value)
{
    add(p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = value });
}

static void leave(struct program *p)
{
    add(p, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

int bpf_hold_pass(unsigned ifindex)
{
    struct program p = { .count = 0 };
    set_result(&p, XDP_PASS);
    leave(&p);
    int held = load_and_link(&p, BPF_PROG_TYPE_XDP, BPF_F_XDP_HAS_FRAGS, BPF_XDP, ifindex, XDP_FLAGS_DRV_MODE);
    if (held != -EINVAL) /* an older kernel does not know of fragments: frames up to a page then */
        return held;
    return load_and_link(&p, BPF_PROG_TYPE_XDP, 0, BPF_XDP, ifindex, XDP_FLAGS_DRV_MODE);
}

/* ---- the port filter ------------------------------------------------------------------------------------------- */

/* Register 0 becomes the octets at an offset of the frame; beyond its end the program ends with 0, which is TCX_PASS. */
static void load(struct program *p, uint8_t size, int32_t offset)
{
    add(p, (struct bpf_insn){ .code = (uint8_t)(BPF_LD | size | BPF_ABS), .imm = offset });
}

/* Ends the program with TCX_PASS unless register 0 stands to value as the jump says. Immediate values are compared with 64 bits, so
 * a 32-bit one goes through a register. */
static void pass_unless(struct program *p, uint8_t jump, uint32_t value)
{
    add(p, (struct bpf_insn){ .code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = (int32_t)value });
    add(p, (struct bpf_insn){ .code = (uint8_t)(BPF_JMP | jump | BPF_X), .dst_reg = BPF_REG_0, .src_reg = BPF_REG_1, .off = 2 });
    set_result(p, TCX_PASS);
    leave(p);
}

static uint32_t word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void match_address(struct program *p, int32_t offset, const struct pkt_addr *addr)
{
    for (int32_t i = 0; i < (addr->version == 6 ? 16 : 4); i += 4) {
        load(p, BPF_W, offset + i);
        pass_unless(p, BPF_JEQ, word(addr->bytes + i));
    }
}

static void match_ipv4(struct program *p, const struct guarded_ports *guarded)
{
    load(p, BPF_B, ETH_HLEN + 9);
    pass_unless(p, BPF_JEQ, PKT_PROTO_TCP);
    match_address(p, ETH_HLEN + 12, &guarded->from);
    match_address(p, ETH_HLEN + 16, &guarded->to);
    load(p, BPF_H, ETH_HLEN + 6);
    add(p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = BPF_REG_0, .imm = 0x1fff });
    pass_unless(p, BPF_JEQ, 0);
    load(p, BPF_B, ETH_HLEN);
    add(p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = BPF_REG_0, .imm = 0x0f });
    add(p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_LSH | BPF_K, .dst_reg = BPF_REG_0, .imm = 2 });
    add(p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_7, .src_reg = BPF_REG_0 });
    add(p, (struct bpf_insn){ .code = BPF_LD | BPF_H | BPF_IND, .src_reg = BPF_REG_7, .imm = ETH_HLEN + 2 });
}

static void match_ipv6(struct program *p, const struct guarded_ports *guarded)
{
    load(p, BPF_B, ETH_HLEN + 6);
    pass_unless(p, BPF_JEQ, PKT_PROTO_TCP);
    match_address(p, ETH_HLEN + 8, &guarded->from);
    match_address(p, ETH_HLEN + 24, &guarded->to);
    load(p, BPF_H, ETH_HLEN + IPV6_HEADER_LEN + 2);
}

int bpf_hold_port_filter(unsigned ifindex, const struct guarded_ports *guarded)
{
    struct program p = { .count = 0 };
    bool ipv6 = guarded->to.version == 6;
    add(&p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_6, .src_reg = BPF_REG_1 });
    load(&p, BPF_H, ETH_HLEN - 2);
    pass_unless(&p, BPF_JEQ, ipv6 ? ETH_P_IPV6 : ETH_P_IP);
    if (ipv6)
        match_ipv6(&p, guarded);
    else
        match_ipv4(&p, guarded);
    pass_unless(&p, BPF_JGE, guarded->first);
    pass_unless(&p, BPF_JLE, guarded->last);
    set_result(&p, TCX_DROP);
    leave(&p);
    return load_and_link(&p, BPF_PROG_TYPE_SCHED_CLS, 0, ATTACH_TCX_INGRESS, ifindex, 0);
}
