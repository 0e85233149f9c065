// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes inputs for fuzz_ring to begin with: the unit tests' slots, and requests that
 * pass, in every layout.
 *
 *   seeds FOLDER
 */
#include <unistd.h>

#include "../unit/unit.h"
#include "../unit/golden.h"

#define WRITABLE	0x18	/* discard and secure erase, blocks of 512 bytes */
#define SCRIPT_BYTES	64
/* See guest.h. */
#define IN_TWO_PAGES	189

static unsigned int seeds;

static void put(FILE *file, const void *bytes, size_t nr)
{
	if (fwrite(bytes, 1, nr, file) != nr)
		exit(1);
}

/* See fuzz_ring.c and guest.c for what they take, in which order. */
static void seed(__u8 protocol, __u32 rsp_prod, const void *slot, size_t stride,
		 const void *rest, size_t rest_bytes)
{
	static const __u8 script[SCRIPT_BYTES];
	__u64 capacity = ~0ULL;
	__u8 shift = 0, bits = WRITABLE;
	__u32 rsp_event = 0;
	__u16 wanted = 1;
	char name[32];
	FILE *file;

	snprintf(name, sizeof(name), "input-%u", seeds++);
	file = fopen(name, "wb");
	if (!file)
		exit(1);
	put(file, &protocol, sizeof(protocol));
	put(file, &capacity, sizeof(capacity));
	put(file, &shift, sizeof(shift));
	put(file, &bits, sizeof(bits));
	put(file, &rsp_prod, sizeof(rsp_prod));
	put(file, &rsp_event, sizeof(rsp_event));
	put(file, &wanted, sizeof(wanted));
	put(file, slot, stride);
	put(file, script, 3);	/* the guest stands still until the slot has been read */
	put(file, rest, rest_bytes);
	put(file, script, sizeof(script));
	if (fclose(file))
		exit(1);
}

/* A slot as 64-bit guests write it, in each layout. */
static void seed_all(const void *slot, const void *rest, size_t rest_bytes)
{
	__u8 slot_32[108];

	memcpy(slot_32, slot, 4);
	memcpy(slot_32 + 4, (const char *)slot + 8, 104);
	seed(0, 0xffffffff, slot, 112, rest, rest_bytes);
	seed(1, 0xffffffff, slot_32, 108, rest, rest_bytes);
	seed(1, IN_TWO_PAGES, slot_32, 108, rest, rest_bytes);
	seed(2, 0xffffffff, slot, 112, rest, rest_bytes);
}

static void seed_golden(void)
{
	seed_all(read_64, NULL, 0);
	seed_all(write_64, NULL, 0);
	seed_all(flush_64, NULL, 0);
	seed_all(indirect_64, NULL, 0);
	seed_all(discard_64, NULL, 0);
}

static const struct blkif_segment pages[] = {
	{ .gref = 8, .last_sect = 7 },
	{ .gref = 9, .last_sect = 7 },
	{ .gref = 10, .first_sect = 2, .last_sect = 5 },
	{ .gref = 11, .first_sect = 7, .last_sect = 7 },
};

static void seed_direct(__u8 operation, __u8 nr_segments)
{
	struct blkif_request request = {
		.operation = operation, .nr_segments = nr_segments,
		.id = 77, .sector_number = 1000,
	};

	memcpy(request.seg, pages, sizeof(pages));
	seed_all(&request, NULL, 0);
}

static void seed_passing(void)
{
	struct blkif_request_indirect indirect = {
		.operation = BLKIF_OP_INDIRECT, .indirect_op = BLKIF_OP_WRITE,
		.nr_segments = ARRAY_SIZE(pages), .sector_number = 1000,
		.indirect_gref = { 5 },
	};
	struct blkif_request_discard discard = {
		.operation = BLKIF_OP_DISCARD, .flag = BLKIF_DISCARD_SECURE,
		.sector_number = 1000, .nr_sectors = 1000,
	};
	__u8 slot[112] = { 0 };

	seed_direct(BLKIF_OP_READ, 1);
	seed_direct(BLKIF_OP_WRITE, ARRAY_SIZE(pages));
	seed_direct(BLKIF_OP_WRITE_BARRIER, 2);
	seed_direct(BLKIF_OP_FLUSH_DISKCACHE, 0);
	memcpy(slot, &indirect, sizeof(indirect));
	seed_all(slot, pages, sizeof(pages));
	memset(slot, 0, sizeof(slot));
	memcpy(slot, &discard, sizeof(discard));
	seed_all(slot, NULL, 0);
}

int main(int argc, char **argv)
{
	if (argc != 2 || chdir(argv[1]))
		return 2;
	seed_golden();
	seed_passing();
	return 0;
}
