/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stand-in for bhyve(8): libvirt's own driver starts it, tells it from others by its title, and learns from its exit status
 * whether the guest rebooted (0), was powered off (1), halted (2) or ended by a triple fault (3); 4 is an error of bhyve's own.
 *
 * No guest is in it: on its first serial port it says that one has booted. Where there is a file /run/libvirt/vmm/qemu, a guest
 * is, in qemu: see qemu.h. SIGTERM, bhyve's power button, powers it off, SIGUSR1 reboots it. A file /run/libvirt/vmm/NAME.fault, if
 * there is one, holds the words with which it fails at once.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qemu.h"

#define MACHINES "/run/libvirt/vmm"

static const char *const devices[] = {
    "hostbridge", "lpc", "ahci", "ahci-hd", "ahci-cd", "virtio-blk", "virtio-net", "virtio-rnd", "virtio-9p", "e1000", "nvme",
    "fbuf", "xhci", "hda", NULL,
};

static const char usage[] =
    "Usage: bhyve [-AaCDeHhPSuWwxY]\n"
    "             [-c [[cpus=]numcpus][,sockets=n][,cores=n][,threads=n]]\n"
    "       -u: RTC keeps UTC time\n";

/* What the driver asks before it knows what this bhyve can do. */
static int
probe(int argc, char **argv)
{
    char device[32] = "";
    size_t at;

    if (argc == 2 && strcmp(argv[1], "-h") == 0) {
        fputs(usage, stderr);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "-l") == 0)
        return 1;
    if (argc == 3 && strcmp(argv[1], "-s") == 0 && sscanf(argv[2], "0,%31[^,]", device) == 1) {
        for (at = 0; devices[at] && strcmp(devices[at], device) != 0; at++)
            continue;
        if (!devices[at])
            fprintf(stderr, "pci slot 0:0: unknown device \"%s\"\n", device);
        return 1;
    }
    return -1;
}

/* The title that the driver looks for: bhyve sets it when the guest runs. */
static void
title(int argc, char **argv, const char *name)
{
    char *end = argv[argc - 1] + strlen(argv[argc - 1]), text[256];
    size_t room = (size_t)(end - argv[0]);

    snprintf(text, sizeof(text), "bhyve: %s", name);
    memset(argv[0], 0, room);
    strncpy(argv[0], text, room - 1);
}

/* Its first serial port, where that is there. */
static int
console(int argc, char **argv)
{
    for (int at = 1; at + 1 < argc; at++) {
        if (strcmp(argv[at], "-l") == 0 && strncmp(argv[at + 1], "com1,", 5) == 0)
            return open(argv[at + 1] + 5, O_RDWR | O_NOCTTY);
    }
    return -1;
}

static void
fail_if_told(const char *name)
{
    char path[512], words[512];
    FILE *fault;

    snprintf(path, sizeof(path), MACHINES "/%s.fault", name);
    fault = fopen(path, "r");
    if (!fault)
        return;
    if (fgets(words, sizeof(words), fault))
        fprintf(stderr, "%s\n", words);
    exit(4);
}

static void
show(const char *name)
{
    char path[512];
    FILE *machine;

    mkdir(MACHINES, 0755);
    snprintf(path, sizeof(path), MACHINES "/%s", name);
    machine = fopen(path, "w");
    if (machine) {
        fprintf(machine, "%d\n", getpid());
        fclose(machine);
    }
}

int
main(int argc, char **argv)
{
    int terminal, probed = probe(argc, argv), number;
    char name[128], text[256];
    sigset_t waited;

    if (probed >= 0)
        return probed;
    if (argc < 2) {
        fputs(usage, stderr);
        return 1;
    }
    sigemptyset(&waited);
    sigaddset(&waited, SIGTERM);
    sigaddset(&waited, SIGUSR1);
    sigprocmask(SIG_BLOCK, &waited, NULL);
    snprintf(name, sizeof(name), "%s", argv[argc - 1]);
    show(name);
    fail_if_told(name);
    if (access(MACHINES "/qemu", F_OK) == 0) {
        char **words = qemu_words(argc, argv);

        title(argc, argv, name);
        return qemu_run(words, &waited);
    }
    terminal = console(argc, argv);
    title(argc, argv, name);
    if (terminal >= 0) {
        int length = snprintf(text, sizeof(text), "%s has booted\r\nlogin: ", name);
        if (write(terminal, text, (size_t)length) != length)
            return 4;
    }
    sigwait(&waited, &number);
    return number == SIGUSR1 ? 0 : 1;
}
