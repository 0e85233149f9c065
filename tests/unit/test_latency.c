// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long requests take: every time is in the bucket that says so, and what waits is
 * not taken for new.
 */
#include "unit.h"

#include <linux/types.h>

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))

static int fls64(__u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

#include "../../latency.h"

static void each_bucket_begins_where_the_one_before_ends(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(latency_from(0), 0);
	for (i = 1; i < NR_LATENCY_BUCKETS; i++) {
		assert_int_equal(latency_bucket(latency_from(i) - 1), i - 1);
		assert_int_equal(latency_bucket(latency_from(i)), i);
		if (i > 1)
			assert_int_equal(latency_from(i), 2 * latency_from(i - 1));
	}
}

static void no_time_is_too_long(void **state)
{
	(void)state;
	assert_int_equal(latency_bucket(0), 0);
	assert_int_equal(latency_bucket(2 * latency_from(NR_LATENCY_BUCKETS - 1)),
			 NR_LATENCY_BUCKETS - 1);
	assert_int_equal(latency_bucket(~0ULL), NR_LATENCY_BUCKETS - 1);
}

static void each_request_is_counted_by_kind(void **state)
{
	static const struct {
		__u8 operation;
		enum latency_kind kind;
	} ops[] = {
		{ BLKIF_OP_READ, LATENCY_READ },
		{ BLKIF_OP_WRITE, LATENCY_WRITE },
		{ BLKIF_OP_WRITE_BARRIER, LATENCY_FLUSH },
		{ BLKIF_OP_FLUSH_DISKCACHE, LATENCY_FLUSH },
		{ BLKIF_OP_DISCARD, LATENCY_DISCARD },
	};
	struct blkback_account account = { 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		assert_int_equal(latency_kind(ops[i].operation), ops[i].kind);
		latency_count(&account, ops[i].kind, LATENCY_DISK,
			      latency_bucket(1000000), 1);
	}
	for (i = 0; i < NR_LATENCY_KINDS; i++) {
		__u64 *count = &account.latency[LATENCY_DISK][latency_bucket(1000000)][i];

		assert_int_equal(*count, i == LATENCY_FLUSH ? 2 : 1);
		*count = 0;
	}
	/* And nowhere else. */
	for (i = 0; i < sizeof(account); i++)
		assert_int_equal(((__u8 *)&account)[i], 0);
}

/* The thread looks at the clock, and then at the ring. */
static __u64 look(struct blkback_arrival *arrival, __u64 clock, __u32 cons,
		  __u32 end, __u64 event)
{
	arrival->clock = clock;
	return arrival_look(arrival, cons, end, event);
}

static void what_is_new_came_after_the_last_look(void **state)
{
	struct blkback_arrival arrival;

	(void)state;
	arrival_init(&arrival, 10, 100);
	assert_int_equal(look(&arrival, 200, 10, 12, 0), 100);
	assert_int_equal(look(&arrival, 300, 12, 15, 0), 200);
	look(&arrival, 400, 15, 15, 0);
	assert_int_equal(look(&arrival, 500, 15, 16, 0), 400);
}

static void what_wakes_us_came_with_its_event(void **state)
{
	struct blkback_arrival arrival;

	(void)state;
	arrival_init(&arrival, 0, 100);
	assert_int_equal(look(&arrival, 140, 0, 1, 150), 150);
	/* That was for another one. */
	assert_int_equal(look(&arrival, 160, 1, 2, 150), 150);
	assert_int_equal(look(&arrival, 300, 2, 3, 150), 160);
}

static void what_has_to_stay_is_not_new(void **state)
{
	struct blkback_arrival arrival;

	(void)state;
	arrival_init(&arrival, 0, 100);
	assert_int_equal(look(&arrival, 200, 0, 8, 150), 150);
	assert_int_equal(look(&arrival, 300, 0, 9, 250), 150);
	assert_int_equal(look(&arrival, 400, 4, 12, 0), 150);
	/* The first of these came before 300, and no look tells them apart. */
	assert_int_equal(look(&arrival, 500, 8, 12, 0), 200);
	assert_int_equal(look(&arrival, 600, 10, 20, 0), 200);
	assert_int_equal(look(&arrival, 700, 12, 20, 0), 500);
}

static void what_is_found_awake_has_just_come(void **state)
{
	struct blkback_arrival arrival;

	(void)state;
	arrival_init(&arrival, 0, 100);
	look(&arrival, 200, 0, 2, 0);
	arrival_awake(&arrival, 2, 900);
	assert_int_equal(arrival_look(&arrival, 2, 3, 0), 900);
	/* But not what could not be taken. */
	assert_int_equal(look(&arrival, 1100, 3, 6, 0), 900);
	arrival_awake(&arrival, 4, 1900);
	assert_int_equal(arrival_look(&arrival, 6, 7, 0), 1100);
}

static void indices_wrap(void **state)
{
	struct blkback_arrival arrival;

	(void)state;
	arrival_init(&arrival, 0xfffffffe, 100);
	assert_int_equal(look(&arrival, 200, 0xfffffffe, 2, 0), 100);
	assert_int_equal(look(&arrival, 300, 0xffffffff, 3, 0), 100);
	assert_int_equal(look(&arrival, 400, 2, 3, 0), 200);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bucket_begins_where_the_one_before_ends),
		cmocka_unit_test(no_time_is_too_long),
		cmocka_unit_test(each_request_is_counted_by_kind),
		cmocka_unit_test(what_is_new_came_after_the_last_look),
		cmocka_unit_test(what_wakes_us_came_with_its_event),
		cmocka_unit_test(what_has_to_stay_is_not_new),
		cmocka_unit_test(what_is_found_awake_has_just_come),
		cmocka_unit_test(indices_wrap),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
