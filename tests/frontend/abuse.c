// SPDX-License-Identifier: GPL-2.0-only
/* Rings used as nobody should. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xenevtchn.h>

#include "abuse.h"
#include "odd.h"
#include "request.h"

/*
 * What races are about: sectors, as a mixture may begin where one of the two forms does and
 * be as long as the other one; and all slots of a ring of one page.
 */
#define RACE_SECTORS	(8 + 8 * 8)
#define RACE_SLOTS	32

/* What no request can ask for. */
#define NO_OPERATION	77

static __u32 answered(const struct ring *ring)
{
	return __atomic_load_n(&ring->shared->rsp_prod, __ATOMIC_ACQUIRE);
}

static void nap(void)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };

	nanosleep(&pause, NULL);
}

/* Until as many have been answered as were sent; then all is as if they had been looked at. */
static void settle(struct frontend *fe, struct ring *ring)
{
	long long end = now_ms() + fe->vbd.patience_ms;

	while (answered(ring) != ring->req_prod) {
		if (answered(ring) - ring->rsp_cons > ring->req_prod - ring->rsp_cons)
			wrong("more responses than requests");
		if (now_ms() > end)
			wrong("no response to %u requests",
			      ring->req_prod - answered(ring));
		nap();
	}
	ring->rsp_cons = ring->req_prod;
}

static void ready(const struct conn *conn)
{
	if (conn->nr_out)
		broken("%u requests are out", conn->nr_out);
}

/* --- flood ---------------------------------------------------------------- */

static unsigned int fill_up(struct ring *ring, const struct wire_request *wire)
{
	unsigned int count = 0;

	while (ring->req_prod - answered(ring) < ring->slots) {
		ring_put(ring, wire);
		count++;
	}
	return count;
}

void abuse_flood(struct frontend *fe, struct args *args)
{
	struct conn *conn = conn_current(fe);
	struct term term = args_term(args, 1000);
	struct request *req = odd_prepare(fe, args);
	unsigned long long count = 0;
	unsigned int i;

	args_done(args);
	ready(conn);
	while (!term_over(&term))
		for (i = 0; i < conn->set.queues; i++) {
			count += fill_up(&conn->rings[i], &req->wire);
			ring_push(&conn->rings[i], fe->events);
		}
	for (i = 0; i < conn->set.queues; i++)
		settle(fe, &conn->rings[i]);
	req->forget(fe, req);
	say("flood: %llu requests", count);
}

/* --- untouched ------------------------------------------------------------ */

static void check_slot(unsigned int op, const unsigned char *before,
		       const unsigned char *after, unsigned int size)
{
	static const struct blkif_response *const rsp;
	unsigned int i;

	for (i = 0; i < size; i++) {
		if (i < sizeof(rsp->id) ||
		    i == offsetof(struct blkif_response, operation) ||
		    i / 2 == offsetof(struct blkif_response, status) / 2)
			continue;
		if (before[i] != after[i])
			wrong("operation %u: the response changed byte %u of the slot, %#x to %#x",
			      op, i, before[i], after[i]);
	}
}

void abuse_untouched(struct frontend *fe, struct args *args)
{
	struct conn *conn = conn_current(fe);
	struct ring *ring = &conn->rings[0];
	unsigned char before[WIRE_MAX_SLOT];
	unsigned int op;
	void *slot;

	args_done(args);
	ready(conn);
	for (op = 0; op < 256; op++) {
		struct wire_request wire = {
			.op = op, .nr_segs = 1, .id = rng_next(&fe->rng),
			.nr_sectors = 1, .sector = fe->model.sectors,
		};

		slot = ring_put(ring, &wire);
		memcpy(before, slot, ring->abi->slot);
		ring_push(ring, fe->events);
		settle(fe, ring);
		check_slot(op, before, slot, ring->abi->slot);
	}
}

/* --- race ----------------------------------------------------------------- */

/**
 * struct race - two forms of some memory, between which it changes
 * @memory: shared with the backend
 * @size: in bytes
 * @form: both of them
 * @rng: chance
 * @over: set to end it
 */
struct race {
	unsigned char *memory;
	size_t size;
	unsigned char form[2][RACE_SLOTS * WIRE_MAX_SLOT];
	struct rng rng;
	bool over;
};

