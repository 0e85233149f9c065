/* SPDX-License-Identifier: GPL-2.0-only */
/* What every file of the test frontend needs: verdicts, time, chance, numbers. */
#ifndef UTIL_H
#define UTIL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* Arguments that are checked like those of printf(). */
#define ATTRIBUTE __attribute__
#define __printf(fmt, first) ATTRIBUTE((__format__(__printf__, fmt, first)))

/* Exit statuses. */
#define EXIT_WRONG	1	/* the backend is wrong */
#define EXIT_BROKEN	2	/* the test is: its usage, or what it needs of the guest */

/* Both print the reason and end the program. */
_Noreturn void wrong(const char *fmt, ...) __printf(1, 2);
_Noreturn void broken(const char *fmt, ...) __printf(1, 2);

/* Prints a line at once. */
void say(const char *fmt, ...) __printf(1, 2);

long long now_ms(void);

void *zalloc(size_t size);
char *format(const char *fmt, ...) __printf(1, 2);

/* Numbers as people write them: decimal or 0x..., a leading minus wraps. */
bool parse_number(const char *text, __u64 *value);

/**
 * struct rng - chance that can be had again
 * @state: the seed
 */
struct rng {
	__u64 state;
};

__u64 rng_next(struct rng *rng);
/* A number below @limit. */
__u64 rng_below(struct rng *rng, __u64 limit);

#endif /* UTIL_H */
