// SPDX-License-Identifier: GPL-2.0-only
/*
 * nodes: does several things to xenstore, as standard input says, one a line. Emulated, each
 * program that is started costs a tenth of a second in dom0.
 *
 *	write PATH TEXT		all the rest of the line
 *	chmod PATH PERM...	as xenstore-chmod has them: n0 r5
 *	rm PATH			if it is there
 *	disguise PATH		the number that is there is written otherwise, with another
 *				number of zeros in front: the same for who takes it as a
 *				number, but not for xenstore
 *	await SECONDS PATH TEXT	until it says so; if it never does, nothing more is done, and
 *				the status is 1
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xenstore.h>

#define MAX_PERMS	4
#define BROKEN		2
#define ZEROS		"00000000"

static struct xs_handle *xs;

static void broken(const char *verb, const char *path)
{
	fprintf(stderr, "nodes: %s %s: %s\n", verb, path, strerror(errno));
	exit(BROKEN);
}

static unsigned int perm_from(char letter)
{
	switch (letter) {
	case 'r': return XS_PERM_READ;
	case 'w': return XS_PERM_WRITE;
	case 'b': return XS_PERM_READ | XS_PERM_WRITE;
	default: return XS_PERM_NONE;
	}
}

static bool change_perms(const char *path, char *text)
{
	struct xs_permissions perms[MAX_PERMS];
	unsigned int count = 0;
	char *word;

	for (word = strtok(text, " "); word && count < MAX_PERMS; word = strtok(NULL, " ")) {
		perms[count].perms = perm_from(*word);
		perms[count++].id = atoi(word + 1);
	}
	return xs_set_permissions(xs, XBT_NULL, path, perms, count);
}

/* In a transaction, so that nothing is lost of what others write at the time. */
static bool disguise(const char *path)
{
	xs_transaction_t transaction = xs_transaction_start(xs);
	char *text = xs_read(xs, transaction, path, NULL), other[64];
	bool done = false;
	size_t zeros;

	if (text) {
		zeros = strspn(text, "0");
		snprintf(other, sizeof(other), "%.*s%s",
			 zeros < strlen(ZEROS) ? (int)zeros + 1 : 0, ZEROS, text + zeros);
		done = xs_write(xs, transaction, path, other, strlen(other));
	}
	free(text);
	/* Others may have been first. */
	return (xs_transaction_end(xs, transaction, !done) || errno == EAGAIN) && done;
}

static bool says(const char *path, const char *text)
{
	char *found = xs_read(xs, XBT_NULL, path, NULL);
	bool same = found && !strcmp(found, text);

	free(found);
	return same;
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static bool await(const char *path, const char *text, time_t end)
{
	struct pollfd pollfd = { .fd = xs_fileno(xs), .events = POLLIN };

	if (!xs_watch(xs, path, "nodes"))
		broken("watch", path);
	while (!says(path, text)) {
		if (now() >= end)
			return false;
		poll(&pollfd, 1, 1000);
		free(xs_check_watch(xs));
	}
	xs_unwatch(xs, path, "nodes");
	return true;
}

/* The next word of a line, which is cut there. */
static char *word(char **rest)
{
	char *found = strsep(rest, " ");

	return found ? found : "";
}

static void run(char *line)
{
	char *rest = line, *verb = word(&rest);
	unsigned int seconds = strcmp(verb, "await") ? 0 : atoi(word(&rest));
	char *path = word(&rest), *text = rest ? rest : "";
	bool done;

	if (!strcmp(verb, "write"))
		done = xs_write(xs, XBT_NULL, path, text, strlen(text));
	else if (!strcmp(verb, "chmod"))
		done = change_perms(path, text);
	else if (!strcmp(verb, "rm"))
		done = xs_rm(xs, XBT_NULL, path) || errno == ENOENT;
	else if (!strcmp(verb, "disguise"))
		done = disguise(path);
	else if (!strcmp(verb, "await"))
		done = await(path, text, now() + seconds) || (exit(1), false);
	else
		done = !*verb;
	if (!done)
		broken(verb, path);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	xs = xs_open(0);
	if (!xs)
		broken("open", "xenstore");
	while ((length = getline(&line, &size, stdin)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = 0;
		run(line);
	}
	free(line);
	return 0;
}
