// SPDX-License-Identifier: GPL-2.0-only
/*
 * meter: like time(1), for domains.
 *
 *	meter FILE DOMID COMMAND...
 *
 * Runs COMMAND in dom0 and writes to FILE, in nanoseconds, how long that took and how much of a CPU
 * dom0 and the domain have used meanwhile, as Xen accounts for it. On a host whose clock counts
 * instructions (host.sh -b) these are instructions. Exits with the status of COMMAND.
 *
 * The marks before and after do nothing but for profile/count.c, which then counts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>

struct reading {
	long long time;
	unsigned long long dom0;
	unsigned long long guest;
};

static xc_interface *xc;

static void die(const char *what)
{
	fprintf(stderr, "meter: %s: %s\n", what, strerror(errno));
	exit(2);
}

static unsigned long long cpu_time(unsigned int domain)
{
	xc_dominfo_t info;

	if (xc_domain_getinfo(xc, domain, 1, &info) != 1 || info.domid != domain)
		die("no such domain");
	return info.cpu_time;
}

static struct reading take_reading(unsigned int domain)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct reading) {
		.time = now.tv_sec * 1000000000LL + now.tv_nsec,
		.dom0 = cpu_time(0),
		.guest = cpu_time(domain),
	};
}

static int run(char **command)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		execvp(command[0], command);
		die(command[0]);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		die("fork");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct reading start, end;
	unsigned int domain;
	int status;
	FILE *file;

	if (argc < 4)
		return 2;
	domain = atoi(argv[2]);
	xc = xc_interface_open(NULL, NULL, 0);
	if (!xc)
		die("libxenctrl");
	start = take_reading(domain);
	asm volatile(".byte 0x0f, 0x1f, 0x80; .ascii \"met0\"" : : : "memory");
	status = run(argv + 3);
	asm volatile(".byte 0x0f, 0x1f, 0x80; .ascii \"met1\"" : : : "memory");
	end = take_reading(domain);
	file = fopen(argv[1], "w");
	if (!file)
		die(argv[1]);
	fprintf(file, "time=%lld dom0=%llu guest=%llu\n",
		end.time - start.time, end.dom0 - start.dom0, end.guest - start.guest);
	fclose(file);
	return status;
}
