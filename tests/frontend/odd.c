// SPDX-License-Identifier: GPL-2.0-only
/* Single requests, sensible or not, with every field set by hand. */
#include <stdlib.h>
#include <string.h>

#include "named.h"
#include "odd.h"
#include "request.h"

#define ANY_STATUS	0x10000

/* What becomes of the sectors that a successful request is about. */
enum effect {
	EFFECT_NONE,
	EFFECT_UNKNOWN,
	EFFECT_ZERO,
};

/**
 * struct odd - a request by hand
 * @req: the request
 * @expect: what its status has to be, or ANY_STATUS
 * @effect: on the model
 * @span: the number of sectors it is about
 * @held: pages from a pool
 * @from: which pool each is from
 * @nr_held: how many those are
 */
struct odd {
	struct request req;
	int expect;
	enum effect effect;
	__u64 span;
	struct page **held;
	struct pool **from;
	unsigned int nr_held;
};

/* The segments of a request, however many. */
struct list {
	struct blkif_segment *seg;
	unsigned int count;
};

static const struct {
	const char *name;
	unsigned int op;
} ops[] = {
	{ "read", BLKIF_OP_READ },
	{ "write", BLKIF_OP_WRITE },
	{ "barrier", BLKIF_OP_WRITE_BARRIER },
	{ "flush", BLKIF_OP_FLUSH_DISKCACHE },
	{ "discard", BLKIF_OP_DISCARD },
	{ "indirect", BLKIF_OP_INDIRECT },
};

static unsigned int op_from(const char *text)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		if (!strcmp(ops[i].name, text))
			return ops[i].op;
	return number_from("operation", text);
}

static int status_from(const char *text)
{
	int status;

	for (status = BLKIF_RSP_EOPNOTSUPP; status <= BLKIF_RSP_OKAY; status++)
		if (!strcmp(text, status_name(status)))
			return status;
	if (strcmp(text, "any"))
		broken("there is no status %s", text);
	return ANY_STATUS;
}

/* A page of a pool, for as long as the request is out. */
static struct page *hold(struct odd *odd, struct pool *pool)
{
	struct page *page = pool_get(pool);

	if (!page)
		broken("the pool has only %u pages", pool->pages.count);
	odd->held = realloc(odd->held, (odd->nr_held + 1) * sizeof(*odd->held));
	odd->from = realloc(odd->from, (odd->nr_held + 1) * sizeof(*odd->from));
	if (!odd->held || !odd->from)
		broken("no memory");
	odd->held[odd->nr_held] = page;
	odd->from[odd->nr_held++] = pool;
	return page;
}

static void let_go(struct odd *odd)
{
	while (odd->nr_held--)
		pool_put(odd->from[odd->nr_held], odd->held[odd->nr_held]);
	free(odd->held);
	free(odd->from);
	free(odd);
}

static void apply(struct frontend *fe, const struct odd *odd)
{
	__u64 sector = odd->req.wire.sector, count = odd->span;

	if (sector >= fe->model.sectors || odd->effect == EFFECT_NONE)
		return;
	if (count > fe->model.sectors - sector)
		count = fe->model.sectors - sector;
	if (odd->effect == EFFECT_ZERO)
		model_zero(&fe->model, sector, count);
	else
		model_forget(&fe->model, sector, count);
}

static void odd_done(struct frontend *fe, struct request *req)
{
	struct odd *odd = container_of(req, struct odd, req);

	if (odd->expect == ANY_STATUS)
		say("response id=%llu op=%u status=%d", req->wire.id, req->got_op,
		    req->status);
	else if (req->status != odd->expect)
		wrong("response to operation %u, id %llu, sector %llu: %s (%d), expected %s",
		      req->wire.op, req->wire.id, req->wire.sector,
		      status_name(req->status), req->status,
		      status_name(odd->expect));
	if (req->status == BLKIF_RSP_OKAY)
		apply(fe, odd);
	let_go(odd);
}

static void odd_forget(struct frontend *fe, struct request *req)
{
	struct odd *odd = container_of(req, struct odd, req);

	apply(fe, odd);
	let_go(odd);
}

