// SPDX-License-Identifier: GPL-2.0-only
/*
 * Layouts, written down a second time and on their own: what the driver gets
 * wrong must not be got wrong here in the same way. tests/unit holds them
 * against Xen's header.
 */
#include <string.h>

#include "wire.h"

const struct wire_abi wire_abis[NR_ABIS] = {
	{ "x86_64-abi", .slot = 112, .id = 8, .sector = 16, .segs = 24,
	  .nr_sectors = 24, .indirect_handle = 24, .indirect_grefs = 28 },
	{ "x86_32-abi", .slot = 108, .id = 4, .sector = 12, .segs = 20,
	  .nr_sectors = 20, .indirect_handle = 20, .indirect_grefs = 24 },
	{ "arm-abi", .slot = 112, .id = 8, .sector = 16, .segs = 24,
	  .nr_sectors = 24, .indirect_handle = 24, .indirect_grefs = 28 },
};

const struct wire_abi *wire_find(const char *protocol)
{
	unsigned int i;

	for (i = 0; i < NR_ABIS; i++)
		if (!strcmp(wire_abis[i].protocol, protocol))
			return &wire_abis[i];
	return NULL;
}

unsigned int wire_slots(const struct wire_abi *abi, unsigned int pages)
{
	unsigned int fit = (pages * BLKIF_PAGE_SIZE - 64) / abi->slot;

	while (fit & (fit - 1))
		fit &= fit - 1;
	return fit;
}

static void put(void *slot, unsigned int at, const void *value, size_t size)
{
	memcpy((char *)slot + at, value, size);
}

static void encode_direct(const struct wire_abi *abi,
			  const struct wire_request *req, void *slot)
{
	__u8 nr_segs = req->nr_segs;

	put(slot, 1, &nr_segs, sizeof(nr_segs));
	put(slot, 2, &req->handle, sizeof(req->handle));
	put(slot, abi->segs, req->segs, sizeof(req->segs));
}

static void encode_discard(const struct wire_abi *abi,
			   const struct wire_request *req, void *slot)
{
	put(slot, 1, &req->flag, sizeof(req->flag));
	put(slot, 2, &req->handle, sizeof(req->handle));
	put(slot, abi->nr_sectors, &req->nr_sectors, sizeof(req->nr_sectors));
}

static void encode_indirect(const struct wire_abi *abi,
			    const struct wire_request *req, void *slot)
{
	put(slot, 1, &req->inner_op, sizeof(req->inner_op));
	put(slot, 2, &req->nr_segs, sizeof(req->nr_segs));
	put(slot, abi->indirect_handle, &req->handle, sizeof(req->handle));
	put(slot, abi->indirect_grefs, req->indirect_grefs,
	    sizeof(req->indirect_grefs));
}

void wire_encode(const struct wire_abi *abi, const struct wire_request *req,
		 void *slot)
{
	memset(slot, 0, abi->slot);
	put(slot, 0, &req->op, sizeof(req->op));
	put(slot, abi->id, &req->id, sizeof(req->id));
	put(slot, abi->sector, &req->sector, sizeof(req->sector));
	switch (req->op) {
	case BLKIF_OP_DISCARD:
		encode_discard(abi, req, slot);
		break;
	case BLKIF_OP_INDIRECT:
		encode_indirect(abi, req, slot);
		break;
	default:
		encode_direct(abi, req, slot);
	}
}
