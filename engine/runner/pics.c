/* Which tests are about which feature: those that need it in so many words, and those whose purpose is a requirement of its RFC. */
#include "engine/runner/pics.h"

#include <string.h>

const struct pics_feature pics_features[] = {
    {"connect", "active OPEN"}, {"listen", "passive OPEN"}, {"icmp", "ICMP errors reach TCP"}, {"urgent", "urgent data at the application"},
    {"timestamps", "TCP timestamps and PAWS (RFC 7323)"}, {"window-scaling", "window scaling (RFC 7323)"},
    {"sack", "selective acknowledgments (RFC 2018, 2883)"}, {"ecn", "ECN (RFC 3168)"}, {"fastopen", "TCP Fast Open (RFC 7413)"},
    {"user-timeout", "the User Timeout Option (RFC 5482)"}, {"challenge-ack", "protection against blind attacks (RFC 5961)"},
    {"path-mtu-discovery", "path MTU discovery (RFC 1191, 8201)"}, {NULL, NULL},
};

/* A scenario is about a feature when it has the need, or when the first requirement it covers begins so. */
static const struct { const char *feature; unsigned need; const char *covers; } about[] = {
    {"connect", SCN_NEEDS_CONNECT, NULL},         {"listen", SCN_NEEDS_LISTEN, NULL},           {"icmp", SCN_NEEDS_ICMP, NULL},
    {"urgent", SCN_NEEDS_URGENT, NULL},           {"window-scaling", 0, "RFC7323:2."},          {"timestamps", 0, "RFC7323:3."},
    {"timestamps", 0, "RFC7323:4."},              {"timestamps", 0, "RFC7323:5."},              {"timestamps", 0, "RFC6191:"},
    {"sack", 0, "RFC2018:"},                      {"sack", 0, "RFC2883:"},                      {"ecn", 0, "RFC3168:"},
    {"fastopen", 0, "RFC7413:"},                  {"user-timeout", 0, "RFC5482:"},              {"challenge-ack", 0, "RFC5961:"},
    {"path-mtu-discovery", 0, "RFC1191:"},        {"path-mtu-discovery", 0, "RFC8201:"},
};

int pics_feature_index(const char *name, size_t len)
{
    for (int i = 0; pics_features[i].name; i++)
        if (strlen(pics_features[i].name) == len && !memcmp(pics_features[i].name, name, len))
            return i;
    return -1;
}

static bool is_about(const struct scenario *scenario, const char *feature)
{
    const char *purpose = scenario->cover_count ? scenario->covers[0] : "";
    for (size_t i = 0; i < sizeof about / sizeof *about; i++) {
        if (strcmp(about[i].feature, feature))
            continue;
        if (scenario->needs & about[i].need || (about[i].covers && !strncmp(purpose, about[i].covers, strlen(about[i].covers))))
            return true;
    }
    return false;
}

const struct pics_feature *pics_lacking(const struct target_info *info, const struct scenario *scenario)
{
    for (const char *at = info->lacks; *at;) {
        size_t len = strcspn(at, "+");
        int index = pics_feature_index(at, len);
        if (index >= 0 && is_about(scenario, pics_features[index].name))
            return &pics_features[index];
        at += len + (at[len] == '+');
    }
    return NULL;
}
