/* tcpassay-lwip: one host with Debian's lwIP, driven by the tester through descriptor 3 (protocol.h). It ends when that does. */
#include "targets/lwip/host/host.h"
#include "targets/lwip/host/port.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static const int64_t IDLE_NS = INT64_C(1000000000);

static void say(const struct lwip_answer *answer, const uint8_t *octets)
{
    struct iovec parts[] = { { .iov_base = (void *)(uintptr_t)answer, .iov_len = sizeof *answer },
                             { .iov_base = (void *)(uintptr_t)octets, .iov_len = answer->octets } };
    const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    if (sendmsg(CHANNEL_FD, &message, MSG_NOSIGNAL) < 0)
        _exit(0); /* the tester has gone */
}

void host_output(const uint8_t *packet, size_t len)
{
    const struct lwip_answer output = { .message = ANSWER_OUTPUT, .octets = (uint32_t)len, .at_ns = port_now_ns() };
    say(&output, packet);
}

/* Waits for a request. False when there will be none. */
static bool hear(struct lwip_request *request, uint8_t *octets)
{
    struct iovec parts[] = { { .iov_base = request, .iov_len = sizeof *request }, { .iov_base = octets, .iov_len = CHANNEL_OCTETS_MAX } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    ssize_t len;
    do
        len = recvmsg(CHANNEL_FD, &message, 0);
    while (len < 0 && errno == EINTR);
    return len >= (ssize_t)sizeof *request && (size_t)len == sizeof *request + request->octets;
}

static void begin(const struct lwip_request *request, const uint8_t *octets, struct lwip_answer *answer, uint8_t *out)
{
    struct lwip_settings settings;
    memcpy(&settings, octets, sizeof settings);
    port_begin(request->now_ns, settings.seed);
    link_begin(&settings);
    calls_use(&settings);
    answer->octets = (uint32_t)facts_write((char *)out, CHANNEL_OCTETS_MAX);
}

/* lwIP's other timers (group membership, neighbours, reassembly) tick ten times a second, and say nothing to the tester. Each has
 * its own time in port_run(), so while no connection waits for one, the tester need not be woken that often. */
static int64_t next_deadline(int64_t now_ns)
{
    int64_t deadline_ns = port_deadline_ns(), lazy_ns = now_ns + IDLE_NS;
    return deadline_ns < lazy_ns && status_all_idle() ? lazy_ns : deadline_ns;
}

static void serve(const struct lwip_request *request, const uint8_t *octets)
{
    static uint8_t out[CHANNEL_OCTETS_MAX];
    struct lwip_answer answer = { .message = ANSWER_DONE };
    if (request->call == ASK_BEGIN) {
        begin(request, octets, &answer, out);
    } else {
        port_run(request->now_ns);
        if (request->call == ASK_INPUT)
            answer.result = link_input(octets, request->octets);
        else if (request->call != ASK_ADVANCE)
            calls_serve(request, octets, &answer, out);
    }
    port_run(request->now_ns);
    answer.at_ns = next_deadline(request->now_ns);
    say(&answer, out);
}

int main(void)
{
    static uint8_t octets[CHANNEL_OCTETS_MAX];
    struct lwip_request request;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!hear(&request, octets) || request.call != ASK_BEGIN) {
        fputs("tcpassay-lwip is started by `tcpassay run --target lwip`; by itself it does nothing\n", stderr);
        return 2;
    }
    do
        serve(&request, octets);
    while (hear(&request, octets));
    _exit(0);
}
