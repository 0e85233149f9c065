// SPDX-License-Identifier: GPL-2.0-only
/* What the program can be told to do. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xenevtchn.h>

#include "abuse.h"
#include "args.h"
#include "chaos.h"
#include "commands.h"
#include "io.h"
#include "matrix.h"
#include "named.h"
#include "odd.h"

void settings_default(struct settings *set)
{
	memset(set, 0, sizeof(*set));
	set->abi = wire_find("x86_64-abi");
	set->tell_abi = true;
	set->queues = 1;
	set->tell_order = true;
}

/* --- connections ---------------------------------------------------------- */

static void set_abi(struct settings *set, const char *text)
{
	if (text)
		set->abi = wire_find(text);
	if (!set->abi)
		broken("there is no ABI %s", text);
}

static void cmd_set(struct frontend *fe, struct args *args)
{
	struct settings *set = &fe->set;

	set_abi(set, args_text(args, "abi"));
	set->tell_abi = args_number(args, "tell-abi", set->tell_abi);
	set->queues = args_number(args, "queues", set->queues);
	set->order = args_number(args, "order", set->order);
	set->tell_order = args_number(args, "tell-order", set->tell_order);
	set->tell_pages = args_number(args, "tell-pages", set->tell_pages);
	set->persistent = args_number(args, "persistent", set->persistent);
	set->tell_persistent = args_number(args, "tell-persistent",
					   set->tell_persistent);
	set->always_notify = args_number(args, "always-notify",
					 set->always_notify);
	set->numbered = args_number(args, "numbered", set->numbered);
	set->stale = args_number(args, "stale", set->stale);
	set->start = args_number(args, "start", set->start);
}

static void cmd_defaults(struct frontend *fe, struct args *args)
{
	(void)args;
	settings_default(&fe->set);
	keys_free(&fe->extra);
}

/* Call for each word; the value is NULL where there was no "=". */
static void each_word(struct frontend *fe, struct args *args,
		      void (*call)(struct frontend *fe, const char *key,
				   const char *value))
{
	unsigned int i;

	for (i = 0; i < args->count; i++) {
		args->used[i] = true;
		call(fe, args->key[i], args->value[i]);
	}
}

/* @NAME is the number of that grant. */
static char *key_text(struct frontend *fe, const char *value)
{
	if (value && *value == '@')
		return format("%u", grant_named(fe, value + 1));
	return value ? format("%s", value) : NULL;
}

static void set_key(struct frontend *fe, const char *key, const char *value)
{
	char *text = key_text(fe, value);

	keys_set(&fe->extra, key, text);
	free(text);
}

static void cmd_key(struct frontend *fe, struct args *args)
{
	each_word(fe, args, set_key);
}

static void write_key(struct frontend *fe, const char *key, const char *value)
{
	char *text = key_text(fe, value);

	if (text)
		frontend_write(&fe->vbd, key, text);
	else
		frontend_remove(&fe->vbd, key);
	free(text);
}

static void cmd_write(struct frontend *fe, struct args *args)
{
	each_word(fe, args, write_key);
}

static void expect_key(struct frontend *fe, const char *key, const char *value)
{
	char *found = backend_key(&fe->vbd, key);

	if (!value && found)
		wrong("the backend has %s: %s", key, found);
	if (value && (!found || strcmp(found, value)))
		wrong("the backend's %s is %s, expected %s", key,
		      found ? found : "not there", value);
	free(found);
}

static void cmd_expect(struct frontend *fe, struct args *args)
{
	each_word(fe, args, expect_key);
}

static void print_key(struct frontend *fe, const char *key, const char *value)
{
	char *found = backend_key(&fe->vbd, key);

	(void)value;
	say("%s=%s", key, found ? found : "");
	free(found);
}

static void cmd_print(struct frontend *fe, struct args *args)
{
	each_word(fe, args, print_key);
}

