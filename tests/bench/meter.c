// SPDX-License-Identifier: GPL-2.0-only
/*
 * meter: what domains cost.
 *
 *	meter DOMID SECONDS [FILE...]
 *
 * Prints, in nanoseconds, how much of a CPU dom0 and the domain use in that time, as Xen accounts
 * for it. On a host whose clock counts instructions (host.sh -b) these are instructions. FILEs have
 * a number each; by how much their sum grows in that time is printed as count.
 *
 * The marks before and after do nothing but for profile/count.c, which then counts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>

struct reading {
	long long time;
	unsigned long long dom0;
	unsigned long long guest;
	unsigned long long count;
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

static unsigned long long sum(char **files)
{
	unsigned long long number, total = 0;

	for (; *files; files++) {
		FILE *file = fopen(*files, "r");

		if (!file || fscanf(file, "%llu", &number) != 1)
			die(*files);
		fclose(file);
		total += number;
	}
	return total;
}

static struct reading take_reading(unsigned int domain, char **files)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct reading) {
		.time = now.tv_sec * 1000000000LL + now.tv_nsec,
		.count = sum(files),
		.dom0 = cpu_time(0),
		.guest = cpu_time(domain),
	};
}

static void sleep_for(double seconds)
{
	struct timespec length = { .tv_sec = seconds };

	length.tv_nsec = (seconds - length.tv_sec) * 1e9;
	if (nanosleep(&length, NULL))
		die("nanosleep");
}

int main(int argc, char **argv)
{
	struct reading start, end;
	unsigned int domain;

	if (argc < 3)
		return 2;
	domain = atoi(argv[1]);
	xc = xc_interface_open(NULL, NULL, 0);
	if (!xc)
		die("libxenctrl");
	start = take_reading(domain, argv + 3);
	asm volatile(".byte 0x0f, 0x1f, 0x80; .ascii \"met0\"" : : : "memory");
	sleep_for(atof(argv[2]));
	asm volatile(".byte 0x0f, 0x1f, 0x80; .ascii \"met1\"" : : : "memory");
	end = take_reading(domain, argv + 3);
	printf("time=%lld dom0=%llu guest=%llu count=%llu\n", end.time - start.time,
	       end.dom0 - start.dom0, end.guest - start.guest, end.count - start.count);
	return 0;
}
