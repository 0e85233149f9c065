// SPDX-License-Identifier: GPL-2.0-only
/* Whatever a guest can do, in no order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xenevtchn.h>

#include "chaos.h"
#include "commands.h"
#include "keys.h"
#include "ring.h"
#include "util.h"
#include "wire.h"

/* Most that is done in one connection, and pages whose grants come and go. */
#define MOST_STEPS	400
#define FLEETING	4

/**
 * struct chaos - what there is to play with
 * @fe: the frontend, and its connection
 * @seeds: of connections
 * @fleeting: pages that are granted for a while
 * @number: of the connection
 * @served: so many came to be Connected
 * @steps: done in all
 */
struct chaos {
	struct frontend *fe;
	struct rng seeds;
	struct pages fleeting;
	unsigned int number;
	unsigned int served;
	unsigned long long steps;
};

static unsigned int below(struct chaos *chaos, unsigned int limit)
{
	return rng_below(&chaos->fe->rng, limit);
}

static bool one_in(struct chaos *chaos, unsigned int n)
{
	return !below(chaos, n);
}

static void nap(unsigned int us)
{
	struct timespec time = { .tv_nsec = us * 1000L };

	nanosleep(&time, NULL);
}

/* --- keys ----------------------------------------------------------------- */

static const char *const key_names[] = {
	"protocol", "multi-queue-num-queues", "ring-page-order", "num-ring-pages",
	"ring-ref", "ring-ref0", "ring-ref1", "ring-ref15", "event-channel",
	"feature-persistent", "queue-0/ring-ref", "queue-0/ring-ref0",
	"queue-0/event-channel", "queue-1/ring-ref", "queue-1/event-channel",
	"queue-3/ring-ref", "queue-00/ring-ref", "feature-online-resize", "state",
};

static const char *const key_values[] = {
	"", "0", "1", "2", "3", "4", "5", "16", "31", "32", "255", "-1", "4294967295",
	"4294967296", "18446744073709551616", "0x2", "2x", " 2", "%s%n", "\xff\xfe",
	"x86_64-abi", "x86_32-abi", "arm-abi", "sparc-abi",
};

static void spoil_key(struct chaos *chaos)
{
	struct vbd *vbd = &chaos->fe->vbd;
	const char *name = key_names[below(chaos, ARRAY_SIZE(key_names))];
	char text[2001];

	if (one_in(chaos, 4)) {
		frontend_remove(vbd, name);
	} else if (one_in(chaos, 8)) {
		memset(text, 'a' + below(chaos, 26), sizeof(text) - 1);
		text[sizeof(text) - 1] = 0;
		frontend_write(vbd, name, text);
	} else if (one_in(chaos, 4)) {
		snprintf(text, sizeof(text), "%u", below(chaos, 2000));
		frontend_write(vbd, name, text);
	} else {
		frontend_write(vbd, name,
			       key_values[below(chaos, ARRAY_SIZE(key_values))]);
	}
}

/* Some of those that nobody wrote on purpose are there still. */
static void clear_keys(struct chaos *chaos)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(key_names); i++)
		if (strcmp(key_names[i], "state"))
			frontend_remove(&chaos->fe->vbd, key_names[i]);
}

/* --- states --------------------------------------------------------------- */

static bool comes_to(struct chaos *chaos, enum state wanted, enum state instead,
		     unsigned int ms)
{
	long long end = now_ms() + ms;
	enum state now;

	do {
		now = backend_state(&chaos->fe->vbd);
		if (now == wanted)
			return true;
		nap(2000);
	} while (now != instead && now_ms() < end);
	return false;
}

/* From wherever it is: a backend must get rid of any frontend that is gone. */
static void end_all(struct chaos *chaos)
{
	struct frontend *fe = chaos->fe;

	frontend_state(&fe->vbd, STATE_CLOSED);
	if (!comes_to(chaos, STATE_CLOSED, STATE_UNKNOWN, fe->vbd.patience_ms))
		wrong("connection %u of chaos: Closed, and the backend stays in state %d",
		      chaos->number, backend_state(&fe->vbd));
}

static void begin_anew(struct chaos *chaos)
{
	struct frontend *fe = chaos->fe;

	clear_keys(chaos);
	frontend_state(&fe->vbd, STATE_INITIALISING);
	if (!comes_to(chaos, STATE_INIT_WAIT, STATE_UNKNOWN, fe->vbd.patience_ms))
		wrong("connection %u of chaos: starts anew, and the backend stays in state %d",
		      chaos->number, backend_state(&fe->vbd));
}

