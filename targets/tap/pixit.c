/* Reads PIXIT: what stands behind the colon of a target's name, or in a target file.
 *
 * Theory of operation. pixit_keys[] has one row a key; a row's set() reads one value into struct pixit and says only whether it
 * could: what it expects stands in the row itself, so that no message can differ from the manual. A key may stand once, iut=,
 * tester= and router= once for each IP version. pixit_check() then looks at what the keys say together. */
#include "targets/tap/pixit.h"
#include "targets/tap/failure.h"
#include "targets/tap/closest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VALUE_MAX = 512,           /* octets of one key=value */
    TESTER_ADDRESSES_MAX = 4096,
    TESTER_ADDRESSES = 50,     /* when iut= and tester= are left out */
    PREFIX_V4 = 24, PREFIX_V6 = 64,
    MTU_MIN = 68, MTU_MAX = 65535,
    SECONDS_MAX = 3600, PERCENT_MAX = 100,
};
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* ---- values ---------------------------------------------------------------------------------------------------- */

static bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return !errno && !*end && *out >= least && *out <= most;
}

/* Of units of unit_ns, at most SECONDS_MAX long; "2.5" is fine. */
static bool read_time(const char *text, int64_t unit_ns, int64_t *out_ns)
{
    char *end;
    if (*text < '0' || *text > '9' || strspn(text, "0123456789.") != strlen(text))
        return false;
    double value = strtod(text, &end) * (double)unit_ns;
    if (*end || value > (double)SECONDS_MAX * (double)NS_PER_S)
        return false;
    *out_ns = (int64_t)value;
    return true;
}

static bool read_word(const char *text, char *out, size_t capacity)
{
    size_t len = strlen(text);
    if (len == 0 || len >= capacity)
        return false;
    memcpy(out, text, len + 1);
    return true;
}

static bool read_choice(const char *text, const char *no, const char *yes, bool *out)
{
    *out = strcmp(text, yes) == 0;
    return *out || strcmp(text, no) == 0;
}

static bool is_of_one_host(const struct pkt_addr *addr)
{
    static const uint8_t zeros[16];
    uint8_t first = addr->bytes[0];
    if (addr->version == 6)
        return first != 0xff && memcmp(addr->bytes, zeros, sizeof zeros) != 0;
    return first != 0 && first < 0xe0;
}

/* "192.0.2.2", and what stands behind a separator, as a number. */
static bool read_addr(const char *text, char separator, uint64_t least, struct pkt_addr *addr, uint64_t *number)
{
    char before[PKT_ADDR_TEXT_MAX];
    const char *mark = strchr(text, separator);
    size_t len = mark ? (size_t)(mark - text) : strlen(text);
    if (len >= sizeof before)
        return false;
    memcpy(before, text, len);
    before[len] = '\0';
    *addr = (struct pkt_addr){ 0 };
    *number = 0;
    return pkt_addr_parse(before, addr) && is_of_one_host(addr) &&
           (!mark || read_number(mark + 1, least, TESTER_ADDRESSES_MAX, number));
}

static bool keep_addr(struct pkt_addr kept[2], const struct pkt_addr *addr)
{
    struct pkt_addr *place = &kept[addr->version == 6];
    if (place->version)
        return false; /* of that version there is one already */
    *place = *addr;
    return true;
}

static bool read_mac(const char *text, struct eth_addr *out)
{
    unsigned parts[6];
    int used = 0;
    if (strlen(text) != 17 || strspn(text, "0123456789abcdefABCDEF:") != 17
        || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &parts[0], &parts[1], &parts[2], &parts[3], &parts[4], &parts[5], &used) != 6
        || used != 17)
        return false;
    for (int i = 0; i < 6; i++)
        out->bytes[i] = (uint8_t)parts[i];
    return !(out->bytes[0] & 1);
}

/* HOST[:PORT], an IPv6 address in brackets; without a port it is 0. */
static bool read_host_port(const char *text, char *host, size_t capacity, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    uint64_t number = 0;
    if (colon && strchr(colon, ']'))
        colon = NULL;
    if (colon && !read_number(colon + 1, 1, UINT16_MAX, &number))
        return false;
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    if (bracketed) {
        text++;
        len -= 2;
    }
    if (len == 0 || len >= capacity || (!bracketed && memchr(text, ':', len)))
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    *port = (uint16_t)number;
    return true;
}

/* ---- keys ------------------------------------------------------------------------------------------------------ */

