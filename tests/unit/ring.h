/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rings to test sring.h with, in the four shapes that lie furthest apart. The
 * numbers are written down, not computed, so that they can disagree.
 */
#ifndef RING_H
#define RING_H

#include <sys/mman.h>
#include <unistd.h>

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

/*
 * The pages of the ring last made, as the backend has them: each by itself, the last one
 * first, with nothing between them that could be touched.
 */
static void *ring_views[16];

static inline void view_pages(int memory, unsigned int pages)
{
	char *room = mmap(NULL, (2 * pages + 1) * 4096, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	assert_ptr_not_equal(room, MAP_FAILED);
	for (i = 0; i < pages; i++)
		ring_views[i] = mmap(room + (2 * (pages - i) - 1) * 4096, 4096,
				     PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_FIXED, memory, i * 4096);
}

/**
 * new_shared() - a ring as the frontend hands it over, slots full of rubbish
 * @shape: its kind
 * @index: where both producers are
 *
 * Return: all of its pages, one after the other; see free_shared().
 */
static inline struct blkif_sring *new_shared(const struct shape *shape,
					     __u32 index)
{
	int memory = memfd_create("ring", 0);
	struct blkif_sring *shared;

	assert_int_equal(ftruncate(memory, ring_bytes(shape)), 0);
	shared = mmap(NULL, ring_bytes(shape), PROT_READ | PROT_WRITE,
		      MAP_SHARED, memory, 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	view_pages(memory, shape->pages);
	close(memory);
	fill_random(shared, ring_bytes(shape));
	shared->req_prod = index;
	shared->rsp_prod = index;
	shared->req_event = index + 1;
	shared->rsp_event = index + 1;
	return shared;
}

static inline void free_shared(struct blkif_sring *shared,
			       const struct shape *shape)
{
	munmap(shared, ring_bytes(shape));
	munmap((char *)ring_views[shape->pages - 1] - 4096,
	       (2 * shape->pages + 1) * 4096);
}

/* Takes up the ring last made. */
static inline bool attach(struct sring *ring, const struct shape *shape)
{
	return sring_attach(ring, ring_views, shape->pages,
			    blkif_find_abi(shape->protocol));
}

#endif /* RING_H */
