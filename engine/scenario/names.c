/* The fixed words of the language as tables; everything that reads or prints one of them looks here. */
#include "engine/scenario/names.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- with KEY VALUE ---------------------------------------------------------------------------------------------- */

static const struct { const char *name, *expects; int64_t max; bool injection, expectation; } keys[SCN_KEY_COUNT] = {
    [SCN_KEY_CHECKSUM] = { "checksum", "`bad`, `good` or a number up to 65535", 0xffff, true, true },
    [SCN_KEY_DOFF] = { "doff", "a number of words up to 15", 15, true, true },
    [SCN_KEY_RESERVED] = { "reserved", "a number up to 15", 15, true, true },
    [SCN_KEY_OPTIONS] = { "options", "octets in hexadecimal", -1, true, false },
    [SCN_KEY_PAYLOAD] = { "payload", "a text in quotes or `fill` and an octet", 0xff, true, true },
    [SCN_KEY_TRUNCATE] = { "truncate", "a number of octets up to 65575", PKT_BYTES_MAX, true, false },
    [SCN_KEY_FRAGMENT] = { "fragment", "a number of octets up to 65535", 0xffff, true, false },
    [SCN_KEY_SPORT] = { "sport", "a port", 0xffff, true, true },
    [SCN_KEY_DPORT] = { "dport", "a port", 0xffff, true, true },
    [SCN_KEY_SEQ_ABS] = { "seq.abs", "a number of 32 bits", 0xffffffff, true, false },
    [SCN_KEY_ACK_ABS] = { "ack.abs", "a number of 32 bits", 0xffffffff, true, false },
    [SCN_KEY_IP_CHECKSUM] = { "ip.checksum", "`bad` or a number up to 65535", 0xffff, true, false },
    [SCN_KEY_IP_LEN] = { "ip.len", "a number up to 65535", 0xffff, true, false },
    [SCN_KEY_IP_IHL] = { "ip.ihl", "a number of words up to 15", 15, true, false },
    [SCN_KEY_IP_VERSION] = { "ip.version", "a number up to 15", 15, true, false },
    [SCN_KEY_IP_PROTO] = { "ip.proto", "a number up to 255", 0xff, true, false },
    [SCN_KEY_IP_TTL] = { "ip.ttl", "a number up to 255", 0xff, true, true },
    [SCN_KEY_IP_TOS] = { "ip.tos", "a number up to 255", 0xff, true, true },
    [SCN_KEY_IP_ID] = { "ip.id", "a number up to 65535", 0xffff, true, true },
    [SCN_KEY_IP_DF] = { "ip.df", "0 or 1", 1, true, true },
    [SCN_KEY_IP_SRC] = { "ip.src", "an address in quotes", -1, true, false },
    [SCN_KEY_IP_DST] = { "ip.dst", "an address in quotes", -1, true, false },
};

const char *scn_key_name(enum scn_key key)
{
    return keys[key].name;
}

const char *scn_key_expects(enum scn_key key)
{
    return keys[key].expects;
}

int64_t scn_key_max(enum scn_key key)
{
    return keys[key].max;
}

bool scn_key_in_injection(enum scn_key key)
{
    return keys[key].injection;
}

bool scn_key_in_expectation(enum scn_key key)
{
    return keys[key].expectation;
}

enum scn_key scn_key_from_name(const char *name)
{
    for (unsigned i = 0; i < SCN_KEY_COUNT; i++)
        if (strcmp(keys[i].name, name) == 0)
            return (enum scn_key)i;
    return SCN_KEY_COUNT;
}

/* ---- word lists -------------------------------------------------------------------------------------------------- */

static int find(const char *const *words, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], name) == 0)
            return (int)i;
    return -1;
}

const char *const scn_need_words[] = { /* in the order of enum scn_need's bits */
    "connect", "listen", "ipv6", "icmp", "urgent", "status", "exclusive", "disruptive", "virtual-time",
};
const unsigned scn_need_word_count = COUNT(scn_need_words);

