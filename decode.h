/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the bytes of a ring slot to a request that may be carried out.
 *
 * Pure functions over private memory: no kernel services, so that unit tests
 * and fuzzers run the very code of the driver. The caller has copied whatever
 * the guest can write; nothing here ever sees guest memory.
 */
#ifndef BLKBACK_DECODE_H
#define BLKBACK_DECODE_H

#include "blkif.h"

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#endif

/* Most segments of one request we take; a page of descriptors holds twice. */
#define BLKBACK_MAX_SEGMENTS	256

/* Room for a slot of any layout. */
#define BLKIF_MAX_STRIDE	sizeof(struct blkif_request)

/**
 * struct blkif_abi - how one kind of guest lays out its requests
 * @protocol: its name in the frontend's "protocol" key
 * @shift: bytes by which all behind the first word sits further ahead than in
 *	the 64-bit layout of blkif.h
 * @stride: bytes from slot to slot
 */
struct blkif_abi {
	const char *protocol;
	__u8 shift;
	__u8 stride;
};

/**
 * struct wire_request - one request in private memory, in the host's terms
 * @id: to be echoed
 * @sector: start on the disk, in 512-byte sectors
 * @nr_segs: segments, in @seg or in the pages of @indirect_gref
 * @operation: READ, WRITE ... also for INDIRECT, where it is the inner one:
 *	what is to be done, and what the response names
 * @indirect: the segments are in pages of their own
 * @secure: a DISCARD is to leave no trace of the data
 * @seg: if not @indirect; never more than BLKIF_MAX_DIRECT_SEGMENTS are read
 *	from the slot, however many @nr_segs says
 * @indirect_gref: if @indirect
 * @nr_sectors: of a DISCARD that is not @indirect, which has no segments
 */
struct wire_request {
	__u64 id;
	__u64 sector;
	__u16 nr_segs;
	__u8 operation;
	bool indirect;
	bool secure;
	union {
		struct blkif_segment seg[BLKIF_MAX_DIRECT_SEGMENTS];
		__u32 indirect_gref[BLKIF_MAX_INDIRECT_PAGES];
		__u64 nr_sectors;
	};
};

/**
 * struct disk_limits - what a request is held against
 * @capacity: size of the disk in 512-byte sectors
 * @block_sectors: 512-byte sectors in a logical block, a power of two, 1 to 8
 * @read_only: writes are refused
 * @discard: the disk takes DISCARD
 * @secure_erase: and leaves no trace if asked to
 * @max_indirect: most segments of an INDIRECT request, up to BLKBACK_MAX_SEGMENTS; 0:
 *	there is no INDIRECT
 */
struct disk_limits {
	__u64 capacity;
	__u8 block_sectors;
	bool read_only;
	bool discard;
	bool secure_erase;
	__u16 max_indirect;
};

/**
 * struct segment_sum - all segments of a request, as far as they are to be checked
 * @places: bits of where each one ends, and of how far that is from where it begins: as long
 *	as none is outside of its page, these make no number as large as a page
 * @edges: bits of where each one begins, and of its length
 * @sectors: of all; means nothing if one is not sound
 *
 * All in 512-byte sectors. So that a request of many segments is looked at once, by who
 * takes them.
 */
struct segment_sum {
	unsigned int places;
	unsigned int edges;
	unsigned int sectors;
};

const struct blkif_abi *blkif_find_abi(const char *protocol);
unsigned int blkif_ring_slots(const struct blkif_abi *abi, unsigned int pages);
void decode_request(const void *slot, const struct blkif_abi *abi,
		    struct wire_request *req);
int check_request(const struct wire_request *req,
		  const struct disk_limits *disk);
int check_segments(const struct wire_request *req,
		   const struct segment_sum *sum,
		   const struct disk_limits *disk);

/**
 * segment_add() - one more segment of a request
 * @sum: so far; all 0 at first
 * @seg: the segment, in private memory
 *
 * Return: its length in 512-byte sectors: 1 to 8 if check_segments() passes @sum, or else
 * anything.
 */
static inline unsigned int segment_add(struct segment_sum *sum,
				       const struct blkif_segment *seg)
{
	unsigned int first = seg->first_sect, last = seg->last_sect;
	unsigned int further = last - first;	/* huge if it ends before it begins */
	unsigned int sectors = further + 1;

	sum->places |= last | further;
	sum->edges |= first | sectors;
	sum->sectors += sectors;
	return sectors;
}

#endif /* BLKBACK_DECODE_H */
