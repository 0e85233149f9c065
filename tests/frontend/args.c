// SPDX-License-Identifier: GPL-2.0-only
/* A command and what follows it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "util.h"

static void add(struct args *args, char *word)
{
	char *equals = strchr(word, '=');

	if (args->count == MAX_ARGS)
		broken("%s: too many words", args->name);
	if (equals)
		*equals++ = 0;
	args->key[args->count] = word;
	args->value[args->count] = equals;
	args->count++;
}

void args_parse(struct args *args, const char *line)
{
	static const char blank[] = " \t\n";
	char *word;

	memset(args, 0, sizeof(*args));
	args->line = format("%s", line);
	args->name = strtok(args->line, blank);
	if (!args->name || *args->name == '#')
		args->name = NULL;
	while (args->name && (word = strtok(NULL, blank)))
		add(args, word);
}

void args_free(struct args *args)
{
	free(args->line);
}

void args_done(const struct args *args)
{
	unsigned int i;

	for (i = 0; i < args->count; i++)
		if (!args->used[i])
			broken("%s: what is %s?", args->name, args->key[i]);
}

const char *args_text(struct args *args, const char *key)
{
	unsigned int i;

	for (i = 0; i < args->count; i++) {
		if (args->used[i] || strcmp(args->key[i], key))
			continue;
		args->used[i] = true;
		if (!args->value[i])
			broken("%s: %s is without a value", args->name, key);
		return args->value[i];
	}
	return NULL;
}

static char *join(struct args *args, unsigned int from)
{
	char *text = NULL, *more;
	unsigned int i;

	for (i = from; i < args->count; i++) {
		args->used[i] = true;
		more = format("%s%s%s%s%s", text ? text : "", text ? " " : "",
			      args->key[i], args->value[i] ? "=" : "",
			      args->value[i] ? args->value[i] : "");
		free(text);
		text = more;
	}
	return text;
}

char *args_rest(struct args *args)
{
	return join(args, 0);
}

char *args_behind(struct args *args, const char *word)
{
	unsigned int i;
	char *text;

	for (i = 0; i < args->count; i++)
		if (!strcmp(args->key[i], word) && !args->value[i])
			break;
	if (i == args->count)
		broken("%s: there is no %s", args->name, word);
	text = join(args, i + 1);
	args->count = i;
	if (!text)
		broken("%s: there is nothing behind %s", args->name, word);
	return text;
}

__u64 number_from(const char *what, const char *text)
{
	__u64 value;

	if (!parse_number(text, &value))
		broken("%s: %s is not a number", what, text);
	return value;
}

__u64 args_number(struct args *args, const char *key, __u64 missing)
{
	const char *text = args_text(args, key);

	return text ? number_from(key, text) : missing;
}

struct term args_term(struct args *args, __u64 missing)
{
	struct term term = { .file = args_text(args, "until") };

	term.end = now_ms() + args_number(args, "ms",
					  term.file ? FILE_PATIENCE_MS : missing);
	return term;
}

bool term_over(const struct term *term)
{
	return now_ms() >= term->end || (term->file && !unlink(term->file));
}