static void *change(void *data)
{
	struct race *race = data;

	while (!__atomic_load_n(&race->over, __ATOMIC_RELAXED)) {
		__u64 chance = rng_next(&race->rng);
		size_t at = (chance >> 1) % race->size;

		race->memory[at] = race->form[chance & 1][at];
	}
	return NULL;
}

/*
 * One that may be carried out, or one that must not; any mixture is one or the other. The id
 * of the response is written over the operation and the number of segments, and must not turn
 * one operation into another, such as a DISCARD.
 */
static struct wire_request racing(struct frontend *fe, bool good, unsigned int i)
{
	unsigned int n, op = i % 3 ? BLKIF_OP_INDIRECT : BLKIF_OP_WRITE;
	const struct page *page = fe->pool.pages.page;
	struct wire_request wire = {
		.op = op, .id = op | i << 8 | (good ? 0 : 0xa5ull << 32),
		.handle = good ? 0 : 0xffff,
		.inner_op = good ? BLKIF_OP_WRITE : BLKIF_OP_READ,
		.nr_segs = good ? 8 : i % 2 ? 4 : 255,
		.sector = good ? 0 : i % 4 ? 8 : 0xffull << 40,
	};

	for (n = 0; n < BLKIF_MAX_DIRECT_SEGMENTS; n++)
		wire.segs[n] = (struct blkif_segment) {
			.gref = good ? page[n].gref : ~0u - n,
			.first_sect = good ? 0 : 6, .last_sect = good ? 0 : 4,
		};
	wire.indirect_grefs[0] = page[RACE_SLOTS].gref;
	/* No mixture of the two is a third page. */
	if (!good && !((page[RACE_SLOTS].gref ^ page[RACE_SLOTS + 1].gref) & ~0xffu))
		wire.indirect_grefs[0] = page[RACE_SLOTS + 1].gref;
	return wire;
}

/* Of some sectors, or of far too many, or elsewhere, or secure. */
static struct wire_request racing_discard(bool good, unsigned int i)
{
	return (struct wire_request){
		.op = BLKIF_OP_DISCARD, .id = BLKIF_OP_DISCARD | i << 8,
		.flag = !good, .sector = good ? 8 : 0xffull << 40,
		.nr_sectors = good ? 64 : 0xffull << 40,
	};
}

/*
 * With discards there is nothing else: responses are not where their requests were, and the id of
 * one would turn a WRITE into a DISCARD, of as many sectors as its grant reference says.
 */
static void form_slots(struct frontend *fe, struct race *race, struct ring *ring,
		       bool discards)
{
	unsigned int i, good;

	for (good = 0; good < 2; good++)
		for (i = 0; i < RACE_SLOTS; i++) {
			struct wire_request wire = discards ? racing_discard(good, i) :
							      racing(fe, good, i);
			unsigned char *slot = race->form[good] + i * ring->abi->slot;

			wire_encode(ring->abi, &wire, slot);
			if (!good && i % 4 == 1 && !discards)
				slot[0] = NO_OPERATION;
		}
	race->memory = ring_slot(ring, 0);
	memcpy(race->memory, race->form[0], RACE_SLOTS * ring->abi->slot);
	race->size = RACE_SLOTS * ring->abi->slot;
}

static void form_segments(struct frontend *fe, struct race *race)
{
	struct wire_request good = racing(fe, true, 0), bad = racing(fe, false, 0);

	memcpy(race->form[0], good.segs, sizeof(good.segs));
	memcpy(race->form[1], bad.segs, sizeof(bad.segs));
	race->memory = fe->pool.pages.page[RACE_SLOTS].data;
	race->size = sizeof(good.segs);
	/* The rest names no pages, nor does the other one: what zeroes would name is xenstore's. */
	memset(race->memory, 0xff, BLKIF_PAGE_SIZE);
	memset(fe->pool.pages.page[RACE_SLOTS + 1].data, 0xff, BLKIF_PAGE_SIZE);
	memcpy(race->memory, good.segs, sizeof(good.segs));
}

static void run(struct frontend *fe, struct ring *ring, __u64 rounds)
{
	while (rounds--) {
		ring->req_prod += RACE_SLOTS;	/* they change all the time */
		ring_push(ring, fe->events);
		settle(fe, ring);
	}
}

