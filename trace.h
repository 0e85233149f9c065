/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: one request from the ring to the response, and what happens by the
 * way. docs/latency.md tells what to do with them.
 *
 * Every event names the disk as sysfs does, by the guest's domain and the number of
 * the disk, and those of requests the queue. Nothing here is of variable length, as
 * the macros for that differ between kernels.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xen_blkback

#if !defined(BLKBACK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define BLKBACK_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

#include "common.h"

#ifndef BLKBACK_TRACE_ONCE
#define BLKBACK_TRACE_ONCE

/* Hypercalls about grants, as enum would have it in the header of an event. */
enum blkback_grants {
	GRANTS_MAP,
	GRANTS_UNMAP,
	GRANTS_COPY,
};

/* How much of an error's text is kept. */
#define TRACE_TEXT	128

#endif /* BLKBACK_TRACE_ONCE */

/* What user space is to know of the numbers in events. */
TRACE_DEFINE_ENUM(BLKIF_OP_READ);
TRACE_DEFINE_ENUM(BLKIF_OP_WRITE);
TRACE_DEFINE_ENUM(BLKIF_OP_WRITE_BARRIER);
TRACE_DEFINE_ENUM(BLKIF_OP_FLUSH_DISKCACHE);
TRACE_DEFINE_ENUM(BLKIF_OP_DISCARD);
TRACE_DEFINE_ENUM(BLKIF_OP_INDIRECT);
TRACE_DEFINE_ENUM(BLKIF_RSP_OKAY);
TRACE_DEFINE_ENUM(BLKIF_RSP_ERROR);
TRACE_DEFINE_ENUM(BLKIF_RSP_EOPNOTSUPP);
TRACE_DEFINE_ENUM(DATA_NONE);
TRACE_DEFINE_ENUM(DATA_COPIED);
TRACE_DEFINE_ENUM(DATA_MAPPED);
TRACE_DEFINE_ENUM(DATA_KEPT);
TRACE_DEFINE_ENUM(GRANTS_MAP);
TRACE_DEFINE_ENUM(GRANTS_UNMAP);
TRACE_DEFINE_ENUM(GRANTS_COPY);
TRACE_DEFINE_ENUM(BLKBACK_INIT);
TRACE_DEFINE_ENUM(BLKBACK_WAIT_BDEV);
TRACE_DEFINE_ENUM(BLKBACK_WAIT_FRONTEND);
TRACE_DEFINE_ENUM(BLKBACK_CONNECTED);
TRACE_DEFINE_ENUM(BLKBACK_CLOSING);
TRACE_DEFINE_ENUM(BLKBACK_DRAINING);
TRACE_DEFINE_ENUM(BLKBACK_CLOSED);

#define show_operation(op)						\
	__print_symbolic(op,						\
			 { BLKIF_OP_READ, "read" },			\
			 { BLKIF_OP_WRITE, "write" },			\
			 { BLKIF_OP_WRITE_BARRIER, "barrier" },		\
			 { BLKIF_OP_FLUSH_DISKCACHE, "flush" },		\
			 { BLKIF_OP_DISCARD, "discard" },		\
			 { BLKIF_OP_INDIRECT, "indirect" })

#define show_status(status)						\
	__print_symbolic(status,					\
			 { BLKIF_RSP_OKAY, "okay" },			\
			 { BLKIF_RSP_ERROR, "error" },			\
			 { BLKIF_RSP_EOPNOTSUPP, "notsupp" })

#define show_data(data)							\
	__print_symbolic(data,						\
			 { DATA_NONE, "none" },				\
			 { DATA_COPIED, "copied" },			\
			 { DATA_MAPPED, "mapped" },			\
			 { DATA_KEPT, "kept" })

#define show_grants(kind)						\
	__print_symbolic(kind,						\
			 { GRANTS_MAP, "map" },				\
			 { GRANTS_UNMAP, "unmap" },			\
			 { GRANTS_COPY, "copy" })

