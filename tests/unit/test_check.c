// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which requests are carried out, and which answer the others get.
 *
 * Expected answers are written as strings with a letter for each column:
 * O for okay, E for an error, N for not supported.
 */
#include "unit.h"
#include "../../decode.h"

static int status_of(char letter)
{
	switch (letter) {
	case 'O':
		return BLKIF_RSP_OKAY;
	case 'E':
		return BLKIF_RSP_ERROR;
	default:
		return BLKIF_RSP_EOPNOTSUPP;
	}
}

static const struct disk_limits writable = { 1 << 20, 1, false, false, false, 256 };
static const struct disk_limits read_only = { 1 << 20, 1, true, false, false, 256 };

/* What an operation gets, by number of segments, and if nothing is said. */
struct answers {
	__u8 operation;
	const char *writable;
	const char *read_only;
};

static const char *find_answers(const struct answers *list, unsigned int len,
				__u8 operation, bool read_only)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		if (list[i].operation == operation)
			return read_only ? list[i].read_only : list[i].writable;
	return NULL;
}

static void check_both(const struct wire_request *req, char rw, char ro)
{
	if (check_request(req, &writable) != status_of(rw))
		fail_msg("operation %u, indirect %d, %u segments: %d, not %c",
			 req->operation, req->indirect, req->nr_segs,
			 check_request(req, &writable), rw);
	if (check_request(req, &read_only) != status_of(ro))
		fail_msg("operation %u, indirect %d, %u segments, read-only: %d, not %c",
			 req->operation, req->indirect, req->nr_segs,
			 check_request(req, &read_only), ro);
}

static void check_answers_each_operation_by_count(void **state)
{
	static const __u16 counts[] = { 0, 1, 11, 12, 32, 255 };
	static const struct answers known[] = {
		{ BLKIF_OP_READ, "EOOEEE", "EOOEEE" },
		{ BLKIF_OP_WRITE, "EOOEEE", "EEEEEE" },
		{ BLKIF_OP_WRITE_BARRIER, "OOOEEE", "EEEEEE" },
		{ BLKIF_OP_FLUSH_DISKCACHE, "OOOEEE", "EEEEEE" },
		/* has no segments, and this disk does not know it */
		{ BLKIF_OP_DISCARD, "NNNNNN", "EEEEEE" },
	};
	struct wire_request req = { .indirect = false };
	unsigned int op, i;

	(void)state;
	for (op = 0; op < 256; op++) {
		const char *rw = find_answers(known, ARRAY_SIZE(known), op,
					      false);
		const char *ro = find_answers(known, ARRAY_SIZE(known), op,
					      true);

		if (op == BLKIF_OP_INDIRECT)
			continue;
		req.operation = op;
		for (i = 0; i < ARRAY_SIZE(counts); i++) {
			req.nr_segs = counts[i];
			check_both(&req, rw ? rw[i] : 'N', ro ? ro[i] : 'N');
		}
	}
}

static void check_answers_each_indirect_operation_by_count(void **state)
{
	static const __u16 counts[] = {
		0, 1, 12, 256, 257, 512, 513, 4096, 65535
	};
	static const struct answers known[] = {
		{ BLKIF_OP_READ, "EOOOEEEEE", "EOOOEEEEE" },
		{ BLKIF_OP_WRITE, "EOOOEEEEE", "EEEEEEEEE" },
	};
	struct wire_request req = { .indirect = true };
	unsigned int op, i;

	(void)state;
	for (op = 0; op < 256; op++) {
		const char *rw = find_answers(known, ARRAY_SIZE(known), op,
					      false);
		const char *ro = find_answers(known, ARRAY_SIZE(known), op,
					      true);

		req.operation = op;
		for (i = 0; i < ARRAY_SIZE(counts); i++) {
			req.nr_segs = counts[i];
			check_both(&req, rw ? rw[i] : 'E', ro ? ro[i] : 'E');
		}
	}
}

static void indirect_has_a_limit_of_its_disk(void **state)
{
	struct disk_limits disk = { 1 << 20, 1, false, false, false, 8 };
	struct wire_request req = {
		.operation = BLKIF_OP_READ, .indirect = true, .nr_segs = 8,
	};

	(void)state;
	assert_int_equal(check_request(&req, &disk), BLKIF_RSP_OKAY);
	req.nr_segs = 9;
	assert_int_equal(check_request(&req, &disk), BLKIF_RSP_ERROR);
	disk.max_indirect = 0;
	req.nr_segs = 1;
	assert_int_equal(check_request(&req, &disk), BLKIF_RSP_ERROR);
	req.indirect = false;
	assert_int_equal(check_request(&req, &disk), BLKIF_RSP_OKAY);
}

