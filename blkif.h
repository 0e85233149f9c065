/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The Xen block protocol: what a guest's disk driver (the frontend) and the
 * driver that owns the disk (the backend) write to each other.
 *
 * This header stands alone, so that a frontend or a test may include it too.
 *
 * Units. A sector is 512 bytes everywhere in this protocol, whatever the
 * disk's own block size; positions and lengths must merely be multiples of
 * that block size. A page is 4096 bytes.
 *
 *
 * Meeting: keys in xenstore
 * =========================
 * Each side owns a directory. Every key is text, numbers are decimal.
 *
 * The backend writes, before it enters state InitWait:
 *
 *   multi-queue-max-queues	how many rings it is ready to serve (at least 1)
 *   max-ring-page-order	a ring may have up to 2^this pages
 *   max-ring-pages		the same as a number of pages, a power of two
 *   feature-max-indirect-segments
 *				most segments in an INDIRECT request
 *   feature-persistent		1 if pages may stay mapped, see below
 *
 * and, before it enters state Connected:
 *
 *   sectors			size of the disk, in sectors
 *   sector-size		its logical block size, in bytes
 *   physical-sector-size	its physical block size, in bytes
 *   info			VDISK_* bits
 *   feature-flush-cache	1 if FLUSH_DISKCACHE may be sent
 *   feature-barrier		1 if WRITE_BARRIER may be sent
 *   feature-discard		1 if DISCARD may be sent; then also:
 *   discard-granularity	the disk discards whole units of this many
 *				bytes; what is left over at the ends stays
 *   discard-alignment		where on the disk the first unit starts, in bytes
 *   discard-secure		1 if a DISCARD may be BLKIF_DISCARD_SECURE
 *
 * The frontend writes, before it enters state Initialised:
 *
 *   protocol			which layout its requests have: x86_64-abi,
 *				x86_32-abi or arm-abi
 *   multi-queue-num-queues	how many rings it made; left out means 1
 *   ring-page-order		each ring has 2^this pages; left out means 0
 *   num-ring-pages		the same as a number of pages; not looked at if
 *				there is a ring-page-order
 *   feature-persistent		1 if pages are to stay mapped
 *   ring-ref, event-channel	where a ring is, see below
 *
 *
 * Queues: many rings for one disk
 * ===============================
 * A frontend that wants more than one ring looks for multi-queue-max-queues.
 * Where the backend has not written it, there is one ring. Otherwise the
 * frontend picks a number from 1 up to that maximum, and writes its choice to
 * multi-queue-num-queues. A backend refuses 0, a number above what it offered,
 * and text that is not a number: it writes the reason to its error node and
 * enters Closing.
 *
 * All rings of a disk have the same number of pages, the same layout, and
 * equal rights: any request may go on any of them. No order holds between
 * requests, on one ring or on two, but for WRITE_BARRIER: what was sent before
 * it, on any ring, is done before it, and what is sent after its answer is done
 * after it. On its own ring what is sent behind it, answered or not, is too.
 * (With barriers out on two rings at a time, there is no order between them, and
 * what stands behind the one need not be done before the other.)
 *
 * One queue: the keys of the only ring stand in the frontend's directory
 * itself, just as they did before queues were invented. So a frontend that
 * chose one queue and a frontend that has never heard of queues cannot be told
 * apart, and need not be.
 *
 * Two queues or more: the keys of ring N stand in a subdirectory "queue-N",
 * where N counts from 0 and is written without leading zeroes. The keys at the
 * top are then not looked at.
 *
 *
 * Pages: one ring on several pages
 * ================================
 * With ring-page-order absent (or 0) the ring is one page and its grant
 * reference is the key "ring-ref". With ring-page-order K above 0 the ring is
 * 2^K pages, seen by both sides as one piece of memory, and their grant
 * references are the keys "ring-ref0", "ring-ref1" ... in that order.
 * "event-channel" is one per ring, however many pages. (Some frontends write
 * "ring-ref0" for a ring of one page; it is taken if there is no "ring-ref".)
 *
 * Two queues of one page each:
 *
 *   device/vbd/51712/protocol = "x86_64-abi"
 *   device/vbd/51712/multi-queue-num-queues = "2"
 *   device/vbd/51712/queue-0/ring-ref = "801"
 *   device/vbd/51712/queue-0/event-channel = "17"
 *   device/vbd/51712/queue-1/ring-ref = "802"
 *   device/vbd/51712/queue-1/event-channel = "18"
 *
 * Two queues of two pages each:
 *
 *   device/vbd/51712/protocol = "x86_64-abi"
 *   device/vbd/51712/multi-queue-num-queues = "2"
 *   device/vbd/51712/ring-page-order = "1"
 *   device/vbd/51712/queue-0/ring-ref0 = "801"
 *   device/vbd/51712/queue-0/ring-ref1 = "802"
 *   device/vbd/51712/queue-0/event-channel = "17"
 *   device/vbd/51712/queue-1/ring-ref0 = "803"
 *   device/vbd/51712/queue-1/ring-ref1 = "804"
 *   device/vbd/51712/queue-1/event-channel = "18"
 *
 * One queue of two pages has ring-page-order, ring-ref0, ring-ref1 and
 * event-channel at the top.
 *
 *
 * Pages that stay mapped
 * ======================
 * If both sides have written feature-persistent = 1, the backend may leave any
 * page that a request names mapped, for reading and writing, until the
 * connection ends; it decides which and for how long. The frontend must grant
 * its pages for both, must not take a grant back or use its reference for
 * another page, and gains if it uses few pages again and again.
 *
 *
 * Talking: the ring
 * =================
 * A ring starts with struct blkif_sring, then come as many slots as fit,
 * rounded down to a power of two. The slot of index I is I modulo that number.
 * Indices only grow, and wrap at 2^32. A slot holds a request until the
 * backend has read it, and may hold any response afterwards.
 */