static bool set_iut(struct pixit *p, const char *value)
{
    struct pkt_addr addr;
    uint64_t prefix;
    if (!read_addr(value, '/', 1, &addr, &prefix) || prefix > (addr.version == 6 ? 128 : 32))
        return false;
    p->prefix[addr.version == 6] = (uint8_t)prefix;
    return keep_addr(p->iut, &addr);
}

static bool set_tester(struct pixit *p, const char *value)
{
    struct pkt_addr addr;
    uint64_t count;
    if (!read_addr(value, '+', 1, &addr, &count))
        return false;
    uint32_t wanted = count ? (uint32_t)count : 1;
    p->tester_count = p->tester_count && p->tester_count < wanted ? p->tester_count : wanted;
    return keep_addr(p->tester, &addr);
}

static bool set_router(struct pixit *p, const char *value)
{
    struct pkt_addr addr;
    return pkt_addr_parse(value, &addr) && is_of_one_host(&addr) && keep_addr(p->router, &addr);
}

static bool set_interface(struct pixit *p, const char *value)
{
    return read_word(value, p->interface, sizeof p->interface) && !strchr(value, '/');
}

static bool set_mac(struct pixit *p, const char *value)
{
    return p->mac_given = read_mac(value, &p->mac);
}

static bool set_iut_mac(struct pixit *p, const char *value)
{
    return p->iut_mac_given = read_mac(value, &p->iut_mac);
}

static bool set_mtu(struct pixit *p, const char *value)
{
    uint64_t mtu;
    if (!read_number(value, MTU_MIN, MTU_MAX, &mtu))
        return false;
    p->mtu = (uint16_t)mtu;
    return true;
}

static bool set_socket(struct pixit *p, const char *value)
{
    return read_choice(value, "dgram", "stream", &p->stream);
}

static bool set_listen(struct pixit *p, const char *value)
{
    return read_choice(value, "no", "yes", &p->listening);
}

static bool set_address(struct pixit *p, const char *value)
{
    return read_choice(value, "spare", "own", &p->own_address);
}

static bool set_upper(struct pixit *p, const char *value, enum pixit_upper kind)
{
    if (p->upper != PIXIT_UPPER_NONE || !read_host_port(value, p->upper_host, sizeof p->upper_host, &p->upper_port))
        return false;
    p->upper = kind;
    return true;
}

static bool set_agent(struct pixit *p, const char *value)
{
    return set_upper(p, value, PIXIT_UPPER_AGENT);
}

static bool set_testability(struct pixit *p, const char *value)
{
    return set_upper(p, value, PIXIT_UPPER_TESTABILITY);
}

static bool set_key(struct pixit *p, const char *value)
{
    return read_word(value, p->key_file, sizeof p->key_file);
}

static bool set_port(struct pixit *p, const char *value)
{
    uint64_t port;
    if (!read_number(value, 1, UINT16_MAX, &port))
        return false;
    p->open_port = (uint16_t)port;
    return true;
}

static bool set_granularity_ms(struct pixit *p, const char *value)
{
    return read_time(value, NS_PER_MS, &p->granularity_ns);
}

static bool set_granularity_percent(struct pixit *p, const char *value)
{
    uint64_t percent;
    if (!read_number(value, 0, PERCENT_MAX, &percent))
        return false;
    p->granularity_permille = (uint32_t)percent * 10;
    return true;
}

static bool set_latency(struct pixit *p, const char *value)
{
    return read_time(value, NS_PER_MS, &p->latency_ns);
}

static bool set_msl(struct pixit *p, const char *value)
{
    return read_time(value, NS_PER_S, &p->msl_ns);
}

static bool set_echo(struct pixit *p, const char *value)
{
    return read_choice(value, "yes", "no", &p->no_echo);
}

static bool set_disruption(struct pixit *p, const char *value)
{
    return read_choice(value, "no", "yes", &p->disruption);
}

static bool set_ledger(struct pixit *p, const char *value)
{
    return read_word(value, p->ledger, sizeof p->ledger);
}

static bool set_description(struct pixit *p, const char *value)
{
    return read_word(value, p->description, sizeof p->description);
}

static bool set_lacks(struct pixit *p, const char *value)
{
    return read_word(value, p->lacks, sizeof p->lacks) && strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-+") == strlen(value);
}

