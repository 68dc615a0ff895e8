/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A virtual clock under a real time daemon: preloaded, it answers every question about time from a file shared with
 * the lab and swallows every order to change the clock. No call below ever reaches the kernel's clock.
 *
 * NTPLAB_CLOCK  path of the shared file
 * NTPLAB_MODE   "actor": also waits (poll, nanosleep) in virtual time; "observer": reads every clock at what it shows at its start,
 *               the one that limits are taken by goes on from there as it really does
 *
 * GPL-3.0-or-later
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 64
#define SECOND 1000000000LL
#define SLEW_PPM 500 /* what Linux does with adjtime(2) */
#define MAXIMUM_PPB 500000 /* and the most that it makes of a frequency */

struct slot {
	_Atomic int32_t pid;     /* 0: free */
	_Atomic int32_t waiting; /* in poll or sleep, nothing readable */
	_Atomic int64_t deadline;
	_Atomic uint32_t acked;  /* last epoch in which it was seen idle */
	uint32_t pad;
};

/* The same layout stands in clock.py. */
struct shared {
	_Atomic int64_t now;      /* true time, nanoseconds since 1970 */
	_Atomic int64_t offset;   /* system clock minus true time at `since` */
	_Atomic int64_t slew;     /* rest of the adjtime at `since` */
	_Atomic int64_t since;
	_Atomic int64_t freq_ppb;
	_Atomic int64_t maxerror_at;
	_Atomic int64_t adjusted_at; /* true time of the last adjtime that was ordered */
	_Atomic int64_t adjusted_by;
	_Atomic int64_t suspended; /* nanoseconds in which CLOCK_MONOTONIC stood still */
	_Atomic int64_t set;       /* sum of all steps of the system clock */
	_Atomic int32_t status;
	_Atomic uint32_t epoch;
	_Atomic uint32_t activity;
	_Atomic uint32_t lock;
	_Atomic uint32_t adjustments;
	_Atomic uint32_t refuses; /* nobody may set the clock */
	struct slot slots[SLOTS];
};

static struct shared *clk;
static int actor;
static struct slot *mine;
static pid_t mine_pid;
static int64_t ahead; /* virtual minus real CLOCK_MONOTONIC at the start of an observer */

static int (*real_poll)(struct pollfd *, nfds_t, int);
static int (*real_setsockopt)(int, int, int, const void *, socklen_t);
static ssize_t (*real_recvmsg)(int, struct msghdr *, int);
static int (*real_close)(int);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static long (*real_syscall)(long, ...);

/* What daemons wait by. */
static int64_t awake(void)
{
	return clk->now - clk->suspended;
}

/* What is seen of the environment in /proc does not show that this library stands between the daemon and the kernel. */
static void hide(void)
{
	const char *name = "LD_PRELOAD=";
	size_t i;

	for (i = 0; environ[i] != NULL; i++)
		if (strncmp(environ[i], name, strlen(name)) == 0) {
			char *shown = environ[i];
			environ[i] = strdup(shown);
			memset(shown, 'x', strlen(shown));
		}
}

static int64_t boot_now(void);

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("NTPLAB_CLOCK"), *mode = getenv("NTPLAB_MODE");
	struct timespec now;
	int fd;

	real_poll = dlsym(RTLD_NEXT, "poll");
	real_setsockopt = dlsym(RTLD_NEXT, "setsockopt");
	real_recvmsg = dlsym(RTLD_NEXT, "recvmsg");
	real_close = dlsym(RTLD_NEXT, "close");
	real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	real_syscall = dlsym(RTLD_NEXT, "syscall");
	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) == -1) {
		fprintf(stderr, "ntplab: no clock at %s\n", path ? path : "(unset)");
		_exit(99);
	}
	clk = mmap(NULL, sizeof(*clk), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (clk == MAP_FAILED)
		_exit(99);
	actor = mode != NULL && strcmp(mode, "actor") == 0;
	real_clock_gettime(CLOCK_MONOTONIC, &now);
	ahead = boot_now() - clk->suspended - (now.tv_sec * SECOND + now.tv_nsec);
	if (actor && clk->refuses)
		hide();
}

__attribute__((destructor)) static void stop(void)
{
	if (mine != NULL && mine_pid == getpid())
		atomic_store(&mine->pid, 0);
}

static void lock(void)
{
	uint32_t zero = 0;

	while (!atomic_compare_exchange_weak(&clk->lock, &zero, 1))
		zero = 0;
}

static void unlock(void)
{
	atomic_store(&clk->lock, 0);
}

static int64_t within(int64_t value, int64_t most)
{
	return value > most ? most : value < -most ? -most : value;
}

