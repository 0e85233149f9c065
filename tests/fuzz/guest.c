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
#define NO_SLOT		UINT32_MAX

static __u8 *ring;
static unsigned int ring_stride, answer;
static bool seen[BLKIF_PAGE_SIZE];
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

/* Up to a ring full of slots; what is behind them is rubbish. */
static void fill(struct guest_input *in, struct blkif_sring *shared)
{
	__u32 slots = shared->req_prod - shared->rsp_prod;
	__u32 i;

	memset(ring + HEADER, 0xa5, BLKIF_PAGE_SIZE - HEADER);
	if (slots > 32)
		slots = 32;
	for (i = 0; i < slots; i++)
		guest_take(in, ring + HEADER +
			   (shared->rsp_prod + i) % 32 * ring_stride, ring_stride);
}

struct blkif_sring *guest_start(struct guest_input *in, unsigned int stride)
{
	struct blkif_sring *shared;
	__u8 wanted;

	if (!ring)
		ring = aligned_alloc(BLKIF_PAGE_SIZE, BLKIF_PAGE_SIZE);
	ring_stride = stride;
	shared = (struct blkif_sring *)ring;
	memset(shared, 0, sizeof(*shared));
	guest_take(in, &shared->rsp_prod, sizeof(shared->rsp_prod));
	guest_take(in, &shared->rsp_event, sizeof(shared->rsp_event));
	/* Mostly what a ring can have; the script may make it any number. */
	guest_take(in, &wanted, sizeof(wanted));
	shared->req_prod = shared->rsp_prod + wanted % 40;
	fill(in, shared);
	script = in;
	answer = NO_SLOT;
	guest_forgets();
	return shared;
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
	ring[where % BLKIF_PAGE_SIZE] = what;
}

void guest_forgets(void)
{
	memset(seen, 0, sizeof(seen));
}

void guest_awaits(unsigned int slot)
{
	answer = slot;
}

/* Where in the ring an address is; or no smaller than a page. */
static size_t place(const void *address)
{
	return (uintptr_t)address - (uintptr_t)ring;
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

	for (; bytes && at < BLKIF_PAGE_SIZE; at++, bytes--) {
		if (seen[at])
			caught("looked at twice", at);
		if (!may_be_read(at))
			caught("looked at what we write", at);
		seen[at] = true;
	}
}

static void told_of_store(const void *address, size_t bytes)
{
	size_t at = place(address);

	for (; bytes && at < BLKIF_PAGE_SIZE; at++, bytes--)
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