unsigned scn_need_from_name(const char *name)
{
    const int index = find(scn_need_words, COUNT(scn_need_words), name);
    return index < 0 ? 0 : 1u << index;
}

const char *scn_need_name(enum scn_need need)
{
    return scn_need_words[__builtin_ctz(need)];
}

const char *const scn_profile_words[] = { "quick", "full", "soak" };
const unsigned scn_profile_word_count = COUNT(scn_profile_words);

int scn_profile_from_name(const char *name)
{
    return find(scn_profile_words, COUNT(scn_profile_words), name);
}

const char *scn_profile_name(enum scn_profile profile)
{
    return scn_profile_words[profile];
}

const char *const scn_ip_words[] = { "noecn", "ect0", "ect1", "ect01", "ce", "tos", "ttl", "flowlabel" }; /* first those of enum scn_ecn */
const unsigned scn_ip_word_count = COUNT(scn_ip_words);

enum scn_ecn scn_ecn_from_name(const char *name)
{
    return (enum scn_ecn)(find(scn_ip_words, SCN_ECN_CE, name) + 1);
}

const char *scn_ecn_name(enum scn_ecn ecn)
{
    return scn_ip_words[ecn - 1];
}

const char *const scn_link_words[] = { "drop", "duplicate", "delay", "reorder" };
const unsigned scn_link_word_count = COUNT(scn_link_words);

int scn_link_event_from_name(const char *name)
{
    return find(scn_link_words, COUNT(scn_link_words), name);
}

const char *scn_link_event_name(enum scn_link_event event)
{
    return scn_link_words[event];
}

/* ---- TCP options ------------------------------------------------------------------------------------------------- */

static const uint8_t option_kinds[] = {
    PKT_OPT_MSS, PKT_OPT_WSCALE, PKT_OPT_SACK_PERMITTED, PKT_OPT_SACK, PKT_OPT_TIMESTAMP, PKT_OPT_USER_TIMEOUT, PKT_OPT_FASTOPEN,
    PKT_OPT_MD5, PKT_OPT_NOP, PKT_OPT_EOL,
};
const char *const scn_option_words[] = { "mss", "wscale", "sackOK", "sack", "TS", "uto", "FO", "md5", "nop", "eol", "FOEXP", "ECN", "kind" };
const unsigned scn_option_word_count = COUNT(scn_option_words);