/* How much of the slew has been worked off at true time `now`. */
static int64_t slewed(int64_t now)
{
	return within(clk->slew, (now - clk->since) / 1000000 * SLEW_PPM);
}

static int64_t drifted(int64_t now)
{
	return (int64_t)((double)(now - clk->since) * (double)clk->freq_ppb / 1e9);
}

static int64_t system_now(void)
{
	int64_t now, value;

	lock();
	now = clk->now;
	value = now + clk->offset + slewed(now) + drifted(now);
	unlock();
	return value;
}

/* CLOCK_BOOTTIME: nobody sets it, and it is slewed together with the system clock. */
static int64_t boot_now(void)
{
	return system_now() - clk->set;
}

/* Makes `since` the present; the caller holds the lock. */
static void settle(void)
{
	int64_t now = clk->now, done = slewed(now), drift = drifted(now);

	clk->offset += done + drift;
	clk->slew -= done;
	clk->since = now;
}

static struct timespec spec(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) {
		*ts = spec(system_now());
		return 0;
	}
	if (id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID)
		return real_clock_gettime(id, ts);
	if (id == CLOCK_BOOTTIME)
		*ts = spec(boot_now());
	else if (actor)
		*ts = spec(boot_now() - clk->suspended);
	else {
		real_clock_gettime(CLOCK_MONOTONIC, ts);
		*ts = spec(ts->tv_sec * SECOND + ts->tv_nsec + ahead);
	}
	return 0;
}

/* An observer's locks wait until a moment of its CLOCK_MONOTONIC, which the kernel knows by another name. */
long syscall(long number, ...)
{
	struct timespec until;
	long a[6];
	va_list list;
	int i;

	va_start(list, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (!actor && number == SYS_futex && a[3] != 0 && (a[1] & ~FUTEX_PRIVATE_FLAG) == FUTEX_WAIT_BITSET) {
		until = *(struct timespec *)a[3];
		until = spec(until.tv_sec * SECOND + until.tv_nsec - ahead);
		a[3] = (long)&until;
	}
	return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec ts = spec(system_now());

	(void)tz;
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	time_t now = system_now() / SECOND;

	if (out != NULL)
		*out = now;
	return now;
}

/* What the kernel says to those who may not set the clock. */
static int refused(void)
{
	if (clk->refuses)
		errno = EPERM;
	return clk->refuses ? -1 : 0;
}

static int set_clock(int64_t wanted)
{
	if (refused())
		return -1;
	lock();
	settle();
	clk->set += wanted - clk->now - clk->offset;
	clk->offset = wanted - clk->now;
	clk->slew = 0;
	unlock();
	return 0;
}

int settimeofday(const struct timeval *tv, const struct timezone *tz)
{
	(void)tz;
	return set_clock(tv->tv_sec * SECOND + tv->tv_usec * 1000);
}

int clock_settime(clockid_t id, const struct timespec *ts)
{
	(void)id;
	return set_clock(ts->tv_sec * SECOND + ts->tv_nsec);
}

/* Replaces the running slew, returns the rest of the old one. */
static int64_t swap_slew(const int64_t *wanted)
{
	int64_t old;

	lock();
	settle();
	old = clk->slew;
	if (wanted != NULL) {
		clk->slew = *wanted;
		clk->adjusted_at = clk->now;
		clk->adjusted_by = *wanted;
		clk->adjustments++;
	}
	unlock();
	return old;
}

int adjtime(const struct timeval *delta, struct timeval *olddelta)
{
	int64_t wanted = 0, old;

	if (delta != NULL && refused())
		return -1;
	if (delta != NULL)
		wanted = delta->tv_sec * SECOND + delta->tv_usec * 1000;
	old = swap_slew(delta != NULL ? &wanted : NULL);
	if (olddelta != NULL) {
		olddelta->tv_sec = old / SECOND;
		olddelta->tv_usec = old % SECOND / 1000;
	}
	return 0;
}

static int adjust(struct timex *tx)
{
	int64_t wanted = (int64_t)tx->offset * 1000;
	unsigned modes = tx->modes;

	if (modes != 0 && modes != ADJ_OFFSET_SS_READ && refused())
		return -1;
	if (modes == ADJ_OFFSET_SINGLESHOT)
		tx->offset = swap_slew(&wanted) / 1000;
	else if (modes == ADJ_OFFSET_SS_READ)
		tx->offset = swap_slew(NULL) / 1000;
	else
		tx->offset = 0; /* the rest of an adjtime is not shown here: so does Linux */
	lock();
	if (modes != ADJ_OFFSET_SINGLESHOT && modes != ADJ_OFFSET_SS_READ) {
		settle();
		if (modes & ADJ_FREQUENCY)
			clk->freq_ppb = within((int64_t)tx->freq * 1000 / 65536, MAXIMUM_PPB);
		if (modes & ADJ_STATUS)
			clk->status = tx->status;
		if (modes & ADJ_MAXERROR)
			clk->maxerror_at = clk->now - (int64_t)tx->maxerror * 2000000;
	}
	tx->freq = clk->freq_ppb * 65536 / 1000;
	tx->status = clk->status;
	tx->maxerror = (clk->now - clk->maxerror_at) / 2000000;
	unlock();
	gettimeofday(&tx->time, NULL);
	return tx->status & STA_UNSYNC ? TIME_ERROR : TIME_OK;
}

int adjtimex(struct timex *tx)
{
	return adjust(tx);
}

int ntp_adjtime(struct timex *tx)
{
	return adjust(tx);
}

int clock_adjtime(clockid_t id, struct timex *tx)
{
	(void)id;
	return adjust(tx);
}

/* The kernel would stamp arriving packets with the machine's own time: it is not asked to, and we stamp them. */
#define DESCRIPTORS 1024
static char stamped[DESCRIPTORS];

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	if (level == SOL_SOCKET && name == SO_TIMESTAMP && fd >= 0 && fd < DESCRIPTORS) {
		stamped[fd] = 1;
		return 0;
	}
	return real_setsockopt(fd, level, name, value, length);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	size_t room = message->msg_controllen;
	ssize_t length = real_recvmsg(fd, message, flags);
	struct timeval now;
	struct cmsghdr *control;

	if (length < 0 || fd >= DESCRIPTORS || !stamped[fd] || room < CMSG_SPACE(sizeof(now)))
		return length;
	gettimeofday(&now, NULL);
	message->msg_controllen = CMSG_SPACE(sizeof(now));
	control = CMSG_FIRSTHDR(message);
	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_TIMESTAMP;
	control->cmsg_len = CMSG_LEN(sizeof(now));
	memcpy(CMSG_DATA(control), &now, sizeof(now));
	return length;
}

