// SPDX-License-Identifier: GPL-2.0-only
/*
 * For libFuzzer: the requests of a hostile guest, from the ring to what would be given
 * to the disk, and the answers to them.
 *
 * What passes is held against rules that are written here once more, in other words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define SHIM_EVENT(kind) guest_moves()
#include "../unit/shim.h"
#define memcpy guest_copy
#include "../../sring.h"
#include "../../decode.c"

#define must(condition)							\
do {									\
	if (!(condition)) {						\
		fprintf(stderr, "untrue: %s\n", #condition);		\
		abort();						\
	}								\
} while (0)

static const char *const protocols[] = {
	"x86_64-abi", "x86_32-abi", "arm-abi", "x86_65-abi", NULL
};

static struct disk_limits take_disk(struct guest_input *in)
{
	struct disk_limits disk;
	__u8 bits, shift;

	guest_take(in, &disk.capacity, sizeof(disk.capacity));
	guest_take(in, &shift, sizeof(shift));
	/* Disks of more than 2^55 sectors of 512 bytes cannot be, small ones often are. */
	disk.capacity >>= 9 + (shift & 63) % 55;
	guest_take(in, &bits, sizeof(bits));
	disk.block_sectors = 1 << (bits & 3);
	disk.read_only = bits & 4;
	disk.discard = bits & 8;
	disk.secure_erase = bits & 16;
	disk.max_indirect = bits & 32 ? bits >> 6 : BLKBACK_MAX_SEGMENTS;
	return disk;
}

static bool writes(const struct wire_request *req)
{
	return req->operation != BLKIF_OP_READ;
}

static void fits_disk(const struct disk_limits *disk, __u64 sector, __u64 sectors)
{
	unsigned __int128 end = (unsigned __int128)sector + sectors;

	must(end <= disk->capacity);
	must(sector % disk->block_sectors == 0);
	must(sectors % disk->block_sectors == 0);
}

static void request_makes_sense(const struct wire_request *req,
				const struct disk_limits *disk)
{
	must(!writes(req) || !disk->read_only);
	if (req->operation == BLKIF_OP_DISCARD) {
		must(disk->discard && !req->nr_segs && req->nr_sectors);
		must(!req->secure || disk->secure_erase);
		fits_disk(disk, req->sector, req->nr_sectors);
		return;
	}
	must(req->operation <= BLKIF_OP_FLUSH_DISKCACHE);
	must(!req->indirect || req->operation <= BLKIF_OP_WRITE);
	must(req->nr_segs <= (req->indirect ? disk->max_indirect : 11));
	must(req->nr_segs || req->operation > BLKIF_OP_WRITE);
}

static void segments_make_sense(const struct wire_request *req,
				const struct blkif_segment *seg,
				const struct disk_limits *disk)
{
	unsigned int i, sectors = 0;

	for (i = 0; i < req->nr_segs; i++) {
		must(seg[i].first_sect <= seg[i].last_sect);
		must(seg[i].last_sect <= 7);
		must(seg[i].first_sect % disk->block_sectors == 0);
		must((seg[i].last_sect + 1) % disk->block_sectors == 0);
		sectors += seg[i].last_sect - seg[i].first_sect + 1;
	}
	if (req->nr_segs)
		fits_disk(disk, req->sector, sectors);
}

/* Xen copies descriptors into memory of ours, so no guest changes them any more. */
static int check_data(struct guest_input *in, const struct wire_request *wire,
		      const struct disk_limits *disk)
{
	static struct blkif_segment descs[BLKBACK_MAX_SEGMENTS];
	const struct blkif_segment *seg = wire->seg;
	struct segment_sum sum = { 0 };
	unsigned int i, sectors = 0;
	int status;

	if (wire->indirect) {
		guest_take(in, descs, wire->nr_segs * sizeof(descs[0]));
		seg = descs;
	}
	for (i = 0; i < wire->nr_segs; i++)
		sectors += segment_add(&sum, &seg[i]);
	status = check_segments(wire, &sum, disk);
	if (status == BLKIF_RSP_OKAY) {
		segments_make_sense(wire, seg, disk);
		must(sectors == sum.sectors);
	}
	return status;
}

static void answer(struct sring *ring, const struct wire_request *wire, int status)
{
	must(status == BLKIF_RSP_OKAY || status == BLKIF_RSP_ERROR ||
	     status == BLKIF_RSP_EOPNOTSUPP);
	guest_awaits(ring->rsp_prod % GUEST_SLOTS);
	guest_forgets();
	sring_respond(ring, wire->id, wire->operation, status);
	guest_forgets();
	(void)sring_publish(ring);
}

#ifdef CARELESS
/* A slot that is not in two pages. */
static const void *ring_memory(const struct sring *ring, __u32 index)
{
	unsigned int at = sring_slot(ring, index);

	return (const char *)ring->pages[at / BLKIF_PAGE_SIZE] +
	       at % BLKIF_PAGE_SIZE;
}
#endif

static void serve(struct guest_input *in, struct sring *ring,
		  const struct disk_limits *disk, const struct blkif_abi *abi)
{
	struct wire_request wire;
	__u8 *slot = malloc(abi->stride);	/* ends where it ends */
	int status;

	guest_forgets();
	sring_peek(ring, slot);
	memset(&wire, 0x5a, sizeof(wire));
#ifdef CARELESS	/* to see that it is noticed */
	decode_request(ring_memory(ring, ring->req_cons), abi, &wire);
#else
	decode_request(slot, abi, &wire);
#endif
	free(slot);
	sring_take(ring);
	status = check_request(&wire, disk);
	if (status == BLKIF_RSP_OKAY) {
		request_makes_sense(&wire, disk);
		status = check_data(in, &wire, disk);
	}
	answer(ring, &wire, status);
}

/* Until the guest breaks the rules, or its script is at an end. */
static void serve_all(struct guest_input *in, struct sring *ring,
		      const struct disk_limits *disk, const struct blkif_abi *abi)
{
	while (in->left) {
		int unread;

		guest_forgets();
		unread = sring_unread(ring);
		if (unread < 0)
			return;
		must(unread <= GUEST_SLOTS);
		while (unread-- > 0)
			serve(in, ring, disk, abi);
		must(!sring_publish(ring));	/* there is nothing new */
		guest_forgets();
		sring_arm(ring);
	}
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	struct guest_input in = { data, size };
	const struct blkif_abi *abi;
	struct disk_limits disk;
	void *pages[GUEST_PAGES];
	struct sring ring;
	__u8 protocol;

	guest_take(&in, &protocol, sizeof(protocol));
	abi = blkif_find_abi(protocols[protocol % ARRAY_SIZE(protocols)]);
	if (!abi)
		return 0;
	disk = take_disk(&in);
	guest_start(&in, abi->stride, pages);
	if (sring_attach(&ring, pages, GUEST_PAGES, abi))
		serve_all(&in, &ring, &disk, abi);
	return 0;
}
