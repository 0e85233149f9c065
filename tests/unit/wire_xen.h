/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A request in words that belong to nobody, so that both the test frontend and
 * Xen's own header can be asked to lay it out: see wire_xen.c.
 */
#ifndef WIRE_XEN_H
#define WIRE_XEN_H

#include <linux/types.h>

#define SAMPLE_SEGMENTS	11
#define SAMPLE_GREFS	8

/**
 * struct sample - the fields of a request
 * @op: operation; it decides which other fields there are
 * @inner_op: of INDIRECT
 * @flag: of DISCARD
 * @handle: all that have it
 * @nr_segs: all but DISCARD
 * @id: all
 * @sector: all
 * @nr_sectors: of DISCARD
 * @gref: of direct segments
 * @first: of direct segments
 * @last: of direct segments
 * @indirect: grant references of INDIRECT
 */
struct sample {
	__u8 op;
	__u8 inner_op;
	__u8 flag;
	__u16 handle;
	__u16 nr_segs;
	__u64 id;
	__u64 sector;
	__u64 nr_sectors;
	__u32 gref[SAMPLE_SEGMENTS];
	__u8 first[SAMPLE_SEGMENTS];
	__u8 last[SAMPLE_SEGMENTS];
	__u32 indirect[SAMPLE_GREFS];
};

/* Fill a slot that is zero, and return its size. */
unsigned int xen_slot_64(const struct sample *sample, void *slot);
unsigned int xen_slot_32(const struct sample *sample, void *slot);

#endif /* WIRE_XEN_H */
