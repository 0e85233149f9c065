// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that stay mapped: the one that goes is always the one unused for
 * longest, whatever is used when.
 *
 * persist.c is held against a model that is a plain array in the order of use.
 * What it takes from the kernel is below.
 */
#include <errno.h>
#include <linux/types.h>

#include "unit.h"
#include "shim.h"

typedef __u32 u32;
typedef __u32 grant_ref_t;
typedef __u32 grant_handle_t;

#define INVALID_GRANT_HANDLE	(~0U)

/* --- memory --------------------------------------------------------------- */

#define GFP_KERNEL	0
#define GFP_NOWAIT	0
#define __GFP_NOWARN	0

static bool no_memory;

static void *shim_alloc(size_t size)
{
	return no_memory ? NULL : calloc(1, size);
}

#define kmalloc(size, flags)		shim_alloc((size) + (flags))
#define kvcalloc(n, size, flags)	shim_alloc((n) * (size) + (flags))
#define kfree(pointer)			free(pointer)
#define kvfree(pointer)			free(pointer)

/* Of a page only its users count. */
struct page {
	int count;
};

static int page_count(const struct page *page)
{
	return page->count;
}

/* --- numbers -------------------------------------------------------------- */

static unsigned long jiffies;

#define clamp(x, low, high) ((x) < (low) ? (low) : (x) > (high) ? (high) : (x))

static unsigned int roundup_pow_of_two(unsigned int n)
{
	unsigned int power = 1;

	while (power < n)
		power *= 2;
	return power;
}

/* As linux/hash.h has it. */
static u32 hash_32(u32 value, unsigned int bits)
{
	return value * 0x61C88647 >> (32 - bits);
}

static unsigned int ilog2(unsigned int n)
{
	unsigned int log = 0;

	while (n >>= 1)
		log++;
	return log;
}

/* --- lists ---------------------------------------------------------------- */

struct list_head {
	struct list_head *next, *prev;
};

static void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static void __list_del(struct list_head *prev, struct list_head *next)
{
	prev->next = next;
	next->prev = prev;
}

static void list_del(struct list_head *entry)
{
	__list_del(entry->prev, entry->next);
	memset(entry, 0x5a, sizeof(*entry));
}

static void list_move_tail(struct list_head *entry, struct list_head *head)
{
	__list_del(entry->prev, entry->next);
	entry->prev = head->prev;
	entry->next = head;
	head->prev->next = entry;
	head->prev = entry;
}

struct hlist_node {
	struct hlist_node *next, **link;	/* @link is what points here */
};

struct hlist_head {
	struct hlist_node *first;
};

static void hlist_add_head(struct hlist_node *new, struct hlist_head *head)
{
	new->next = head->first;
	new->link = &head->first;
	if (new->next)
		new->next->link = &new->next;
	head->first = new;
}

static void hlist_del(struct hlist_node *node)
{
	*node->link = node->next;
	if (node->next)
		node->next->link = node->link;
}

#define entry_of(pointer, type, member) \
	((type *)((char *)(pointer) - offsetof(type, member)))

#define list_first_entry(head, type, member) \
	entry_of((head)->next, type, member)

#define hlist_for_each_entry(pos, head, member)				\
	for (struct hlist_node *_node = (head)->first;			\
	     _node && ((pos) = entry_of(_node, typeof(*(pos)), member), true); \
	     _node = _node->next)

#include "../../persist.c"

/* --- the model ------------------------------------------------------------ */

#define MAX_GREFS 40

/**
 * struct model - what should be kept
 * @idle: grant references, the one unused for longest first
 * @nr_idle: how many those are
 * @users: of each grant reference; those of one that is not kept are 0
 * @kept: what persist.c has returned for it; NULL: is not kept
 * @since: when it was last used
 * @pages: one for each
 */
struct model {
	grant_ref_t idle[MAX_GREFS];
	unsigned int nr_idle;
	unsigned int users[MAX_GREFS];
	struct blkback_kept *kept[MAX_GREFS];
	unsigned long since[MAX_GREFS];
	struct page pages[MAX_GREFS];
};

struct both {
	struct blkback_persist persist;
	struct model model;
};

