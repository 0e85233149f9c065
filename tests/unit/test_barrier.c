// SPDX-License-Identifier: GPL-2.0-only
/*
 * Barriers over several rings: nothing passes one on either side, and nothing
 * waits for ever.
 *
 * A model of a frontend, of rings that work in rounds as the driver's do, and of
 * a disk that takes as long as it likes, all in one thread: what is tried is
 * every order of rounds, and of what others do between a look and its mark, but
 * not of single accesses to memory.
 */
#include "unit.h"
#include "shim.h"

#define spinlock_t int

#define spin_lock_init(lock) (*(lock) = 0)
#define spin_lock(lock) assert_int_equal((*(lock))++, 0)
#define spin_unlock(lock) assert_int_equal(--(*(lock)), 0)

#include "../../barrier.c"

#define MAX_RINGS 4
#define MAX_REQUESTS 64

/**
 * struct request - one request, and when what happened to it
 * @kind: 'w' is a write, 'b' a barrier, 'x' is refused, 'g' is a barrier when
 *	first read and has become a write when read again
 * @ring: where it was put
 * @put: time
 * @begun: time it went to the disk; 0: not yet
 * @done: time it came back; 0: not yet
 * @left: how long the disk will still take
 * @reads: how often it has been read
 */
struct request {
	char kind;
	unsigned int ring;
	unsigned int put;
	unsigned int begun;
	unsigned int done;
	unsigned int left;
	unsigned int reads;
};

struct ring {
	struct barrier_view view;
	struct request *queue[MAX_REQUESTS];
	__u32 base;
	__u32 cons;
	__u32 prod;
	unsigned int in_flight;
	bool retry;
};

struct host {
	struct barrier barrier;
	struct ring rings[MAX_RINGS];
	unsigned int nr_rings;
	struct request requests[MAX_REQUESTS];
	unsigned int nr_requests;
	unsigned int now;
	unsigned int short_of_memory;	/* every so many requests, for a round */
	/* what others do when a ring has looked */
	void (*meanwhile)(struct host *host, unsigned int ring);
};

static void set_up(struct host *host, unsigned int nr_rings)
{
	unsigned int i;

	memset(host, 0, sizeof(*host));
	host->nr_rings = nr_rings;
	host->now = 1;
	barrier_init(&host->barrier, nr_rings);
	/* Indices wrap soon. */
	for (i = 0; i < nr_rings; i++) {
		host->rings[i].base = (__u32)-5;
		host->rings[i].cons = host->rings[i].base;
		host->rings[i].prod = host->rings[i].base;
	}
}

static struct request *put(struct host *host, unsigned int ring, char kind,
			   unsigned int takes)
{
	struct request *req = &host->requests[host->nr_requests++];
	struct ring *r = &host->rings[ring];

	assert_true(host->nr_requests <= MAX_REQUESTS);
	*req = (struct request){
		.kind = kind, .ring = ring, .put = host->now++, .left = takes
	};
	r->queue[r->prod++ - r->base] = req;
	return req;
}

static void come_back(struct host *host, unsigned int ring)
{
	unsigned int i;

	for (i = 0; i < host->nr_requests; i++) {
		struct request *req = &host->requests[i];

		if (req->ring != ring || !req->begun || req->done || req->left)
			continue;
		req->done = host->now++;
		host->rings[ring].in_flight--;
	}
}

static bool is_back(const struct host *host, unsigned int ring)
{
	unsigned int i;

	for (i = 0; i < host->nr_requests; i++) {
		const struct request *req = &host->requests[i];

		if (req->ring == ring && req->begun && !req->done && !req->left)
			return true;
	}
	return false;
}

/* Returns false if the request stays on the ring. */
static bool take(struct host *host, struct ring *ring)
{
	struct request *req = ring->queue[ring->cons - ring->base];
	bool is_barrier = req->kind == 'b' ||
			  (req->kind == 'g' && !req->reads++);

	if (req->kind == 'x') {
		ring->cons++;
		req->begun = host->now++;
		req->done = host->now++;
		return true;
	}
	if (barrier_concerns(&ring->view, is_barrier) &&
	    !barrier_admits(&host->barrier, &ring->view, is_barrier,
			    ring->cons, ring->in_flight))
		return false;
	if (host->short_of_memory && !(rand() % host->short_of_memory)) {
		ring->retry = true;
		return false;
	}
	ring->cons++;
	ring->in_flight++;
	req->begun = host->now++;
	return true;
}

static void look(struct host *host, unsigned int i)
{
	struct ring *ring = &host->rings[i];

	if (!barrier_look(&host->barrier, &ring->view))
		return;
	if (host->meanwhile)
		host->meanwhile(host, i);
	barrier_mark(&ring->view, ring->prod);
}

static void serve(struct host *host, unsigned int i)
{
	struct ring *ring = &host->rings[i];

	ring->retry = false;
	come_back(host, i);
	look(host, i);
	while (ring->cons != ring->prod && take(host, ring))
		;
	barrier_step(&host->barrier, &ring->view, ring->cons, ring->in_flight);
}

