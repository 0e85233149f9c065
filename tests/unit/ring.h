/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rings to test sring.h with, in the four shapes that lie furthest apart. The
 * numbers are written down, not computed, so that they can disagree.
 */
#ifndef RING_H
#define RING_H

#include "../../sring.h"

/**
 * struct shape - a kind of ring
 * @protocol: name of the layout
 * @pages: size
 * @stride: bytes from slot to slot
 * @slots: how many
 */
struct shape {
	const char *protocol;
	unsigned int pages;
	unsigned int stride;
	__u32 slots;
};

static const struct shape shapes[] = {
	{ "x86_64-abi", 1, 112, 32 },
	{ "x86_32-abi", 1, 108, 32 },
	{ "x86_64-abi", 16, 112, 512 },
	{ "x86_32-abi", 16, 108, 512 },
};

static inline size_t ring_bytes(const struct shape *shape)
{
	return shape->pages * 4096;
}

/* Where in the ring's memory the slot of an index starts. */
static inline size_t slot_offset(const struct shape *shape, __u32 index)
{
	return 64 + (index % shape->slots) * shape->stride;
}

/* The next number of a long series, the same in every run. */
static inline __u64 next_random(void)
{
	static __u64 state = 0x2545f4914f6cdd1d;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static inline void fill_random(void *to, size_t bytes)
{
	unsigned char *byte = to;

	while (bytes--)
		*byte++ = next_random() >> 24;
}

/**
 * new_shared() - a ring as the frontend hands it over, slots full of rubbish
 * @shape: its kind
 * @index: where both producers are
 *
 * Return: memory that ends where the ring ends.
 */
static inline struct blkif_sring *new_shared(const struct shape *shape,
					     __u32 index)
{
	struct blkif_sring *shared = malloc(ring_bytes(shape));

	assert_non_null(shared);
	fill_random(shared, ring_bytes(shape));
	shared->req_prod = index;
	shared->rsp_prod = index;
	shared->req_event = index + 1;
	shared->rsp_event = index + 1;
	return shared;
}

static inline bool attach(struct sring *ring, struct blkif_sring *shared,
			  const struct shape *shape)
{
	return sring_attach(ring, shared, blkif_find_abi(shape->protocol),
			    shape->pages);
}

#endif /* RING_H */
