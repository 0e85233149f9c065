/* SPDX-License-Identifier: GPL-2.0-only */
/* Verified I/O by chance. */
#ifndef IO_H
#define IO_H

#include "transfer.h"

/**
 * struct plan - what I/O to do
 * @count: how many requests
 * @depth: most that are out at a time
 * @ops: a letter for each kind, more often if twice: rwbfd, as in read, write,
 *	barrier, flush, discard; the first request is of the first kind
 * @max_sectors: most in a request, 0 if as many as fit
 * @direct: requests may be direct
 * @indirect: requests may be INDIRECT
 * @split: segments of any size
 * @share: several segments in a page
 * @readonly: pages written from are granted read-only
 * @leave: do not wait for the last ones
 */
struct plan {
	unsigned int count;
	unsigned int depth;
	const char *ops;
	unsigned int max_sectors;
	bool direct;
	bool indirect;
	bool split;
	bool share;
	bool readonly;
	bool leave;
};

void io_run(struct frontend *fe, const struct plan *plan);

/* A model for the disk at hand, of what the disk has in it now; or of chance. */
void io_load(struct frontend *fe);
void io_fill(struct frontend *fe);

/* Reads all the disk and holds it against the model. */
void io_verify(struct frontend *fe);

#endif /* IO_H */