/* All of the segments, as the driver does when it takes them. */
static int check_each(const struct wire_request *req, const struct blkif_segment *seg,
		      const struct disk_limits *disk)
{
	struct segment_sum sum = { 0 };
	unsigned int i;

	for (i = 0; i < req->nr_segs; i++)
		segment_add(&sum, &seg[i]);
	return check_segments(req, &sum, disk);
}

static int check_one(__u8 first, __u8 last, __u8 block_sectors)
{
	struct disk_limits disk = { 8, block_sectors, false, false, false, 256 };
	struct blkif_segment seg = { .first_sect = first, .last_sect = last };
	struct wire_request req = { .operation = BLKIF_OP_READ, .nr_segs = 1 };

	return check_each(&req, &seg, &disk);
}

/* For each block size, all first and last that are right; no other pair is. */
static void segments_are_runs_of_blocks_in_a_page(void **state)
{
	static const struct {
		__u8 block;
		const char *firsts[8];	/* by last sector */
	} right[] = {
		{ 1, { "0", "01", "012", "0123", "01234", "012345", "0123456",
		       "01234567" } },
		{ 2, { "", "0", "", "02", "", "024", "", "0246" } },
		{ 4, { "", "", "", "0", "", "", "", "04" } },
		{ 8, { "", "", "", "", "", "", "", "0" } },
	};
	unsigned int i, first, last;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(right); i++) {
		for (last = 0; last < 256; last++) {
			const char *firsts = last < 8 ? right[i].firsts[last] :
							"";

			for (first = 0; first < 256; first++) {
				bool ok = first < 8 && strchr(firsts,
							      '0' + first);

				if (check_one(first, last, right[i].block) !=
				    (ok ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR))
					fail_msg("%u to %u, block %u", first,
						 last, right[i].block);
			}
		}
	}
}

/* A request of whole pages, to be spoilt. */
static struct blkif_segment *whole_pages(unsigned int count)
{
	struct blkif_segment *seg = calloc(count, sizeof(*seg));
	unsigned int i;

	assert_non_null(seg);
	for (i = 0; i < count; i++)
		seg[i].last_sect = 7;
	return seg;
}

static void spoil_each_of(unsigned int count)
{
	static const struct {
		__u8 first;
		__u8 last;
	} bad[] = { { 5, 4 }, { 7, 0 }, { 0, 8 }, { 8, 8 }, { 0, 255 },
		    { 255, 255 }, { 255, 0 } };
	struct wire_request req = {
		.operation = BLKIF_OP_READ, .nr_segs = count
	};
	struct blkif_segment *seg = whole_pages(count);
	unsigned int i, j;

	for (i = 0; i < count; i++) {
		for (j = 0; j < ARRAY_SIZE(bad); j++) {
			seg[i].first_sect = bad[j].first;
			seg[i].last_sect = bad[j].last;
			assert_int_equal(check_each(&req, seg, &writable),
					 BLKIF_RSP_ERROR);
		}
		seg[i].first_sect = 0;
		seg[i].last_sect = 7;
		assert_int_equal(check_each(&req, seg, &writable),
				 BLKIF_RSP_OKAY);
	}
	free(seg);
}

static void segments_are_checked_at_every_position(void **state)
{
	(void)state;
	spoil_each_of(1);
	spoil_each_of(11);
	spoil_each_of(256);
}

/* As many segments as @sectors need: whole pages and a rest. */
static int check_extent(__u64 sector, unsigned int sectors, __u64 capacity,
			__u8 block_sectors)
{
	struct disk_limits disk = {
		capacity, block_sectors, false, false, false, 256
	};
	struct wire_request req = {
		.operation = BLKIF_OP_READ, .sector = sector,
		.nr_segs = (sectors + 7) / 8,
	};
	struct blkif_segment *seg = whole_pages(req.nr_segs);
	int status;

	seg[req.nr_segs - 1].last_sect = (sectors - 1) % 8;
	status = check_each(&req, seg, &disk);
	free(seg);
	return status;
}

