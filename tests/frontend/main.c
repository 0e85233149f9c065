// SPDX-License-Identifier: GPL-2.0-only
/*
 * frontend: a disk's other end, in user space, that says whatever it is told to.
 *
 *	frontend [-s SEED] [-v] DISK COMMAND...
 *
 * DISK is a number as in device/vbd/NUMBER, or a name like xvdb. Each COMMAND is
 * an argument; "-" stands for lines of standard input. README.md has them all.
 * A connection that is there at the end is closed.
 *
 * Exit status: 0 if all was well, 1 if the backend is wrong, 2 if the test is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xenevtchn.h>

#include "args.h"
#include "commands.h"

#define PATIENCE_MS	60000
#define POOL_PAGES	1024
#define READONLY_PAGES	128

static bool verbose;

static unsigned int disk_number(const char *text)
{
	if (!strncmp(text, "xvd", 3) && text[3] >= 'a' && text[3] <= 'p' && !text[4])
		return 202 << 8 | (text[3] - 'a') << 4;
	return number_from("disk", text);
}

/* What happened by chance can be had again. */
static void choose_seed(struct frontend *fe, const char *text)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	fe->rng.state = (__u64)time.tv_nsec << 20 ^ time.tv_sec;
	if (text)
		fe->rng.state = number_from("seed", text);
	say("# seed %llu", fe->rng.state);
}

static void start(struct frontend *fe, unsigned int number)
{
	fe->vbd.patience_ms = PATIENCE_MS;
	vbd_open(&fe->vbd, number);
	fe->events = xenevtchn_open(NULL, 0);
	if (!fe->events)
		broken("event channels: %s", strerror(errno));
	settings_default(&fe->set);
	pool_init(&fe->pool, POOL_PAGES, fe->vbd.domid, true);
	pool_init(&fe->readonly, READONLY_PAGES, fe->vbd.domid, false);
}

static void stop(struct frontend *fe)
{
	if (fe->conn)
		conn_close(fe);
	conn_release(fe);
	pages_free(&fe->elsewhere);
	pool_free(&fe->readonly);
	pool_free(&fe->pool);
	model_free(&fe->model);
	keys_free(&fe->extra);
	xenevtchn_close(fe->events);
	vbd_close(&fe->vbd);
}

static void run(struct frontend *fe, const char *line)
{
	if (verbose)
		say("+ %s", line);
	command_run(fe, line);
}

static void run_input(struct frontend *fe)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = 0;
		run(fe, line);
	}
	free(line);
}

int main(int argc, char **argv)
{
	struct frontend fe = { 0 };
	const char *seed = NULL;
	int option, i;

	while ((option = getopt(argc, argv, "s:v")) != -1) {
		if (option == 's')
			seed = optarg;
		else if (option == 'v')
			verbose = true;
		else
			return EXIT_BROKEN;
	}
	if (optind == argc)
		broken("usage: frontend [-s SEED] [-v] DISK COMMAND...");
	choose_seed(&fe, seed);
	start(&fe, disk_number(argv[optind]));
	for (i = optind + 1; i < argc; i++) {
		if (strcmp(argv[i], "-"))
			run(&fe, argv[i]);
		else
			run_input(&fe);
	}
	stop(&fe);
	return 0;
}
