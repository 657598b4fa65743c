/* A server's answer to `tcpassay serve --status`, shown as `ss -tano` shows the kernel's connections. It is JSON of unknown making:
 * what is not there counts as nothing, and what would disturb a terminal is not shown. */
#include "engine/cli/serve_view.h"

#include <string.h>

enum { ENDPOINT_MAX = 64 };

json_t *serve_view_read(const char *text, size_t len)
{
    json_t *document = json_loadb(text, len, 0, NULL);
    if (json_is_array(json_object_get(document, "connections")))
        return document;
    json_decref(document);
    return NULL;
}

static json_int_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* "" when it is not there, or has what would disturb a terminal. */
static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    for (const char *c = text ? text : ""; *c; c++)
        if (*c <= ' ' || *c > '~')
            return "?";
    return text ? text : "";
}

static const char *endpoint(const json_t *c, const char *address, const char *port, char out[static ENDPOINT_MAX])
{
    const char *addr = word(c, address);
    snprintf(out, ENDPOINT_MAX, !*addr ? "%s*:%u" : strchr(addr, ':') ? "[%.46s]:%u" : "%.46s:%u", addr, (unsigned)number(c, port) & 0xffffu);
    return out;
}

static enum page_style style_of(const char *state)
{
    return !strcmp(state, "ESTABLISHED") ? PAGE_GOOD : !strcmp(state, "LISTEN") ? PAGE_BOLD : PAGE_DOUBTFUL;
}

/* The one due first: "timer retransmit in 0.180 s" */
static void show_timer(const struct page *page, const json_t *c)
{
    const char *name;
    json_t *value, *timers = json_object_get(c, "timers_ns");
    const char *first = NULL;
    json_int_t due_ns = 0;
    json_object_foreach (timers, name, value) {
        if (first && json_integer_value(value) >= due_ns)
            continue;
        first = name;
        due_ns = json_integer_value(value);
    }
    if (first)
        fprintf(page->out, ", timer %s in %.3f s", word(timers, first)[0] ? "?" : first, (double)due_ns / 1e9);
}

static void show_details(const struct page *page, const json_t *c)
{
    fprintf(page->out, "%s             windows %lld in, %lld out, cwnd %lld, mss %lld%s\n", page_style(page, PAGE_FAINT),
            (long long)number(c, "rcv_wnd"), (long long)number(c, "snd_wnd"), (long long)number(c, "cwnd"),
            (long long)number(c, "mss"), page_end(page));
    fprintf(page->out, "%s             rtt %.3f ms, rto %.0f ms, retransmits %lld", page_style(page, PAGE_FAINT),
            (double)number(c, "srtt_ns") / 1e6, (double)number(c, "rto_ns") / 1e6, (long long)number(c, "retransmits"));
    show_timer(page, c);
    fprintf(page->out, "%s%s\n", json_is_true(json_object_get(c, "orphan")) ? ", closed by its application" : "", page_end(page));
}

static void show_connection(const struct page *page, const json_t *c)
{
    char local[ENDPOINT_MAX], remote[ENDPOINT_MAX];
    const char *state = word(c, "state");
    const bool listens = !strcmp(state, "LISTEN");
    const json_int_t in = listens ? number(c, "to_accept") : number(c, "unread_octets");
    const json_int_t out = listens ? number(c, "half_open") : number(c, "unsent_octets") + number(c, "unacknowledged_octets");
    fprintf(page->out, "%s%-12s%s %6lld %6lld  %-21s %-21s %s\n", page_style(page, style_of(state)), state, page_end(page), (long long)in,
            (long long)out, endpoint(c, "local", "local_port", local), listens ? "*" : endpoint(c, "remote", "remote_port", remote), word(c, "service"));
    if (!listens)
        show_details(page, c);
}

void serve_view_show(const struct page *page, const json_t *document)
{
    size_t i;
    json_t *c;
    const json_t *connections = json_object_get(document, "connections"), *counters = json_object_get(document, "counters");
    fprintf(page->out, "%sserver %lld on %s%s: packets in %lld, out %lld; sent again %lld\n", page_style(page, PAGE_BOLD),
            (long long)number(document, "pid"), word(document, "interface"), page_end(page),
            (long long)number(counters, "packets_in"), (long long)number(counters, "packets_out"),
            (long long)number(counters, "retransmissions"));
    fprintf(page->out, "%s%-12s %6s %6s  %-21s %-21s %s%s\n", page_style(page, PAGE_FAINT), "State", "Recv-Q", "Send-Q", "Local",
            "Remote", "Service", page_end(page));
    json_array_foreach (connections, i, c)
        show_connection(page, c);
    if (number(document, "left_out"))
        fprintf(page->out, "and %lld more\n", (long long)number(document, "left_out"));
}