int close(int fd)
{
	if (fd >= 0 && fd < DESCRIPTORS)
		stamped[fd] = 0;
	return real_close(fd);
}

static struct slot *claim(void)
{
	int i;

	if (mine != NULL && mine_pid == getpid())
		return mine;
	for (i = 0; i < SLOTS; i++) {
		int32_t free_pid = 0;
		if (atomic_compare_exchange_strong(&clk->slots[i].pid, &free_pid, getpid())) {
			mine = &clk->slots[i];
			mine_pid = getpid();
			return mine;
		}
	}
	fprintf(stderr, "ntplab: more than %d processes\n", SLOTS);
	_exit(99);
}

static int leave(struct slot *slot, int result)
{
	atomic_fetch_add(&clk->activity, 1);
	atomic_store(&slot->waiting, 0);
	return result;
}

/* Waits until a descriptor is ready or virtual time has reached the deadline, which only the lab moves. */
static int wait_for(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	struct slot *slot = claim();
	uint32_t epoch;
	int ready;

	atomic_store(&slot->deadline, deadline);
	atomic_store(&slot->waiting, 1);
	for (;;) {
		epoch = atomic_load(&clk->epoch);
		ready = real_poll(fds, count, 0);
		if (ready != 0)
			return leave(slot, ready);
		if (awake() >= deadline)
			return leave(slot, 0);
		atomic_store(&slot->acked, epoch);
		struct timespec nap = { .tv_nsec = 150000 };
		ready = ppoll(fds, count, &nap, NULL);
		if (ready == -1)
			return leave(slot, -1);
	}
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int64_t deadline = INT64_MAX;

	if (!actor)
		return real_poll(fds, count, timeout);
	/* A wait of nothing that is repeated would stop virtual time. */
	if (timeout >= 0)
		deadline = awake() + (timeout > 0 ? timeout : 1) * 1000000LL;
	return wait_for(fds, count, deadline);
}

/* What _FORTIFY_SOURCE makes of poll. */
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size)
{
	(void)size;
	return poll(fds, count, timeout);
}

int nanosleep(const struct timespec *wanted, struct timespec *rest)
{
	static int (*real_nanosleep)(const struct timespec *, struct timespec *);

	if (actor)
		return wait_for(NULL, 0, awake() + wanted->tv_sec * SECOND + wanted->tv_nsec);
	if (real_nanosleep == NULL)
		real_nanosleep = dlsym(RTLD_NEXT, "nanosleep");
	return real_nanosleep(wanted, rest);
}

unsigned int sleep(unsigned int seconds)
{
	struct timespec wanted = { .tv_sec = seconds };

	nanosleep(&wanted, NULL);
	return 0;
}
