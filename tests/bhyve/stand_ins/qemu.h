/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest for the stand-in for bhyve(8), in qemu: memory, disks and first serial port are those of bhyve's arguments; network, firmware
 * and processors are not. It stands for what happens on both sides of bhyve, and for nothing inside of it.
 */
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define MOST_WORDS 64

/* The arguments for qemu, copied, since the stand-in's title takes the place of its own. */
static char **
qemu_words(int argc, char **argv)
{
    static const char *const always[] = {
        "qemu-system-x86_64", "-accel", "tcg", "-machine", "pc", "-nodefaults", "-display", "none", "-no-reboot", "-qmp", "stdio",
    };
    static const char *const disks[] = { "virtio-blk,", "ahci,hd:", "ahci-hd,", "nvme,", NULL };
    char **words = calloc(MOST_WORDS + 1, sizeof(*words));
    size_t count = 0;

    if (!words)
        exit(4);
    for (; count < sizeof(always) / sizeof(*always); count++)
        words[count] = strdup(always[count]);
    for (int at = 1; at + 1 < argc && count + 4 < MOST_WORDS; at++) {
        const char *value = argv[at + 1];

        if (strcmp(argv[at], "-m") == 0) {
            words[count++] = strdup("-m");
            words[count++] = strdup(value);
        } else if (strcmp(argv[at], "-l") == 0 && strncmp(value, "com1,", 5) == 0) {
            words[count++] = strdup("-chardev");
            if (asprintf(&words[count++], "serial,id=com1,path=%s", value + 5) < 0)
                exit(4);
            words[count++] = strdup("-serial");
            words[count++] = strdup("chardev:com1");
        } else if (strcmp(argv[at], "-s") == 0 && (value = strchr(value, ','))) {
            for (const char *const *disk = disks; *disk; disk++) {
                if (strncmp(value + 1, *disk, strlen(*disk)) != 0)
                    continue;
                words[count++] = strdup("-drive");
                if (asprintf(&words[count++], "format=raw,if=virtio,file=%s", value + 1 + strlen(*disk)) < 0)
                    exit(4);
            }
        }
    }
    return words;
}

/* A command of qemu's monitor. */
static void
qemu_say(int monitor, const char *command)
{
    if (dprintf(monitor, "{\"execute\": \"%s\"}\n", command) < 0)
        exit(4);
}

/*
 * Runs it until it ends. Returns what bhyve does: 0 where the guest was reset, 1 where it was powered off, 4 where there was none.
 * The monitor tells which: its event ends in a reason such as "guest-reset".
 */
static int
qemu_run(char **words, const sigset_t *waited)
{
    int to[2], from[2], status, reset = 0;
    size_t kept = 0;
    char text[4096 + 1];
    struct signalfd_siginfo told;
    struct pollfd ready[2] = { { .events = POLLIN }, { .events = POLLIN } };
    pid_t guest;

    if (pipe(to) != 0 || pipe(from) != 0 || (guest = fork()) < 0)
        return 4;
    if (guest == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(to[0], 0);
        dup2(from[1], 1);
        sigprocmask(SIG_UNBLOCK, waited, NULL);
        execvp(words[0], words);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    signal(SIGPIPE, SIG_IGN);
    qemu_say(to[1], "qmp_capabilities");
    ready[0].fd = from[0];
    ready[1].fd = signalfd(-1, waited, 0);
    while (poll(ready, 2, -1) > 0) {
        if (ready[1].revents && read(ready[1].fd, &told, sizeof(told)) == sizeof(told))
            qemu_say(to[1], told.ssi_signo == SIGUSR1 ? "system_reset" : "system_powerdown");
        if (!ready[0].revents)
            continue;
        ssize_t length = read(from[0], text + kept, sizeof(text) - 1 - kept);

        if (length <= 0)
            break;
        text[kept + (size_t)length] = '\0';
        reset |= strstr(text, "-reset\"") != NULL;
        /* A word may come in two pieces. */
        kept = strlen(text) < 16 ? strlen(text) : 16;
        memmove(text, text + strlen(text) - kept, kept + 1);
    }
    if (waitpid(guest, &status, 0) != guest || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return 4;
    return reset ? 0 : 1;
}