struct extent {
	__u64 sector;
	unsigned int sectors;
	__u64 capacity;
	char want;
};

static void check_extents(const struct extent *extent, unsigned int count,
			  __u8 block_sectors)
{
	for (; count; count--, extent++)
		if (check_extent(extent->sector, extent->sectors,
				 extent->capacity, block_sectors) !=
		    status_of(extent->want))
			fail_msg("%u sectors from %llu on %llu: not %c",
				 extent->sectors, extent->sector,
				 extent->capacity, extent->want);
}

static void data_ends_where_the_disk_ends(void **state)
{
	static const __u64 most = ~0ULL, big = 1ULL << 32;
	const struct extent extents[] = {
		{ 0, 1, 0, 'E' }, { 0, 1, 1, 'O' }, { 0, 2, 1, 'E' },
		{ 1, 1, 1, 'E' }, { 2, 1, 1, 'E' }, { 7, 1, 8, 'O' },
		{ 8, 1, 8, 'E' }, { 9, 1, 8, 'E' }, { 0, 8, 8, 'O' },
		{ 1, 8, 8, 'E' }, { 0, 9, 8, 'E' },
		{ 1000, 24, 1024, 'O' }, { 1001, 24, 1024, 'E' },
		{ 1000, 25, 1024, 'E' },
		{ 0, 2048, 2048, 'O' }, { 0, 2048, 2047, 'E' },
		{ 1, 2048, 2048, 'E' },
		{ big - 1, 1, big, 'O' }, { big, 1, big, 'E' },
		{ big, 1, big + 1, 'O' }, { big, 1, 1, 'E' },
		{ big - 1, 2, big, 'E' }, { 0, 2048, big, 'O' },
		{ most, 1, 1024, 'E' }, { most, 8, 1024, 'E' },
		{ most - 3, 8, 1024, 'E' }, { most - 2047, 2048, 8, 'E' },
		{ 1ULL << 63, 1, 1024, 'E' },
		{ most - 1, 1, most, 'O' }, { most - 1, 2, most, 'E' },
		{ most, 1, most, 'E' }, { most - 2048, 2048, most, 'O' },
		{ most - 2047, 2048, most, 'E' },
	};

	(void)state;
	check_extents(extents, ARRAY_SIZE(extents), 1);
}

static void data_starts_at_a_block(void **state)
{
	const struct extent of_two[] = {
		{ 0, 2, 16, 'O' }, { 1, 2, 16, 'E' }, { 2, 2, 16, 'O' },
		{ 14, 2, 16, 'O' }, { 13, 2, 16, 'E' },
	};
	const struct extent of_eight[] = {
		{ 0, 8, 16, 'O' }, { 8, 8, 16, 'O' }, { 16, 8, 16, 'E' },
		{ 1, 8, 32, 'E' }, { 2, 8, 32, 'E' }, { 3, 8, 32, 'E' },
		{ 4, 8, 32, 'E' }, { 5, 8, 32, 'E' }, { 6, 8, 32, 'E' },
		{ 7, 8, 32, 'E' }, { 9, 8, 32, 'E' }, { 12, 8, 32, 'E' },
		{ 8, 16, 24, 'O' }, { 8, 16, 16, 'E' },
		{ ~0ULL, 8, ~0ULL, 'E' },
	};

	(void)state;
	check_extents(of_two, ARRAY_SIZE(of_two), 2);
	check_extents(of_eight, ARRAY_SIZE(of_eight), 8);
}

static void check_data_may_be_missing(__u8 operation)
{
	static const struct disk_limits disk = { 1024, 8, false, false, false, 256 };
	struct wire_request req = { .operation = operation, .sector = ~0ULL };

	assert_int_equal(check_each(&req, req.seg, &disk), BLKIF_RSP_OKAY);
	req.nr_segs = 1;
	req.seg[0].last_sect = 7;
	assert_int_equal(check_each(&req, req.seg, &disk),
			 BLKIF_RSP_ERROR);
	req.sector = 1016;
	assert_int_equal(check_each(&req, req.seg, &disk), BLKIF_RSP_OKAY);
}

static void data_of_flush_and_barrier_may_be_missing(void **state)
{
	(void)state;
	check_data_may_be_missing(BLKIF_OP_FLUSH_DISKCACHE);
	check_data_may_be_missing(BLKIF_OP_WRITE_BARRIER);
}

