// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting awake: never for longer than allowed, for long where requests come soon,
 * and not at all where they do not.
 */
#include "unit.h"

#include <linux/types.h>

#define max(a, b) ((a) > (b) ? (a) : (b))
#define clamp(x, lo, hi) ((x) < (lo) ? (lo) : (x) > (hi) ? (hi) : (x))

static __u64 now;		/* ns */
static bool wanted;		/* by another task: our CPU */
static unsigned int relaxed;

static __u64 ktime_get_ns(void)
{
	return now;
}

static bool need_resched(void)
{
	return wanted;
}

/* Time passes only while somebody waits. */
static void cpu_relax(void)
{
	relaxed++;
	now += 100;
}

#include "../../poll.c"

static struct blkback_poll new_poll(__u64 max)
{
	now = 1000000;
	wanted = false;
	return (struct blkback_poll){ .max = max };
}

/* Have nothing to do until a request comes. Return for how long that was awake. */
static __u64 wait_for(struct blkback_poll *poll, __u64 comes_after)
{
	__u64 start = now;

	if (poll_begin(poll, 0))
		while (poll_goes_on(poll))
			if (now - start >= comes_after) {
				poll_found(poll);
				return now - start;
			}
	if (now - start < comes_after) {
		__u64 awake = now - start;

		now = start + comes_after;
		poll_slept(poll);
		return awake;
	}
	poll_slept(poll);
	return now - start;
}

static void nobody_waits_awake_who_must_not(void **state)
{
	struct blkback_poll poll = new_poll(0);
	unsigned int i;

	(void)state;
	relaxed = 0;
	for (i = 0; i < 100; i++)
		assert_int_equal(wait_for(&poll, 500), 0);
	assert_int_equal(relaxed, 0);
}

static void requests_that_come_soon_are_found_awake(void **state)
{
	struct blkback_poll poll = new_poll(50000);
	unsigned int i;

	(void)state;
	for (i = 0; i < 10; i++)
		wait_for(&poll, 40000);
	assert_int_equal(wait_for(&poll, 40000), 40000);
	assert_int_equal(poll.window, poll.max);
}

static void window_is_as_large_as_it_has_to_be(void **state)
{
	struct blkback_poll poll = new_poll(80000);
	unsigned int i;

	(void)state;
	for (i = 0; i < 100; i++)
		wait_for(&poll, 5000);
	assert_int_equal(wait_for(&poll, 5000), 5000);
	assert_int_equal(poll.window, 10000);
}

static void nobody_waits_awake_for_longer_than_allowed(void **state)
{
	struct blkback_poll poll = new_poll(50000);
	unsigned int i;

	(void)state;
	for (i = 0; i < 10; i++)
		wait_for(&poll, 40000);
	assert_in_range(wait_for(&poll, 1000000), 50000, 50100);
}

static void who_waits_in_vain_soon_stops(void **state)
{
	struct blkback_poll poll = new_poll(50000);
	unsigned int i;

	(void)state;
	for (i = 0; i < 10; i++)
		wait_for(&poll, 40000);
	for (i = 0; i < 10; i++)
		wait_for(&poll, 1000000);
	assert_int_equal(wait_for(&poll, 1000000), 0);
	assert_int_equal(poll.window, 0);
}

/* It needs the CPU for that long, before it sends its request. */
static __u64 wait_for_who_waits(struct blkback_poll *poll, __u64 takes)
{
	__u64 start = now, awake;

	if (poll_begin(poll, 0))
		while (poll_goes_on(poll))
			;
	awake = now - start;
	now += takes;
	poll_slept(poll);
	return awake;
}

static void who_is_in_the_way_stops(void **state)
{
	struct blkback_poll poll = new_poll(200000);
	__u64 awake = 0;
	unsigned int i;

	(void)state;
	for (i = 0; i < 20000; i++)
		awake += wait_for_who_waits(&poll, 40000);
	assert_in_range(awake, 1, 20000 * 40000 / 50);
}

static void who_has_stopped_tries_again(void **state)
{
	struct blkback_poll poll = new_poll(200000);
	unsigned int i;

	(void)state;
	for (i = 0; i < 20000; i++)
		wait_for_who_waits(&poll, 40000);
	for (i = 0; i < 5000; i++)
		wait_for(&poll, 40000);
	assert_int_equal(wait_for(&poll, 40000), 40000);
}

static void who_is_told_anew_tries_again_at_once(void **state)
{
	struct blkback_poll poll = new_poll(200000);
	unsigned int i;

	(void)state;
	for (i = 0; i < 20000; i++)
		wait_for_who_waits(&poll, 40000);
	poll_limit(&poll, 200000);
	for (i = 0; i < 10; i++)
		wait_for(&poll, 40000);
	assert_int_equal(wait_for(&poll, 40000), 40000);
}

static void other_tasks_come_first(void **state)
{
	struct blkback_poll poll = new_poll(50000);
	unsigned int i;

	(void)state;
	for (i = 0; i < 10; i++)
		wait_for(&poll, 40000);
	wanted = true;
	assert_in_range(wait_for(&poll, 40000), 0, 100);
}

static void what_else_is_waited_for_may_take_longer(void **state)
{
	struct blkback_poll poll = new_poll(50000);
	__u64 start;

	(void)state;
	assert_int_equal(wait_for(&poll, 1000000), 0);
	start = now;
	assert_true(poll_begin(&poll, 30000));
	while (poll_goes_on(&poll))
		;
	assert_in_range(now - start, 30000, 30100);
	assert_false(poll_begin(&poll, 0));
	poll.max = 0;
	assert_false(poll_begin(&poll, 30000));
}

static void limit_may_change(void **state)
{
	struct blkback_poll poll = new_poll(50000);
	unsigned int i;

	(void)state;
	for (i = 0; i < 10; i++)
		wait_for(&poll, 40000);
	poll_limit(&poll, 20000);
	assert_in_range(wait_for(&poll, 1000000), 20000, 20100);
	poll_limit(&poll, 0);
	assert_int_equal(wait_for(&poll, 10000), 0);
	poll_limit(&poll, 50000);
	for (i = 0; i < 10; i++)
		wait_for(&poll, 40000);
	assert_int_equal(wait_for(&poll, 40000), 40000);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_waits_awake_who_must_not),
		cmocka_unit_test(requests_that_come_soon_are_found_awake),
		cmocka_unit_test(window_is_as_large_as_it_has_to_be),
		cmocka_unit_test(nobody_waits_awake_for_longer_than_allowed),
		cmocka_unit_test(who_waits_in_vain_soon_stops),
		cmocka_unit_test(who_is_in_the_way_stops),
		cmocka_unit_test(who_has_stopped_tries_again),
		cmocka_unit_test(who_is_told_anew_tries_again_at_once),
		cmocka_unit_test(other_tasks_come_first),
		cmocka_unit_test(what_else_is_waited_for_may_take_longer),
		cmocka_unit_test(limit_may_change),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
