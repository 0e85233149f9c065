// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding a layout, and taking a slot apart according to it.
 */
#include "unit.h"
#include "golden.h"

static void decode_all(const __u8 *bytes_64, const __u8 *bytes_32,
		       const struct wire_request *means)
{
	struct wire_request req;
	size_t misalign;

	for (misalign = 0; misalign < 8; misalign++) {
		decode_golden(bytes_64, "x86_64-abi", misalign, &req);
		assert_meaning(&req, means);
		decode_golden(bytes_32, "x86_32-abi", misalign, &req);
		assert_meaning(&req, means);
		decode_golden(bytes_64, "arm-abi", misalign, &req);
		assert_meaning(&req, means);
	}
}

static void decode_gets_all_of_a_read(void **state)
{
	(void)state;
	decode_all(read_64, read_32, &read_means);
}

static void decode_gets_all_of_a_write(void **state)
{
	(void)state;
	decode_all(write_64, write_32, &write_means);
}

static void decode_gets_all_of_a_flush(void **state)
{
	(void)state;
	decode_all(flush_64, flush_32, &flush_means);
}

static void decode_gets_all_of_an_indirect(void **state)
{
	(void)state;
	decode_all(indirect_64, indirect_32, &indirect_means);
}

static void decode_gets_all_of_a_discard(void **state)
{
	__u8 flag, plain_64[112], plain_32[108];
	struct wire_request plain = discard_means;

	(void)state;
	decode_all(discard_64, discard_32, &discard_means);
	memcpy(plain_64, discard_64, sizeof(plain_64));
	memcpy(plain_32, discard_32, sizeof(plain_32));
	plain.secure = false;
	for (flag = 0; flag < 8; flag += 2) {
		plain_64[1] = flag;
		plain_32[1] = flag;
		decode_all(plain_64, plain_32, &plain);
	}
}

/* 6 makes a slot INDIRECT, 5 has no segments; all else has, unknown or not. */
static void decode_knows_indirect_from_direct(void **state)
{
	__u8 slot[112] = { 0, 0x03, 0x02, 0x01 };
	struct wire_request req;
	unsigned int op;

	(void)state;
	for (op = 0; op < 256; op++) {
		slot[0] = op;
		decode_golden(slot, "x86_64-abi", 0, &req);
		assert_int_equal(req.indirect, op == 6);
		assert_int_equal(req.operation, op == 6 ? 3 : op);
		assert_int_equal(req.nr_segs,
				 op == 6 ? 0x0102 : op == 5 ? 0 : 3);
		assert_int_equal(req.secure, op == 5);
	}
}

/* The sanitizer watches the edge of the slot; the counts come out as sent. */
static void decode_stays_in_the_slot_whatever_the_count(void **state)
{
	static const char * const protocols[] = {
		"x86_64-abi", "x86_32-abi", "arm-abi"
	};
	__u8 slot[112];
	struct wire_request req;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		memset(slot, 0xff, sizeof(slot));
		decode_golden(slot, protocols[i], 0, &req);
		assert_int_equal(req.nr_segs, 255);
		assert_int_equal(req.seg[10].gref, 0xffffffff);
		slot[0] = BLKIF_OP_INDIRECT;
		decode_golden(slot, protocols[i], 0, &req);
		assert_int_equal(req.nr_segs, 65535);
		assert_int_equal(req.indirect_gref[7], 0xffffffff);
	}
}

static void abi_is_found_by_its_name(void **state)
{
	static const struct blkif_abi abis[] = {
		{ "x86_64-abi", 0, 112 },
		{ "x86_32-abi", 4, 108 },
		{ "arm-abi", 0, 112 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(abis); i++) {
		const struct blkif_abi *abi = blkif_find_abi(abis[i].protocol);

		assert_non_null(abi);
		assert_string_equal(abi->protocol, abis[i].protocol);
		assert_int_equal(abi->shift, abis[i].shift);
		assert_int_equal(abi->stride, abis[i].stride);
	}
}

static void abi_of_another_name_is_not_found(void **state)
{
	static const char * const wrong[] = {
		"", "x86_64", "x86_64-abi ", " x86_64-abi", "X86_64-ABI",
		"x86_64-abi\n", "x86_32-ab", "arm", "arm-abi64", "%s%n",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_null(blkif_find_abi(wrong[i]));
}

static void abi_of_an_x86_guest_that_names_none_is_32_bit(void **state)
{
	(void)state;
	assert_ptr_equal(blkif_find_abi(NULL), blkif_find_abi("x86_32-abi"));
}

static void ring_slots_are_the_power_of_two_that_fits(void **state)
{
	static const unsigned int slots[] = { 32, 64, 128, 256, 512 };
	const struct blkif_abi *abi_64 = blkif_find_abi("x86_64-abi");
	const struct blkif_abi *abi_32 = blkif_find_abi("x86_32-abi");
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		assert_int_equal(blkif_ring_slots(abi_64, 1 << i), slots[i]);
		assert_int_equal(blkif_ring_slots(abi_32, 1 << i), slots[i]);
	}
}

/* Sizes where the two real layouts never come close to the edge. */
static void ring_slots_count_a_slot_that_just_fits(void **state)
{
	static const struct blkif_abi just = { "", 0, 126 };
	static const struct blkif_abi over = { "", 0, 127 };
	static const struct blkif_abi half = { "", 0, 252 };

	(void)state;
	assert_int_equal(blkif_ring_slots(&just, 1), 32);
	assert_int_equal(blkif_ring_slots(&over, 1), 16);
	assert_int_equal(blkif_ring_slots(&half, 1), 16);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(decode_gets_all_of_a_read),
		cmocka_unit_test(decode_gets_all_of_a_write),
		cmocka_unit_test(decode_gets_all_of_a_flush),
		cmocka_unit_test(decode_gets_all_of_an_indirect),
		cmocka_unit_test(decode_gets_all_of_a_discard),
		cmocka_unit_test(decode_knows_indirect_from_direct),
		cmocka_unit_test(decode_stays_in_the_slot_whatever_the_count),
		cmocka_unit_test(abi_is_found_by_its_name),
		cmocka_unit_test(abi_of_another_name_is_not_found),
		cmocka_unit_test(abi_of_an_x86_guest_that_names_none_is_32_bit),
		cmocka_unit_test(ring_slots_are_the_power_of_two_that_fits),
		cmocka_unit_test(ring_slots_count_a_slot_that_just_fits),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
