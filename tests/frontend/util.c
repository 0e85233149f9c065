// SPDX-License-Identifier: GPL-2.0-only
/* Verdicts, time, chance, numbers. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "util.h"

static void print(const char *prefix, const char *fmt, va_list args)
{
	fputs(prefix, stdout);
	vprintf(fmt, args);
	putchar('\n');
	fflush(stdout);
}

void wrong(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print("frontend: WRONG: ", fmt, args);
	va_end(args);
	exit(EXIT_WRONG);
}

void broken(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print("frontend: BROKEN: ", fmt, args);
	va_end(args);
	exit(EXIT_BROKEN);
}

void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print("", fmt, args);
	va_end(args);
}

long long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

void *zalloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		broken("no memory for %zu bytes", size);
	return memory;
}

char *format(const char *fmt, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, fmt);
	length = vasprintf(&text, fmt, args);
	va_end(args);
	if (length < 0)
		broken("no memory for a text");
	return text;
}

bool parse_number(const char *text, __u64 *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return *text && !*end && !errno;
}

/* The step of splitmix64, a public generator that any seed is good enough for. */
__u64 rng_next(struct rng *rng)
{
	__u64 z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

__u64 rng_below(struct rng *rng, __u64 limit)
{
	return limit ? rng_next(rng) % limit : 0;
}
