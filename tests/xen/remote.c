// SPDX-License-Identifier: GPL-2.0-only
/*
 * remote: shell commands for a guest, by way of xenstore.
 *
 *	remote serve			in the guest: serves for ever
 *	remote wait GUEST SECONDS	in dom0: until the guest serves
 *	remote run GUEST SECONDS	in dom0: has the guest's shell run standard input,
 *					prints its output, exits with its status; or with
 *					255, like ssh, when there was no answer
 *	remote domid GUEST		in dom0: prints the number of the domain
 *
 * Emulated, a fork costs a tenth of a second in dom0, and a shell doing the same needs twenty.
 *
 * Below the guest's own folder in xenstore:
 *	data/command/0 ...	the script, in pieces
 *	data/request		"NUMBER PIECES", written last
 *	data/output/0 ...	the output, in pieces
 *	data/reply		"NUMBER PIECES STATUS", written last
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

#define NO_ANSWER	255
#define PIECE		2000	/* xenstore takes values of up to 2048 bytes */
#define MAX_PIECES	64	/* and a guest may own some thousand nodes */

static struct xs_handle *xs;
static char base[64];		/* "/local/domain/N/" in dom0, nothing in the guest */

static void die(const char *what)
{
	fprintf(stderr, "remote: %s: %s\n", what, strerror(errno));
	exit(NO_ANSWER);
}

static char *path(const char *format, ...)
{
	static char buffer[128];
	size_t used = snprintf(buffer, sizeof(buffer), "%sdata/", base);
	va_list args;

	va_start(args, format);
	vsnprintf(buffer + used, sizeof(buffer) - used, format, args);
	va_end(args);
	return buffer;
}

static void put(const char *where, const void *value, size_t length)
{
	if (!xs_write(xs, XBT_NULL, where, value, length))
		die(where);
}

/* Stores what @fd yields under @folder; returns the number of pieces. */
static int put_pieces(const char *folder, FILE *from)
{
	static const char cut[] = "\n[the rest of the output is cut off]\n";
	char piece[PIECE];
	size_t length;
	int count = 0;

	while ((length = fread(piece, 1, sizeof(piece), from)) > 0) {
		if (count == MAX_PIECES - 1) {
			put(path("%s/%d", folder, count++), cut, sizeof(cut) - 1);
			break;
		}
		put(path("%s/%d", folder, count++), piece, length);
	}
	return count;
}

static void get_pieces(const char *folder, int count, FILE *to)
{
	unsigned int length;
	char *piece;
	int i;

	for (i = 0; i < count; i++) {
		piece = xs_read(xs, XBT_NULL, path("%s/%d", folder, i), &length);
		if (!piece)
			die(path("%s/%d", folder, i));
		fwrite(piece, 1, length, to);
		free(piece);
	}
	fflush(to);
}

