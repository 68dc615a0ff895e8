/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What libvirt's bhyve driver asks FreeBSD for, answered by Linux. The driver's own files are compiled unchanged.
 */
#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kvm.h>
#include <libutil.h>
#include <sys/event.h>

/* bhyve is made a daemon before it starts; its end, and how it ended, is told to us as to init. */
__attribute__((constructor)) static void
adopt(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

int
kqueue(void)
{
    return epoll_create1(EPOLL_CLOEXEC);
}

static int
watch(int queue, const struct kevent *change)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT};
    int process = syscall(SYS_pidfd_open, (pid_t)change->ident, 0);

    if (process < 0)
        return -1;
    event.data.u64 = (uint64_t)change->ident << 32 | (uint32_t)process;
    return epoll_ctl(queue, EPOLL_CTL_ADD, process, &event);
}

int
kevent(int queue, const struct kevent *changes, int nchanges, struct kevent *events, int nevents, const struct timespec *timeout)
{
    struct epoll_event found;
    pid_t pid;
    int ready, status = W_EXITCODE(1, 0);

    if (nchanges > 0)
        return watch(queue, changes);
    if (nevents < 1)
        return 0;
    ready = epoll_wait(queue, &found, 1, timeout ? (int)(timeout->tv_sec * 1000 + timeout->tv_nsec / 1000000) : -1);
    if (ready <= 0)
        return ready;
    pid = (pid_t)(found.data.u64 >> 32);
    /* One that an earlier daemon has started is somebody else's child: it counts as powered off. */
    waitpid(pid, &status, 0);
    close((int)(uint32_t)found.data.u64);
    EV_SET(events, pid, EVFILT_PROC, 0, NOTE_EXIT, status, NULL);
    return 1;
}

struct shim_kvm {
    struct kinfo_proc process;
    char arguments[4096];
    char *argv[2];
};

kvm_t *
kvm_openfiles(const char *execfile, const char *corefile, const char *swapfile, int flags, char *errbuf)
{
    (void)execfile, (void)corefile, (void)swapfile, (void)flags, (void)errbuf;
    return calloc(1, sizeof(struct shim_kvm));
}

struct kinfo_proc *
kvm_getprocs(kvm_t *kd, int op, int arg, int *count)
{
    char path[64], line[1024], *fields;
    unsigned long user = 0, system = 0;
    FILE *stat;

    (void)op;
    *count = 0;
    snprintf(path, sizeof(path), "/proc/%d/stat", arg);
    stat = fopen(path, "r");
    if (!stat)
        return NULL;
    /* The name may hold blanks; it ends with the last parenthesis. */
    if (fgets(line, sizeof(line), stat) && (fields = strrchr(line, ')')))
        sscanf(fields + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    fclose(stat);
    kd->process.ki_pid = arg;
    kd->process.ki_runtime = (unsigned long long)(user + system) * 1000000ULL / (unsigned long)sysconf(_SC_CLK_TCK);
    *count = 1;
    return &kd->process;
}

char **
kvm_getargv(kvm_t *kd, const struct kinfo_proc *process, int nchr)
{
    char path[64];
    ssize_t length;
    int file;

    (void)nchr;
    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)process->ki_pid);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return NULL;
    length = read(file, kd->arguments, sizeof(kd->arguments) - 1);
    close(file);
    if (length <= 0)
        return NULL;
    kd->arguments[length] = '\0';
    kd->argv[0] = kd->arguments;
    return kd->argv;
}

int
kvm_close(kvm_t *kd)
{
    free(kd);
    return 0;
}

int
expand_number(const char *text, uint64_t *number)
{
    static const char units[] = "bkmgtpe";
    const char *unit;
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 0);
    if (errno || end == text)
        return -1;
    if (*end) {
        unit = strchr(units, tolower((unsigned char)*end));
        if (!unit || end[1])
            return -1;
        *number <<= 10 * (unit - units);
    }
    return 0;
}