/* WHO: new and ro are pages for this request alone, ring is the one it goes to. */
static __u32 gref_from(struct frontend *fe, struct odd *odd, const char *who,
		       unsigned int fill)
{
	struct page *page;

	if (!strcmp(who, "ring"))
		return fe->conn->rings[odd->req.queue].pages.page[0].gref;
	if (strcmp(who, "new") && strcmp(who, "ro"))
		return grant_named(fe, who);
	page = hold(odd, strcmp(who, "ro") ? &fe->pool : &fe->readonly);
	memset(page->data, fill, BLKIF_PAGE_SIZE);
	return page->gref;
}

static void list_add(struct list *list, __u32 gref, unsigned int first,
		     unsigned int last)
{
	list->seg = realloc(list->seg, (list->count + 1) * sizeof(*list->seg));
	if (!list->seg)
		broken("no memory");
	list->seg[list->count++] = (struct blkif_segment) {
		.gref = gref, .first_sect = first, .last_sect = last,
	};
}

/* FIRST-LAST or FIRST-LAST@WHO, where "same" is the page of the segment before. */
static void add_segment(struct frontend *fe, struct odd *odd, struct list *list,
			const char *text, unsigned int fill)
{
	char *copy = format("%s", text), *last, *who;
	__u32 gref;

	who = strchr(copy, '@');
	if (who)
		*who++ = 0;
	last = strchr(copy, '-');
	if (!last)
		broken("%s is not FIRST-LAST", text);
	*last++ = 0;
	if (who && !strcmp(who, "same") && list->count)
		gref = list->seg[list->count - 1].gref;
	else
		gref = gref_from(fe, odd, who ? who : "new", fill);
	list_add(list, gref, number_from("first", copy),
		 number_from("last", last));
	free(copy);
}

static void read_segments(struct frontend *fe, struct args *args,
			  struct odd *odd, struct list *list)
{
	__u64 before = args_number(args, "segs", 0), behind = args_number(args, "more", 0);
	unsigned int fill = args_number(args, "fill", 0x5a);
	const char *text;

	while (before--)
		add_segment(fe, odd, list, "0-7", fill);
	while ((text = args_text(args, "seg")))
		add_segment(fe, odd, list, text, fill);
	while (behind--)
		add_segment(fe, odd, list, "0-7", fill);
}

static void list_direct(struct odd *odd, const struct list *list)
{
	unsigned int i;

	for (i = 0; i < list->count && i < BLKIF_MAX_DIRECT_SEGMENTS; i++)
		odd->req.wire.segs[i] = list->seg[i];
}

static void list_indirect(struct frontend *fe, struct odd *odd,
			  const struct list *list)
{
	unsigned int i, n, per_page = BLKIF_SEGMENTS_PER_PAGE;
	struct page *page;

	for (i = 0; i * per_page < list->count && i < BLKIF_MAX_INDIRECT_PAGES;
	     i++) {
		n = list->count - i * per_page;
		page = hold(odd, &fe->pool);
		memcpy(page->data, list->seg + i * per_page,
		       (n < per_page ? n : per_page) * sizeof(*list->seg));
		odd->req.wire.indirect_grefs[i] = page->gref;
	}
}

/* iref=WHO instead of the pages that the segments are in. */
static void read_irefs(struct frontend *fe, struct args *args, struct odd *odd)
{
	const char *who;
	unsigned int i;

	for (i = 0; i < BLKIF_MAX_INDIRECT_PAGES; i++) {
		who = args_text(args, "iref");
		if (!who)
			break;
		odd->req.wire.indirect_grefs[i] = gref_from(fe, odd, who, 0);
	}
}

static __u64 sectors_of(const struct list *list)
{
	__u64 count = 0;
	unsigned int i;

	for (i = 0; i < list->count; i++)
		if (list->seg[i].first_sect <= list->seg[i].last_sect)
			count += list->seg[i].last_sect -
				 list->seg[i].first_sect + 1;
	return count;
}

