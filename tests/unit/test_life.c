// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ring's life: a frontend and a backend take thousands of steps in random
 * order, while a model that knows only the protocol follows them. After each
 * step the whole ring is, byte for byte, what the model says.
 */
#include "unit.h"
#include "shim.h"
#include "ring.h"

#define MOST_SLOTS	512
#define STEPS		20000

/**
 * struct answer - a response, or what is needed to make one
 * @id: of the request
 * @operation: of the request
 * @status: enum blkif_status
 */
struct answer {
	__u64 id;
	__u8 operation;
	int status;
};

/**
 * struct life - a ring, both who use it, and the model
 * @shape: its kind
 * @shared: its memory
 * @model: what that memory should be
 * @ring: the backend under test
 * @req_prod: requests sent by the frontend
 * @req_cons: requests taken by the backend
 * @rsp_prod: responses written
 * @told: responses published
 * @rsp_cons: responses that the frontend has collected
 * @sent: the requests by slot, as they were sent
 * @taken: requests without response, in no order
 * @nr_taken: how many
 * @answers: responses that the frontend has yet to collect, by slot
 * @asleep: the backend armed the ring, saw nothing, and waits for an event
 * @naps: how often it slept
 * @events: how often the frontend had to be told
 * @heirs: how often another backend took over
 */
struct life {
	const struct shape *shape;
	struct blkif_sring *shared;
	struct blkif_sring *model;
	struct sring ring;
	__u32 req_prod;
	__u32 req_cons;
	__u32 rsp_prod;
	__u32 told;
	__u32 rsp_cons;
	__u8 sent[MOST_SLOTS][112];
	struct answer taken[MOST_SLOTS];
	__u32 nr_taken;
	struct answer answers[MOST_SLOTS];
	bool asleep;
	unsigned int naps;
	unsigned int events;
	unsigned int heirs;
};

static __u32 random_below(__u32 limit)
{
	return (next_random() >> 20) % limit;
}

static __u32 slot_number(const struct life *life, __u32 index)
{
	return index % life->shape->slots;
}

static __u8 *model_slot(const struct life *life, __u32 index)
{
	return (__u8 *)life->model + slot_offset(life->shape, index);
}

/* Whether a side that goes from one index to another passes an event. */
static bool passes(__u32 from, __u32 to, __u32 event)
{
	while (from != to)
		if (++from == event)
			return true;
	return false;
}

static void send_one(struct life *life)
{
	__u8 *sent = life->sent[slot_number(life, life->req_prod)];
	__u8 *real = (__u8 *)life->shared;

	fill_random(sent, life->shape->stride);
	memcpy(model_slot(life, life->req_prod), sent, life->shape->stride);
	memcpy(real + slot_offset(life->shape, life->req_prod), sent,
	       life->shape->stride);
	life->req_prod++;
}

static void send(struct life *life)
{
	__u32 room = life->shape->slots - (life->req_prod - life->rsp_cons);
	__u32 old = life->req_prod;
	__u32 count = random_below(room + 1);

	while (count--)
		send_one(life);
	life->shared->req_prod = life->req_prod;
	life->model->req_prod = life->req_prod;
	if (!life->asleep || life->req_prod == old)
		return;
	/* It sleeps and there is work: the frontend must see a reason to call. */
	assert_true(passes(old, life->req_prod, life->shared->req_event));
	life->asleep = false;
}

static void take_one(struct life *life)
{
	const __u8 *sent = life->sent[slot_number(life, life->req_cons)];
	struct answer *taken = &life->taken[life->nr_taken++];
	struct wire_request req;
	__u8 slot[112];

	sring_peek(&life->ring, slot);
	sring_take(&life->ring);
	life->req_cons++;
	assert_memory_equal(slot, sent, life->shape->stride);
	decode_request(slot, blkif_find_abi(life->shape->protocol), &req);
	taken->id = req.id;
	taken->operation = req.operation;
	taken->status = -(int)random_below(3);
}

static void receive(struct life *life)
{
	__u32 count = life->req_prod - life->req_cons;

	assert_int_equal(sring_unread(&life->ring), count);
	if (random_below(2))
		count = random_below(count + 1);
	while (count--)
		take_one(life);
}

static void put_le(__u8 *to, __u64 value, unsigned int bytes)
{
	for (; bytes; bytes--, value >>= 8)
		*to++ = value & 0xff;
}

static void answer_one(struct life *life)
{
	__u32 which = random_below(life->nr_taken);
	struct answer answer = life->taken[which];
	__u8 *slot = model_slot(life, life->rsp_prod);

	life->taken[which] = life->taken[--life->nr_taken];
	sring_respond(&life->ring, answer.id, answer.operation, answer.status);
	put_le(slot, answer.id, 8);
	put_le(slot + 8, answer.operation, 1);
	put_le(slot + 10, answer.status, 2);
	life->answers[slot_number(life, life->rsp_prod)] = answer;
	life->rsp_prod++;
}