#ifndef BLKIF_H
#define BLKIF_H

#include <linux/types.h>

/* What a request may ask for: the first byte of its slot. */
enum blkif_op {
	BLKIF_OP_READ			= 0,
	BLKIF_OP_WRITE			= 1,
	/* WRITE, durable and in order, see above; or without data only that */
	BLKIF_OP_WRITE_BARRIER		= 2,
	/* make all writes answered so far durable */
	BLKIF_OP_FLUSH_DISKCACHE	= 3,
	BLKIF_OP_DISCARD		= 5,
	/* READ or WRITE whose segments are listed in pages of their own */
	BLKIF_OP_INDIRECT		= 6,
};

/* What a response says: its last field. */
enum blkif_status {
	BLKIF_RSP_OKAY			= 0,
	BLKIF_RSP_ERROR			= -1,
	BLKIF_RSP_EOPNOTSUPP		= -2,
};

/* The bits of the backend's "info" key. */
#define VDISK_CDROM			1
#define VDISK_REMOVABLE			2
#define VDISK_READONLY			4

/* The bits of a DISCARD's flag. */
#define BLKIF_DISCARD_SECURE		1

#define BLKIF_SECTOR_SHIFT		9
#define BLKIF_SECTOR_SIZE		512
#define BLKIF_PAGE_SIZE			4096
#define BLKIF_SECTORS_PER_PAGE		8

/* Most segments in a request without INDIRECT; fixed by the slot's size. */
#define BLKIF_MAX_DIRECT_SEGMENTS	11
/* Most pages of segments an INDIRECT request can name. */
#define BLKIF_MAX_INDIRECT_PAGES	8

/**
 * struct blkif_segment - a run of sectors inside one page of the guest
 * @gref: grant reference of the page
 * @first_sect: first sector, 0 to 7
 * @last_sect: last sector, which belongs to the run; not below @first_sect
 * @_pad: not looked at
 */
