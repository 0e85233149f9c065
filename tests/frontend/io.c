// SPDX-License-Identifier: GPL-2.0-only
/* Verified I/O by chance. */
#include <string.h>

#include "io.h"

/* How often to look for a part of the disk that nobody uses. */
#define TRIES	20

/* Larger discards would soon leave nothing that the model knows. */
#define DISCARD_PAGES	16

static bool changes(char op)
{
	return op == 'w' || op == 'b' || op == 'd';
}

/* Small ones mostly, and now and then whatever is allowed. */
static __u64 pick_count(struct frontend *fe, __u64 most)
{
	unsigned int block = fe->conn->disk.block;
	__u64 blocks = most / block;

	if (blocks > 32 && rng_below(&fe->rng, 4))
		blocks = 32;
	return (1 + rng_below(&fe->rng, blocks)) * block;
}

/* Claims a part of the disk. With everything taken, some requests have to end first. */
static struct extent pick_span(struct frontend *fe, bool change, __u64 most)
{
	unsigned int block = fe->conn->disk.block, tries = 0;
	struct extent span;

	for (;;) {
		span.count = pick_count(fe, most);
		span.sector = rng_below(&fe->rng, (fe->model.sectors - span.count) /
					block + 1) * block;
		if (model_claim(&fe->model, span.sector, span.count, change))
			return span;
		if (++tries % TRIES == 0)
			requests_wait(fe, fe->conn->nr_out / 2);
	}
}

static struct style pick_style(struct frontend *fe, const struct plan *plan,
			       char op)
{
	const struct disk *disk = &fe->conn->disk;
	struct style style = {
		.split = plan->split && rng_below(&fe->rng, 2),
		.share = plan->share && rng_below(&fe->rng, 2),
		.readonly = plan->readonly && op != 'r',
	};

	/* INDIRECT is for READ and WRITE alone. */
	style.indirect = op != 'b' && plan->indirect &&
			 (!plan->direct || rng_below(&fe->rng, 2));
	style.max_segments = style.indirect ? disk->max_segments :
					      BLKIF_MAX_DIRECT_SEGMENTS;
	return style;
}

static __u64 most_sectors(struct frontend *fe, const struct plan *plan,
			  unsigned int segments)
{
	__u64 most = segments * BLKIF_SECTORS_PER_PAGE;

	if (plan->max_sectors && plan->max_sectors < most)
		most = plan->max_sectors;
	return most < fe->model.sectors ? most : fe->model.sectors;
}

static void start_data(struct frontend *fe, const struct plan *plan, char op)
{
	struct style style = pick_style(fe, plan, op);
	struct extent span = pick_span(fe, changes(op),
				     most_sectors(fe, plan, style.max_segments));

	if (op == 'r') {
		start_read(fe, span, &style, COMPARE);
		return;
	}
	model_scramble(&fe->model, span.sector, span.count, &fe->rng);
	start_write(fe, op == 'b' ? BLKIF_OP_WRITE_BARRIER : BLKIF_OP_WRITE, span,
		    &style);
}

static void start_one(struct frontend *fe, const struct plan *plan, char op)
{
	struct extent span;

	switch (op) {
	case 'r':
	case 'w':
	case 'b':
		start_data(fe, plan, op);
		break;
	case 'f':
		start_flush(fe);
		break;
	case 'd':
		span = pick_span(fe, true, most_sectors(fe, plan, DISCARD_PAGES));
		model_forget(&fe->model, span.sector, span.count);
		start_discard(fe, span);
		break;
	default:
		broken("there is no operation '%c'", op);
	}
}

void io_run(struct frontend *fe, const struct plan *plan)
{
	struct conn *conn = conn_current(fe);
	unsigned int i;
	char op;

	if (!fe->model.sectors)
		io_load(fe);
	if (plan->indirect && !conn->disk.max_segments)
		wrong("the backend does not offer INDIRECT");
	if (fe->model.sectors != conn->disk.sectors)
		broken("the model has %llu sectors, the disk %llu",
		       fe->model.sectors, conn->disk.sectors);
	for (i = 0; i < plan->count; i++) {
		if (conn->nr_out >= plan->depth)
			requests_wait(fe, plan->depth - 1);
		/* The first kind there is in any case. */
		op = plan->ops[i ? rng_below(&fe->rng, strlen(plan->ops)) : 0];
		start_one(fe, plan, op);
		/* Sometimes one at a time, sometimes several in one go. */
		if (rng_below(&fe->rng, 2))
			requests_push(fe);
	}
	requests_push(fe);
	if (!plan->leave)
		requests_wait(fe, 0);
}

void io_load(struct frontend *fe)
{
	model_init(&fe->model, conn_current(fe)->disk.sectors);
	read_all(fe, LEARN);
}

void io_fill(struct frontend *fe)
{
	model_init(&fe->model, conn_current(fe)->disk.sectors);
	write_all(fe);
}

void io_verify(struct frontend *fe)
{
	if (!fe->model.sectors)
		broken("there is no model to verify");
	read_all(fe, COMPARE);
}
