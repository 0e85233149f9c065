// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's end of a ring, for the fuzzer. This file is not compiled to tell of its
 * loads and stores.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define HEADER		sizeof(struct blkif_sring)
#define BYTES		(GUEST_PAGES * BLKIF_PAGE_SIZE)
#define NO_SLOT		UINT32_MAX
#define FEW		40

/* Its pages are in memory from the last to the first, so that none goes on in the next. */
static __u8 *ring;
static unsigned int ring_stride, answer;
/* When each byte was looked at; it was not if that is not now. */
static unsigned int seen[BYTES], now;
static struct guest_input *script;

static void caught(const char *what, size_t at)
{
	fprintf(stderr, "ring: %s at byte %zu\n", what, at);
	abort();
}

void guest_take(struct guest_input *in, void *to, size_t bytes)
{
	size_t there = bytes < in->left ? bytes : in->left;

	memset(to, 0, bytes);
	memcpy(to, in->next, there);
	in->next += there;
	in->left -= there;
}

static __u8 *page_of(size_t number)
{
	return ring + (GUEST_PAGES - 1 - number) * BLKIF_PAGE_SIZE;
}

static __u8 *byte_at(size_t at)
{
	return page_of(at / BLKIF_PAGE_SIZE) + at % BLKIF_PAGE_SIZE;
}

static void fill_slot(struct guest_input *in, __u32 index)
{
	size_t at = HEADER + index % GUEST_SLOTS * ring_stride;
	size_t here = BLKIF_PAGE_SIZE - at % BLKIF_PAGE_SIZE;

	if (here > ring_stride)
		here = ring_stride;
	guest_take(in, byte_at(at), here);
	if (here < ring_stride)
		guest_take(in, byte_at(at + here), ring_stride - here);
}

/* Up to a ring full of slots; what is behind them is rubbish. */
static void fill(struct guest_input *in, const struct blkif_sring *shared)
{
	__u32 slots = shared->req_prod - shared->rsp_prod;
	__u32 i;

	if (slots > GUEST_SLOTS)
		slots = GUEST_SLOTS;
	for (i = 0; i < slots; i++)
		fill_slot(in, shared->rsp_prod + i);
}

void guest_start(struct guest_input *in, unsigned int stride, void **pages)
{
	struct blkif_sring *shared;
	unsigned int i;
	__u16 wanted;

	if (!ring)
		ring = aligned_alloc(BLKIF_PAGE_SIZE, BYTES);
	for (i = 0; i < GUEST_PAGES; i++)
		pages[i] = page_of(i);
	memset(ring, 0xa5, BYTES);
	ring_stride = stride;
	shared = pages[0];
	memset(shared, 0, sizeof(*shared));
	guest_take(in, &shared->rsp_prod, sizeof(shared->rsp_prod));
	guest_take(in, &shared->rsp_event, sizeof(shared->rsp_event));
	/* A few mostly, or more than a ring can have; the script may make it any number. */
	guest_take(in, &wanted, sizeof(wanted));
	shared->req_prod = shared->rsp_prod +
			   wanted % (wanted >> 12 ? FEW : GUEST_SLOTS + 8);
	fill(in, shared);
	script = in;
	answer = NO_SLOT;
	guest_forgets();
}

/* One byte says whether, and then two say where, and one what. */
void guest_moves(void)
{
	__u8 whether, what;
	__u16 where;

	guest_take(script, &whether, sizeof(whether));
	if (!(whether & 1))
		return;
	guest_take(script, &where, sizeof(where));
	guest_take(script, &what, sizeof(what));
	*byte_at(where % BYTES) = what;
}

void guest_forgets(void)
{
	now++;
}

void guest_awaits(unsigned int slot)
{
	answer = slot;
}

/* Where in the ring an address is; or no smaller than all of it. */
static size_t place(const void *address)
{
	size_t at = (uintptr_t)address - (uintptr_t)ring;

	if (at >= BYTES)
		return at;
	return (GUEST_PAGES - 1 - at / BLKIF_PAGE_SIZE) * BLKIF_PAGE_SIZE +
	       at % BLKIF_PAGE_SIZE;
}

static bool is_field(size_t at, size_t field, size_t bytes)
{
	return at >= field && at - field < bytes;
}

static bool may_be_read(size_t at)
{
	return at >= HEADER ||
	       is_field(at, offsetof(struct blkif_sring, req_prod), 4) ||
	       is_field(at, offsetof(struct blkif_sring, rsp_event), 4) ||
	       /* once, when a ring is taken up */
	       (answer == NO_SLOT &&
		is_field(at, offsetof(struct blkif_sring, rsp_prod), 4));
}

static bool may_be_written(size_t at)
{
	size_t slot = HEADER + (size_t)answer * ring_stride;

	if (at < HEADER)
		return is_field(at, offsetof(struct blkif_sring, req_event), 4) ||
		       is_field(at, offsetof(struct blkif_sring, rsp_prod), 4);
	if (answer == NO_SLOT)
		return false;
	return is_field(at, slot + offsetof(struct blkif_response, id), 8) ||
	       is_field(at, slot + offsetof(struct blkif_response, operation), 1) ||
	       is_field(at, slot + offsetof(struct blkif_response, status), 2);
}

static void told_of_load(const void *address, size_t bytes)
{
	size_t at = place(address);

	for (; bytes && at < BYTES; at++, bytes--) {
		if (seen[at] == now)
			caught("looked at twice", at);
		if (!may_be_read(at))
			caught("looked at what we write", at);
		seen[at] = now;
	}
}

static void told_of_store(const void *address, size_t bytes)
{
	size_t at = place(address);

	for (; bytes && at < BYTES; at++, bytes--)
		if (!may_be_written(at))
			caught("written to", at);
}

void *guest_copy(void *to, const void *from, size_t bytes)
{
	told_of_load(from, bytes);
	told_of_store(to, bytes);
	return memcpy(to, from, bytes);
}

#define TOLD(bytes)						\
void __sanitizer_cov_load##bytes(const void *address)		\
{								\
	told_of_load(address, bytes);				\
}								\
void __sanitizer_cov_store##bytes(const void *address)		\
{								\
	told_of_store(address, bytes);				\
}

TOLD(1)
TOLD(2)
TOLD(4)
TOLD(8)
TOLD(16)
