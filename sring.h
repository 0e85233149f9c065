/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backend's side of one shared ring: the only code that uses it; debugfs.c shows its
 * indices.
 *
 * The guest may write any byte of the ring at any time. So each index is read
 * once and held against our own, a slot is copied before anybody looks into
 * it, and nothing is ever read back. One thread takes requests; responses may be
 * written by others, but only by one at a time.
 */
#ifndef BLKBACK_SRING_H
#define BLKBACK_SRING_H

#include "decode.h"

#ifdef __KERNEL__
#include <asm/barrier.h>
#include <linux/compiler.h>
#include <linux/stddef.h>
#include <linux/string.h>
#endif

/* Most pages of a ring: what the kernel's xenbus takes for the most, too. */
#define SRING_MAX_PAGES	16

/**
 * struct sring - a shared ring and how far we are
 * @shared: its first page, where the indices are
 * @pages: all of them; they need not follow each other in memory
 * @stride: bytes from slot to slot
 * @nr_slots: a power of two
 * @req_cons: index of the next request to read
 * @rsp_prod: index of the next response to write
 * @rsp_published: how far the frontend may see our responses
 */
struct sring {
	struct blkif_sring *shared;
	void *pages[SRING_MAX_PAGES];
	unsigned int stride;
	__u32 nr_slots;
	__u32 req_cons;
	__u32 rsp_prod;
	__u32 rsp_published;
};

/* Where the slot of an index begins, from the beginning of the ring. */
static inline unsigned int sring_slot(const struct sring *sr, __u32 index)
{
	return sizeof(*sr->shared) + (index & (sr->nr_slots - 1)) * sr->stride;
}

/* A slot may begin in one page and end in the next. */
static inline void sring_read(const struct sring *sr, unsigned int at, void *to,
			      unsigned int bytes)
{
	const char *page = sr->pages[at / BLKIF_PAGE_SIZE];
	unsigned int offset = at % BLKIF_PAGE_SIZE;
	unsigned int here = BLKIF_PAGE_SIZE - offset;

	if (bytes <= here) {
		memcpy(to, page + offset, bytes);
		return;
	}
	memcpy(to, page + offset, here);
	memcpy((char *)to + here, sr->pages[at / BLKIF_PAGE_SIZE + 1],
	       bytes - here);
}

static inline void sring_write(const struct sring *sr, unsigned int at,
			       const void *from, unsigned int bytes)
{
	char *page = sr->pages[at / BLKIF_PAGE_SIZE];
	unsigned int offset = at % BLKIF_PAGE_SIZE;
	unsigned int here = BLKIF_PAGE_SIZE - offset;

	if (bytes <= here) {
		memcpy(page + offset, from, bytes);
		return;
	}
	memcpy(page + offset, from, here);
	memcpy(sr->pages[at / BLKIF_PAGE_SIZE + 1], (const char *)from + here,
	       bytes - here);
}

/**
 * sring_end() - index behind the last request
 * @sr: the ring
 *
 * Return: the frontend's word; to be compared with, not to be relied on.
 */
static inline __u32 sring_end(const struct sring *sr)
{
	return READ_ONCE(sr->shared->req_prod);
}

/**
 * sring_unread() - how many requests wait
 * @sr: the ring
 *
 * A frontend never has more requests unanswered than there are slots, and
 * never takes one back. That bounds all memory a ring can make us use.
 *
 * Return: the number, or -1 if the frontend's index breaks that rule; there is
 * no telling then what the slots hold, and the ring is of no more use.
 */
static inline int sring_unread(const struct sring *sr)
{
	__u32 unread = sring_end(sr) - sr->req_cons;
	__u32 unanswered;

	/* The index before the slots it speaks of, and the answers it is due to. */
	virt_rmb();
	unanswered = sr->req_cons - READ_ONCE(sr->rsp_prod);
	if (unread > sr->nr_slots - unanswered)
		return -1;
	return unread;
}