static void set_up(struct both *both, unsigned int max)
{
	unsigned int i;

	memset(both, 0, sizeof(*both));
	no_memory = false;
	assert_int_equal(persist_init(&both->persist, max), 0);
	for (i = 0; i < MAX_GREFS; i++)
		both->model.pages[i].count = 1;
}

static void model_end_idle(struct model *model, grant_ref_t gref)
{
	unsigned int i = 0;

	while (model->idle[i] != gref)
		i++;
	model->nr_idle--;
	memmove(&model->idle[i], &model->idle[i + 1],
		(model->nr_idle - i) * sizeof(model->idle[0]));
}

static void model_make_idle(struct model *model, grant_ref_t gref)
{
	model->idle[model->nr_idle++] = gref;
	model->since[gref] = jiffies;
}

static void check(const struct both *both)
{
	const struct model *model = &both->model;
	unsigned int i, nr = 0;

	for (i = 0; i < MAX_GREFS; i++)
		nr += !!model->kept[i];
	assert_int_equal(both->persist.nr, nr);
	assert_int_equal(both->persist.nr_idle, model->nr_idle);
	assert_true(both->persist.nr <= both->persist.max);
	if (model->nr_idle)
		assert_true(persist_since(&both->persist) ==
			    model->since[model->idle[0]]);
}

/* Let the oldest go; false if that is not to be had. */
static bool drop_oldest(struct both *both)
{
	struct blkback_kept *kept = persist_oldest(&both->persist);
	struct model *model = &both->model;
	grant_ref_t gref;

	if (!model->nr_idle) {
		assert_null(kept);
		return false;
	}
	gref = model->idle[0];
	model_end_idle(model, gref);
	if (model->pages[gref].count > 1) {
		assert_null(kept);
		model_make_idle(model, gref);
		return false;
	}
	assert_non_null(kept);
	assert_int_equal(kept->gref, gref);
	assert_ptr_equal(kept, model->kept[gref]);
	persist_drop(&both->persist, kept);
	model->kept[gref] = NULL;
	return true;
}

static bool add(struct both *both, grant_ref_t gref)
{
	struct model *model = &both->model;
	struct blkback_kept *kept;

	if (both->persist.nr == both->persist.max && !drop_oldest(both))
		return false;
	kept = persist_add(&both->persist, gref, &model->pages[gref]);
	if (no_memory) {
		assert_null(kept);
		return false;
	}
	assert_non_null(kept);
	assert_ptr_equal(kept->page, &model->pages[gref]);
	model->kept[gref] = kept;
	return true;
}

/* One user more; false if the page is not and cannot be kept. */
static bool use(struct both *both, grant_ref_t gref)
{
	struct blkback_kept *kept = persist_find(&both->persist, gref);
	struct model *model = &both->model;

	assert_ptr_equal(kept, model->kept[gref]);
	if (!kept && !add(both, gref))
		return false;
	if (kept && !model->users[gref])
		model_end_idle(model, gref);
	model->users[gref]++;
	assert_int_equal(model->kept[gref]->users, model->users[gref]);
	return true;
}

static void put(struct both *both, grant_ref_t gref)
{
	struct model *model = &both->model;
	bool last = !--model->users[gref];

	assert_int_equal(persist_put(&both->persist, model->kept[gref]), last);
	if (last)
		model_make_idle(model, gref);
}

static void tear_down(struct both *both)
{
	unsigned int i;

	for (i = 0; i < MAX_GREFS; i++) {
		both->model.pages[i].count = 1;
		while (both->model.users[i])
			put(both, i);
	}
	while (drop_oldest(both))
		check(both);
	assert_int_equal(both->persist.nr, 0);
	persist_exit(&both->persist);
}

/* --- the tests ------------------------------------------------------------ */

static void use_and_put(struct both *both, grant_ref_t gref)
{
	jiffies++;
	assert_true(use(both, gref));
	put(both, gref);
	check(both);
}

static bool is_kept(struct both *both, grant_ref_t gref)
{
	if (!both->model.kept[gref]) {
		assert_null(persist_find(&both->persist, gref));
		return false;
	}
	use_and_put(both, gref);
	return true;
}

