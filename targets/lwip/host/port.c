/* lwIP's operating system layer, on one thread and in virtual time.
 *
 * Theory of operation. lwIP asks its port for threads, mailboxes, semaphores and the time. Debian's library brings a port to POSIX
 * threads; the functions of the same names here take its place, since the dynamic linker prefers those of the program. Nothing of
 * the TCP is touched.
 *
 * lwIP starts one thread, tcpip_thread(), which takes messages from a mailbox and runs the timers while it waits for one. Here it
 * is a coroutine on a stack of its own: it runs when the program says so, until its mailbox is empty, and says until when it would
 * wait. Whoever calls a function of the sockets layer holds lwIP's core lock meanwhile, as in the other port; with one thread there
 * is nothing to lock. So a packet that has been put into the mailbox has been dealt with, and all that it causes has been sent,
 * when port_run() returns.
 *
 * Sizes of mailboxes are those of Debian's port, which decide how much a connection whose reader sleeps takes.
 *
 * The state is global because the interface is: a process is one host. */
#include "targets/lwip/host/port.h"

#include "lwip/opt.h"
#include "lwip/sys.h"
#include "lwip/tcpip.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

enum { MAILBOX_SIZE = 128, STACK_OCTETS = 256 * 1024, NS_PER_MS = 1000000 };

struct sys_sem { unsigned count; };
struct sys_mutex { bool held; };
struct sys_mbox { void *messages[MAILBOX_SIZE]; unsigned first, count; };
struct sys_thread { ucontext_t context; lwip_thread_fn function; void *argument; };

static struct {
    int64_t now_ns;
    int64_t deadline_ns;       /* of the thread's wait */
    uint32_t offset_ms;        /* of lwIP's clock: it has been running for a while */
    struct sys_mbox *waiting;  /* the mailbox that the thread waits at */
    struct sys_thread *thread; /* tcpip_thread() */
    ucontext_t main;
    bool inside;               /* the thread runs */
} port;

void port_die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    _exit(1);
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory)
        port_die("out of memory");
    return memory;
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

static int64_t floor_to_ms(int64_t ns)
{
    return ns - ns % NS_PER_MS;
}

u32_t sys_now(void)
{
    return (u32_t)(port.now_ns / NS_PER_MS) + port.offset_ms;
}

u32_t sys_jiffies(void)
{
    return sys_now();
}

int64_t port_now_ns(void)
{
    return port.now_ns;
}

int64_t port_deadline_ns(void)
{
    return port.deadline_ns;
}

/* ---- the thread ------------------------------------------------------------------------------------------------- */

static void thread_main(void)
{
    port.thread->function(port.thread->argument);
    port_die("lwIP's thread has returned");
}

sys_thread_t sys_thread_new(const char *name, lwip_thread_fn function, void *argument, int stack_size, int priority)
{
    (void)stack_size;
    (void)priority;
    if (port.thread)
        port_die("lwIP wants a second thread, \"%s\"", name);
    port.thread = allocate(sizeof *port.thread);
    port.thread->function = function;
    port.thread->argument = argument;
    getcontext(&port.thread->context);
    port.thread->context.uc_stack.ss_sp = allocate(STACK_OCTETS);
    port.thread->context.uc_stack.ss_size = STACK_OCTETS;
    makecontext(&port.thread->context, thread_main, 0);
    return port.thread;
}

static void run_thread(void)
{
    port.inside = true;
    swapcontext(&port.main, &port.thread->context);
    port.inside = false;
}

/* From the thread: back to the program, until the mailbox has something or the time has come. */
static void wait_at(struct sys_mbox *mailbox, int64_t deadline_ns)
{
    if (!port.inside)
        port_die("a call of the sockets layer would block");
    port.waiting = mailbox;
    port.deadline_ns = deadline_ns;
    swapcontext(&port.thread->context, &port.main);
}

static void run_while_mail(void)
{
    while (port.waiting->count)
        run_thread();
}

void port_run(int64_t now_ns)
{
    run_while_mail();
    while (port.deadline_ns <= now_ns) {
        port.now_ns = port.deadline_ns > port.now_ns ? port.deadline_ns : port.now_ns;
        run_thread();
        run_while_mail();
    }
    port.now_ns = now_ns > port.now_ns ? now_ns : port.now_ns;
}

/* lwIP takes its first ephemeral port from one of these numbers, and stumbles over the last port there is: the one behind it is 0,
 * and connect() fails with ENOBUFS. That is an error of lwIP's, but one of chance, which would make each run another. */
static bool draws_last_port(unsigned seed)
{
    enum { DRAWN_AT_START = 8, PORT_BITS = 0x3fff };
    bool last = false;
    srand(seed);
    for (int i = 0; i < DRAWN_AT_START; i++)
        last |= (rand() & PORT_BITS) == PORT_BITS;
    return last;
}