static void put_state(struct frontend *fe, const char *state, const char *value)
{
	(void)value;
	frontend_state(&fe->vbd, number_from("state", state));
}

static void cmd_state(struct frontend *fe, struct args *args)
{
	each_word(fe, args, put_state);
}

static void await_state(struct frontend *fe, const char *state, const char *value)
{
	(void)value;
	backend_await(&fe->vbd, number_from("state", state));
}

static void cmd_await(struct frontend *fe, struct args *args)
{
	each_word(fe, args, await_state);
}

static void set_patience(struct frontend *fe, const char *ms, const char *value)
{
	(void)value;
	fe->vbd.patience_ms = number_from("patience", ms);
}

static void cmd_patience(struct frontend *fe, struct args *args)
{
	each_word(fe, args, set_patience);
}

static void cmd_build(struct frontend *fe, struct args *args)
{
	(void)args;
	conn_build(fe);
}

static void cmd_announce(struct frontend *fe, struct args *args)
{
	(void)args;
	conn_announce(fe);
}

static void cmd_learn(struct frontend *fe, struct args *args)
{
	(void)args;
	conn_learn(fe);
}

static void cmd_connect(struct frontend *fe, struct args *args)
{
	(void)args;
	conn_open(fe);
}

static void cmd_close(struct frontend *fe, struct args *args)
{
	(void)args;
	conn_close(fe);
}

static void cmd_either(struct frontend *fe, struct args *args)
{
	(void)args;
	conn_either(fe);
}

/* With words, the reason has to have them in it. */
static void expect_reason(struct frontend *fe, struct args *args)
{
	char *words = args_rest(args), *reason = words ? backend_error(&fe->vbd) : NULL;

	if (words && !reason)
		wrong("no reason was given, expected: %s", words);
	if (words && !strstr(reason, words))
		wrong("the reason is \"%s\", expected: %s", reason, words);
	free(words);
	free(reason);
}

static void cmd_halted(struct frontend *fe, struct args *args)
{
	conn_halted(fe);
	expect_reason(fe, args);
}

static void cmd_refused(struct frontend *fe, struct args *args)
{
	conn_refused(fe);
	expect_reason(fe, args);
}

static void cmd_drop(struct frontend *fe, struct args *args)
{
	(void)args;
	say("dropped with %u requests out", conn_current(fe)->nr_out);
	conn_drop(fe);
}

static void cmd_release(struct frontend *fe, struct args *args)
{
	(void)args;
	conn_release(fe);
}

static void cmd_free(struct frontend *fe, struct args *args)
{
	(void)args;
	conn_free(fe);
}

/* --- requests ------------------------------------------------------------- */

static void show_pool(const struct pool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->pages.count; i++)
		say("pool page=%u grant=%u", i, pool->pages.page[i].gref);
}

static void cmd_pool(struct frontend *fe, struct args *args)
{
	__u64 pages = args_number(args, "pages", fe->pool.pages.count);

	if (pages != fe->pool.pages.count) {
		pool_free(&fe->pool);
		pool_init(&fe->pool, pages, fe->vbd.domid, true);
	}
	fe->pool.oldest = args_number(args, "oldest", fe->pool.oldest);
	if (args_number(args, "show", 0))
		show_pool(&fe->pool);
}

static void cmd_io(struct frontend *fe, struct args *args)
{
	const char *kind = args_text(args, "kind"), *ops = args_text(args, "ops");
	struct plan plan = {
		.count = args_number(args, "count", 100),
		.depth = args_number(args, "depth", 16),
		.ops = ops ? ops : "rw",
		.max_sectors = args_number(args, "max", 0),
		.direct = !kind || strcmp(kind, "indirect"),
		.indirect = kind && strcmp(kind, "direct"),
		.split = args_number(args, "split", 1),
		.share = args_number(args, "share", 1),
		.readonly = args_number(args, "readonly", 0),
		.leave = args_number(args, "leave", 0),
	};

	if (kind && strcmp(kind, "direct") && strcmp(kind, "indirect") &&
	    strcmp(kind, "both"))
		broken("io: there is no kind %s", kind);
	args_done(args);
	io_run(fe, &plan);
}