static void flap(struct chaos *chaos)
{
	frontend_state(&chaos->fe->vbd, (int)below(chaos, 10) - 1);
}

/* --- rings ---------------------------------------------------------------- */

static struct ring *some_ring(struct chaos *chaos)
{
	struct conn *conn = chaos->fe->conn;

	return &conn->rings[below(chaos, conn->set.queues)];
}

static __u32 some_gref(struct chaos *chaos)
{
	struct frontend *fe = chaos->fe;
	struct ring *ring;

	switch (below(chaos, 12)) {
	case 0:
		return rng_next(&fe->rng);
	case 1:
		ring = some_ring(chaos);
		return ring->pages.page[below(chaos, ring->pages.count)].gref;
	case 2:
		return fe->readonly.pages.page[below(chaos, 8)].gref;
	case 3:
	case 4:
		return chaos->fleeting.page[below(chaos, FLEETING)].gref;
	default:
		return fe->pool.pages.page[below(chaos, 64)].gref;
	}
}

static void some_segment(struct chaos *chaos, struct blkif_segment *seg)
{
	seg->gref = some_gref(chaos);
	seg->first_sect = below(chaos, 8);
	seg->last_sect = seg->first_sect + below(chaos, 8 - seg->first_sect);
	if (one_in(chaos, 16))
		seg->last_sect = rng_next(&chaos->fe->rng);
}

/* Pages of segments are what pages of the pool have in them. */
static void fill_page(struct chaos *chaos)
{
	struct page *page = &chaos->fe->pool.pages.page[below(chaos, 64)];
	unsigned int i;

	for (i = 0; i < BLKIF_SEGMENTS_PER_PAGE; i++)
		some_segment(chaos, (struct blkif_segment *)page->data + i);
}

/* Mostly one that could be meant. */
static void put_request(struct chaos *chaos)
{
	static const __u8 ops[] = { 0, 0, 1, 1, 2, 3, 5, 6, 6 };
	struct ring *ring = some_ring(chaos);
	struct wire_request req = {
		.op = ops[below(chaos, sizeof(ops))],
		.id = rng_next(&chaos->fe->rng),
		.sector = below(chaos, 1 << 13),
	};
	unsigned int i;

	if (one_in(chaos, 16))
		req.op = rng_next(&chaos->fe->rng);
	if (one_in(chaos, 16))
		req.sector = rng_next(&chaos->fe->rng);
	req.nr_segs = below(chaos, one_in(chaos, 8) ? 256 : 12);
	req.inner_op = below(chaos, one_in(chaos, 8) ? 256 : 2);
	req.flag = below(chaos, 4);
	req.nr_sectors = below(chaos, 1 << 12);
	for (i = 0; i < ARRAY_SIZE(req.segs); i++)
		some_segment(chaos, &req.segs[i]);
	for (i = 0; i < ARRAY_SIZE(req.indirect_grefs); i++)
		req.indirect_grefs[i] = some_gref(chaos);
	ring_put(ring, &req);
}

/* As far as the ring has room, if its indices can be believed. */
static void publish(struct chaos *chaos)
{
	struct ring *ring = some_ring(chaos);
	__u32 answered = __atomic_load_n(&ring->shared->rsp_prod, __ATOMIC_ACQUIRE);
	/* Needed or not: all that follows depends on how much was left to chance. */
	__u32 room = below(chaos, ring->slots + 1);

	if (ring->req_prod - answered > ring->slots)
		ring->req_prod = answered + room;
	__atomic_store_n(&ring->shared->req_prod, ring->req_prod, __ATOMIC_RELEASE);
	xenevtchn_notify(chaos->fe->events, ring->port);
}

static void spoil_ring(struct chaos *chaos)
{
	struct ring *ring = some_ring(chaos);
	unsigned int page = below(chaos, ring->pages.count);
	unsigned int at = below(chaos, BLKIF_PAGE_SIZE);

	/* An index that breaks the rules ends all: that is for later. */
	if (!page && at < sizeof(ring->shared->req_prod))
		return;
	ring->pages.page[page].data[at] = rng_next(&chaos->fe->rng);
}