void port_begin(int64_t now_ns, uint64_t seed)
{
    unsigned short_seed = (unsigned)(seed ^ seed >> 32);
    while (draws_last_port(short_seed))
        short_seed++;
    srand(short_seed);
    port.now_ns = now_ns;
    port.offset_ms = (uint32_t)rand();
    tcpip_init(NULL, NULL);
    if (!port.thread)
        port_die("liblwip.so does not use this program's sys_thread_new(): was it linked with -Bsymbolic?");
    run_thread();
}

/* ---- mailboxes -------------------------------------------------------------------------------------------------- */

err_t sys_mbox_new(sys_mbox_t *mailbox, int size)
{
    (void)size;
    *mailbox = allocate(sizeof **mailbox);
    return ERR_OK;
}

void sys_mbox_free(sys_mbox_t *mailbox)
{
    free(*mailbox);
    *mailbox = NULL;
}

err_t sys_mbox_trypost(sys_mbox_t *mailbox, void *message)
{
    struct sys_mbox *m = *mailbox;
    if (m->count == MAILBOX_SIZE)
        return ERR_MEM;
    m->messages[(m->first + m->count++) % MAILBOX_SIZE] = message;
    return ERR_OK;
}

err_t sys_mbox_trypost_fromisr(sys_mbox_t *mailbox, void *message)
{
    return sys_mbox_trypost(mailbox, message);
}

void sys_mbox_post(sys_mbox_t *mailbox, void *message)
{
    if (sys_mbox_trypost(mailbox, message) != ERR_OK)
        port_die("a mailbox of lwIP is full, and it would wait for ever");
}

u32_t sys_arch_mbox_tryfetch(sys_mbox_t *mailbox, void **message)
{
    struct sys_mbox *m = *mailbox;
    if (!m->count)
        return SYS_MBOX_EMPTY;
    if (message)
        *message = m->messages[m->first];
    m->first = (m->first + 1) % MAILBOX_SIZE;
    m->count--;
    return 0;
}

u32_t sys_arch_mbox_fetch(sys_mbox_t *mailbox, void **message, u32_t timeout_ms)
{
    int64_t began_ns = port.now_ns, deadline_ns = INT64_MAX;
    if (timeout_ms)
        deadline_ns = floor_to_ms(began_ns) + (int64_t)timeout_ms * NS_PER_MS;
    while (sys_arch_mbox_tryfetch(mailbox, message) == SYS_MBOX_EMPTY) {
        if (port.now_ns >= deadline_ns)
            return SYS_ARCH_TIMEOUT;
        wait_at(*mailbox, deadline_ns);
    }
    return (u32_t)((port.now_ns - began_ns) / NS_PER_MS);
}

/* ---- semaphores, mutexes, locks: one thread never meets another -------------------------------------------------- */

err_t sys_sem_new(sys_sem_t *semaphore, u8_t count)
{
    *semaphore = allocate(sizeof **semaphore);
    (*semaphore)->count = count;
    return ERR_OK;
}

void sys_sem_free(sys_sem_t *semaphore)
{
    free(*semaphore);
    *semaphore = NULL;
}

void sys_sem_signal(sys_sem_t *semaphore)
{
    (*semaphore)->count++;
}

u32_t sys_arch_sem_wait(sys_sem_t *semaphore, u32_t timeout_ms)
{
    (void)timeout_ms;
    if (!(*semaphore)->count && !port.inside && port.thread)
        run_while_mail(); /* what the semaphore waits for may lie in the mailbox */
    if (!(*semaphore)->count)
        port_die("a call of the sockets layer would block");
    (*semaphore)->count--;
    return 0;
}

err_t sys_mutex_new(sys_mutex_t *mutex)
{
    *mutex = allocate(sizeof **mutex);
    return ERR_OK;
}

void sys_mutex_free(sys_mutex_t *mutex)
{
    free(*mutex);
    *mutex = NULL;
}

void sys_mutex_lock(sys_mutex_t *mutex)
{
    if ((*mutex)->held)
        port_die("lwIP takes a mutex twice");
    (*mutex)->held = true;
}

void sys_mutex_unlock(sys_mutex_t *mutex)
{
    (*mutex)->held = false;
}

void sys_lock_tcpip_core(void)
{
}

void sys_unlock_tcpip_core(void)
{
}

void sys_mark_tcpip_thread(void)
{
}

void sys_check_core_locking(void)
{
}

sys_prot_t sys_arch_protect(void)
{
    return 0;
}

void sys_arch_unprotect(sys_prot_t level)
{
    (void)level;
}

void sys_init(void)
{
}