static bool has_work(const struct host *host, unsigned int i)
{
	const struct ring *ring = &host->rings[i];

	if (is_back(host, i) || ring->retry)
		return true;
	if (barrier_news(&host->barrier, &ring->view))
		return true;
	return !ring->view.held && ring->cons != ring->prod;
}

/* Let all rings do all they can; the disk does nothing meanwhile. */
static void settle(struct host *host)
{
	unsigned int i, rounds = 0;
	bool worked = true;

	while (worked) {
		worked = false;
		for (i = 0; i < host->nr_rings; i++) {
			if (!has_work(host, i))
				continue;
			serve(host, i);
			worked = true;
		}
		assert_true(rounds++ < 1000);	/* or they never sleep */
	}
}

static void finish(struct host *host, struct request *req)
{
	assert_true(req->begun);
	req->left = 0;
	settle(host);
	assert_true(req->done);
}

static void barrier_alone_goes_at_once(void **state)
{
	struct host host;
	struct request *req;

	(void)state;
	set_up(&host, 1);
	req = put(&host, 0, 'b', 1);
	settle(&host);
	finish(&host, req);
	req = put(&host, 0, 'w', 1);
	settle(&host);
	finish(&host, req);
}

static void barrier_waits_for_what_is_before_and_holds_what_is_behind(void **state)
{
	struct request *before[3], *req, *behind[2];
	struct host host;

	(void)state;
	set_up(&host, 3);
	before[0] = put(&host, 0, 'w', 1);
	before[1] = put(&host, 1, 'w', 1);
	settle(&host);
	before[2] = put(&host, 2, 'w', 1);	/* not seen by its ring yet */
	req = put(&host, 0, 'b', 1);
	behind[0] = put(&host, 0, 'w', 1);
	settle(&host);
	behind[1] = put(&host, 1, 'w', 1);
	settle(&host);
	finish(&host, before[2]);
	finish(&host, before[0]);
	assert_false(req->begun);
	finish(&host, before[1]);
	assert_true(req->begun);
	assert_false(behind[0]->begun);
	assert_false(behind[1]->begun);
	finish(&host, req);
	finish(&host, behind[0]);
	finish(&host, behind[1]);
}

static void barrier_is_not_stopped_by_a_request_that_is_refused(void **state)
{
	struct request *before, *req;
	struct host host;

	(void)state;
	set_up(&host, 2);
	before = put(&host, 1, 'w', 1);
	settle(&host);
	req = put(&host, 0, 'b', 1);
	settle(&host);
	put(&host, 1, 'x', 0);
	settle(&host);
	finish(&host, before);
	finish(&host, req);
}

/* The frontend, or the disk, changes while other rings become quiet for it. */
static void hold_for_what_becomes(char kind)
{
	struct request *before, *req, *behind;
	struct host host;

	set_up(&host, 2);
	before = put(&host, 1, 'w', 1);
	settle(&host);
	req = put(&host, 0, 'b', 1);
	settle(&host);
	behind = put(&host, 1, 'w', 1);
	settle(&host);
	assert_false(behind->begun);
	req->kind = kind;
	finish(&host, before);
	finish(&host, req);
	finish(&host, behind);
}

static void barrier_that_is_no_more_in_the_end_holds_up_nobody(void **state)
{
	(void)state;
	hold_for_what_becomes('x');
	hold_for_what_becomes('w');
}

static void barrier_finds_a_quiet_ring_still_quiet(void **state)
{
	struct request *before, *req, *other;
	struct host host;

	(void)state;
	set_up(&host, 3);
	before = put(&host, 2, 'w', 1);
	settle(&host);
	req = put(&host, 0, 'b', 1);
	serve(&host, 0);
	other = put(&host, 1, 'g', 1);
	settle(&host);
	serve(&host, 1);	/* an event for nothing */
	assert_false(other->begun);
	finish(&host, before);
	finish(&host, req);
	finish(&host, other);
}

static void barriers_in_a_row_have_each_their_own_order(void **state)
{
	struct request *first, *second, *between;
	struct host host;

	(void)state;
	set_up(&host, 2);
	first = put(&host, 0, 'b', 1);
	settle(&host);
	between = put(&host, 1, 'w', 1);
	second = put(&host, 0, 'b', 1);
	settle(&host);
	assert_false(between->begun);
	finish(&host, first);
	assert_true(between->begun);
	assert_false(second->begun);
	finish(&host, between);
	finish(&host, second);
}

