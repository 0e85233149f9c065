/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The block protocol in numbers, as the system's own Xen header has it.
 *
 * That header and our blkif.h define the same names, so no file can include
 * both. layout_xen.c includes Xen's and exports this table, once as 64-bit and
 * once as i386 compilers lay it out; test_layout.c includes ours and compares.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stddef.h>

/**
 * struct field - where a member of a struct is
 * @offset: in bytes
 * @size: in bytes
 */
struct field {
	size_t offset;
	size_t size;
};

#define FIELD(type, member) \
	{ offsetof(type, member), sizeof(((type *)0)->member) }

/* Fields of requests: where they sit depends on the ABI. */
enum request_field {
	REQ_OPERATION,
	REQ_NR_SEGMENTS,
	REQ_HANDLE,
	REQ_ID,
	REQ_SECTOR_NUMBER,
	REQ_SEG,
	IND_OPERATION,
	IND_INDIRECT_OP,
	IND_NR_SEGMENTS,
	IND_ID,
	IND_SECTOR_NUMBER,
	IND_HANDLE,
	IND_GREFS,
	DIS_OPERATION,
	DIS_FLAG,
	DIS_ID,
	DIS_SECTOR_NUMBER,
	DIS_NR_SECTORS,
	NR_REQUEST_FIELDS
};

/* Fields of everything else: the same in each ABI. */
enum common_field {
	SEG_GREF,
	SEG_FIRST_SECT,
	SEG_LAST_SECT,
	RSP_ID,
	RSP_OPERATION,
	RSP_STATUS,
	SRING_REQ_PROD,
	SRING_REQ_EVENT,
	SRING_RSP_PROD,
	SRING_RSP_EVENT,
	NR_COMMON_FIELDS
};

enum constant {
	C_READ,
	C_WRITE,
	C_WRITE_BARRIER,
	C_FLUSH_DISKCACHE,
	C_DISCARD,
	C_INDIRECT,
	C_OKAY,
	C_ERROR,
	C_EOPNOTSUPP,
	C_CDROM,
	C_REMOVABLE,
	C_READONLY,
	C_SECURE,
	C_DIRECT_SEGMENTS,
	C_INDIRECT_PAGES,
	NR_CONSTANTS
};

/* Rings of 1, 2, 4, 8 and 16 pages. */
#define NR_ORDERS 5

/**
 * struct layout - one way to lay the protocol out
 * @slot: size of a ring slot
 * @header: what comes before the first slot
 * @segment: size of a segment
 * @request: fields of requests
 * @common: fields of everything else
 * @slots: how many slots a ring of 2^index pages has
 * @slots_of_pointer: the same number by the header's other formula
 * @constant: values by name
 */
struct layout {
	size_t slot;
	size_t header;
	size_t segment;
	struct field request[NR_REQUEST_FIELDS];
	struct field common[NR_COMMON_FIELDS];
	unsigned int slots[NR_ORDERS];
	unsigned int slots_of_pointer[NR_ORDERS];
	int constant[NR_CONSTANTS];
};

const struct layout *layout_64(void);
const struct layout *layout_32(void);

#endif /* LAYOUT_H */