const char *scn_option_name(uint8_t kind, bool experimental)
{
    if (experimental)
        return "FOEXP";
    for (size_t i = 0; i < COUNT(option_kinds); i++)
        if (option_kinds[i] == kind)
            return scn_option_words[i];
    return NULL;
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

const char *const scn_call_words[] = {
    "socket", "bind", "listen", "accept", "connect", "read", "recv", "recvfrom", "write", "send", "sendto", "shutdown", "close",
    "setsockopt", "getsockopt", "fcntl", "ioctl", "poll",
};
const unsigned scn_call_word_count = COUNT(scn_call_words);

static const char *const parsed_only[] = { /* packetdrill's */
    "readv", "recvmsg", "writev", "sendmsg", "cap_set", "open", "sendfile", "epoll_create", "epoll_ctl", "epoll_wait", "pipe", "splice",
    "psp_rx_assoc", "psp_tx_assoc",
};

enum scn_call_support scn_call_support(const char *name)
{
    if (find(scn_call_words, COUNT(scn_call_words), name) >= 0)
        return SCN_CALL_SUPPORTED;
    return find(parsed_only, COUNT(parsed_only), name) >= 0 ? SCN_CALL_PARSED_ONLY : SCN_CALL_UNKNOWN;
}

/* ---- ICMP and errors --------------------------------------------------------------------------------------------- */

const char *const scn_icmp_words[] = {
    "echo_reply", "unreachable", "source_quench", "redirect", "echo_request", "time_exceeded", "parameter_problem", "timestamp_request",
    "timestamp_reply", "information_request", "information_reply", "address_mask_request", "address_mask_reply", "packet_too_big",
    /* codes */
    "net_unreachable", "host_unreachable", "protocol_unreachable", "port_unreachable", "frag_needed", "source_route_failed", "net_unknown",
    "host_unknown", "source_host_isolated", "net_prohibited", "host_prohibited", "net_unreachable_for_tos", "host_unreachable_for_tos",
    "packet_filtered", "precedence_violation", "precedence_cutoff", "no_route", "admin_prohibited", "not_neighbour", "address_unreachable",
    "exceeded_hop_limit", "exceeded_frag_time", "header_field", "unknown_next_header", "unknown_option",
};
const unsigned scn_icmp_word_count = COUNT(scn_icmp_words);
enum { ICMP_TYPE_COUNT = 14 };

bool scn_is_icmp_name(const char *name, bool code)
{
    const unsigned first = code ? ICMP_TYPE_COUNT : 0;
    return find(scn_icmp_words + first, code ? COUNT(scn_icmp_words) - first : ICMP_TYPE_COUNT, name) >= 0;
}

const char *const scn_errno_words[] = {
    "EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EAFNOSUPPORT", "EAGAIN", "EALREADY", "EBADF", "EBUSY", "ECONNABORTED", "ECONNREFUSED", "ECONNRESET",
    "EDESTADDRREQ", "EDOM", "EEXIST", "EFAULT", "EHOSTDOWN", "EHOSTUNREACH", "EINPROGRESS", "EINTR", "EINVAL", "EIO", "EISCONN", "EMFILE",
    "EMSGSIZE", "ENETDOWN", "ENETRESET", "ENETUNREACH", "ENFILE", "ENOBUFS", "ENODEV", "ENOENT", "ENOMEM", "ENOMSG", "ENOPROTOOPT", "ENOSPC",
    "ENOSYS", "ENOTCONN", "ENOTSOCK", "ENOTSUP", "ENOTTY", "EOPNOTSUPP", "EPERM", "EPIPE", "EPROTO", "EPROTONOSUPPORT", "ERANGE", "ESOCKTNOSUPPORT",
    "ETIMEDOUT", "ETOOMANYREFS", "EWOULDBLOCK",
};
const unsigned scn_errno_word_count = COUNT(scn_errno_words);

bool scn_is_errno_name(const char *name)
{
    enum { ERRNO_MAX = 133 }; /* EHWPOISON, Linux's last */
    if (find(scn_errno_words, COUNT(scn_errno_words), name) >= 0)
        return true;
    for (int i = 1; i <= ERRNO_MAX; i++) {
        const char *known = strerrorname_np(i);
        if (known && strcmp(known, name) == 0)
            return true;
    }
    return false;
}

/* ---- functions --------------------------------------------------------------------------------------------------- */

static const struct scn_function functions[] = { /* the order of scn_function_words */
    { "iss", 0, true }, { "irs", 0, true }, { "snd_nxt", 0, true }, { "snd_una", 0, true }, { "rcv_nxt", 0, true },
    { "window", 0, true }, { "ts_recent", 0, true }, { "abs", 1, false }, { "min", 2, false }, { "max", 2, false },
    { "mod32", 1, false }, { "mtu", 0, false }, { "ipv6", 0, false },
    { "now", 0, false },
};
const char *const scn_function_words[] = {
    "iss", "irs", "snd_nxt", "snd_una", "rcv_nxt", "window", "ts_recent", "abs", "min", "max", "mod32", "mtu", "ipv6", "now",
};
const unsigned scn_function_word_count = COUNT(scn_function_words);
_Static_assert(COUNT(functions) == COUNT(scn_function_words), "a function has no word");

const struct scn_function *scn_function_from_name(const char *name)
{
    const int index = find(scn_function_words, COUNT(scn_function_words), name);
    return index < 0 ? NULL : &functions[index];
}
