/* SPDX-License-Identifier: GPL-2.0-only */
/* How a request is laid out in its slot, in each ABI. */
#ifndef WIRE_H
#define WIRE_H

#include "../../blkif.h"

#define NR_ABIS		3
#define WIRE_MAX_SLOT	112

/**
 * struct wire_abi - one way to lay requests out
 * @protocol: what the key of that name says
 * @slot: bytes in a slot
 * @id: where that field is; so are the others
 * @sector: of all requests
 * @segs: of direct requests
 * @nr_sectors: of DISCARD
 * @indirect_handle: of INDIRECT
 * @indirect_grefs: of INDIRECT
 */
struct wire_abi {
	const char *protocol;
	unsigned int slot;
	unsigned int id;
	unsigned int sector;
	unsigned int segs;
	unsigned int nr_sectors;
	unsigned int indirect_handle;
	unsigned int indirect_grefs;
};

/**
 * struct wire_request - all that a frontend can say in a slot
 * @op: enum blkif_op, or anything else
 * @inner_op: of INDIRECT
 * @flag: of DISCARD
 * @handle: of the disk
 * @nr_segs: eight bits of it fit a direct request, sixteen an INDIRECT one
 * @id: comes back
 * @sector: where on the disk
 * @nr_sectors: of DISCARD
 * @segs: of a direct request
 * @indirect_grefs: of INDIRECT
 */
struct wire_request {
	__u8 op;
	__u8 inner_op;
	__u8 flag;
	__u16 handle;
	__u16 nr_segs;
	__u64 id;
	__u64 sector;
	__u64 nr_sectors;
	struct blkif_segment segs[BLKIF_MAX_DIRECT_SEGMENTS];
	__u32 indirect_grefs[BLKIF_MAX_INDIRECT_PAGES];
};

extern const struct wire_abi wire_abis[NR_ABIS];

/* NULL if there is none of that name. */
const struct wire_abi *wire_find(const char *protocol);

/* How many slots a ring of @pages pages has. */
unsigned int wire_slots(const struct wire_abi *abi, unsigned int pages);

/* Writes all bytes of the slot. What a kind of request does not have is zero. */
void wire_encode(const struct wire_abi *abi, const struct wire_request *req,
		 void *slot);

#endif /* WIRE_H */
