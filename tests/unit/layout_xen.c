// SPDX-License-Identifier: GPL-2.0-only
/*
 * The numbers of layout.h, taken from the system's Xen header. Compiled twice,
 * with LAYOUT naming the function that hands them out; with I386 defined as
 * i386 compilers would see them.
 */
#include <stdint.h>
#include <string.h>

#include "layout.h"

/* On i386 an 8-byte member is aligned to 4 bytes; all else is as on 64 bits. */
#ifdef I386
#pragma pack(push, 4)
#endif
#include <xen/io/blkif.h>
#ifdef I386
#pragma pack(pop)
#endif

#define SLOTS(pages) __CONST_RING_SIZE(blkif, (pages) * 4096)

static struct layout layout = {
	.slot = sizeof(union blkif_sring_entry),
	.header = offsetof(struct blkif_sring, ring),
	.segment = sizeof(struct blkif_request_segment),
	.request = {
	[REQ_OPERATION] = FIELD(struct blkif_request, operation),
	[REQ_NR_SEGMENTS] = FIELD(struct blkif_request, nr_segments),
	[REQ_HANDLE] = FIELD(struct blkif_request, handle),
	[REQ_ID] = FIELD(struct blkif_request, id),
	[REQ_SECTOR_NUMBER] = FIELD(struct blkif_request, sector_number),
	[REQ_SEG] = FIELD(struct blkif_request, seg),
	[IND_OPERATION] = FIELD(struct blkif_request_indirect, operation),
	[IND_INDIRECT_OP] = FIELD(struct blkif_request_indirect, indirect_op),
	[IND_NR_SEGMENTS] = FIELD(struct blkif_request_indirect, nr_segments),
	[IND_ID] = FIELD(struct blkif_request_indirect, id),
	[IND_SECTOR_NUMBER] = FIELD(struct blkif_request_indirect,
				    sector_number),
	[IND_HANDLE] = FIELD(struct blkif_request_indirect, handle),
	[IND_GREFS] = FIELD(struct blkif_request_indirect, indirect_grefs),
	[DIS_OPERATION] = FIELD(struct blkif_request_discard, operation),
	[DIS_FLAG] = FIELD(struct blkif_request_discard, flag),
	[DIS_ID] = FIELD(struct blkif_request_discard, id),
	[DIS_SECTOR_NUMBER] = FIELD(struct blkif_request_discard,
				    sector_number),
	[DIS_NR_SECTORS] = FIELD(struct blkif_request_discard, nr_sectors),
	},
	.common = {
	[SEG_GREF] = FIELD(struct blkif_request_segment, gref),
	[SEG_FIRST_SECT] = FIELD(struct blkif_request_segment, first_sect),
	[SEG_LAST_SECT] = FIELD(struct blkif_request_segment, last_sect),
	[RSP_ID] = FIELD(struct blkif_response, id),
	[RSP_OPERATION] = FIELD(struct blkif_response, operation),
	[RSP_STATUS] = FIELD(struct blkif_response, status),
	[SRING_REQ_PROD] = FIELD(struct blkif_sring, req_prod),
	[SRING_REQ_EVENT] = FIELD(struct blkif_sring, req_event),
	[SRING_RSP_PROD] = FIELD(struct blkif_sring, rsp_prod),
	[SRING_RSP_EVENT] = FIELD(struct blkif_sring, rsp_event),
	},
	.slots = { SLOTS(1), SLOTS(2), SLOTS(4), SLOTS(8), SLOTS(16) },
	.constant = {
	[C_READ] = BLKIF_OP_READ,
	[C_WRITE] = BLKIF_OP_WRITE,
	[C_WRITE_BARRIER] = BLKIF_OP_WRITE_BARRIER,
	[C_FLUSH_DISKCACHE] = BLKIF_OP_FLUSH_DISKCACHE,
	[C_DISCARD] = BLKIF_OP_DISCARD,
	[C_INDIRECT] = BLKIF_OP_INDIRECT,
	[C_OKAY] = BLKIF_RSP_OKAY,
	[C_ERROR] = BLKIF_RSP_ERROR,
	[C_EOPNOTSUPP] = BLKIF_RSP_EOPNOTSUPP,
	[C_CDROM] = VDISK_CDROM,
	[C_REMOVABLE] = VDISK_REMOVABLE,
	[C_READONLY] = VDISK_READONLY,
	[C_SECURE] = BLKIF_DISCARD_SECURE,
	[C_DIRECT_SEGMENTS] = BLKIF_MAX_SEGMENTS_PER_REQUEST,
	[C_INDIRECT_PAGES] = BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST,
	},
};

const struct layout *LAYOUT(void)
{
	static struct blkif_sring sring;
	unsigned int order;

	for (order = 0; order < NR_ORDERS; order++)
		layout.slots_of_pointer[order] =
			__RING_SIZE(&sring, 4096L << order);
	return &layout;
}
