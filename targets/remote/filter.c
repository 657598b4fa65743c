/* Writes the filter: what comes to the tester's MAC address for one of its IP addresses, and ARP and neighbour solicitations, which
 * come to everybody. The tester's own frames stay out, and so does the control connection to an agent, which the machine's kernel
 * has under another address or at another port. */
#include "targets/remote/filter.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct text {
    char *out;
    size_t capacity;
    int len; /* -1 once it did not fit */
};

__attribute__((format(printf, 2, 3))) static void say(struct text *t, const char *format, ...)
{
    va_list arguments;
    if (t->len < 0)
        return;
    va_start(arguments, format);
    int added = vsnprintf(t->out + t->len, t->capacity - (size_t)t->len, format, arguments);
    va_end(arguments);
    t->len = added < 0 || (size_t)added >= t->capacity - (size_t)t->len ? -1 : t->len + added;
}

static uint32_t word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Destinations first, first + 1 … whose last 32 bits stand at that offset. Counting past 2^32 goes on at 0. */
static void say_range(struct text *t, const char *header, unsigned offset, uint32_t first, uint32_t count)
{
    uint32_t last = first + (count - 1);
    say(t, "(%s[%u:4] >= 0x%" PRIx32 " %s %s[%u:4] <= 0x%" PRIx32 ")", header, offset, first, last < first ? "or" : "and", header, offset, last);
}

static void say_spare_addresses(struct text *t, const struct filter *f)
{
    const uint8_t *v6 = f->tester[1].bytes;
    say(t, "(ether dst ");
    for (int i = 0; i < 6; i++)
        say(t, "%s%02x", i ? ":" : "", f->mac.bytes[i]);
    say(t, " and (arp");
    if (f->tester[0].version) {
        say(t, " or (ip and ");
        say_range(t, "ip", 16, word(f->tester[0].bytes), f->tester_count);
        say(t, ")");
    }
    if (f->tester[1].version) {
        say(t, " or (ip6");
        for (unsigned i = 0; i < 12; i += 4)
            say(t, " and ip6[%u:4] = 0x%" PRIx32, 24 + i, word(v6 + i));
        say(t, " and ");
        say_range(t, "ip6", 36, word(v6 + 12), f->tester_count);
        say(t, ")");
    }
    say(t, ")) or (ether broadcast and arp) or (ether multicast and icmp6 and ip6[40] = 135)");
}

/* Answers to ARP and neighbour solicitations are ours as well as the kernel's; the questions are the kernel's. */
static void say_own_address(struct text *t, const struct filter *f)
{
    char own[PKT_ADDR_TEXT_MAX], iut[PKT_ADDR_TEXT_MAX];
    say(t, "(ether dst ");
    for (int i = 0; i < 6; i++)
        say(t, "%s%02x", i ? ":" : "", f->mac.bytes[i]);
    say(t, " and ((arp and arp[6:2] = 2)");
    if (f->tester[0].version)
        say(t,
            " or (ip dst host %s and ((ip src host %s and (tcp dst portrange %u-%u or ip[6:2] & 0x1fff != 0)) or (icmp and icmp[0] != 8)))",
            pkt_addr_format(&f->tester[0], own), pkt_addr_format(&f->iut[0], iut), f->first_port, f->last_port);
    if (f->tester[1].version)
        say(t,
            " or (ip6 dst host %s and ((ip6 src host %s and (tcp dst portrange %u-%u or ip6[6] = 44)) or (icmp6 and ip6[40] != 128 and "
            "ip6[40] != 135)))",
            pkt_addr_format(&f->tester[1], own), pkt_addr_format(&f->iut[1], iut), f->first_port, f->last_port);
    say(t, "))");
}

int filter_text(const struct filter *f, char *out, size_t capacity)
{
    struct text t = { .out = out, .capacity = capacity };
    say(&t, "not ether src ");
    for (int i = 0; i < 6; i++)
        say(&t, "%s%02x", i ? ":" : "", f->mac.bytes[i]);
    say(&t, " and (");
    if (f->own_address)
        say_own_address(&t, f);
    else
        say_spare_addresses(&t, f);
    say(&t, ")");
    return t.len;
}
