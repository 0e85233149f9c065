/* SPDX-License-Identifier: GPL-2.0-only */
/* A command and what follows it: NAME KEY=VALUE KEY ... */
#ifndef ARGS_H
#define ARGS_H

#include <linux/types.h>
#include <stdbool.h>

#define MAX_ARGS	600
/* How long a case may take to make a file that is waited for. */
#define FILE_PATIENCE_MS	300000

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

/*
 * The same of the words behind @word, which are not the command's own any more. There have
 * to be some.
 */
char *args_behind(struct args *args, const char *word);

/**
 * struct term - how long something goes on
 * @end: until then, by now_ms()
 * @file: or until there is this file, which is removed then; NULL if there is none
 */
struct term {
	long long end;
	const char *file;
};

/* ms=N and until=FILE; begins now. With neither it is @missing, in milliseconds. */
struct term args_term(struct args *args, __u64 missing);
bool term_over(const struct term *term);

__u64 number_from(const char *what, const char *text);

#endif /* ARGS_H */
