// SPDX-License-Identifier: GPL-2.0-only
/* Requests whose effect is known to the model. */
#include <stdlib.h>
#include <string.h>

#include "transfer.h"

/* Put into pages before a READ: nothing but its segments may change. */
#define UNTOUCHED	0xa5

/**
 * struct piece - a segment and its page
 * @page: the page
 * @seg: the segment
 * @same_page: as the piece before
 */
struct piece {
	struct page *page;
	struct blkif_segment seg;
	bool same_page;
};

/**
 * struct transfer - a request that the model knows about
 * @req: the request
 * @span: the piece of the disk, if it is about one
 * @change: it changes that
 * @purpose: of a READ
 * @pool: where its pages are from
 * @piece: its segments
 * @nr_pieces: how many those are
 * @indirect: its pages of segments
 * @nr_indirect: how many those are
 */
struct transfer {
	struct request req;
	struct extent span;
	bool change;
	enum purpose purpose;
	struct pool *pool;
	struct piece *piece;
	unsigned int nr_pieces;
	struct page *indirect[BLKIF_MAX_INDIRECT_PAGES];
	unsigned int nr_indirect;
};

static __u64 serial;

static struct transfer *transfer_of(struct request *req)
{
	return container_of(req, struct transfer, req);
}

static unsigned int op_of(const struct transfer *io)
{
	return io->req.wire.op == BLKIF_OP_INDIRECT ? io->req.wire.inner_op :
						      io->req.wire.op;
}

static void transfer_free(struct frontend *fe, struct transfer *io)
{
	unsigned int i;

	if (io->span.count)
		model_release(&fe->model, io->span.sector, io->span.count,
			      io->change);
	for (i = 0; i < io->nr_pieces; i++)
		if (!io->piece[i].same_page)
			pool_put(io->pool, io->piece[i].page);
	for (i = 0; i < io->nr_indirect; i++)
		pool_put(&fe->pool, io->indirect[i]);
	free(io->piece);
	free(io);
}

/* Of the sectors of a page, a bit for each in a segment. */
static unsigned int sectors_in(const struct blkif_segment *seg)
{
	return (2u << seg->last_sect) - (1u << seg->first_sect);
}

static void check_untouched(const struct transfer *io, const struct page *page,
			    unsigned int touched)
{
	unsigned int i;

	for (i = 0; i < BLKIF_PAGE_SIZE; i++)
		if (!(touched & 1 << i / BLKIF_SECTOR_SIZE) &&
		    page->data[i] != UNTOUCHED)
			wrong("READ at %llu: byte %u of a page was changed, which is in no segment",
			      io->span.sector, i);
}

static void check_rest_of_pages(const struct transfer *io)
{
	unsigned int i, touched = 0;

	for (i = 0; i < io->nr_pieces; i++) {
		touched |= sectors_in(&io->piece[i].seg);
		if (i + 1 < io->nr_pieces && io->piece[i + 1].same_page)
			continue;
		check_untouched(io, io->piece[i].page, touched);
		touched = 0;
	}
}

static void check_sector(struct frontend *fe, const struct transfer *io,
			 __u64 sector, const unsigned char *data)
{
	const unsigned char *model = model_at(&fe->model, sector);
	unsigned int i = 0;

	if (io->purpose == LEARN)
		model_learn(&fe->model, sector, data);
	if (model_agrees(&fe->model, sector, data))
		return;
	while (data[i] == model[i])
		i++;
	wrong("queue %u: READ of %llu sectors at %llu: byte %u of sector %llu is %#x, expected %#x",
	      io->req.queue, io->span.count, io->span.sector, i, sector, data[i],
	      model[i]);
}

/* What to do with a sector, given its place in the pages. */
typedef void sector_call(struct frontend *fe, const struct transfer *io, __u64 sector,
			 unsigned char *data);

static void each_sector(struct frontend *fe, struct transfer *io, sector_call *call)
{
	__u64 sector = io->span.sector;
	unsigned int i, s;

	for (i = 0; i < io->nr_pieces; i++)
		for (s = io->piece[i].seg.first_sect;
		     s <= io->piece[i].seg.last_sect; s++)
			call(fe, io, sector++,
			     io->piece[i].page->data + s * BLKIF_SECTOR_SIZE);
}

