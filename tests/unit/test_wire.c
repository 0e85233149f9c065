// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test frontend lays requests out as Xen's own header does: what it gets
 * wrong would be blamed on the driver.
 */
#include "unit.h"
#include "wire_xen.h"
#include "../frontend/wire.h"

/* Every byte of every field is another one. */
static struct sample sample_of(unsigned int op)
{
	struct sample sample;
	unsigned char *byte = (unsigned char *)&sample;
	unsigned int i;

	for (i = 0; i < sizeof(sample); i++)
		byte[i] = i + 1;
	sample.op = op;
	sample.nr_segs &= op == BLKIF_OP_INDIRECT ? 0xffff : 0xff;
	return sample;
}

static struct wire_request request_of(const struct sample *sample)
{
	struct wire_request req = {
		.op = sample->op, .inner_op = sample->inner_op,
		.flag = sample->flag, .handle = sample->handle,
		.nr_segs = sample->nr_segs, .id = sample->id,
		.sector = sample->sector, .nr_sectors = sample->nr_sectors,
	};
	unsigned int i;

	for (i = 0; i < SAMPLE_SEGMENTS; i++) {
		req.segs[i].gref = sample->gref[i];
		req.segs[i].first_sect = sample->first[i];
		req.segs[i].last_sect = sample->last[i];
	}
	memcpy(req.indirect_grefs, sample->indirect, sizeof(sample->indirect));
	return req;
}

static void compare(const char *protocol, unsigned int op,
		    unsigned int (*xen)(const struct sample *sample, void *slot))
{
	_Alignas(8) unsigned char theirs[WIRE_MAX_SLOT] = { 0 }, ours[WIRE_MAX_SLOT];
	const struct wire_abi *abi = wire_find(protocol);
	struct sample sample = sample_of(op);
	struct wire_request req = request_of(&sample);

	assert_non_null(abi);
	assert_int_equal(xen(&sample, theirs), abi->slot);
	/* What was in the slot before must not shine through. */
	memset(ours, 0xff, sizeof(ours));
	wire_encode(abi, &req, ours);
	assert_memory_equal(ours, theirs, abi->slot);
}

static void compare_all(unsigned int op)
{
	compare("x86_64-abi", op, xen_slot_64);
	compare("arm-abi", op, xen_slot_64);
	compare("x86_32-abi", op, xen_slot_32);
}

static void frontend_lays_out_direct_as_xen(void **state)
{
	(void)state;
	compare_all(BLKIF_OP_WRITE);
}

static void frontend_lays_out_discard_as_xen(void **state)
{
	(void)state;
	compare_all(BLKIF_OP_DISCARD);
}

static void frontend_lays_out_indirect_as_xen(void **state)
{
	(void)state;
	compare_all(BLKIF_OP_INDIRECT);
}

static void frontend_counts_slots(void **state)
{
	unsigned int i, pages;

	(void)state;
	for (i = 0; i < NR_ABIS; i++)
		for (pages = 1; pages <= 16; pages *= 2)
			assert_int_equal(wire_slots(&wire_abis[i], pages),
					 32 * pages);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(frontend_lays_out_direct_as_xen),
		cmocka_unit_test(frontend_lays_out_discard_as_xen),
		cmocka_unit_test(frontend_lays_out_indirect_as_xen),
		cmocka_unit_test(frontend_counts_slots),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
