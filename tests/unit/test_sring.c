// SPDX-License-Identifier: GPL-2.0-only
/*
 * One by one, the things that a backend does to a ring.
 */
#include "unit.h"

#include "../../blkif.h"

/*
 * What sring.h did, as shim.h tells it, as far as there is room. And what a
 * frontend does between two instructions of ours: as soon as an index has been
 * read it is something else.
 */
static char events[16];
static struct blkif_sring *meddle;

static void note(char kind)
{
	size_t len = strlen(events);

	if (len < sizeof(events) - 1)
		events[len] = kind;
	if (kind == 'r' && meddle) {
		meddle->req_prod += 0x40000000;
		meddle->rsp_prod += 0x40000000;
	}
}

static void forget_events(void)
{
	memset(events, 0, sizeof(events));
}

#define SHIM_EVENT(kind) note(kind)
#include "shim.h"
#include "ring.h"

/* Indices at which arithmetic could go wrong. */
static const __u32 places[] = {
	0, 1, 31, 32, 511, 0x7fffffff, 0x80000000, 0xfffffe00, 0xffffffe0,
	0xfffffff0, 0xffffffff,
};

/**
 * struct bench - a ring under test
 * @shape: its kind
 * @start: the index it was attached at
 * @shared: its memory
 * @before: that memory as it should be
 * @ring: the backend's side
 */
struct bench {
	const struct shape *shape;
	__u32 start;
	struct blkif_sring *shared;
	struct blkif_sring *before;
	struct sring ring;
};

static void snapshot(struct bench *bench)
{
	memcpy(bench->before, bench->shared, ring_bytes(bench->shape));
}

static void assert_untouched(const struct bench *bench)
{
	assert_memory_equal(bench->shared, bench->before,
			    ring_bytes(bench->shape));
}

static void bench_run(const struct shape *shape, __u32 start,
		      void (*test)(struct bench *bench))
{
	struct bench bench = { .shape = shape, .start = start };

	bench.shared = new_shared(shape, start);
	bench.before = malloc(ring_bytes(shape));
	assert_non_null(bench.before);
	assert_true(attach(&bench.ring, shape));
	snapshot(&bench);
	forget_events();
	test(&bench);
	free(bench.before);
	free_shared(bench.shared, shape);
}

/* Run a test on each kind of ring, attached at each place. */
static void everywhere(void (*test)(struct bench *bench))
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(shapes); i++)
		for (j = 0; j < ARRAY_SIZE(places); j++)
			bench_run(&shapes[i], places[j], test);
}

/* Take requests without looking at them. */
static void take(struct bench *bench, __u32 count)
{
	while (count--)
		sring_take(&bench->ring);
}

static void respond(struct bench *bench, __u32 count)
{
	while (count--)
		sring_respond(&bench->ring, 1, 0, 0);
}

static void check_attach(struct bench *bench)
{
	struct blkif_sring *shared = bench->shared;
	const struct shape *shape = bench->shape;
	struct sring ring;

	assert_ptr_equal(bench->ring.shared, ring_views[0]);
	assert_int_equal(bench->ring.stride, shape->stride);
	assert_int_equal(bench->ring.nr_slots, shape->slots);
	assert_int_equal(bench->ring.req_cons, bench->start);
	assert_int_equal(bench->ring.rsp_prod, bench->start);
	assert_int_equal(bench->ring.rsp_published, bench->start);

	shared->req_prod = bench->start + shape->slots;
	assert_true(attach(&ring, shape));
	assert_int_equal(sring_unread(&ring), shape->slots);
	shared->req_prod = bench->start + shape->slots + 1;
	assert_false(attach(&ring, shape));
	shared->req_prod = bench->start - 1;
	assert_false(attach(&ring, shape));
	shared->req_prod = bench->start + 0x80000000;
	assert_false(attach(&ring, shape));
}

static void attach_goes_on_where_the_last_backend_stopped(void **state)
{
	(void)state;
	everywhere(check_attach);
}

static void check_attach_writes(struct bench *bench)
{
	attach(&bench->ring, bench->shape);
	assert_untouched(bench);
}

static void attach_writes_nothing(void **state)
{
	(void)state;
	everywhere(check_attach_writes);
}

static void check_attach_reads(struct bench *bench)
{
	struct sring ring;

	meddle = bench->shared;
	attach(&ring, bench->shape);
	meddle = NULL;
	assert_int_equal(ring.rsp_prod, bench->start);
	assert_int_equal(ring.req_cons, bench->start);
	assert_int_equal(ring.rsp_published, bench->start);
}

static void attach_reads_each_index_once(void **state)
{
	(void)state;
	everywhere(check_attach_reads);
}

