/* The reference stack as a plugin from which functions are missing: the environment variable PARTIAL names them ("connect,poll").
 * What tests make of it must be not applicable, and nothing else. */
#define tcpassay_plugin_v1 whole_plugin
#include "targets/plugin/reference_plugin.c" /* NOLINT(bugprone-suspicious-include): all but its one exported name */
#undef tcpassay_plugin_v1

static int is_missing(const char *name)
{
    const char *list = getenv("PARTIAL");
    const size_t len = strlen(name);
    for (const char *at = list; at && (at = strstr(at, name)); at += len)
        if ((at == list || at[-1] == ',') && (at[len] == ',' || !at[len]))
            return 1;
    return 0;
}

TCPASSAY_PLUGIN_EXPORT const struct tcpassay_plugin *tcpassay_plugin_v1(void);
const struct tcpassay_plugin *tcpassay_plugin_v1(void)
{
    static struct tcpassay_plugin partial;
    partial = *whole_plugin();
    partial.name = "partial";
    partial.next_deadline = is_missing("next_deadline") ? NULL : partial.next_deadline;
    partial.socket = is_missing("socket") ? NULL : partial.socket;
    partial.bind = is_missing("bind") ? NULL : partial.bind;
    partial.listen = is_missing("listen") ? NULL : partial.listen;
    partial.accept = is_missing("accept") ? NULL : partial.accept;
    partial.connect = is_missing("connect") ? NULL : partial.connect;
    partial.send = is_missing("send") ? NULL : partial.send;
    partial.receive = is_missing("receive") ? NULL : partial.receive;
    partial.shutdown = is_missing("shutdown") ? NULL : partial.shutdown;
    partial.close = is_missing("close") ? NULL : partial.close;
    partial.set_option = is_missing("set_option") ? NULL : partial.set_option;
    partial.get_option = is_missing("get_option") ? NULL : partial.get_option;
    partial.ioctl = is_missing("ioctl") ? NULL : partial.ioctl;
    partial.poll = is_missing("poll") ? NULL : partial.poll;
    partial.local_endpoint = is_missing("local_endpoint") ? NULL : partial.local_endpoint;
    partial.status = is_missing("status") ? NULL : partial.status;
    partial.settings = is_missing("settings") ? NULL : partial.settings;
    partial.flags |= is_missing("fresh") ? TCPASSAY_GLOBALS : 0u;
    return &partial;
}
