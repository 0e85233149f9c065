/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests whose effect is known to the model. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "request.h"

/**
 * struct style - how requests are to be made
 * @indirect: by INDIRECT
 * @max_segments: most in a request
 * @split: in segments of any size anywhere in their pages, not in whole pages
 * @share: and neighbours may share a page
 * @readonly: what is written comes from pages that cannot be written to
 */
struct style {
	bool indirect;
	unsigned int max_segments;
	bool split;
	bool share;
	bool readonly;
};

/* What a READ is for. */
enum purpose {
	COMPARE,	/* what was read has to be what the model says */
	LEARN,		/* the model says from now on what was read */
};

/**
 * struct extent - part of the disk
 * @sector: where it starts
 * @count: how long it is
 */
struct extent {
	__u64 sector;
	__u64 count;
};

/*
 * All these begin a request, which ends by itself: whoever waits until no
 * request is out knows that all has been as it should, as it is wrong
 * otherwise. The span must have been claimed in the model; it is released.
 */
void start_read(struct frontend *fe, struct extent span, const struct style *style,
		enum purpose purpose);
/* The model has the data already. @op may be WRITE_BARRIER, too. */
void start_write(struct frontend *fe, enum blkif_op op, struct extent span,
		 const struct style *style);
void start_discard(struct frontend *fe, struct extent span);
void start_flush(struct frontend *fe);

/* The largest style the disk takes. */
struct style widest_style(const struct conn *conn);

/* A read of all the disk. */
void read_all(struct frontend *fe, enum purpose purpose);

/* Fills all the disk with chance. */
void write_all(struct frontend *fe);

#endif /* TRANSFER_H */