const struct pixit_key pixit_keys[] = {
    { "iut", "ADDR[/PREFIX]", "an address of the stack under test, one of each IP version", set_iut },
    { "tester", "ADDR[+COUNT]", "the first of the tester's own addresses, one of each IP version, and how many", set_tester },
    { "router", "ADDR", "the stack under test is behind this router", set_router },
    { "interface", "NAME", "where to send and capture", set_interface },
    { "mac", "XX:XX:XX:XX:XX:XX", "the tester's MAC address, of one station", set_mac },
    { "iut-mac", "XX:XX:XX:XX:XX:XX", "the MAC address of the stack under test, which then is not asked for", set_iut_mac },
    { "mtu", "OCTETS", "the link's, from 68 to 65535", set_mtu },
    { "socket", "dgram|stream", "kind of the UNIX socket", set_socket },
    { "listen", "yes|no", "whether the tester makes the UNIX socket, and waits for the other side", set_listen },
    { "address", "spare|own", "own: no spare address can be had, and the machine's own is used", set_address },
    { "agent", "HOST[:PORT]", "where `tcpassay agent` listens", set_agent },
    { "testability", "HOST[:PORT]", "where an upper tester listens that speaks the AUTOSAR Testability Protocol", set_testability },
    { "key", "FILE", "the key shared with the agent", set_key },
    { "port", "PORT", "a TCP port that is open at the stack under test, for runs without upper tester", set_port },
    { "granularity-ms", "MS", "how late a timer of the stack under test may fire", set_granularity_ms },
    { "granularity-percent", "PERCENT", "and how much later by its length", set_granularity_percent },
    { "latency-ms", "MS", "how long an immediate reaction may take; measured when left out", set_latency },
    { "msl-s", "SECONDS", "its maximum segment lifetime: half of TIME-WAIT", set_msl },
    { "echo", "yes|no", "whether it answers ICMP echo", set_echo },
    { "disruption", "yes|no", "whether floods harm nobody there", set_disruption },
    { "ledger", "NAME|FILE", "whose known deviations count, those of a target of ours or a file of them", set_ledger },
    { "description", "TEXT", "what the reports call it", set_description },
    { "lacks", "FEATURE+FEATURE…", "features that it does not claim: their tests are not applicable", set_lacks },
    { NULL, NULL, NULL, NULL },
};
enum { KEY_COUNT = sizeof pixit_keys / sizeof *pixit_keys - 1 };
_Static_assert(KEY_COUNT <= sizeof((struct pixit *)0)->keys_seen * CHAR_BIT, "each key has its bit");

/* ---- arguments ------------------------------------------------------------------------------------------------- */

static bool refuse_key(const char *key, struct target_error *error)
{
    const char *names[KEY_COUNT];
    for (size_t i = 0; i < KEY_COUNT; i++)
        names[i] = pixit_keys[i].name;
    const char *closest = closest_word(key, names, KEY_COUNT);
    if (closest)
        return target_fail(error, TARGET_ERR_USAGE, "there is no key \"%.64s\": did you mean %s=?", key, closest);
    return target_fail(error, TARGET_ERR_USAGE, "there is no key \"%.64s\"; docs/targets.md lists the keys there are", key);
}

bool pixit_set(struct pixit *pixit, const char *key, const char *value, struct target_error *error)
{
    enum { PER_VERSION = 3 }; /* the first rows may stand twice, which their set() counts */
    for (unsigned i = 0; i < KEY_COUNT; i++) {
        const struct pixit_key *row = &pixit_keys[i];
        if (strcmp(row->name, key) != 0)
            continue;
        if (i >= PER_VERSION && (pixit->keys_seen >> i & 1))
            return target_fail(error, TARGET_ERR_USAGE, "%s= stands twice: leave one of them away", key);
        pixit->keys_seen |= UINT32_C(1) << i;
        return row->set(pixit, value)
            || target_fail(error, TARGET_ERR_USAGE, "%s=%.100s: expected %s=%s, %s", key, value, key, row->value, row->meaning);
    }
    return refuse_key(key, error);
}

static bool read_word_first(struct pixit *out, const char *argument, size_t len, struct target_error *error)
{
    if (len >= sizeof out->word)
        return target_fail(error, TARGET_ERR_USAGE, "what stands behind the colon begins with %zu octets: %zu at the most", len,
                           sizeof out->word - 1);
    memcpy(out->word, argument, len);
    out->word[len] = '\0';
    if (strchr(out->word, '='))
        return target_fail(error, TARGET_ERR_USAGE, "\"%.100s\" stands where a name does: WORD[,KEY=VALUE]…", out->word);
    return true;
}

/* Copies up to the next comma that no backslash hides; returns how much of the argument that was. SIZE_MAX: it does not fit. */
static size_t take_part(const char *at, char *out, size_t capacity)
{
    size_t used = 0, len = 0;
    for (; at[used] && at[used] != ','; used++) {
        used += at[used] == '\\' && at[used + 1] == ',';
        if (len + 1 >= capacity)
            return SIZE_MAX;
        out[len++] = at[used];
    }
    out[len] = '\0';
    return used;
}

