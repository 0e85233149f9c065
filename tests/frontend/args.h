/* SPDX-License-Identifier: GPL-2.0-only */
/* A command and what follows it: NAME KEY=VALUE KEY ... */
#ifndef ARGS_H
#define ARGS_H

#include <linux/types.h>
#include <stdbool.h>

#define MAX_ARGS	600

/**
 * struct args - the words of a command
 * @line: what @key and @value point into
 * @name: the first word, NULL if there is none
 * @key: of the other words
 * @value: NULL where there is no "="
 * @used: somebody wanted to know
 * @count: how many other words there are
 */
struct args {
	char *line;
	char *name;
	const char *key[MAX_ARGS];
	const char *value[MAX_ARGS];
	bool used[MAX_ARGS];
	unsigned int count;
};

void args_parse(struct args *args, const char *line);
void args_free(struct args *args);

/* The program ends if nobody wanted to know one of the words: it was misspelt. */
void args_done(const struct args *args);

/* The first one of that name that is not used yet; NULL if there is none. */
const char *args_text(struct args *args, const char *key);
__u64 args_number(struct args *args, const char *key, __u64 missing);

/* All of them, as they were but for the blanks between; to be freed, NULL if there is none. */
char *args_rest(struct args *args);

__u64 number_from(const char *what, const char *text);

#endif /* ARGS_H */