static void read_data(struct frontend *fe, struct args *args, struct odd *odd)
{
	struct wire_request *wire = &odd->req.wire;
	struct list list = { 0 };

	read_segments(fe, args, odd, &list);
	wire->nr_segs = args_number(args, "nr", list.count);
	odd->span = sectors_of(&list);
	if (wire->op == BLKIF_OP_INDIRECT) {
		list_indirect(fe, odd, &list);
		read_irefs(fe, args, odd);
	} else {
		list_direct(odd, &list);
	}
	free(list.seg);
}

static unsigned int effective_op(const struct wire_request *wire)
{
	return wire->op == BLKIF_OP_INDIRECT ? wire->inner_op : wire->op;
}

static struct odd *odd_new(struct frontend *fe, struct args *args)
{
	static __u64 next_id = 1ull << 63;
	struct odd *odd = zalloc(sizeof(*odd));
	const char *expect = args_text(args, "expect");

	odd->expect = status_from(expect ? expect : "okay");
	odd->req.done = odd_done;
	odd->req.forget = odd_forget;
	odd->req.queue = args_number(args, "queue", 0);
	if (odd->req.queue >= conn_current(fe)->set.queues)
		broken("there is no queue %u", odd->req.queue);
	odd->req.wire.id = args_number(args, "id", next_id++);
	odd->req.wire.sector = args_number(args, "sector", 0);
	odd->req.wire.handle = args_number(args, "handle", 0);
	return odd;
}

static struct odd *read_request(struct frontend *fe, struct args *args)
{
	struct odd *odd = odd_new(fe, args);
	struct wire_request *wire = &odd->req.wire;
	const char *op = args_text(args, "op"), *inner = args_text(args, "inner");

	wire->op = op_from(op ? op : "read");
	wire->inner_op = op_from(inner ? inner : "read");
	if (wire->op == BLKIF_OP_DISCARD) {
		wire->flag = args_number(args, "flag", 0);
		wire->nr_sectors = args_number(args, "count", 0);
		odd->span = wire->nr_sectors;
	} else {
		read_data(fe, args, odd);
	}
	odd->req.answer_op = effective_op(wire);
	if (effective_op(wire) != BLKIF_OP_READ)
		odd->effect = EFFECT_UNKNOWN;
	return odd;
}

struct request *odd_prepare(struct frontend *fe, struct args *args)
{
	return &read_request(fe, args)->req;
}

/* The same once more, further on; it has no pages of its own. */
static struct odd *again(const struct odd *first, __u64 further)
{
	struct odd *odd = zalloc(sizeof(*odd));

	*odd = *first;
	odd->held = NULL;
	odd->from = NULL;
	odd->nr_held = 0;
	odd->req.wire.sector += further;
	return odd;
}

void odd_request(struct frontend *fe, struct args *args)
{
	struct odd *odd = read_request(fe, args);
	__u64 times = args_number(args, "times", 1);
	__u64 step = args_number(args, "step", 0);
	bool wait = args_number(args, "wait", 1);
	__u64 i;

	args_done(args);
	for (i = 1; i < times; i++)
		request_submit(fe, &again(odd, i * step)->req);
	/* The one that holds the pages goes last, and they all are waited for. */
	request_submit(fe, &odd->req);
	if (wait)
		requests_wait(fe, 0);
}

static enum effect effect_from(const char *text)
{
	if (!text || !strcmp(text, "unknown"))
		return EFFECT_UNKNOWN;
	if (!strcmp(text, "none"))
		return EFFECT_NONE;
	if (strcmp(text, "zero"))
		broken("there is no effect %s", text);
	return EFFECT_ZERO;
}

void odd_discard(struct frontend *fe, struct args *args)
{
	struct odd *odd = odd_new(fe, args);
	struct wire_request *wire = &odd->req.wire;

	odd->effect = effect_from(args_text(args, "effect"));
	wire->op = BLKIF_OP_DISCARD;
	wire->flag = args_number(args, "flag", 0);
	wire->nr_sectors = args_number(args, "count", 0);
	odd->span = wire->nr_sectors;
	odd->req.answer_op = BLKIF_OP_DISCARD;
	args_done(args);
	request_submit(fe, &odd->req);
	requests_wait(fe, 0);
}