bool pixit_parse(const char *argument, struct pixit *out, struct target_error *error)
{
    *out = (struct pixit){ 0 };
    size_t len = strcspn(argument, ",");
    if (!read_word_first(out, argument, len, error))
        return false;
    for (const char *at = argument + len; *at;) {
        char text[VALUE_MAX];
        at++; /* over the comma */
        len = take_part(at, text, sizeof text);
        if (len == SIZE_MAX)
            return target_fail(error, TARGET_ERR_USAGE, "\"%.40s…\" is too long: %zu octets at the most", at, sizeof text - 1);
        at += len;
        char *equals = strchr(text, '=');
        if (!equals)
            return target_fail(error, TARGET_ERR_USAGE, "\"%.100s\": expected KEY=VALUE", text);
        *equals = '\0';
        if (!pixit_set(out, text, equals + 1, error))
            return false;
    }
    return pixit_check(out, error);
}

/* ---- what the keys say together -------------------------------------------------------------------------------- */

static uint32_t last_octets(const struct pkt_addr *addr)
{
    const uint8_t *b = addr->bytes + (addr->version == 6 ? 12 : 0);
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Addresses are told apart, and counted up, by their last two octets. */
static bool is_in_range(const struct pkt_addr *first, uint32_t count, const struct pkt_addr *addr)
{
    return addr->version == first->version && (addr->version == 4 || memcmp(addr->bytes, first->bytes, 12) == 0)
        && last_octets(addr) - last_octets(first) < count;
}

static bool check_version(struct pixit *p, unsigned v, struct target_error *error)
{
    const struct pkt_addr *iut = &p->iut[v], *tester = &p->tester[v];
    char text[PKT_ADDR_TEXT_MAX];
    if (!iut->version != !tester->version && !p->own_address && tester->version)
        return target_fail(error, TARGET_ERR_USAGE, "tester=%s: iut= is missing for IPv%u", pkt_addr_format(tester, text), v ? 6u : 4u);
    if (!iut->version || !tester->version)
        return true;
    if (is_in_range(tester, p->tester_count, iut))
        return target_fail(error, TARGET_ERR_USAGE, "iut=%s is one of the tester's own addresses: they must differ",
                           pkt_addr_format(iut, text));
    if (p->router[v].version && is_in_range(tester, p->tester_count, &p->router[v]))
        return target_fail(error, TARGET_ERR_USAGE, "router=%s is one of the tester's own addresses: they must differ",
                    pkt_addr_format(&p->router[v], text));
    if ((last_octets(tester) & 0xffff) + p->tester_count > 0x10000)
        return target_fail(error, TARGET_ERR_USAGE, "tester=%s+%u: so many do not fit into the last two octets",
                           pkt_addr_format(tester, text), p->tester_count);
    if (!p->prefix[v])
        p->prefix[v] = v ? PREFIX_V6 : PREFIX_V4;
    return true;
}

bool pixit_check(struct pixit *p, struct target_error *error)
{
    if (p->tester_count == 0)
        p->tester_count = 1;
    if (p->own_address && (p->tester[0].version || p->tester[1].version))
        return target_fail(error, TARGET_ERR_USAGE, "address=own and tester= contradict each other: leave one of them away");
    if (p->key_file[0] && p->upper != PIXIT_UPPER_AGENT)
        return target_fail(error, TARGET_ERR_USAGE, "key= is of no use without agent=");
    return check_version(p, 0, error) && check_version(p, 1, error);
}

bool pixit_default_addresses(struct pixit *p, struct target_error *error)
{
    static const struct pkt_addr IUT[] = { { 4, { 192, 0, 2, 2 } }, { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } } };
    static const struct pkt_addr TESTER[] = { { 4, { 192, 0, 2, 100 } }, { 6, { 0x20, 0x01, 0x0d, 0xb8, [14] = 1 } } };
    bool any_iut = p->iut[0].version || p->iut[1].version, any_tester = p->tester[0].version || p->tester[1].version;
    if (!any_iut && !any_tester) {
        p->tester_count = TESTER_ADDRESSES;
        for (unsigned v = 0; v < 2; v++) {
            p->iut[v] = IUT[v];
            p->tester[v] = TESTER[v];
        }
        return pixit_check(p, error);
    }
    for (unsigned v = 0; v < 2; v++)
        if (p->iut[v].version && p->tester[v].version)
            return true;
    return target_fail(error, TARGET_ERR_USAGE, any_iut ? "tester= is missing: name addresses that nobody else has on the link of the stack under test"
                               : "iut= is missing: the address of the stack under test, of the same IP version as tester=");
}