static void take_sector(struct frontend *fe, const struct transfer *io,
			__u64 sector, unsigned char *data)
{
	check_sector(fe, io, sector, data);
}

static void give_sector(struct frontend *fe, const struct transfer *io,
			__u64 sector, unsigned char *data)
{
	(void)io;
	memcpy(data, model_at(&fe->model, sector), BLKIF_SECTOR_SIZE);
}

static void transfer_done(struct frontend *fe, struct request *req)
{
	struct transfer *io = transfer_of(req);

	if (req->status != BLKIF_RSP_OKAY)
		wrong("queue %u: op %u (by %u), %llu sectors at %llu, %u segments: %s (%d)",
		      req->queue, op_of(io), req->wire.op, io->span.count,
		      io->span.sector, io->nr_pieces, status_name(req->status),
		      req->status);
	if (op_of(io) == BLKIF_OP_READ) {
		each_sector(fe, io, take_sector);
		check_rest_of_pages(io);
	}
	transfer_free(fe, io);
}

static void transfer_forget(struct frontend *fe, struct request *req)
{
	struct transfer *io = transfer_of(req);

	if (io->change)
		model_forget(&fe->model, io->span.sector, io->span.count);
	transfer_free(fe, io);
}

static struct transfer *transfer_new(struct frontend *fe, unsigned int op,
				     struct extent span)
{
	struct transfer *io = zalloc(sizeof(*io));

	io->span = span;
	io->pool = &fe->pool;
	io->req.wire.op = op;
	io->req.wire.id = ++serial * 0x100000001; /* all of the id has to come back */
	io->req.wire.sector = span.sector;
	io->req.answer_op = op;
	io->req.queue = rng_below(&fe->rng, fe->conn->set.queues);
	io->req.done = transfer_done;
	io->req.forget = transfer_forget;
	return io;
}

/* A page, when there is one. */
static struct page *page_get(struct frontend *fe, struct pool *pool)
{
	struct page *page;

	while (!(page = pool_get(pool))) {
		if (!fe->conn->nr_out)
			broken("the pool has only %u pages", pool->pages.count);
		requests_wait(fe, fe->conn->nr_out - 1);
	}
	return page;
}

/* A number of sectors from @least to @most, in whole blocks. */
static unsigned int pick(struct frontend *fe, unsigned int least,
			 unsigned int most)
{
	unsigned int block = fe->conn->disk.block;

	return least + rng_below(&fe->rng, (most - least) / block + 1) * block;
}

static unsigned int whole_blocks(struct frontend *fe, unsigned int sectors)
{
	unsigned int block = fe->conn->disk.block;

	return (sectors + block - 1) / block * block;
}

/* As many sectors as the rest of the segments cannot take, at least a block. */
static unsigned int least_in_segment(struct frontend *fe, __u64 left,
				     unsigned int segments_after)
{
	__u64 room = (__u64)segments_after * BLKIF_SECTORS_PER_PAGE;

	return whole_blocks(fe, left > room ? left - room : 1);
}

/* Where the next segment goes: to the rest of the page before, or a new one. */
static unsigned int place_piece(struct frontend *fe, struct transfer *io,
				const struct style *style, unsigned int least)
{
	struct piece *piece = &io->piece[io->nr_pieces];
	unsigned int start = 0;

	if (style->share && io->nr_pieces)
		start = piece[-1].seg.last_sect + 1;
	if (start && start + least <= BLKIF_SECTORS_PER_PAGE) {
		piece->page = piece[-1].page;
		piece->same_page = true;
		return start;
	}
	piece->page = page_get(fe, io->pool);
	return 0;
}

static unsigned int add_piece(struct frontend *fe, struct transfer *io,
			      const struct style *style, __u64 left)
{
	struct piece *piece = &io->piece[io->nr_pieces];
	unsigned int least, most, start, count;

	least = least_in_segment(fe, left,
				 style->max_segments - io->nr_pieces - 1);
	start = place_piece(fe, io, style, least);
	most = BLKIF_SECTORS_PER_PAGE - start;
	if (most > left)
		most = left;
	count = style->split ? pick(fe, least, most) : most;
	if (style->split)
		start = pick(fe, start, BLKIF_SECTORS_PER_PAGE - count);
	piece->seg.gref = piece->page->gref;
	piece->seg.first_sect = start;
	piece->seg.last_sect = start + count - 1;
	io->nr_pieces++;
	return count;
}