static void check_unread(struct bench *bench)
{
	__u32 slots = bench->shape->slots, count;

	for (count = 0; count <= slots; count++) {
		bench->shared->req_prod = bench->start + count;
		assert_int_equal(sring_unread(&bench->ring), count);
	}
	bench->shared->req_prod = bench->start + slots + 1;
	assert_int_equal(sring_unread(&bench->ring), -1);
	bench->shared->req_prod = bench->start + 0x7fffffff;
	assert_int_equal(sring_unread(&bench->ring), -1);
	bench->shared->req_prod = bench->start + 0x80000000;
	assert_int_equal(sring_unread(&bench->ring), -1);
	bench->shared->req_prod = bench->start - 1;
	assert_int_equal(sring_unread(&bench->ring), -1);
}

static void unread_counts_up_to_a_full_ring(void **state)
{
	(void)state;
	everywhere(check_unread);
}

static void check_unanswered(struct bench *bench)
{
	__u32 slots = bench->shape->slots;

	/* 5 taken, 2 of them answered: room for all slots but 3 */
	take(bench, 5);
	respond(bench, 2);
	bench->shared->req_prod = bench->start + slots + 2;
	assert_int_equal(sring_unread(&bench->ring), slots - 3);
	bench->shared->req_prod = bench->start + slots + 3;
	assert_int_equal(sring_unread(&bench->ring), -1);

	/* all taken and none answered: room for nothing */
	take(bench, slots - 3);
	bench->shared->req_prod = bench->ring.req_cons;
	assert_int_equal(sring_unread(&bench->ring), 0);
	bench->shared->req_prod = bench->ring.req_cons + 1;
	assert_int_equal(sring_unread(&bench->ring), -1);
}

static void unread_never_exceeds_what_has_been_answered(void **state)
{
	(void)state;
	everywhere(check_unanswered);
}

static void check_backwards(struct bench *bench)
{
	bench->shared->req_prod = bench->start + 9;
	assert_int_equal(sring_unread(&bench->ring), 9);
	take(bench, 4);
	bench->shared->req_prod = bench->start + 6;
	assert_int_equal(sring_unread(&bench->ring), 2);
	bench->shared->req_prod = bench->start + 4;
	assert_int_equal(sring_unread(&bench->ring), 0);
	bench->shared->req_prod = bench->start + 3;
	assert_int_equal(sring_unread(&bench->ring), -1);
	bench->shared->req_prod = bench->start;
	assert_int_equal(sring_unread(&bench->ring), -1);
}

/* What was not taken yet may vanish; what was taken may not. */
static void unread_refuses_to_take_a_request_twice(void **state)
{
	(void)state;
	everywhere(check_backwards);
}

static void check_unread_reads(struct bench *bench)
{
	bench->shared->req_prod = bench->start + 7;
	meddle = bench->shared;
	assert_int_equal(sring_unread(&bench->ring), 7);
	meddle = NULL;
}

static void unread_reads_the_index_once(void **state)
{
	(void)state;
	everywhere(check_unread_reads);
}

static void check_peek(struct bench *bench)
{
	__u8 slot[112], *bytes = (__u8 *)bench->shared;
	__u32 index = bench->start;
	unsigned int i;

	for (i = 0; i <= bench->shape->slots; i++, index++) {
		memset(slot, 0x77, sizeof(slot));
		sring_peek(&bench->ring, slot);
		assert_memory_equal(slot,
				    bytes + slot_offset(bench->shape, index),
				    bench->shape->stride);
		if (bench->shape->stride == 108)
			assert_memory_equal(slot + 108, "wwww", 4);
		assert_int_equal(bench->ring.req_cons, index);
		sring_take(&bench->ring);
		assert_int_equal(bench->ring.req_cons, index + 1);
	}
	assert_untouched(bench);
}

static void peek_copies_one_slot_and_leaves_it(void **state)
{
	(void)state;
	everywhere(check_peek);
}

/* Put a number where the protocol says, lowest byte first. */
static void put_le(void *to, __u64 value, unsigned int bytes)
{
	__u8 *byte = to;

	for (; bytes; bytes--, value >>= 8)
		*byte++ = value & 0xff;
}

static void check_respond(struct bench *bench)
{
	static const int statuses[] = {
		BLKIF_RSP_OKAY, BLKIF_RSP_ERROR, BLKIF_RSP_EOPNOTSUPP
	};
	__u8 *want = (__u8 *)bench->before;
	__u32 index = bench->start;
	unsigned int i;

	for (i = 0; i <= bench->shape->slots; i++, index++) {
		size_t at = slot_offset(bench->shape, index);
		__u64 id = next_random();

		put_le(want + at, id, 8);
		put_le(want + at + 8, i & 0xff, 1);
		put_le(want + at + 10, statuses[i % 3], 2);
		sring_respond(&bench->ring, id, i & 0xff, statuses[i % 3]);
		assert_int_equal(bench->ring.rsp_prod, index + 1);
	}
	assert_untouched(bench);
}