static void watch(const char *what)
{
	if (!xs_watch(xs, what, "remote"))
		die(what);
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* Waits for any watch to fire, until @end by the monotonic clock or for ever if that is 0. */
static bool wait_event(time_t end)
{
	struct pollfd pollfd = { .fd = xs_fileno(xs), .events = POLLIN };
	char **event;

	for (;;) {
		event = xs_check_watch(xs);
		if (event) {
			free(event);
			return true;
		}
		if (end && now() >= end)
			return false;
		poll(&pollfd, 1, end ? 1000 : -1);
	}
}

/* The guest's side. */

static int run_shell(const char *script, const char *output)
{
	int status, fd;
	pid_t child, ended;

	child = fork();
	if (child == 0) {
		fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(fd, 1);
		dup2(fd, 2);
		execl("/bin/sh", "sh", script, NULL);
		_exit(127);
	}
	/* As the first process this one inherits others' children. */
	while ((ended = waitpid(-1, &status, 0)) != child)
		if (ended < 0 && errno != EINTR)
			return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void serve_request(int number, int pieces)
{
	static const char script[] = "/tmp/.command", output[] = "/tmp/.output";
	char reply[64];
	int status;
	FILE *file;

	file = fopen(script, "w");
	if (!file)
		die(script);
	get_pieces("command", pieces, file);
	fclose(file);
	status = run_shell(script, output);
	file = fopen(output, "r");
	pieces = file ? put_pieces("output", file) : 0;
	if (file)
		fclose(file);
	snprintf(reply, sizeof(reply), "%d %d %d", number, pieces, status);
	put(path("reply"), reply, strlen(reply));
}

/*
 * Tells dom0 that we serve. A guest that was restored or has migrated finds its folder empty; the
 * kernel has set our watch again, and that wakes us.
 */
static void announce(int served)
{
	char reply[32], *there;

	there = xs_read(xs, XBT_NULL, path("reply"), NULL);
	if (!there) {
		snprintf(reply, sizeof(reply), "%d 0 0", served);
		put(path("reply"), reply, strlen(reply));
	}
	free(there);
}

static void serve(void)
{
	int number, pieces, served = 0;
	char *request;

	watch(path("request"));
	for (;;) {
		announce(served);
		wait_event(0);
		request = xs_read(xs, XBT_NULL, path("request"), NULL);
		if (request && sscanf(request, "%d %d", &number, &pieces) == 2 &&
		    number != served) {
			served = number;
			serve_request(number, pieces);
		}
		free(request);
	}
}

/* dom0's side. */

static int find_domain(const char *guest)
{
	unsigned int count, i;
	int domain = -1;
	char **domains, *name, where[64];

	domains = xs_directory(xs, XBT_NULL, "/local/domain", &count);
	for (i = 0; domains && i < count; i++) {
		snprintf(where, sizeof(where), "/local/domain/%s/name", domains[i]);
		name = xs_read(xs, XBT_NULL, where, NULL);
		if (name && !strcmp(name, guest))
			domain = atoi(domains[i]);
		free(name);
	}
	free(domains);
	return domain;
}

static int reply_number(int *pieces, int *status)
{
	char *reply = xs_read(xs, XBT_NULL, path("reply"), NULL);
	int number;

	if (!reply || sscanf(reply, "%d %d %d", &number, pieces, status) != 3)
		number = -1;
	free(reply);
	return number;
}

/* Waits for reply @number; gives up when the domain is gone or the time is over. */
static int await_reply(int domain, int number, time_t end, int *pieces)
{
	int status;

	watch(path("reply"));
	watch("@releaseDomain");
	while (reply_number(pieces, &status) != number) {
		if (!xs_is_domain_introduced(xs, domain)) {
			fprintf(stderr, "remote: the guest is gone\n");
			exit(NO_ANSWER);
		}
		if (!wait_event(end)) {
			fprintf(stderr, "remote: no answer in time\n");
			if (reply_number(pieces, &status) == number)
				fprintf(stderr, "remote: but there is one now\n");
			exit(NO_ANSWER);
		}
	}
	return status;
}

/* The domain may still be in the making, or it is being restarted and absent for a moment. */
static int wait_guest(const char *guest, time_t end)
{
	int domain, pieces, status, absent = 0;

	while (now() < end && absent < 300) {
		domain = find_domain(guest);
		absent = domain < 0 ? absent + 1 : 0;
		snprintf(base, sizeof(base), "/local/domain/%d/", domain);
		if (domain >= 0 && reply_number(&pieces, &status) >= 0)
			return 0;
		usleep(100000);
	}
	fprintf(stderr, "remote: %s\n", absent ? "there is no such guest" : "no answer in time");
	return NO_ANSWER;
}

static int run(int domain, time_t end)
{
	int pieces, status, number;
	char request[32];

	number = reply_number(&pieces, &status) + 1;
	pieces = put_pieces("command", stdin);
	if (pieces == MAX_PIECES) {
		fprintf(stderr, "remote: the script is too long\n");
		return NO_ANSWER;
	}
	snprintf(request, sizeof(request), "%d %d", number, pieces);
	put(path("request"), request, strlen(request));
	status = await_reply(domain, number, end, &pieces);
	get_pieces("output", pieces, stdout);
	return status;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int domain;

	xs = xs_open(0);
	if (!xs)
		die("xenstore");
	if (!strcmp(verb, "serve"))
		serve();
	if (!strcmp(verb, "wait") && argc == 4)
		return wait_guest(argv[2], now() + atoi(argv[3]));
	domain = argc > 2 ? find_domain(argv[2]) : -1;
	if (domain < 0)
		return NO_ANSWER;
	snprintf(base, sizeof(base), "/local/domain/%d/", domain);
	if (!strcmp(verb, "run") && argc == 4)
		return run(domain, now() + atoi(argv[3]));
	if (!strcmp(verb, "domid"))
		return printf("%d\n", domain) < 0;
	return 2;
}