/* The words that connection/state has in sysfs. */
#define show_state(state)						\
	__print_symbolic(state,						\
			 { BLKBACK_INIT, "init" },			\
			 { BLKBACK_WAIT_BDEV, "waiting-for-disk" },	\
			 { BLKBACK_WAIT_FRONTEND, "waiting-for-frontend" }, \
			 { BLKBACK_CONNECTED, "connected" },		\
			 { BLKBACK_CLOSING, "closing" },		\
			 { BLKBACK_DRAINING, "draining" },		\
			 { BLKBACK_CLOSED, "closed" })

/*
 * A request is taken off the ring; its segments have not been looked at. If the status
 * is not okay it is answered at once, and nothing else is heard of it.
 */
TRACE_EVENT(blkback_fetch,
	    TP_PROTO(const struct blkback_ring *ring,
		     const struct wire_request *wire, int status),
	    TP_ARGS(ring, wire, status),
	    TP_STRUCT__entry(__field(u16, domain)
			     __field(u32, disk)
			     __field(u16, queue)
			     __field(u8, op)
			     __field(s8, status)
			     __field(u16, segments)
			     __field(u64, id)
			     __field(u64, sector)),
	    TP_fast_assign(__entry->domain = ring->guest;
			   __entry->disk = ring->conn->dev->number;
			   __entry->queue = ring->index;
			   __entry->op = wire->operation;
			   __entry->status = status;
			   __entry->segments = wire->nr_segs;
			   __entry->id = wire->id;
			   __entry->sector = wire->sector;),
	    TP_printk("vbd-%u-%u queue %u: id %llu %s sector %llu segments %u %s",
		      __entry->domain, __entry->disk, __entry->queue, __entry->id,
		      show_operation(__entry->op), __entry->sector,
		      __entry->segments, show_status(__entry->status))
);

/* A request, or a piece of a discard, is given to the disk. */
TRACE_EVENT(blkback_submit,
	    TP_PROTO(const struct blkback_req *req),
	    TP_ARGS(req),
	    TP_STRUCT__entry(__field(u16, domain)
			     __field(u32, disk)
			     __field(u16, queue)
			     __field(u8, op)
			     __field(u8, data)
			     __field(u32, sectors)
			     __field(u64, id)
			     __field(u64, sector)
			     __field(u64, wait_ns)),
	    TP_fast_assign(__entry->domain = req->ring->guest;
			   __entry->disk = req->ring->conn->dev->number;
			   __entry->queue = req->ring->index;
			   __entry->op = req->operation;
			   __entry->data = req->data;
			   __entry->sectors = bio_sectors(&req->bio);
			   __entry->id = req->id;
			   __entry->sector = req->bio.bi_iter.bi_sector;
			   __entry->wait_ns = req->given_at - req->known_at;),
	    TP_printk("vbd-%u-%u queue %u: id %llu %s sector %llu sectors %u %s wait %llu ns",
		      __entry->domain, __entry->disk, __entry->queue, __entry->id,
		      show_operation(__entry->op), __entry->sector,
		      __entry->sectors, show_data(__entry->data), __entry->wait_ns)
);

/* The disk is done with it. */
TRACE_EVENT(blkback_complete,
	    TP_PROTO(const struct blkback_req *req),
	    TP_ARGS(req),
	    TP_STRUCT__entry(__field(u16, domain)
			     __field(u32, disk)
			     __field(u16, queue)
			     __field(u8, op)
			     __field(s8, status)
			     __field(u64, id)),
	    TP_fast_assign(__entry->domain = req->ring->guest;
			   __entry->disk = req->ring->conn->dev->number;
			   __entry->queue = req->ring->index;
			   __entry->op = req->operation;
			   __entry->status = req->status;
			   __entry->id = req->id;),
	    TP_printk("vbd-%u-%u queue %u: id %llu %s %s",
		      __entry->domain, __entry->disk, __entry->queue, __entry->id,
		      show_operation(__entry->op), show_status(__entry->status))
);