static void break_ring(struct chaos *chaos)
{
	struct ring *ring = some_ring(chaos);

	ring->shared->req_prod = rng_next(&chaos->fe->rng);
	xenevtchn_notify(chaos->fe->events, ring->port);
}

static void notify_often(struct chaos *chaos)
{
	struct ring *ring = some_ring(chaos);
	unsigned int times = below(chaos, 100);

	while (times--)
		xenevtchn_notify(chaos->fe->events, ring->port);
}

/* Grants that may be in use are taken back, and others have their numbers soon. */
static void regrant(struct chaos *chaos)
{
	pages_free(&chaos->fleeting);
	pages_alloc(&chaos->fleeting, FLEETING, chaos->fe->vbd.domid,
		    !one_in(chaos, 3));
}

static void step(struct chaos *chaos)
{
	switch (below(chaos, 40)) {
	case 0:
		spoil_key(chaos);
		break;
	case 1:
		notify_often(chaos);
		break;
	case 2:
		regrant(chaos);
		break;
	case 3:
	case 4:
		nap(below(chaos, 3000));
		break;
	case 5 ... 8:
		spoil_ring(chaos);
		break;
	case 9 ... 11:
		fill_page(chaos);
		break;
	case 12 ... 19:
		publish(chaos);
		break;
	default:
		put_request(chaos);
	}
	chaos->steps++;
}

/* --- connections ---------------------------------------------------------- */

static void choose(struct chaos *chaos)
{
	struct settings *set = &chaos->fe->set;

	settings_default(set);
	set->abi = &wire_abis[below(chaos, NR_ABIS)];
	set->queues = 1 + below(chaos, 4);
	set->order = below(chaos, 5);
	set->tell_pages = one_in(chaos, 4);
	set->tell_persistent = !one_in(chaos, 3);
	set->persistent = below(chaos, 2);
	set->numbered = one_in(chaos, 8);
	set->start = rng_next(&chaos->fe->rng);
}

static bool connects(struct chaos *chaos)
{
	unsigned int spoilt = one_in(chaos, 2) ? 1 + below(chaos, 3) : 0;

	while (spoilt--)
		spoil_key(chaos);
	frontend_state(&chaos->fe->vbd, STATE_INITIALISED);
	while (one_in(chaos, 6)) {
		spoil_key(chaos);
		flap(chaos);
	}
	return comes_to(chaos, STATE_CONNECTED, STATE_CLOSING, 2000);
}

static void use(struct chaos *chaos)
{
	unsigned int steps = below(chaos, MOST_STEPS);

	chaos->served++;
	frontend_state(&chaos->fe->vbd, STATE_CONNECTED);
	while (steps--)
		step(chaos);
	if (one_in(chaos, 4))
		break_ring(chaos);
	while (one_in(chaos, 4))
		flap(chaos);
	for (steps = below(chaos, 20); steps--;)
		step(chaos);
}

/* On the guest's console, which is there still when dom0 is not. */
static void tell_number(const struct chaos *chaos)
{
	FILE *console = fopen("/dev/kmsg", "w");

	if (!console)
		return;
	fprintf(console, "<4>chaos: connection %u\n", chaos->number);
	fclose(console);
}

/* Chance begins anew with each, as how far one comes depends on the backend, too. */
static void one_connection(struct chaos *chaos)
{
	struct frontend *fe = chaos->fe;

	fe->rng.state = rng_next(&chaos->seeds);
	tell_number(chaos);
	choose(chaos);
	begin_anew(chaos);
	conn_build(fe);
	conn_announce(fe);
	if (connects(chaos))
		use(chaos);
	end_all(chaos);
	conn_free(fe);
	chaos->number++;
}

void chaos_run(struct frontend *fe, unsigned int first, unsigned int count, unsigned int ms)
{
	struct chaos chaos = { .fe = fe, .seeds = fe->rng };
	struct settings before = fe->set;
	long long end = now_ms() + ms;

	pages_alloc(&chaos.fleeting, FLEETING, fe->vbd.domid, true);
	for (; chaos.number < first; chaos.number++)
		rng_next(&chaos.seeds);
	while (chaos.number - first < count && now_ms() < end)
		one_connection(&chaos);
	pages_free(&chaos.fleeting);
	clear_keys(&chaos);
	fe->set = before;
	say("chaos: %u connections, %u of them served, %llu steps",
	    chaos.number - first, chaos.served, chaos.steps);
}