void abuse_race(struct frontend *fe, struct args *args)
{
	struct ring *ring = &conn_current(fe)->rings[0];
	__u64 rounds = args_number(args, "rounds", 1000);
	bool discards = args_number(args, "discards", 0);
	struct race slots = { .rng.state = fe->rng.state };
	struct race segments = { .rng.state = fe->rng.state + 1 };
	pthread_t threads[2];

	args_done(args);
	ready(fe->conn);
	if (ring->slots != RACE_SLOTS)
		broken("race: the ring is to have %u slots", RACE_SLOTS);
	model_forget(&fe->model, 0, RACE_SECTORS);
	form_slots(fe, &slots, ring, discards);
	form_segments(fe, &segments);
	if (pthread_create(&threads[0], NULL, change, &slots) ||
	    pthread_create(&threads[1], NULL, change, &segments))
		broken("no threads");
	run(fe, ring, rounds);
	__atomic_store_n(&slots.over, true, __ATOMIC_RELAXED);
	__atomic_store_n(&segments.over, true, __ATOMIC_RELAXED);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

/* --- swing ---------------------------------------------------------------- */

/**
 * struct swing - a producer index that goes forth and back
 * @shared: where it is
 * @from: the first request that has not been answered
 * @count: how many there are
 * @rng: chance
 * @over: set to end it
 */
struct swing {
	struct blkif_sring *shared;
	__u32 from;
	__u32 count;
	struct rng rng;
	bool over;
};

static void *swing_index(void *data)
{
	struct swing *swing = data;

	while (!__atomic_load_n(&swing->over, __ATOMIC_RELAXED))
		__atomic_store_n(&swing->shared->req_prod,
				 swing->from + rng_below(&swing->rng, swing->count + 1),
				 __ATOMIC_RELAXED);
	return NULL;
}

/* As many writes as there are slots, of which the id tells which one it is. */
static void put_writes(struct frontend *fe, struct ring *ring)
{
	unsigned int i;

	for (i = 0; i < ring->slots; i++) {
		struct wire_request wire = {
			.op = BLKIF_OP_WRITE, .id = i, .nr_segs = 1, .sector = i * 8ull,
			.segs[0] = { .gref = fe->pool.pages.page[i].gref, .last_sect = 7 },
		};

		ring_put(ring, &wire);
	}
}

/* Return how many there were. None may be there twice. */
static unsigned int take_answers(struct ring *ring, bool *seen)
{
	struct blkif_response rsp;
	unsigned int count = 0;

	for (; ring_take(ring, &rsp); count++) {
		if (rsp.id >= ring->slots)
			wrong("a response to id %llu, which nobody has sent", rsp.id);
		if (seen[rsp.id])
			wrong("a second response to request %llu", rsp.id);
		seen[rsp.id] = true;
	}
	return count;
}

/* Return how many were answered before the backend had enough. */
static unsigned int until_halted(struct frontend *fe, struct ring *ring)
{
	bool *seen = zalloc(ring->slots * sizeof(*seen));
	long long end = now_ms() + fe->vbd.patience_ms;
	unsigned int count = 0;

	while (count < ring->slots && backend_state(&fe->vbd) == STATE_CONNECTED) {
		if (now_ms() > end)
			wrong("%u of %u requests answered, and the ring goes on", count,
			      ring->slots);
		if (xenevtchn_notify(fe->events, ring->port))
			broken("cannot notify");
		nap();
		count += take_answers(ring, seen);
	}
	count += take_answers(ring, seen);
	free(seen);
	return count;
}

void abuse_swing(struct frontend *fe, struct args *args)
{
	struct ring *ring = &conn_current(fe)->rings[0];
	struct swing swing = {
		.shared = ring->shared, .from = ring->req_prod, .count = ring->slots,
		.rng.state = rng_next(&fe->rng),
	};
	unsigned int count;
	pthread_t thread;

	args_done(args);
	ready(fe->conn);
	if (!fe->model.sectors)
		broken("swing: there is no model");
	if (ring->slots > fe->pool.pages.count)
		broken("swing: the pool has only %u pages", fe->pool.pages.count);
	model_forget(&fe->model, 0, ring->slots * 8);
	put_writes(fe, ring);
	ring->pushed = ring->req_prod;
	if (pthread_create(&thread, NULL, swing_index, &swing))
		broken("no thread");
	count = until_halted(fe, ring);
	__atomic_store_n(&swing.over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	__atomic_store_n(&ring->shared->req_prod, ring->req_prod, __ATOMIC_RELEASE);
	say("swing: %u of %u answered", count, ring->slots);
}