/**
 * sring_attach() - take up a ring
 * @sr: filled in
 * @pages: where its pages are mapped
 * @nr_pages: how many
 * @abi: layout of its requests
 *
 * A ring need not be new: what the last backend has answered stays answered.
 *
 * Return: false if the indices found there are out of bounds.
 */
static inline bool sring_attach(struct sring *sr, void *const *pages,
				unsigned int nr_pages,
				const struct blkif_abi *abi)
{
	memcpy(sr->pages, pages, nr_pages * sizeof(*pages));
	sr->shared = pages[0];
	sr->stride = abi->stride;
	sr->nr_slots = blkif_ring_slots(abi, nr_pages);
	sr->rsp_prod = READ_ONCE(sr->shared->rsp_prod);
	sr->rsp_published = sr->rsp_prod;
	sr->req_cons = sr->rsp_prod;
	return sring_unread(sr) >= 0;
}

/**
 * sring_peek() - copy the next request, without taking it
 * @sr: the ring, in which sring_unread() has seen a request
 * @slot: private memory of BLKIF_MAX_STRIDE bytes
 */
static inline void sring_peek(const struct sring *sr, void *slot)
{
	sring_read(sr, sring_slot(sr, sr->req_cons), slot, sr->stride);
	/* Whoever looks at the copy must not be made to look at the ring. */
	barrier();
}

/**
 * sring_take() - be done with the request last peeked at
 * @sr: the ring
 */
static inline void sring_take(struct sring *sr)
{
	sr->req_cons++;
}

#define rsp_field(field)	offsetof(struct blkif_response, field)

/**
 * sring_respond() - write a response, not yet seen by the frontend
 * @sr: the ring
 * @id: of the request
 * @operation: of the request
 * @status: enum blkif_status
 *
 * The fields are written one by one in place: nothing else of ours leaks. In
 * x86_32-abi the slot is aligned to 4 bytes only, hence no pointer to a struct; and it may
 * begin in one page and end in the next.
 */
static inline void sring_respond(struct sring *sr, __u64 id, __u8 operation,
				 int status)
{
	unsigned int slot = sring_slot(sr, sr->rsp_prod);
	unsigned int offset = slot % BLKIF_PAGE_SIZE;
	char *at = (char *)sr->pages[slot / BLKIF_PAGE_SIZE] + offset;
	__s16 wire_status = status;

	if (offset <= BLKIF_PAGE_SIZE - sizeof(struct blkif_response)) {
		memcpy(at + rsp_field(id), &id, sizeof(id));
		memcpy(at + rsp_field(operation), &operation, sizeof(operation));
		memcpy(at + rsp_field(status), &wire_status, sizeof(wire_status));
	} else {
		sring_write(sr, slot + rsp_field(id), &id, sizeof(id));
		sring_write(sr, slot + rsp_field(operation), &operation,
			    sizeof(operation));
		sring_write(sr, slot + rsp_field(status), &wire_status,
			    sizeof(wire_status));
	}
	WRITE_ONCE(sr->rsp_prod, sr->rsp_prod + 1);
}

#undef rsp_field

/**
 * sring_publish() - let the frontend see all responses written so far
 * @sr: the ring
 *
 * Return: whether the frontend wants an event for that.
 */
static inline bool sring_publish(struct sring *sr)
{
	__u32 old = sr->rsp_published;
	__u32 new = sr->rsp_prod;

	if (old == new)
		return false;
	virt_wmb();	/* the responses before the index that shows them */
	WRITE_ONCE(sr->shared->rsp_prod, new);
	sr->rsp_published = new;
	virt_mb();	/* our index before the frontend's wish */
	return new - READ_ONCE(sr->shared->rsp_event) < new - old;
}

/**
 * sring_arm() - ask for an event at the next request
 * @sr: the ring
 *
 * A request that came just before may have brought no event: the caller must
 * call sring_unread() once more before it sleeps.
 */
static inline void sring_arm(const struct sring *sr)
{
	WRITE_ONCE(sr->shared->req_event, sr->req_cons + 1);
	virt_mb();	/* our wish before the frontend's index */
}

#endif /* BLKBACK_SRING_H */