static void add_pieces(struct frontend *fe, struct transfer *io,
		       const struct style *style)
{
	__u64 left = io->span.count;

	io->piece = zalloc(style->max_segments * sizeof(*io->piece));
	while (left)
		left -= add_piece(fe, io, style, left);
	io->req.wire.nr_segs = io->nr_pieces;
}

static void list_direct(struct transfer *io)
{
	unsigned int i;

	for (i = 0; i < io->nr_pieces; i++)
		io->req.wire.segs[i] = io->piece[i].seg;
}

static void list_indirect(struct frontend *fe, struct transfer *io)
{
	struct wire_request *wire = &io->req.wire;
	struct blkif_segment *seg = NULL;
	unsigned int i;

	wire->inner_op = wire->op;
	wire->op = BLKIF_OP_INDIRECT;
	for (i = 0; i < io->nr_pieces; i++) {
		if (i % BLKIF_SEGMENTS_PER_PAGE == 0) {
			io->indirect[io->nr_indirect] = page_get(fe, &fe->pool);
			seg = (void *)io->indirect[io->nr_indirect]->data;
			wire->indirect_grefs[io->nr_indirect] =
				io->indirect[io->nr_indirect]->gref;
			io->nr_indirect++;
		}
		*seg++ = io->piece[i].seg;
	}
}

static void submit_data(struct frontend *fe, struct transfer *io,
			const struct style *style)
{
	if (style->indirect)
		list_indirect(fe, io);
	else
		list_direct(io);
	request_submit(fe, &io->req);
}

void start_read(struct frontend *fe, struct extent span, const struct style *style,
		enum purpose purpose)
{
	struct transfer *io = transfer_new(fe, BLKIF_OP_READ, span);
	unsigned int i;

	io->purpose = purpose;
	add_pieces(fe, io, style);
	for (i = 0; i < io->nr_pieces; i++)
		memset(io->piece[i].page->data, UNTOUCHED, BLKIF_PAGE_SIZE);
	submit_data(fe, io, style);
}

void start_write(struct frontend *fe, enum blkif_op op, struct extent span,
		 const struct style *style)
{
	struct transfer *io = transfer_new(fe, op, span);

	io->change = true;
	if (style->readonly)
		io->pool = &fe->readonly;
	add_pieces(fe, io, style);
	each_sector(fe, io, give_sector);
	submit_data(fe, io, style);
}

void start_discard(struct frontend *fe, struct extent span)
{
	struct transfer *io = transfer_new(fe, BLKIF_OP_DISCARD, span);

	io->change = true;
	io->req.wire.nr_sectors = span.count;
	request_submit(fe, &io->req);
}

void start_flush(struct frontend *fe)
{
	struct extent nothing = { 0 };

	request_submit(fe, &transfer_new(fe, BLKIF_OP_FLUSH_DISKCACHE,
					 nothing)->req);
}

struct style widest_style(const struct conn *conn)
{
	struct style style = {
		.indirect = conn->disk.max_segments > 0,
		.max_segments = conn->disk.max_segments,
	};

	if (!style.indirect)
		style.max_segments = BLKIF_MAX_DIRECT_SEGMENTS;
	return style;
}

/* For the whole disk, in requests as large as can be. */
static void sweep(struct frontend *fe, enum blkif_op op, enum purpose purpose)
{
	struct style style = widest_style(conn_current(fe));
	struct extent span = { 0 };

	requests_wait(fe, 0);
	while (span.sector < fe->model.sectors) {
		span.count = style.max_segments * BLKIF_SECTORS_PER_PAGE;
		if (span.count > fe->model.sectors - span.sector)
			span.count = fe->model.sectors - span.sector;
		model_claim(&fe->model, span.sector, span.count,
			    op == BLKIF_OP_WRITE);
		if (op == BLKIF_OP_WRITE)
			start_write(fe, op, span, &style);
		else
			start_read(fe, span, &style, purpose);
		span.sector += span.count;
	}
	requests_wait(fe, 0);
}

void read_all(struct frontend *fe, enum purpose purpose)
{
	sweep(fe, BLKIF_OP_READ, purpose);
}

void write_all(struct frontend *fe)
{
	model_scramble(&fe->model, 0, fe->model.sectors, &fe->rng);
	sweep(fe, BLKIF_OP_WRITE, COMPARE);
}
