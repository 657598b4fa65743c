/* The process of lwIP: what is said of its death, and that it goes with its parent. */
#include "targets/lwip/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENT_MS = 60000, IMPATIENT_MS = 50 };

static const struct lwip_settings SETTINGS = { .mtu = 1500, .addresses = { { 4, { 192, 0, 2, 2 } }, { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } } },
                                               .router = { 4, { 192, 0, 2, 1 } } };

static struct process *start(int patience_ms)
{
    struct target_error error = { 0 };
    struct process *p = process_start(patience_ms, &error);
    if (!p)
        fail_msg("%s", error.text);
    return p;
}

static bool begin(struct process *p, struct lwip_answer *answer, uint8_t *out)
{
    const struct lwip_request request = { .call = ASK_BEGIN, .octets = sizeof SETTINGS };
    return process_ask(p, &request, (const uint8_t *)&SETTINGS, answer, out);
}

static void the_stack_tells_how_it_was_compiled(void **state)
{
    static uint8_t out[CHANNEL_OCTETS_MAX];
    struct lwip_answer answer;
    struct process *p = start(PATIENT_MS);
    (void)state;
    assert_true(begin(p, &answer, out));
    out[answer.octets] = '\0';
    assert_non_null(strstr((char *)out, "lwIP=2."));
    assert_non_null(strstr((char *)out, "\nTCP_MSS=1460 octets\n"));
    assert_null(process_death(p));
    process_end(p);
}

static void a_handle_that_is_none_is_an_error(void **state)
{
    static const enum lwip_call CALLS[] = { ASK_BIND, ASK_CONNECT, ASK_LISTEN, ASK_ACCEPT, ASK_SEND, ASK_RECEIVE, ASK_SHUTDOWN, ASK_CLOSE,
                                            ASK_LOCAL_ENDPOINT };
    struct lwip_answer answer;
    struct process *p = start(PATIENT_MS);
    (void)state;
    assert_true(begin(p, &answer, NULL));
    for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++)
        for (int handle = -1; handle < 1000000; handle += 500000) {
            const struct lwip_request request = { .call = CALLS[i], .handle = handle, .numbers = { 1 } };
            assert_true(process_ask(p, &request, NULL, &answer, NULL));
            assert_true(answer.result < 0);
        }
    const struct lwip_request unknown = { .call = ASK_CALLS };
    assert_true(process_ask(p, &unknown, NULL, &answer, NULL));
    assert_true(answer.result < 0);
    process_end(p);
}

static void a_death_is_told_in_words_and_for_good(void **state)
{
    struct lwip_answer answer;
    const struct lwip_request request = { .call = ASK_SOCKET, .numbers = { 4 } };
    struct process *p = start(PATIENT_MS);
    (void)state;
    assert_true(begin(p, &answer, NULL));
    kill(process_id(p), SIGKILL);
    assert_false(process_ask(p, &request, NULL, &answer, NULL));
    assert_string_equal(process_death(p), "ended by signal 9 (Killed) in lwip_socket()");
    assert_int_equal(process_id(p), 0);
    assert_false(process_ask(p, &request, NULL, &answer, NULL));
    process_end(p);
}

static void who_does_not_answer_hangs(void **state)
{
    struct lwip_answer answer;
    struct process *p = start(IMPATIENT_MS);
    (void)state;
    kill(process_id(p), SIGSTOP);
    assert_false(begin(p, &answer, NULL));
    assert_string_equal(process_death(p), "hangs in starting: no answer in 0.1 s");
    process_end(p);
}

/* The tester is killed; the process must end, although it is busy with nothing and nobody says so. */
static void it_goes_with_its_parent(void **state)
{
    int told[2];
    pid_t lwip = 0;
    (void)state;
    assert_int_equal(pipe(told), 0);
    pid_t tester = fork();
    if (tester == 0) {
        struct lwip_answer answer;
        struct process *p = start(PATIENT_MS);
        lwip = begin(p, &answer, NULL) ? process_id(p) : 0;
        ssize_t said = write(told[1], &lwip, sizeof lwip);
        (void)said;
        for (;;)
            pause();
    }
    assert_int_equal(read(told[0], &lwip, sizeof lwip), sizeof lwip);
    assert_true(lwip > 0);
    int fd = (int)syscall(SYS_pidfd_open, lwip, 0);
    assert_true(fd >= 0);
    struct pollfd end = { .fd = fd, .events = POLLIN };
    assert_int_equal(poll(&end, 1, 0), 0);
    kill(tester, SIGKILL);
    waitpid(tester, NULL, 0);
    assert_int_equal(poll(&end, 1, PATIENT_MS), 1);
    close(fd);
    close(told[0]);
    close(told[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stack_tells_how_it_was_compiled), cmocka_unit_test(a_handle_that_is_none_is_an_error),
        cmocka_unit_test(a_death_is_told_in_words_and_for_good), cmocka_unit_test(who_does_not_answer_hangs),
        cmocka_unit_test(it_goes_with_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
