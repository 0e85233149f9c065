// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the bytes of a ring slot to a request that may be carried out.
 */
#include "decode.h"

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>
#else
#include <assert.h>
#include <stddef.h>
#include <string.h>
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

static_assert(sizeof(struct blkif_segment) == 8);
static_assert(sizeof(struct blkif_request) == 112);
static_assert(offsetof(struct blkif_request, id) == 8);
static_assert(offsetof(struct blkif_request, sector_number) == 16);
static_assert(offsetof(struct blkif_request, seg) == 24);
static_assert(offsetof(struct blkif_request_indirect, indirect_gref) == 28);
static_assert(offsetof(struct blkif_request_discard, nr_sectors) == 24);
static_assert(offsetof(struct blkif_response, operation) == 8);
static_assert(offsetof(struct blkif_response, status) == 10);
static_assert(sizeof(struct blkif_sring) == 64);
/* One page of descriptors is all a request of ours ever needs. */
static_assert(BLKBACK_MAX_SEGMENTS <= BLKIF_SEGMENTS_PER_PAGE);

static const struct blkif_abi abis[] = {
	{ "x86_64-abi", 0, 112 },
	{ "x86_32-abi", 4, 108 },
	{ "arm-abi", 0, 112 },
};

/*
 * On x86 a frontend that does not name its layout is older than that key, and
 * those were 32-bit. Elsewhere there is only one layout.
 */
#ifdef CONFIG_X86
#define OLDEST_ABI "x86_32-abi"
#else
#define OLDEST_ABI "arm-abi"
#endif

/**
 * blkif_find_abi() - look up a layout
 * @protocol: text of the frontend's "protocol" key, NULL if it wrote none
 *
 * Return: the layout, or NULL if there is none of that name.
 */
const struct blkif_abi *blkif_find_abi(const char *protocol)
{
	unsigned int i;

	if (!protocol)
		protocol = OLDEST_ABI;
	for (i = 0; i < ARRAY_SIZE(abis); i++)
		if (!strcmp(abis[i].protocol, protocol))
			return &abis[i];
	return NULL;
}

/**
 * blkif_ring_slots() - how many requests a ring holds
 * @abi: the frontend's layout
 * @pages: pages of the ring, at least 1
 *
 * Return: the number of slots, a power of two.
 */
unsigned int blkif_ring_slots(const struct blkif_abi *abi, unsigned int pages)
{
	size_t room = pages * BLKIF_PAGE_SIZE - sizeof(struct blkif_sring);
	unsigned int slots = 1;

	while (2 * slots * abi->stride <= room)
		slots *= 2;
	return slots;
}

/* Take one field out of a slot, given its place in the 64-bit layout. */
#define take(to, slot, shift, type, field) \
	memcpy(to, (const char *)(slot) + offsetof(type, field) - (shift), \
	       sizeof(((type *)0)->field))

static void decode_indirect(const void *slot, unsigned int shift,
			    struct wire_request *req)
{
	req->indirect = true;
	req->secure = false;
	take(&req->operation, slot, 0, struct blkif_request_indirect,
	     indirect_op);
	take(&req->nr_segs, slot, 0, struct blkif_request_indirect,
	     nr_segments);
	take(req->indirect_gref, slot, shift, struct blkif_request_indirect,
	     indirect_gref);
}

static void decode_direct(const void *slot, unsigned int shift,
			  struct wire_request *req)
{
	unsigned int i;
	__u8 nr_segs;

	req->indirect = false;
	req->secure = false;
	take(&nr_segs, slot, 0, struct blkif_request, nr_segments);
	req->nr_segs = nr_segs;
	for (i = 0; i < nr_segs && i < ARRAY_SIZE(req->seg); i++)
		take(&req->seg[i], slot, shift, struct blkif_request, seg[i]);
}

static void decode_discard(const void *slot, unsigned int shift,
			   struct wire_request *req)
{
	__u8 flag;

	req->indirect = false;
	req->nr_segs = 0;
	take(&flag, slot, 0, struct blkif_request_discard, flag);
	req->secure = flag & BLKIF_DISCARD_SECURE;
	take(&req->nr_sectors, slot, shift, struct blkif_request_discard,
	     nr_sectors);
}

