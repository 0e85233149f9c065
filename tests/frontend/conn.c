// SPDX-License-Identifier: GPL-2.0-only
/* Making and ending connections. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "request.h"

struct conn *conn_current(struct frontend *fe)
{
	if (!fe->conn)
		broken("there is no connection");
	return fe->conn;
}

void conn_build(struct frontend *fe)
{
	struct conn *conn = zalloc(sizeof(*conn));
	unsigned int i;

	if (fe->conn)
		broken("there is a connection already");
	conn->set = fe->set;
	conn->rings = zalloc(conn->set.queues * sizeof(*conn->rings));
	for (i = 0; i < conn->set.queues; i++) {
		ring_alloc(&conn->rings[i], fe->events, conn->set.abi,
			   conn->set.order, fe->vbd.domid);
		ring_start_at(&conn->rings[i], conn->set.start);
		conn->rings[i].always_notify = conn->set.always_notify;
	}
	fe->conn = conn;
}

static void describe_ring(struct key **keys, const struct conn *conn,
			  unsigned int index)
{
	const struct ring *ring = &conn->rings[index];
	char dir[24] = "", name[64];
	unsigned int i;

	if (conn->set.queues > 1)
		snprintf(dir, sizeof(dir), "queue-%u/", index);
	snprintf(name, sizeof(name), "%sevent-channel", dir);
	keys_set_number(keys, name, ring->port);
	for (i = 0; i < ring->pages.count; i++) {
		snprintf(name, sizeof(name), "%sring-ref%u", dir, i);
		if (!conn->set.order && !conn->set.numbered)
			snprintf(name, sizeof(name), "%sring-ref", dir);
		keys_set_number(keys, name, ring->pages.page[i].gref);
	}
}

static void describe(struct key **keys, const struct conn *conn)
{
	const struct settings *set = &conn->set;
	unsigned int i;

	if (set->tell_abi)
		keys_set(keys, "protocol", set->abi->protocol);
	if (set->queues > 1)
		keys_set_number(keys, "multi-queue-num-queues", set->queues);
	if (set->order && set->tell_order)
		keys_set_number(keys, "ring-page-order", set->order);
	if (set->tell_pages)
		keys_set_number(keys, "num-ring-pages", 1 << set->order);
	if (set->tell_persistent)
		keys_set_number(keys, "feature-persistent", set->persistent);
	for (i = 0; i < set->queues; i++)
		describe_ring(keys, conn, i);
}

void conn_announce(struct frontend *fe)
{
	struct conn *conn = conn_current(fe);
	struct key *key;

	describe(&conn->keys, conn);
	keys_merge(&conn->keys, fe->extra);
	for (key = conn->keys; key; key = key->next)
		if (key->value)
			frontend_write(&fe->vbd, key->name, key->value);
}

void conn_learn(struct frontend *fe)
{
	struct disk *disk = &conn_current(fe)->disk;
	struct vbd *vbd = &fe->vbd;

	disk->sectors = backend_number(vbd, "sectors", 0);
	disk->block = backend_number(vbd, "sector-size", 512) / BLKIF_SECTOR_SIZE;
	disk->max_segments =
		backend_number(vbd, "feature-max-indirect-segments", 0);
	disk->flush = backend_number(vbd, "feature-flush-cache", 0);
	disk->barrier = backend_number(vbd, "feature-barrier", 0);
	disk->discard = backend_number(vbd, "feature-discard", 0);
	disk->persistent = backend_number(vbd, "feature-persistent", 0);
	if (!disk->sectors || !disk->block)
		wrong("the disk has %llu sectors, its blocks %u of them",
		      disk->sectors, disk->block);
}

static void answer_offer(struct frontend *fe)
{
	conn_build(fe);
	conn_announce(fe);
	frontend_state(&fe->vbd, STATE_INITIALISED);
}

static void ask(struct frontend *fe)
{
	frontend_state(&fe->vbd, STATE_INITIALISING);
	backend_await(&fe->vbd, STATE_INIT_WAIT);
	answer_offer(fe);
}

void conn_open(struct frontend *fe)
{
	ask(fe);
	backend_await(&fe->vbd, STATE_CONNECTED);
	conn_learn(fe);
	frontend_state(&fe->vbd, STATE_CONNECTED);
}

/* Keys that the next connection might not write would be taken for its own. */
static void withdraw(struct frontend *fe, struct conn *conn)
{
	struct key *key;

	if (!conn->set.stale)
		for (key = conn->keys; key; key = key->next)
			frontend_remove(&fe->vbd, key->name);
	keys_free(&conn->keys);
}

static void destroy(struct frontend *fe, struct conn *conn)
{
	unsigned int i;

	for (i = 0; i < conn->set.queues; i++)
		ring_free(&conn->rings[i], fe->events);
	free(conn->rings);
	free(conn);
}

void conn_free(struct frontend *fe)
{
	struct conn *conn = conn_current(fe);

	requests_forget(fe);
	withdraw(fe, conn);
	destroy(fe, conn);
	fe->conn = NULL;
}

void conn_close(struct frontend *fe)
{
	requests_wait(fe, 0);
	frontend_state(&fe->vbd, STATE_CLOSING);
	backend_await(&fe->vbd, STATE_CLOSING);
	frontend_state(&fe->vbd, STATE_CLOSED);
	backend_await(&fe->vbd, STATE_CLOSED);
	conn_free(fe);
}

static void leave(struct frontend *fe)
{
	frontend_state(&fe->vbd, STATE_CLOSED);
	backend_await(&fe->vbd, STATE_CLOSED);
}

static void go(struct frontend *fe)
{
	leave(fe);
	conn_free(fe);
}

void conn_halted(struct frontend *fe)
{
	backend_await(&fe->vbd, STATE_CLOSING);
	go(fe);
}

void conn_refused(struct frontend *fe)
{
	ask(fe);
	conn_halted(fe);
}

/* The backend may not even come to an offer. */
void conn_either(struct frontend *fe)
{
	bool offered, served;

	frontend_state(&fe->vbd, STATE_INITIALISING);
	offered = backend_decides(&fe->vbd, STATE_INIT_WAIT);
	if (offered)
		answer_offer(fe);
	served = offered && backend_decides(&fe->vbd, STATE_CONNECTED);
	say("%s", served ? "served" : "refused");
	if (served)
		frontend_state(&fe->vbd, STATE_CONNECTED);
	leave(fe);
	if (offered)
		conn_free(fe);
}

void conn_drop(struct frontend *fe)
{
	struct conn *conn = conn_current(fe);

	requests_forget(fe);
	withdraw(fe, conn);
	conn->next = fe->dropped;
	fe->dropped = conn;
	fe->conn = NULL;
}

void conn_release(struct frontend *fe)
{
	struct conn *conn;

	while ((conn = fe->dropped)) {
		fe->dropped = conn->next;
		destroy(fe, conn);
	}
}
