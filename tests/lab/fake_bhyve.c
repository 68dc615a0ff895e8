/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A libvirt.so.0 that stands for one with the bhyve driver: libvirt's own test driver, behind bhyve's URI and with what
 * bhyve's driver does differently. Everything that is not here comes from the real library. Built by test_domain_bhyve.py.
 *
 * bhyve's driver (bhyve_driver.c, libvirt 12.5): undefining takes no flags, domains do not start paused, bhyve-argv is its
 * native format; before 11.6 a destroyed domain lost its autostart. That of the domain `test` is set, and what becomes of it
 * is kept in the file FAKE_AUTOSTART.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_SUPPORT = 3, INVALID_ARG = 8, ERROR_LEVEL = 2, FROM_BHYVE = 57, START_PAUSED = 1 };

struct error {
    int code, domain;
    char *message;
    int level;
    void *conn, *dom;
    char *str1, *str2, *str3;
    int int1, int2;
    void *net;
};

static void *real(const char *name)
{
    static void *library;
    if (!library)
        library = dlopen(REAL_LIBVIRT, RTLD_NOW);
    return dlsym(library, name);
}

#define REAL(name, result, ...) ((result (*)(__VA_ARGS__))real(name))

static void refuse(int code, const char *message)
{
    struct error error = {.code = code, .domain = FROM_BHYVE, .message = (char *)message, .level = ERROR_LEVEL};
    REAL("virInitialize", int, void)();
    REAL("virSetError", int, struct error *)(&error);
}

int virDomainSetAutostart(void *domain, int autostart)
{
    const char *path = getenv("FAKE_AUTOSTART");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%d", autostart);
        fclose(file);
    }
    return REAL("virDomainSetAutostart", int, void *, int)(domain, autostart);
}

void *virConnectOpen(const char *uri)
{
    if (strcmp(uri, "bhyve:///system") != 0) {
        refuse(INVALID_ARG, "no connection driver available");
        return NULL;
    }
    void *conn = REAL("virConnectOpen", void *, const char *)("test:///default");
    virDomainSetAutostart(REAL("virDomainLookupByName", void *, void *, const char *)(conn, "test"), 1);
    return conn;
}

char *virConnectDomainXMLToNative(void *conn, const char *format, const char *xml, unsigned flags)
{
    (void)conn, (void)flags;
    if (strcmp(format, "bhyve-argv") != 0) {
        refuse(INVALID_ARG, "Unsupported config type");
        return NULL;
    }
    if (strstr(xml, "<disk type='block'")) {
        refuse(NO_SUPPORT, "unsupported configuration: unsupported disk type");
        return NULL;
    }
    return strdup("/usr/sbin/bhyve -c 1 -m 64 -s 2:0,fbuf,tcp=127.0.0.1:5900,password=hunter2 web1");
}

int virDomainUndefineFlags(void *domain, unsigned flags)
{
    if (flags != 0) {
        refuse(INVALID_ARG, "invalid argument: unsupported flags (0x17) in function bhyveDomainUndefineFlags");
        return -1;
    }
    return REAL("virDomainUndefineFlags", int, void *, unsigned)(domain, 0);
}

int virDomainCreateWithFlags(void *domain, unsigned flags)
{
    if (flags & START_PAUSED) {
        refuse(INVALID_ARG, "invalid argument: unsupported flags (0x1) in function bhyveDomainCreateWithFlags");
        return -1;
    }
    return REAL("virDomainCreateWithFlags", int, void *, unsigned)(domain, flags);
}

int virDomainShutdown(void *domain)
{
    (void)domain;
    return 0; /* a guest that does not listen */
}

int virDomainDestroy(void *domain)
{
    int result = REAL("virDomainDestroy", int, void *)(domain);
    virDomainSetAutostart(domain, 0);
    return result;
}
