// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests as Xen's header lays them out. Compiled twice, as layout_xen.c is:
 * with SLOT naming the function, and with I386 defined as i386 compilers would.
 */
#include <stdint.h>
#include <string.h>

#include "wire_xen.h"

#ifdef I386
#pragma pack(push, 4)
#endif
#include <xen/io/blkif.h>
#ifdef I386
#pragma pack(pop)
#endif

static void fill_direct(const struct sample *from, struct blkif_request *to)
{
	unsigned int i;

	to->operation = from->op;
	to->nr_segments = from->nr_segs;
	to->handle = from->handle;
	to->id = from->id;
	to->sector_number = from->sector;
	for (i = 0; i < SAMPLE_SEGMENTS; i++) {
		to->seg[i].gref = from->gref[i];
		to->seg[i].first_sect = from->first[i];
		to->seg[i].last_sect = from->last[i];
	}
}

static void fill_discard(const struct sample *from,
			 struct blkif_request_discard *to)
{
	to->operation = from->op;
	to->flag = from->flag;
	to->handle = from->handle;
	to->id = from->id;
	to->sector_number = from->sector;
	to->nr_sectors = from->nr_sectors;
}

static void fill_indirect(const struct sample *from,
			  struct blkif_request_indirect *to)
{
	to->operation = from->op;
	to->indirect_op = from->inner_op;
	to->nr_segments = from->nr_segs;
	to->handle = from->handle;
	to->id = from->id;
	to->sector_number = from->sector;
	memcpy(to->indirect_grefs, from->indirect, sizeof(from->indirect));
}

unsigned int SLOT(const struct sample *sample, void *slot)
{
	switch (sample->op) {
	case BLKIF_OP_DISCARD:
		fill_discard(sample, slot);
		break;
	case BLKIF_OP_INDIRECT:
		fill_indirect(sample, slot);
		break;
	default:
		fill_direct(sample, slot);
	}
	return sizeof(union blkif_sring_entry);
}