/* As many pages as may be kept, of references that follow each other. */
static unsigned int longest_line(unsigned int max, grant_ref_t first)
{
	struct blkback_persist persist = { };
	unsigned int i, longest = 0, *nr;

	assert_int_equal(persist_init(&persist, max), 0);
	nr = calloc(1U << persist.table.bits, sizeof(*nr));
	assert_non_null(nr);
	for (i = 0; i < max; i++) {
		struct hlist_head *head = persist_head(&persist.table, first + i);
		unsigned int *at = &nr[head - persist.table.heads];

		if (++*at > longest)
			longest = *at;
	}
	free(nr);
	persist_exit(&persist);
	return longest;
}

static void references_that_follow_each_other_are_spread(void **state)
{
	static const unsigned int max[] = { 1, 2, 66, 132, 264, 352, 528, 1056, 4224 };
	unsigned int i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(max); i++)
		for (k = 0; k < 1000; k++)
			assert_true(longest_line(max[i], rand() % 32768) <= 3);
}

static void kept_page_unused_for_longest_goes_first(void **state)
{
	struct both both;

	(void)state;
	set_up(&both, 3);
	use_and_put(&both, 1);
	use_and_put(&both, 2);
	use_and_put(&both, 3);
	use_and_put(&both, 1);
	use_and_put(&both, 4);
	assert_false(is_kept(&both, 2));
	use_and_put(&both, 5);
	assert_false(is_kept(&both, 3));
	tear_down(&both);
}

static void kept_page_in_use_does_not_go(void **state)
{
	struct both both;

	(void)state;
	set_up(&both, 2);
	assert_true(use(&both, 1));
	assert_true(use(&both, 1));
	use_and_put(&both, 2);
	put(&both, 1);
	use_and_put(&both, 3);
	assert_false(is_kept(&both, 2));
	assert_true(use(&both, 3));
	assert_false(use(&both, 4));
	check(&both);
	tear_down(&both);
}

static void kept_page_that_somebody_looks_at_counts_as_just_used(void **state)
{
	struct both both;

	(void)state;
	set_up(&both, 2);
	use_and_put(&both, 1);
	use_and_put(&both, 2);
	both.model.pages[1].count = 2;
	jiffies++;
	assert_false(use(&both, 3));
	check(&both);
	both.model.pages[1].count = 1;
	use_and_put(&both, 3);
	assert_true(is_kept(&both, 1));
	tear_down(&both);
}

static void kept_page_needs_memory(void **state)
{
	struct both both;

	(void)state;
	set_up(&both, 2);
	no_memory = true;
	assert_false(use(&both, 1));
	check(&both);
	no_memory = false;
	use_and_put(&both, 1);
	tear_down(&both);
}

static void use_at_random(struct both *both)
{
	grant_ref_t gref = rand() % MAX_GREFS;
	struct model *model = &both->model;

	jiffies += rand() % 3;
	model->pages[rand() % MAX_GREFS].count = 1 + !(rand() % 10);
	no_memory = !(rand() % 20);
	switch (rand() % 8) {
	case 0:
		drop_oldest(both);
		break;
	case 1 ... 3:
		use(both, gref);
		break;
	default:
		if (model->users[gref])
			put(both, gref);
	}
	no_memory = false;
	check(both);
}

static void kept_pages_are_as_in_a_model_whatever_happens(void **state)
{
	unsigned int seed, i;
	struct both both;

	(void)state;
	for (seed = 0; seed < 300; seed++) {
		srand(seed);
		jiffies = -20UL;	/* they wrap soon */
		set_up(&both, 1 + rand() % MAX_GREFS);
		for (i = 0; i < 1000; i++)
			use_at_random(&both);
		tear_down(&both);
	}
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_that_follow_each_other_are_spread),
		cmocka_unit_test(kept_page_unused_for_longest_goes_first),
		cmocka_unit_test(kept_page_in_use_does_not_go),
		cmocka_unit_test(kept_page_that_somebody_looks_at_counts_as_just_used),
		cmocka_unit_test(kept_page_needs_memory),
		cmocka_unit_test(kept_pages_are_as_in_a_model_whatever_happens),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
