/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's end of a ring, for the fuzzer: memory that changes whenever somebody
 * may look, by a script that the fuzzer writes.
 *
 * It sees each access to the ring by code that was compiled to tell of its loads and
 * stores, and ends the program if one is not allowed: a second look at what has been
 * looked at, a look at what only we write, or a store to what is not ours.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../blkif.h"

/**
 * struct guest_input - what the fuzzer has written
 * @next: the rest of it
 * @left: bytes
 */
struct guest_input {
	const __u8 *next;
	size_t left;
};

/**
 * guest_take() - the next bytes of the input
 * @in: the input
 * @to: where they go; zeroes once it is used up
 * @bytes: how many
 */
void guest_take(struct guest_input *in, void *to, size_t bytes);

/*
 * The smallest ring in which an answer may be in two pages: slot 189 of 108 bytes is, at
 * the end of the fifth.
 */
#define GUEST_PAGES	8
#define GUEST_SLOTS	256

/**
 * guest_start() - make a ring
 * @in: the indices, the slots that are between them, and then the script
 * @stride: bytes from slot to slot
 * @pages: filled in; they do not follow each other. What is in there may be looked at
 *	once
 */
void guest_start(struct guest_input *in, unsigned int stride, void **pages);

/**
 * guest_moves() - the guest may write to the ring, if the script says so
 *
 * Called wherever the backend could have been interrupted.
 */
void guest_moves(void);

/**
 * guest_forgets() - what has been looked at may be looked at once more
 *
 * Before each use of sring.h: none keeps anything of the one before.
 */
void guest_forgets(void);

/**
 * guest_awaits() - only this answer may be written
 * @slot: number of the slot it goes to
 */
void guest_awaits(unsigned int slot);

/**
 * guest_copy() - memcpy() that tells of what it does
 * @to: as memcpy()
 * @from: as memcpy()
 * @bytes: as memcpy()
 *
 * Return: @to.
 */
void *guest_copy(void *to, const void *from, size_t bytes);

/* What clang has code call before each load and store of so many bytes. */
#define TELLS(bytes)						\
void __sanitizer_cov_load##bytes(const void *address);		\
void __sanitizer_cov_store##bytes(const void *address)

TELLS(1);
TELLS(2);
TELLS(4);
TELLS(8);
TELLS(16);

#endif /* GUEST_H */
