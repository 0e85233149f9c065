/* SPDX-License-Identifier: GPL-2.0-only */
/* The frontend's side of a shared ring. */
#ifndef RING_H
#define RING_H

#include <stdbool.h>

#include "grants.h"
#include "wire.h"

struct xenevtchn_handle;

/**
 * struct ring - a ring and its event channel
 * @abi: how slots are laid out
 * @pages: its memory
 * @shared: the same
 * @slots: how many requests fit
 * @port: our end of the event channel
 * @req_prod: index behind the last request written
 * @pushed: how far the backend has been told
 * @rsp_cons: index behind the last response taken
 * @always_notify: send an event even if the backend does not want any
 * @deaf: the event channel was closed
 */
struct ring {
	const struct wire_abi *abi;
	struct pages pages;
	struct blkif_sring *shared;
	unsigned int slots;
	unsigned int port;
	__u32 req_prod;
	__u32 pushed;
	__u32 rsp_cons;
	bool always_notify;
	bool deaf;
};

void ring_alloc(struct ring *ring, struct xenevtchn_handle *events,
		const struct wire_abi *abi, unsigned int order,
		unsigned int domid);

/* Closes the event channel, and no more. */
void ring_deafen(struct ring *ring, struct xenevtchn_handle *events);

void ring_free(struct ring *ring, struct xenevtchn_handle *events);

/* Lets both sides begin at another index than 0. To be used before the backend connects. */
void ring_start_at(struct ring *ring, __u32 index);

unsigned int ring_room(const struct ring *ring);

/* Memory of the slot of an index. */
void *ring_slot(const struct ring *ring, __u32 index);

/* Writes a request to the next slot. The backend is not told yet. */
void *ring_put(struct ring *ring, const struct wire_request *req);

/* Tells the backend of all requests written, and wakes it if it wants that. */
void ring_push(struct ring *ring, struct xenevtchn_handle *events);

/* Takes the next response. Return false if there is none. */
bool ring_take(struct ring *ring, struct blkif_response *rsp);

/* Asks for an event with the next response. Return true if there is one already. */
bool ring_arm(struct ring *ring);

#endif /* RING_H */