static void cmd_load(struct frontend *fe, struct args *args)
{
	(void)args;
	io_load(fe);
}

static void cmd_fill(struct frontend *fe, struct args *args)
{
	(void)args;
	io_fill(fe);
}

static void cmd_verify(struct frontend *fe, struct args *args)
{
	(void)args;
	io_verify(fe);
}

static void cmd_chaos(struct frontend *fe, struct args *args)
{
	__u64 first = args_number(args, "first", 0);
	__u64 count = args_number(args, "count", ~0u);
	__u64 ms = args_number(args, "ms", 10000);

	args_done(args);
	chaos_run(fe, first, count, ms);
}

static void cmd_matrix(struct frontend *fe, struct args *args)
{
	const char *ops = args_text(args, "ops");
	__u64 count = args_number(args, "count", 20);

	args_done(args);
	matrix_run(fe, ops ? ops : "rwfbd", count);
}

static void cmd_wait(struct frontend *fe, struct args *args)
{
	requests_wait(fe, args_number(args, "left", 0));
}

static void cmd_push(struct frontend *fe, struct args *args)
{
	(void)args;
	requests_push(fe);
}

/* --- rings by hand -------------------------------------------------------- */

static struct ring *which_ring(struct frontend *fe, struct args *args)
{
	struct conn *conn = conn_current(fe);
	__u64 queue = args_number(args, "queue", 0);

	if (queue >= conn->set.queues)
		broken("there is no queue %llu", queue);
	return &conn->rings[queue];
}

static void cmd_ring(struct frontend *fe, struct args *args)
{
	struct ring *ring = which_ring(fe, args);
	struct blkif_sring *shared = ring->shared;
	const char *beyond = args_text(args, "beyond");

	shared->rsp_prod = args_number(args, "rsp_prod", shared->rsp_prod);
	shared->req_event = args_number(args, "req_event", shared->req_event);
	shared->rsp_event = args_number(args, "rsp_event", shared->rsp_event);
	memset(shared->_pad, args_number(args, "pad", shared->_pad[0]),
	       sizeof(shared->_pad));
	/* Last: this is what the backend acts upon. */
	if (beyond)
		shared->req_prod = ring->req_prod + number_from("beyond", beyond);
	shared->req_prod = args_number(args, "req_prod", shared->req_prod);
	say("ring req_prod=%u req_event=%u rsp_prod=%u rsp_event=%u",
	    shared->req_prod, shared->req_event, shared->rsp_prod,
	    shared->rsp_event);
}

static void cmd_deaf(struct frontend *fe, struct args *args)
{
	ring_deafen(which_ring(fe, args), fe->events);
}

static void cmd_notify(struct frontend *fe, struct args *args)
{
	struct ring *ring = which_ring(fe, args);
	__u64 times = args_number(args, "times", 1);

	while (times--)
		if (xenevtchn_notify(fe->events, ring->port))
			broken("cannot notify: %s", strerror(errno));
}

/* --- the program itself --------------------------------------------------- */

static void make_mark(struct frontend *fe, const char *file, const char *value)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)fe;
	(void)value;
	if (fd < 0 || close(fd))
		broken("%s: %s", file, strerror(errno));
}

static void cmd_mark(struct frontend *fe, struct args *args)
{
	each_word(fe, args, make_mark);
}

/* The other way round: goes on when the file is there. */
static void await_file(struct frontend *fe, const char *file, const char *value)
{
	static const struct timespec pause = { .tv_nsec = 20000000 };
	long long end = now_ms() + FILE_PATIENCE_MS;

	(void)fe;
	(void)value;
	while (unlink(file)) {
		if (now_ms() > end)
			broken("nobody made %s", file);
		nanosleep(&pause, NULL);
	}
}

