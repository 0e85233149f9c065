// SPDX-License-Identifier: GPL-2.0-only
/*
 * blkif.h and the table of ABIs in decode.c say what Xen's own header says.
 */
#include "unit.h"
#include "layout.h"
#include "../../decode.h"

#define DIRECT(member) FIELD(struct blkif_request, member)
#define INDIRECT(member) FIELD(struct blkif_request_indirect, member)
#define DISCARD(member) FIELD(struct blkif_request_discard, member)
#define RESPONSE(member) FIELD(struct blkif_response, member)
#define SEGMENT(member) FIELD(struct blkif_segment, member)
#define SRING(member) FIELD(struct blkif_sring, member)

static const struct field our_request[NR_REQUEST_FIELDS] = {
	[REQ_OPERATION] = DIRECT(operation),
	[REQ_NR_SEGMENTS] = DIRECT(nr_segments),
	[REQ_HANDLE] = DIRECT(handle),
	[REQ_ID] = DIRECT(id),
	[REQ_SECTOR_NUMBER] = DIRECT(sector_number),
	[REQ_SEG] = DIRECT(seg),
	[IND_OPERATION] = INDIRECT(operation),
	[IND_INDIRECT_OP] = INDIRECT(indirect_op),
	[IND_NR_SEGMENTS] = INDIRECT(nr_segments),
	[IND_ID] = INDIRECT(id),
	[IND_SECTOR_NUMBER] = INDIRECT(sector_number),
	[IND_HANDLE] = INDIRECT(handle),
	[IND_GREFS] = INDIRECT(indirect_gref),
	[DIS_OPERATION] = DISCARD(operation),
	[DIS_FLAG] = DISCARD(flag),
	[DIS_ID] = DISCARD(id),
	[DIS_SECTOR_NUMBER] = DISCARD(sector_number),
	[DIS_NR_SECTORS] = DISCARD(nr_sectors),
};

static const struct field our_common[NR_COMMON_FIELDS] = {
	[SEG_GREF] = SEGMENT(gref),
	[SEG_FIRST_SECT] = SEGMENT(first_sect),
	[SEG_LAST_SECT] = SEGMENT(last_sect),
	[RSP_ID] = RESPONSE(id),
	[RSP_OPERATION] = RESPONSE(operation),
	[RSP_STATUS] = RESPONSE(status),
	[SRING_REQ_PROD] = SRING(req_prod),
	[SRING_REQ_EVENT] = SRING(req_event),
	[SRING_RSP_PROD] = SRING(rsp_prod),
	[SRING_RSP_EVENT] = SRING(rsp_event),
};

static const int our_constant[NR_CONSTANTS] = {
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
	[C_DIRECT_SEGMENTS] = BLKIF_MAX_DIRECT_SEGMENTS,
	[C_INDIRECT_PAGES] = BLKIF_MAX_INDIRECT_PAGES,
};

static void compare(const char *what, const struct field *ours,
		    const struct field *xens, unsigned int count,
		    unsigned int shift)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		/* The shift is about all that is behind the first word. */
		size_t ahead = ours[i].offset < sizeof(__u64) ? 0 : shift;

		if (ours[i].offset - ahead != xens[i].offset ||
		    ours[i].size != xens[i].size)
			fail_msg("%s field %u: at %zu size %zu, Xen: %zu, %zu",
				 what, i, ours[i].offset - ahead, ours[i].size,
				 xens[i].offset, xens[i].size);
	}
}

static void compare_layout(const char *protocol, const struct layout *xen)
{
	const struct blkif_abi *abi = blkif_find_abi(protocol);

	assert_non_null(abi);
	assert_int_equal(abi->stride, xen->slot);
	assert_int_equal(sizeof(struct blkif_request) - abi->shift, xen->slot);
	assert_int_equal(sizeof(struct blkif_sring), xen->header);
	assert_int_equal(sizeof(struct blkif_segment), xen->segment);
	assert_true(sizeof(struct blkif_response) <= xen->slot);
	compare("request", our_request, xen->request, NR_REQUEST_FIELDS,
		abi->shift);
	compare("common", our_common, xen->common, NR_COMMON_FIELDS, 0);
}

static void layout_of_64_bits_is_xens(void **state)
{
	(void)state;
	assert_int_equal(layout_64()->slot, 112);
	compare_layout("x86_64-abi", layout_64());
	compare_layout("arm-abi", layout_64());
}

static void layout_of_32_bits_is_xens(void **state)
{
	(void)state;
	assert_int_equal(layout_32()->slot, 108);
	compare_layout("x86_32-abi", layout_32());
}

static void compare_slots(const char *protocol, const struct layout *xen)
{
	const struct blkif_abi *abi = blkif_find_abi(protocol);
	unsigned int order;

	for (order = 0; order < NR_ORDERS; order++) {
		unsigned int ours = blkif_ring_slots(abi, 1 << order);

		assert_int_equal(ours, xen->slots[order]);
		assert_int_equal(ours, xen->slots_of_pointer[order]);
	}
}

static void layout_has_as_many_slots_as_xens(void **state)
{
	(void)state;
	compare_slots("x86_64-abi", layout_64());
	compare_slots("x86_32-abi", layout_32());
}

static void layout_constants_are_xens(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < NR_CONSTANTS; i++)
		if (our_constant[i] != layout_64()->constant[i])
			fail_msg("constant %u is %d, Xen's is %d", i,
				 our_constant[i],
				 layout_64()->constant[i]);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_of_64_bits_is_xens),
		cmocka_unit_test(layout_of_32_bits_is_xens),
		cmocka_unit_test(layout_has_as_many_slots_as_xens),
		cmocka_unit_test(layout_constants_are_xens),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