static void check_discard(const struct disk_limits *disk, __u64 sector,
			  __u64 sectors, bool secure, char want)
{
	struct wire_request req = {
		.operation = BLKIF_OP_DISCARD, .secure = secure,
		.sector = sector, .nr_sectors = sectors,
	};

	if (check_request(&req, disk) != status_of(want))
		fail_msg("discard of %llu sectors from %llu, secure %d: %d, not %c",
			 sectors, sector, secure, check_request(&req, disk),
			 want);
}

static void discard_is_for_disks_that_can(void **state)
{
	static const char * const want[] = { "NN", "ON", "NN", "OO" };
	struct disk_limits disk = { 1024, 1, false, false, false, 256 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		disk.discard = i & 1;
		disk.secure_erase = i & 2;
		disk.read_only = false;
		check_discard(&disk, 0, 8, false, want[i][0]);
		check_discard(&disk, 0, 8, true, want[i][1]);
		disk.read_only = true;
		check_discard(&disk, 0, 8, false, 'E');
		check_discard(&disk, 0, 8, true, 'E');
	}
}

static void discard_is_of_blocks_in_the_disk(void **state)
{
	static const __u64 most = ~0ULL;
	static const struct disk_limits by_one = { 1024, 1, false, true, false, 256 };
	static const struct disk_limits by_eight = { 1024, 8, false, true, false, 256 };
	static const struct disk_limits huge = { most, 1, false, true, false, 256 };

	(void)state;
	check_discard(&by_one, 0, 1024, false, 'O');
	check_discard(&by_one, 0, 1025, false, 'E');
	check_discard(&by_one, 1, 1023, false, 'O');
	check_discard(&by_one, 1, 1024, false, 'E');
	check_discard(&by_one, 1023, 1, false, 'O');
	check_discard(&by_one, 1024, 1, false, 'E');
	check_discard(&by_one, 8, 0, false, 'E');
	check_discard(&by_one, 1024, 0, false, 'E');
	check_discard(&by_one, most, 1, false, 'E');
	check_discard(&by_one, 1, most, false, 'E');
	check_discard(&by_one, most, most, false, 'E');
	check_discard(&by_eight, 8, 16, false, 'O');
	check_discard(&by_eight, 9, 8, false, 'E');
	check_discard(&by_eight, 8, 9, false, 'E');
	check_discard(&by_eight, 12, 8, false, 'E');
	check_discard(&by_eight, 8, 12, false, 'E');
	check_discard(&huge, 0, most, false, 'O');
	check_discard(&huge, 1, most, false, 'E');
}

static void discard_is_not_for_indirect(void **state)
{
	static const struct disk_limits disk = { 1024, 1, false, true, true, 256 };
	struct wire_request req = {
		.operation = BLKIF_OP_DISCARD, .indirect = true, .nr_segs = 1,
	};

	(void)state;
	assert_int_equal(check_request(&req, &disk), BLKIF_RSP_ERROR);
}

static void segment_add_counts_both_ends(void **state)
{
	struct blkif_segment seg = { .gref = 1 };
	unsigned int first, length, all = 0;
	struct segment_sum sum = { 0 };

	(void)state;
	for (first = 0; first < 8; first++) {
		for (length = 1; first + length <= 8; length++) {
			seg.first_sect = first;
			seg.last_sect = first + length - 1;
			assert_int_equal(segment_add(&sum, &seg), length);
			all += length;
			assert_int_equal(sum.sectors, all);
		}
	}
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_answers_each_operation_by_count),
		cmocka_unit_test(check_answers_each_indirect_operation_by_count),
		cmocka_unit_test(indirect_has_a_limit_of_its_disk),
		cmocka_unit_test(segments_are_runs_of_blocks_in_a_page),
		cmocka_unit_test(segments_are_checked_at_every_position),
		cmocka_unit_test(data_ends_where_the_disk_ends),
		cmocka_unit_test(data_starts_at_a_block),
		cmocka_unit_test(data_of_flush_and_barrier_may_be_missing),
		cmocka_unit_test(discard_is_for_disks_that_can),
		cmocka_unit_test(discard_is_of_blocks_in_the_disk),
		cmocka_unit_test(discard_is_not_for_indirect),
		cmocka_unit_test(segment_add_counts_both_ends),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