/* Nothing but id, operation and status: also not the index. */
static void respond_writes_three_fields_and_no_other_byte(void **state)
{
	(void)state;
	everywhere(check_respond);
}

static void check_publish(struct bench *bench)
{
	assert_false(sring_publish(&bench->ring));
	assert_untouched(bench);

	take(bench, 3);
	respond(bench, 3);
	snapshot(bench);
	sring_publish(&bench->ring);
	put_le(&bench->before->rsp_prod, bench->start + 3, 4);
	assert_untouched(bench);
	assert_int_equal(bench->ring.rsp_published, bench->start + 3);

	/* once told, it is not told again, whatever the frontend wants */
	bench->shared->rsp_event = bench->start + 3;
	snapshot(bench);
	assert_false(sring_publish(&bench->ring));
	assert_untouched(bench);
}

static void publish_writes_the_index_and_nothing_else(void **state)
{
	(void)state;
	everywhere(check_publish);
}

static void check_no_news(struct bench *bench)
{
	int distance;

	for (distance = -2; distance <= 2; distance++) {
		bench->shared->rsp_event = bench->start + distance;
		assert_false(sring_publish(&bench->ring));
	}
	assert_string_equal(events, "");
}

static void publish_without_responses_is_nothing(void **state)
{
	(void)state;
	everywhere(check_no_news);
}

/* 4 responses have been told and 3 are new: events 5, 6 and 7 are due. */
static void check_notify(struct bench *bench)
{
	struct sring before;
	int event;

	take(bench, 7);
	respond(bench, 4);
	sring_publish(&bench->ring);
	respond(bench, 3);
	before = bench->ring;
	for (event = -600; event <= 600; event++) {
		bench->ring = before;
		bench->shared->rsp_event = bench->start + event;
		assert_int_equal(sring_publish(&bench->ring),
				 event >= 5 && event <= 7);
	}
}

static void publish_notifies_if_the_event_is_among_the_new(void **state)
{
	(void)state;
	everywhere(check_notify);
}

static void check_arm(struct bench *bench)
{
	take(bench, 6);
	sring_arm(&bench->ring);
	put_le(&bench->before->req_event, bench->start + 7, 4);
	assert_untouched(bench);
	bench->shared->req_prod = bench->start + 6;
	assert_int_equal(sring_unread(&bench->ring), 0);
	bench->shared->req_prod = bench->start + 7;
	assert_int_equal(sring_unread(&bench->ring), 1);
}

static void arm_asks_for_the_next_request(void **state)
{
	(void)state;
	everywhere(check_arm);
}

static void assert_order(const char *want)
{
	assert_string_equal(events, want);
	forget_events();
}

static void check_barriers(struct bench *bench)
{
	__u8 slot[112];

	bench->shared->req_prod = bench->start + 1;
	sring_unread(&bench->ring);
	assert_order("rRr");	/* the index, then how far we have answered */
	sring_peek(&bench->ring, slot);
	assert_order("b");
	sring_take(&bench->ring);
	assert_order("");
	sring_respond(&bench->ring, 1, 2, 0);
	assert_null(strpbrk(events, "rRWMb"));
	forget_events();
	sring_publish(&bench->ring);
	assert_order("WwMr");
	sring_arm(&bench->ring);
	assert_order("wM");
}

/* The order in which the other side sees things, as letters of shim.h. */
static void barriers_stand_between_index_and_slots(void **state)
{
	(void)state;
	everywhere(check_barriers);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(attach_goes_on_where_the_last_backend_stopped),
		cmocka_unit_test(attach_writes_nothing),
		cmocka_unit_test(attach_reads_each_index_once),
		cmocka_unit_test(unread_counts_up_to_a_full_ring),
		cmocka_unit_test(unread_never_exceeds_what_has_been_answered),
		cmocka_unit_test(unread_refuses_to_take_a_request_twice),
		cmocka_unit_test(unread_reads_the_index_once),
		cmocka_unit_test(peek_copies_one_slot_and_leaves_it),
		cmocka_unit_test(respond_writes_three_fields_and_no_other_byte),
		cmocka_unit_test(publish_writes_the_index_and_nothing_else),
		cmocka_unit_test(publish_without_responses_is_nothing),
		cmocka_unit_test(publish_notifies_if_the_event_is_among_the_new),
		cmocka_unit_test(arm_asks_for_the_next_request),
		cmocka_unit_test(barriers_stand_between_index_and_slots),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
