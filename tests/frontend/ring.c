// SPDX-License-Identifier: GPL-2.0-only
/* The frontend's side of a shared ring. */
#include <errno.h>
#include <string.h>
#include <xenevtchn.h>

#include "ring.h"
#include "util.h"

void ring_alloc(struct ring *ring, struct xenevtchn_handle *events,
		const struct wire_abi *abi, unsigned int order,
		unsigned int domid)
{
	int port = xenevtchn_bind_unbound_port(events, domid);

	if (port < 0)
		broken("no event channel: %s", strerror(errno));
	memset(ring, 0, sizeof(*ring));
	pages_alloc(&ring->pages, 1 << order, domid, true);
	ring->abi = abi;
	ring->port = port;
	ring->slots = wire_slots(abi, 1 << order);
	ring->shared = (void *)ring->pages.page[0].data;
	ring_start_at(ring, 0);
}

void ring_deafen(struct ring *ring, struct xenevtchn_handle *events)
{
	if (xenevtchn_unbind(events, ring->port))
		broken("cannot close event channel %u: %s", ring->port,
		       strerror(errno));
	ring->deaf = true;
}

void ring_free(struct ring *ring, struct xenevtchn_handle *events)
{
	if (!ring->deaf)
		ring_deafen(ring, events);
	pages_free(&ring->pages);
}

void ring_start_at(struct ring *ring, __u32 index)
{
	ring->req_prod = index;
	ring->pushed = index;
	ring->rsp_cons = index;
	ring->shared->req_prod = index;
	ring->shared->rsp_prod = index;
	ring->shared->req_event = index + 1;
	ring->shared->rsp_event = index + 1;
}

unsigned int ring_room(const struct ring *ring)
{
	return ring->slots - (ring->req_prod - ring->rsp_cons);
}

void *ring_slot(const struct ring *ring, __u32 index)
{
	return (char *)(ring->shared + 1) +
	       (index & (ring->slots - 1)) * ring->abi->slot;
}

void *ring_put(struct ring *ring, const struct wire_request *req)
{
	void *slot = ring_slot(ring, ring->req_prod++);

	wire_encode(ring->abi, req, slot);
	return slot;
}

/* Is @index one of the @count before @end? */
static bool among(__u32 index, __u32 end, __u32 count)
{
	return end - index < count;
}

void ring_push(struct ring *ring, struct xenevtchn_handle *events)
{
	__u32 fresh = ring->req_prod - ring->pushed;
	__u32 event;

	if (!fresh)
		return;
	/* The slots first, then the index; and only then see what is asked for. */
	ring->pushed = ring->req_prod;
	__atomic_store_n(&ring->shared->req_prod, ring->pushed, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	event = __atomic_load_n(&ring->shared->req_event, __ATOMIC_RELAXED);
	if (ring->deaf)
		return;
	if (!ring->always_notify && !among(event, ring->req_prod, fresh))
		return;
	if (xenevtchn_notify(events, ring->port))
		broken("cannot notify by event channel %u: %s", ring->port,
		       strerror(errno));
}

static __u32 ring_answered(const struct ring *ring)
{
	__u32 count = __atomic_load_n(&ring->shared->rsp_prod, __ATOMIC_ACQUIRE) -
		      ring->rsp_cons;

	if (count > ring->req_prod - ring->rsp_cons)
		wrong("%u responses to %u requests", count,
		      ring->req_prod - ring->rsp_cons);
	return count;
}

bool ring_take(struct ring *ring, struct blkif_response *rsp)
{
	if (!ring_answered(ring))
		return false;
	memcpy(rsp, ring_slot(ring, ring->rsp_cons), sizeof(*rsp));
	ring->rsp_cons++;
	return true;
}

bool ring_arm(struct ring *ring)
{
	__atomic_store_n(&ring->shared->rsp_event, ring->rsp_cons + 1,
			 __ATOMIC_RELAXED);
	/* The backend writes responses and then looks at the event, so we look after this. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring_answered(ring);
}
