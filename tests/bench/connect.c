// SPDX-License-Identifier: GPL-2.0-only
/*
 * connect: how long a backend takes to connect.
 *
 *	connect DOMID NUMBER
 *
 * Started in dom0 before the disk NUMBER of the domain is attached. Waits until it is connected and
 * prints the microseconds from the frontend's Initialised to the backend's Connected.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <xenstore.h>

static struct xs_handle *xs;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static bool state_is(const char *path, char state)
{
	char *value = xs_read(xs, XBT_NULL, path, NULL);
	bool is = value && value[0] == state;

	free(value);
	return is;
}

int main(int argc, char **argv)
{
	char frontend[80], backend[80];
	unsigned int count;
	double start = 0;

	if (argc != 3)
		return 2;
	snprintf(frontend, sizeof(frontend), "/local/domain/%s/device/vbd/%s/state", argv[1],
		 argv[2]);
	snprintf(backend, sizeof(backend), "/local/domain/0/backend/vbd/%s/%s/state", argv[1],
		 argv[2]);
	xs = xs_open(0);
	if (!xs || !xs_watch(xs, frontend, "") || !xs_watch(xs, backend, "")) {
		fprintf(stderr, "connect: no xenstore\n");
		return 1;
	}
	while (!state_is(backend, '4')) {
		free(xs_read_watch(xs, &count));
		if (!start && state_is(frontend, '3'))
			start = now();
	}
	if (!start) {
		fprintf(stderr, "connect: Initialised came and went unseen\n");
		return 1;
	}
	printf("%.0f\n", now() - start);
	return 0;
}