/* The response is written. What was never given to the disk has times of 0. */
TRACE_EVENT(blkback_respond,
	    TP_PROTO(const struct blkback_req *req, u64 done, u64 now),
	    TP_ARGS(req, done, now),
	    TP_STRUCT__entry(__field(u16, domain)
			     __field(u32, disk)
			     __field(u16, queue)
			     __field(u8, op)
			     __field(s8, status)
			     __field(u64, id)
			     __field(u64, disk_ns)
			     __field(u64, answer_ns)
			     __field(u64, total_ns)),
	    TP_fast_assign(__entry->domain = req->ring->guest;
			   __entry->disk = req->ring->conn->dev->number;
			   __entry->queue = req->ring->index;
			   __entry->op = req->operation;
			   __entry->status = req->status;
			   __entry->id = req->id;
			   done = time_done(req->done_at, req->given_at, done);
			   __entry->disk_ns = req->given_at ? done - req->given_at : 0;
			   __entry->answer_ns = req->given_at ? now - done : 0;
			   __entry->total_ns = req->given_at ? now - req->known_at : 0;),
	    TP_printk("vbd-%u-%u queue %u: id %llu %s %s disk %llu ns answer %llu ns total %llu ns",
		      __entry->domain, __entry->disk, __entry->queue, __entry->id,
		      show_operation(__entry->op), show_status(__entry->status),
		      __entry->disk_ns, __entry->answer_ns, __entry->total_ns)
);

/* A hypercall about grants. What has failed may be tried again. */
TRACE_EVENT(blkback_grants,
	    TP_PROTO(const struct blkback_ring *ring, unsigned int kind,
		     unsigned int number, unsigned int failed),
	    TP_ARGS(ring, kind, number, failed),
	    TP_STRUCT__entry(__field(u16, domain)
			     __field(u32, disk)
			     __field(u16, queue)
			     __field(u8, kind)
			     __field(u16, number)
			     __field(u16, failed)),
	    TP_fast_assign(__entry->domain = ring->guest;
			   __entry->disk = ring->conn->dev->number;
			   __entry->queue = ring->index;
			   __entry->kind = kind;
			   __entry->number = number;
			   __entry->failed = failed;),
	    TP_printk("vbd-%u-%u queue %u: %s %u failed %u", __entry->domain,
		      __entry->disk, __entry->queue, show_grants(__entry->kind),
		      __entry->number, __entry->failed)
);

/* A device goes from one state to another. */
TRACE_EVENT(blkback_state,
	    TP_PROTO(const struct blkback_dev *dev, unsigned int from,
		     unsigned int to),
	    TP_ARGS(dev, from, to),
	    TP_STRUCT__entry(__field(u16, domain)
			     __field(u32, disk)
			     __field(u8, from)
			     __field(u8, to)),
	    TP_fast_assign(__entry->domain = dev->xdev->otherend_id;
			   __entry->disk = dev->number;
			   __entry->from = from;
			   __entry->to = to;),
	    TP_printk("vbd-%u-%u: %s -> %s", __entry->domain, __entry->disk,
		      show_state(__entry->from), show_state(__entry->to))
);

/* What goes to the error node of a device, whether or not the log has it. */
TRACE_EVENT(blkback_error,
	    TP_PROTO(const struct blkback_dev *dev, int err, const char *text),
	    TP_ARGS(dev, err, text),
	    TP_STRUCT__entry(__field(u16, domain)
			     __field(u32, disk)
			     __field(int, err)
			     __array(char, text, TRACE_TEXT)),
	    TP_fast_assign(__entry->domain = dev->xdev->otherend_id;
			   __entry->disk = dev->number;
			   __entry->err = err;
			   strscpy(__entry->text, text, TRACE_TEXT);),
	    TP_printk("vbd-%u-%u: %d: %s", __entry->domain, __entry->disk,
		      __entry->err, __entry->text)
);

#endif /* BLKBACK_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
