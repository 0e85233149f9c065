// SPDX-License-Identifier: GPL-2.0-only
/* Requests on their way. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <xenevtchn.h>

#include "request.h"

const char *status_name(int status)
{
	switch (status) {
	case BLKIF_RSP_OKAY:
		return "okay";
	case BLKIF_RSP_ERROR:
		return "error";
	case BLKIF_RSP_EOPNOTSUPP:
		return "notsupp";
	default:
		return "a status that does not exist";
	}
}

void request_submit(struct frontend *fe, struct request *req)
{
	struct conn *conn = conn_current(fe);
	struct ring *ring = &conn->rings[req->queue];

	while (!ring_room(ring))
		requests_wait(fe, conn->nr_out - 1);
	ring_put(ring, &req->wire);
	req->next = conn->out;
	conn->out = req;
	conn->nr_out++;
}

void requests_push(struct frontend *fe)
{
	struct conn *conn = conn_current(fe);
	unsigned int i;

	for (i = 0; i < conn->set.queues; i++)
		ring_push(&conn->rings[i], fe->events);
}

/* Of two with the same id, the later one. */
static struct request *unlink_request(struct conn *conn, unsigned int queue,
				      __u64 id)
{
	struct request **link, *req;

	for (link = &conn->out; (req = *link); link = &req->next) {
		if (req->queue != queue || req->wire.id != id)
			continue;
		*link = req->next;
		conn->nr_out--;
		return req;
	}
	return NULL;
}

static void answer(struct frontend *fe, unsigned int queue,
		   const struct blkif_response *rsp)
{
	struct request *req = unlink_request(fe->conn, queue, rsp->id);

	if (!req)
		wrong("queue %u: a response to id %llu, which is not out", queue,
		      rsp->id);
	if (req->answer_op != ANY_OP && rsp->operation != req->answer_op)
		wrong("queue %u: the response to id %llu is for operation %u, not %d",
		      queue, rsp->id, rsp->operation, req->answer_op);
	req->got_op = rsp->operation;
	req->status = rsp->status;
	req->done(fe, req);
}

unsigned int requests_reap(struct frontend *fe)
{
	struct conn *conn = conn_current(fe);
	struct blkif_response rsp;
	unsigned int i, count = 0;

	for (i = 0; i < conn->set.queues; i++)
		for (; ring_take(&conn->rings[i], &rsp); count++)
			answer(fe, i, &rsp);
	return count;
}

static bool arm(struct conn *conn)
{
	bool ready = false;
	unsigned int i;

	for (i = 0; i < conn->set.queues; i++)
		ready |= ring_arm(&conn->rings[i]);
	return ready;
}

/* It does not matter whose event this is: all rings are looked at. */
static bool sleep_until_event(struct frontend *fe)
{
	struct pollfd pollfd = {
		.fd = xenevtchn_fd(fe->events), .events = POLLIN,
	};
	int port;

	if (poll(&pollfd, 1, fe->vbd.patience_ms) == 0)
		return false;
	port = xenevtchn_pending(fe->events);
	if (port < 0 || xenevtchn_unmask(fe->events, port))
		broken("event channels: %s", strerror(errno));
	return true;
}

static void wait_response(struct frontend *fe)
{
	unsigned int out = fe->conn->nr_out;

	if (arm(fe->conn) || sleep_until_event(fe))
		return;
	if (requests_reap(fe))
		wrong("responses came without an event");
	wrong("no response to %u requests", out);
}

void requests_wait(struct frontend *fe, unsigned int left)
{
	struct conn *conn = conn_current(fe);

	requests_push(fe);
	while (conn->nr_out > left)
		if (!requests_reap(fe))
			wait_response(fe);
}

void requests_forget(struct frontend *fe)
{
	struct conn *conn = conn_current(fe);
	struct request *req;

	while ((req = conn->out)) {
		conn->out = req->next;
		conn->nr_out--;
		req->forget(fe, req);
	}
}
