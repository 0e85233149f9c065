// SPDX-License-Identifier: GPL-2.0-only
/* Everything with everything. */
#include <string.h>

#include "io.h"
#include "matrix.h"

static void check_offered(const struct disk *disk, const char *ops,
			  bool persistent)
{
	if (!disk->max_segments)
		wrong("INDIRECT is not offered");
	if (strchr(ops, 'f') && !disk->flush)
		wrong("feature-flush-cache is not offered");
	if (strchr(ops, 'b') && !disk->barrier)
		wrong("feature-barrier is not offered");
	if (strchr(ops, 'd') && !disk->discard)
		wrong("feature-discard is not offered");
	if (persistent && !disk->persistent)
		wrong("feature-persistent is not offered");
}

/* One operation, with reads between so that its effect is seen under way. */
static void run_op(struct frontend *fe, char op, bool indirect,
		   unsigned int count)
{
	char ops[] = { op, op, 'r', 0 };
	struct plan plan = {
		.count = count, .depth = 24, .ops = ops, .direct = !indirect,
		.indirect = indirect, .split = true, .share = true,
	};

	io_run(fe, &plan);
}

static void run_ops(struct frontend *fe, const char *ops, unsigned int count)
{
	unsigned int i;

	for (i = 0; ops[i]; i++) {
		run_op(fe, ops[i], false, count);
		run_op(fe, ops[i], true, count);
	}
}

static void run_connection(struct frontend *fe, const char *ops,
			   unsigned int count)
{
	fe->set.start = rng_next(&fe->rng);	/* any slots of any page */
	conn_open(fe);
	check_offered(&fe->conn->disk, ops, fe->set.persistent);
	run_ops(fe, ops, count);
	io_verify(fe);
	conn_close(fe);
}

static void run_rings(struct frontend *fe, const char *ops, unsigned int count)
{
	static const unsigned int all_queues[] = { 1, 4 }, all_orders[] = { 0, 4 };
	unsigned int q, o;
	long long start;

	for (q = 0; q < ARRAY_SIZE(all_queues); q++) {
		for (o = 0; o < ARRAY_SIZE(all_orders); o++) {
			fe->set.queues = all_queues[q];
			fe->set.order = all_orders[o];
			start = now_ms();
			run_connection(fe, ops, count);
			say("passed: %s, %s grants, %u queues, %u pages, in %lld ms",
			    fe->set.abi->protocol,
			    fe->set.persistent ? "persistent" : "no persistent",
			    fe->set.queues, 1 << fe->set.order, now_ms() - start);
		}
	}
}

void matrix_run(struct frontend *fe, const char *ops, unsigned int count)
{
	unsigned int abi, persistent;

	fe->set.tell_persistent = true;
	for (abi = 0; abi < NR_ABIS; abi++) {
		for (persistent = 0; persistent < 2; persistent++) {
			fe->set.abi = &wire_abis[abi];
			fe->set.persistent = persistent;
			run_rings(fe, ops, count);
		}
	}
	fe->set.start = 0;
}