/**
 * decode_request() - bring a slot into the host's form
 * @slot: private copy of the slot, @abi->stride bytes, any alignment
 * @abi: the frontend's layout
 * @req: all of it that is valid is written
 *
 * Any bytes at all make a request; check_request() says what it is worth.
 */
void decode_request(const void *slot, const struct blkif_abi *abi,
		    struct wire_request *req)
{
	take(&req->operation, slot, 0, struct blkif_request, operation);
	take(&req->id, slot, abi->shift, struct blkif_request, id);
	take(&req->sector, slot, abi->shift, struct blkif_request,
	     sector_number);
	switch (req->operation) {
	case BLKIF_OP_INDIRECT:
		decode_indirect(slot, abi->shift, req);
		break;
	case BLKIF_OP_DISCARD:
		decode_discard(slot, abi->shift, req);
		break;
	default:
		decode_direct(slot, abi->shift, req);
	}
}

static bool count_ok(const struct wire_request *req,
		     const struct disk_limits *disk)
{
	if (req->indirect)
		return req->nr_segs >= 1 && req->nr_segs <= disk->max_indirect;
	if (req->nr_segs > BLKIF_MAX_DIRECT_SEGMENTS)
		return false;
	/* Only these two mean something without data. */
	return req->nr_segs || req->operation == BLKIF_OP_FLUSH_DISKCACHE ||
	       req->operation == BLKIF_OP_WRITE_BARRIER;
}

/* Written so that a sector near 2^64 cannot wrap. */
static bool in_disk(const struct disk_limits *disk, __u64 sector, __u64 sectors)
{
	unsigned int mask = disk->block_sectors - 1;

	return !((sector | sectors) & mask) && sector <= disk->capacity &&
	       sectors <= disk->capacity - sector;
}

static int check_discard(const struct wire_request *req,
			 const struct disk_limits *disk)
{
	if (req->indirect || disk->read_only)
		return BLKIF_RSP_ERROR;
	if (!disk->discard || (req->secure && !disk->secure_erase))
		return BLKIF_RSP_EOPNOTSUPP;
	return req->nr_sectors && in_disk(disk, req->sector, req->nr_sectors) ?
	       BLKIF_RSP_OKAY : BLKIF_RSP_ERROR;
}

/**
 * check_request() - whether a request makes sense, segments not looked at
 * @req: as decoded
 * @disk: what it is held against
 *
 * Return: BLKIF_RSP_OKAY, or the status to answer with. After OKAY,
 * @req->nr_segs is within bounds.
 */
int check_request(const struct wire_request *req,
		  const struct disk_limits *disk)
{
	switch (req->operation) {
	case BLKIF_OP_READ:
		break;
	case BLKIF_OP_WRITE:
		if (disk->read_only)
			return BLKIF_RSP_ERROR;
		break;
	case BLKIF_OP_WRITE_BARRIER:
	case BLKIF_OP_FLUSH_DISKCACHE:
		/* Not a thing that INDIRECT can carry. */
		if (req->indirect || disk->read_only)
			return BLKIF_RSP_ERROR;
		break;
	case BLKIF_OP_DISCARD:
		return check_discard(req, disk);
	default:
		return req->indirect ? BLKIF_RSP_ERROR : BLKIF_RSP_EOPNOTSUPP;
	}
	return count_ok(req, disk) ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR;
}

/**
 * check_segments() - whether the data of a request fits its pages and the disk
 * @req: passed by check_request()
 * @sum: of its @req->nr_segs segments
 * @disk: what they are held against
 *
 * Return: BLKIF_RSP_OKAY, or the status to answer with.
 */
int check_segments(const struct wire_request *req,
		   const struct segment_sum *sum,
		   const struct disk_limits *disk)
{
	if (!req->nr_segs)	/* a flush is about no sector, a discard has no data */
		return BLKIF_RSP_OKAY;
	return sum->places < BLKIF_SECTORS_PER_PAGE &&
	       !(sum->edges & (disk->block_sectors - 1)) &&
	       in_disk(disk, req->sector, sum->sectors) ? BLKIF_RSP_OKAY :
							  BLKIF_RSP_ERROR;
}