static void answer(struct life *life)
{
	__u32 count = random_below(life->nr_taken + 1);

	while (count--)
		answer_one(life);
}

static void publish(struct life *life)
{
	bool due = passes(life->told, life->rsp_prod, life->shared->rsp_event);

	assert_int_equal(sring_publish(&life->ring), due);
	life->model->rsp_prod = life->rsp_prod;
	life->told = life->rsp_prod;
	life->events += due;
}

static void collect_one(struct life *life)
{
	const struct answer *want;
	const __u8 *slot = (const __u8 *)life->shared +
			   slot_offset(life->shape, life->rsp_cons);
	__s16 status;
	__u64 id;

	want = &life->answers[slot_number(life, life->rsp_cons)];
	memcpy(&id, slot, sizeof(id));
	memcpy(&status, slot + 10, sizeof(status));
	assert_int_equal(id, want->id);
	assert_int_equal(slot[8], want->operation);
	assert_int_equal(status, want->status);
	life->rsp_cons++;
}

static void collect(struct life *life)
{
	__u32 ahead = random_below(8) ? 1 + random_below(16) : next_random();

	while (life->rsp_cons != life->shared->rsp_prod)
		collect_one(life);
	life->shared->rsp_event = life->rsp_cons + ahead;
	life->model->rsp_event = life->shared->rsp_event;
}

static void sleep_if_idle(struct life *life)
{
	sring_arm(&life->ring);
	life->model->req_event = life->req_cons + 1;
	life->asleep = sring_unread(&life->ring) == 0;
	assert_int_equal(life->asleep, life->req_prod == life->req_cons);
	life->naps += life->asleep;
}

/* A frontend that lies is found out, and is none the worse when it stops. */
static void lie(struct life *life)
{
	__u32 most = life->rsp_prod + life->shape->slots;
	__u32 wrong = life->req_cons - most - 1;

	/* anything from behind the most to before the least, often just there */
	life->shared->req_prod = most + 1 +
				 (random_below(wrong) >> random_below(32));
	assert_int_equal(sring_unread(&life->ring), -1);
	life->shared->req_prod = life->req_prod;
}

/* A backend that has answered all it took may leave it to the next one. */
static void replace(struct life *life)
{
	if (life->nr_taken)
		return;
	publish(life);
	memset(&life->ring, 0x5a, sizeof(life->ring));
	assert_true(attach(&life->ring, life->shape));
	life->asleep = false;
	life->heirs++;
}

static void step(struct life *life)
{
	static void (*const steps[])(struct life *life) = {
		send, receive, answer, publish, collect, sleep_if_idle, lie,
		replace,
	};
	unsigned int choice = random_below(ARRAY_SIZE(steps));

	/* Who sleeps does nothing of its own accord, but bios still end. */
	if (life->asleep && (steps[choice] == receive ||
			     steps[choice] == sleep_if_idle))
		return;
	steps[choice](life);
	if (memcmp(life->shared, life->model, ring_bytes(life->shape)))
		fail_msg("after action %u the ring is not as it should be",
			 choice);
}

/* A life that saw too little of what it is about proves nothing. */
static void assert_full(const struct life *life, __u32 start)
{
	assert_true(life->rsp_cons - start > 4 * life->shape->slots);
	assert_true(life->naps > 20);
	assert_true(life->events > 20);
	assert_true(life->heirs > 20);
}

static void live(const struct shape *shape, __u32 start)
{
	struct life *life = calloc(1, sizeof(*life));
	unsigned int i;

	assert_non_null(life);
	life->shape = shape;
	life->shared = new_shared(shape, start);
	life->model = malloc(ring_bytes(shape));
	assert_non_null(life->model);
	memcpy(life->model, life->shared, ring_bytes(shape));
	life->req_prod = start;
	life->req_cons = start;
	life->rsp_prod = start;
	life->told = start;
	life->rsp_cons = start;
	assert_true(attach(&life->ring, shape));
	for (i = 0; i < STEPS; i++)
		step(life);
	assert_full(life, start);
	free(life->model);
	free_shared(life->shared, shape);
	free(life);
}

static void life_of_one_page_x86_64(void **state)
{
	(void)state;
	live(&shapes[0], 0);
	live(&shapes[0], 0xfffffff0);
}

static void life_of_one_page_x86_32(void **state)
{
	(void)state;
	live(&shapes[1], 0);
	live(&shapes[1], 0xfffffff0);
}

static void life_of_sixteen_pages_x86_64(void **state)
{
	(void)state;
	live(&shapes[2], 0);
	live(&shapes[2], 0xfffffff0);
}

static void life_of_sixteen_pages_x86_32(void **state)
{
	(void)state;
	live(&shapes[3], 0);
	live(&shapes[3], 0xfffffff0);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_of_one_page_x86_64),
		cmocka_unit_test(life_of_one_page_x86_32),
		cmocka_unit_test(life_of_sixteen_pages_x86_64),
		cmocka_unit_test(life_of_sixteen_pages_x86_32),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