static void barriers_on_all_rings_take_turns(void **state)
{
	struct request *ours[2], *second, *third;
	struct host host;
	unsigned int i;

	(void)state;
	set_up(&host, 3);
	ours[0] = put(&host, 0, 'b', 1);
	ours[1] = put(&host, 0, 'b', 1);
	settle(&host);
	second = put(&host, 2, 'b', 1);
	settle(&host);
	third = put(&host, 1, 'b', 1);
	settle(&host);
	ours[0]->left = 0;
	for (i = 0; i < 4; i++)
		serve(&host, 0);	/* whoever has the turn is quick */
	settle(&host);
	assert_true(ours[0]->done);
	assert_true(second->begun);
	assert_false(third->begun);
	finish(&host, second);
	assert_false(ours[1]->begun && third->begun);
	finish(&host, third->begun ? third : ours[1]);
	finish(&host, third->done ? ours[1] : third);
}

/* What the frontend may rely on, see blkif.h. */
static void check_order(const struct host *host, const struct request *barrier)
{
	unsigned int i;

	for (i = 0; i < host->nr_requests; i++) {
		const struct request *req = &host->requests[i];

		if (req == barrier || req->kind == 'x')
			continue;
		if (req->put < barrier->put && req->done > barrier->begun)
			fail_msg("put at %u, done at %u; barrier put at %u, begun at %u",
				 req->put, req->done, barrier->put,
				 barrier->begun);
		if (req->ring == barrier->ring && req->put > barrier->put &&
		    req->begun < barrier->done)
			fail_msg("put at %u, begun at %u; barrier put at %u, done at %u",
				 req->put, req->begun, barrier->put,
				 barrier->done);
	}
}

static bool barrier_is_out_elsewhere(const struct host *host, unsigned int ring)
{
	unsigned int i;

	for (i = 0; i < host->nr_requests; i++)
		if (host->requests[i].kind == 'b' && !host->requests[i].done &&
		    host->requests[i].ring != ring)
			return true;
	return false;
}

static void random_frontend(struct host *host, bool one_ring_at_a_time)
{
	unsigned int ring = rand() % host->nr_rings;
	char kind = "wwwwwwwxxb"[rand() % 10];

	if (host->nr_requests == MAX_REQUESTS || rand() % 3)
		return;
	if (kind == 'b' && one_ring_at_a_time &&
	    barrier_is_out_elsewhere(host, ring))
		kind = 'w';
	put(host, ring, kind, rand() % 6);
}

static bool random_disk(struct host *host)
{
	bool worked = false;
	unsigned int i;

	for (i = 0; i < host->nr_requests; i++) {
		struct request *req = &host->requests[i];

		if (!req->begun || !req->left)
			continue;
		req->left--;
		worked = true;
	}
	return worked;
}

static bool random_rings(struct host *host)
{
	bool worked = false;
	unsigned int i;

	for (i = 0; i < host->nr_rings; i++) {
		if (!has_work(host, i))
			continue;
		worked = true;
		if (rand() % 2)
			serve(host, i);
	}
	return worked;
}

/* Others put requests and do a round each. */
static void random_others(struct host *host, unsigned int ring)
{
	unsigned int i;

	host->meanwhile = NULL;
	random_frontend(host, true);
	for (i = 0; i < host->nr_rings; i++)
		if (i != ring && rand() % 4 == 0)
			serve(host, i);
	host->meanwhile = random_others;
}

static void run_at_random(unsigned int seed, bool one_ring_at_a_time)
{
	struct host host;
	unsigned int i, rounds = 0;
	bool worked = true;

	srand(seed);
	set_up(&host, 1 + rand() % MAX_RINGS);
	host.short_of_memory = 20;
	host.meanwhile = random_others;
	while (worked || host.nr_requests < MAX_REQUESTS) {
		random_frontend(&host, one_ring_at_a_time);
		worked = random_disk(&host);
		worked = random_rings(&host) || worked;
		if (rounds++ > 100000)
			fail_msg("seed %u: no end", seed);
	}
	for (i = 0; i < host.nr_requests; i++)
		if (!host.requests[i].done)
			fail_msg("seed %u: request %u waits for ever", seed, i);
	if (!one_ring_at_a_time)
		return;
	for (i = 0; i < host.nr_requests; i++)
		if (host.requests[i].kind == 'b')
			check_order(&host, &host.requests[i]);
}

static void barriers_keep_order_whatever_happens_when(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 0; seed < 3000; seed++)
		run_at_random(seed, true);
}

/* Two rings with a barrier each: no order between them, but an end. */
static void barriers_on_all_rings_come_to_an_end(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 0; seed < 3000; seed++)
		run_at_random(seed, false);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(barrier_alone_goes_at_once),
		cmocka_unit_test(barrier_waits_for_what_is_before_and_holds_what_is_behind),
		cmocka_unit_test(barrier_is_not_stopped_by_a_request_that_is_refused),
		cmocka_unit_test(barrier_that_is_no_more_in_the_end_holds_up_nobody),
		cmocka_unit_test(barrier_finds_a_quiet_ring_still_quiet),
		cmocka_unit_test(barriers_in_a_row_have_each_their_own_order),
		cmocka_unit_test(barriers_on_all_rings_take_turns),
		cmocka_unit_test(barriers_keep_order_whatever_happens_when),
		cmocka_unit_test(barriers_on_all_rings_come_to_an_end),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
