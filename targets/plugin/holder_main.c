/* The process that holds a plugin, from its own side (see holder.h): loads it, then performs what is asked until the tester is
 * gone. */
#include "targets/plugin/adapter.h"
#include "targets/plugin/holder.h"
#include "targets/plugin/holder_within.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOOK_AT_MEMORY_EVERY = 256 };

static _Noreturn void end_by_fault(const struct exchange *x)
{
    (void)x; /* the tester reads there why */
    _exit(HOLDER_EXIT_FAULT);
}

static _Noreturn void blame(struct exchange *x, const char *words)
{
    snprintf(x->fault, sizeof x->fault, "c%s", words);
    atomic_store(&x->fault_given, 1);
    end_by_fault(x);
}

/* Resident memory; 0 when it cannot be told. */
static uint32_t memory_now_mib(void)
{
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (statm && fscanf(statm, "%*u %lu", &pages) != 1)
        pages = 0;
    if (statm)
        fclose(statm);
    return (uint32_t)(pages / (1024 * 1024 / (unsigned long)sysconf(_SC_PAGESIZE)));
}

static void look_at_memory(struct exchange *x, uint32_t limit_mib)
{
    const uint32_t mib = memory_now_mib();
    atomic_store(&x->memory_mib, mib);
    atomic_store(&x->memory_tired, mib > limit_mib / 4);
    if (mib < limit_mib / 8 * 7) /* before the kernel refuses it more */
        return;
    char words[100];
    snprintf(words, sizeof words, "its memory has grown to %u MiB, and %u is what it may have: does it leak?", mib, limit_mib);
    blame(x, words);
}

/* Waits for the next request. False: the tester is gone. */
static bool wait_for_request(struct exchange *x, uint32_t answered)
{
    char wakes[64];
    for (;;) {
        atomic_store(&x->holder_sleeps, 1);
        if (atomic_load(&x->asked) != answered)
            break;
        ssize_t got = recv(HOLDER_FD_SOCKET, wakes, sizeof wakes, 0);
        if (got == 0)
            return false;
        if (got < 0 && errno != EINTR)
            blame(x, "it has closed a descriptor that is not its own");
    }
    atomic_store(&x->holder_sleeps, 0);
    return true;
}

static void serve(struct adapter *adapter, struct exchange *x, uint32_t limit_mib)
{
    uint32_t answered = atomic_load(&x->answered);
    for (uint32_t calls = 1; wait_for_request(x, answered); calls++) {
        adapter_perform(adapter);
        if (calls % LOOK_AT_MEMORY_EVERY == 0 || x->request.call == EXCHANGE_DESTROY)
            look_at_memory(x, limit_mib);
        atomic_store(&x->answered, ++answered);
        if (atomic_exchange(&x->tester_sleeps, 0))
            send(HOLDER_FD_SOCKET, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

/* argv: the program, HOLDER_COMMAND, the file, the memory limit in MiB. Loading is the first call. */
int holder_main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("tcpassay: " HOLDER_COMMAND " is for tcpassay itself: it holds a plugin while the tests run\n", stderr);
        return 2;
    }
    struct exchange *x = mmap(NULL, sizeof *x, PROT_READ | PROT_WRITE, MAP_SHARED, HOLDER_FD_MEMORY, 0);
    if (x == MAP_FAILED) {
        fputs("tcpassay: " HOLDER_COMMAND " is for tcpassay itself: it holds a plugin while the tests run\n", stderr);
        return 2;
    }
    close(HOLDER_FD_MEMORY);
    struct adapter *adapter = adapter_load(argv[2], x, end_by_fault);
    atomic_store(&x->answered, 1);
    send(HOLDER_FD_SOCKET, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (adapter)
        serve(adapter, x, (uint32_t)strtoul(argv[3], NULL, 10));
    adapter_free(adapter);
    return 0;
}