static void cmd_until(struct frontend *fe, struct args *args)
{
	each_word(fe, args, await_file);
}

static void set_seed(struct frontend *fe, const char *seed, const char *value)
{
	(void)value;
	fe->rng.state = number_from("seed", seed);
}

static void cmd_seed(struct frontend *fe, struct args *args)
{
	each_word(fe, args, set_seed);
}

static void sleep_ms(struct frontend *fe, const char *text, const char *value)
{
	__u64 ms = number_from("sleep", text);
	struct timespec time = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000,
	};

	(void)fe;
	(void)value;
	nanosleep(&time, NULL);
}

static void cmd_sleep(struct frontend *fe, struct args *args)
{
	each_word(fe, args, sleep_ms);
}

/* Commands with a semicolon between each two. */
static void run_each(struct frontend *fe, const char *lines)
{
	char *copy = format("%s", lines), *rest = copy, *line;

	while ((line = strsep(&rest, ";")))
		command_run(fe, line);
	free(copy);
}

static void cmd_repeat(struct frontend *fe, struct args *args)
{
	char *lines = args_behind(args, ":");
	__u64 most = args_number(args, "times", ~0ull), times = 0;
	struct term term = args_term(args, FILE_PATIENCE_MS);

	args_done(args);
	for (; times < most && !term_over(&term); times++)
		run_each(fe, lines);
	say("repeat: %llu times", times);
	free(lines);
}

static void cmd_when(struct frontend *fe, struct args *args)
{
	char *lines = args_behind(args, ":"), *file = args_rest(args);

	if (!file)
		broken("when: which file?");
	if (!unlink(file))
		run_each(fe, lines);
	free(file);
	free(lines);
}

static const struct {
	const char *name;
	void (*run)(struct frontend *fe, struct args *args);
} commands[] = {
	{ "announce", cmd_announce },
	{ "await", cmd_await },
	{ "build", cmd_build },
	{ "chaos", cmd_chaos },
	{ "close", cmd_close },
	{ "connect", cmd_connect },
	{ "deaf", cmd_deaf },
	{ "defaults", cmd_defaults },
	{ "discard", odd_discard },
	{ "drop", cmd_drop },
	{ "either", cmd_either },
	{ "expect", cmd_expect },
	{ "fill", cmd_fill },
	{ "flood", abuse_flood },
	{ "free", cmd_free },
	{ "halted", cmd_halted },
	{ "io", cmd_io },
	{ "key", cmd_key },
	{ "learn", cmd_learn },
	{ "load", cmd_load },
	{ "mark", cmd_mark },
	{ "matrix", cmd_matrix },
	{ "notify", cmd_notify },
	{ "patience", cmd_patience },
	{ "pool", cmd_pool },
	{ "print", cmd_print },
	{ "push", cmd_push },
	{ "race", abuse_race },
	{ "refused", cmd_refused },
	{ "release", cmd_release },
	{ "repeat", cmd_repeat },
	{ "request", odd_request },
	{ "ring", cmd_ring },
	{ "seed", cmd_seed },
	{ "set", cmd_set },
	{ "sleep", cmd_sleep },
	{ "state", cmd_state },
	{ "swing", abuse_swing },
	{ "until", cmd_until },
	{ "untouched", abuse_untouched },
	{ "verify", cmd_verify },
	{ "wait", cmd_wait },
	{ "when", cmd_when },
	{ "write", cmd_write },
};

void command_run(struct frontend *fe, const char *line)
{
	struct args args;
	unsigned int i;

	args_parse(&args, line);
	for (i = 0; args.name && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(args.name, commands[i].name))
			break;
	if (i == ARRAY_SIZE(commands))
		broken("there is no command %s", args.name);
	if (args.name) {
		commands[i].run(fe, &args);
		args_done(&args);
	}
	args_free(&args);
}