struct blkif_segment {
	__u32 gref;
	__u8 first_sect;
	__u8 last_sect;
	__u8 _pad[2];
};

#define BLKIF_SEGMENTS_PER_PAGE \
	(BLKIF_PAGE_SIZE / sizeof(struct blkif_segment))

/**
 * struct blkif_request - READ, WRITE, WRITE_BARRIER and FLUSH_DISKCACHE
 * @operation: enum blkif_op
 * @nr_segments: entries used in @seg
 * @handle: the disk's number; not looked at, a ring belongs to one disk
 * @_pad: not there in x86_32-abi, see below
 * @id: chosen by the frontend, comes back in the response
 * @sector_number: where on the disk the first segment starts
 * @seg: where the data is or goes; the segments follow each other on the disk
 *
 * This and the other requests are written down as 64-bit machines lay them
 * out, x86_64-abi and arm-abi. In x86_32-abi @_pad is missing, so all behind it
 * sits 4 bytes further ahead and a slot is 4 bytes smaller. Nothing else
 * differs between the layouts.
 */
struct blkif_request {
	__u8 operation;
	__u8 nr_segments;
	__u16 handle;
	__u32 _pad;
	__u64 id;
	__u64 sector_number;
	struct blkif_segment seg[BLKIF_MAX_DIRECT_SEGMENTS];
};

/**
 * struct blkif_request_indirect - READ or WRITE of up to thousands of segments
 * @operation: BLKIF_OP_INDIRECT
 * @indirect_op: BLKIF_OP_READ or BLKIF_OP_WRITE; this is what the response
 *	names as its operation
 * @nr_segments: how many in all
 * @_pad: not there in x86_32-abi
 * @id: as in struct blkif_request
 * @sector_number: as in struct blkif_request
 * @handle: as in struct blkif_request
 * @_pad2: not looked at
 * @indirect_gref: grant references of pages full of struct blkif_segment
 */
struct blkif_request_indirect {
	__u8 operation;
	__u8 indirect_op;
	__u16 nr_segments;
	__u32 _pad;
	__u64 id;
	__u64 sector_number;
	__u16 handle;
	__u16 _pad2;
	__u32 indirect_gref[BLKIF_MAX_INDIRECT_PAGES];
};

/**
 * struct blkif_request_discard - DISCARD: what these sectors hold is not needed
 * @operation: BLKIF_OP_DISCARD
 * @flag: BLKIF_DISCARD_* bits
 * @handle: as in struct blkif_request
 * @_pad: not there in x86_32-abi
 * @id: as in struct blkif_request
 * @sector_number: first sector
 * @nr_sectors: how many, at least 1
 */
struct blkif_request_discard {
	__u8 operation;
	__u8 flag;
	__u16 handle;
	__u32 _pad;
	__u64 id;
	__u64 sector_number;
	__u64 nr_sectors;
};

/**
 * struct blkif_response - the answer to one request, at the start of a slot
 * @id: of the request
 * @operation: of the request
 * @_pad: not looked at
 * @status: enum blkif_status
 * @_pad2: not looked at
 *
 * The same in every layout; the rest of the slot means nothing.
 */
struct blkif_response {
	__u64 id;
	__u8 operation;
	__u8 _pad;
	__s16 status;
	__u32 _pad2;
};

/**
 * struct blkif_sring - the start of a ring; the slots follow
 * @req_prod: index behind the last request; written by the frontend
 * @req_event: the backend wants an event when @req_prod gets here
 * @rsp_prod: index behind the last response; written by the backend
 * @rsp_event: the frontend wants an event when @rsp_prod gets here
 * @_pad: up to 64 bytes
 */
struct blkif_sring {
	__u32 req_prod;
	__u32 req_event;
	__u32 rsp_prod;
	__u32 rsp_event;
	__u8 _pad[48];
};

#endif /* BLKIF_H */
