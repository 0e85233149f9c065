/* SPDX-License-Identifier: GPL-2.0-only */
/* A connection: what was negotiated, its rings, its requests. */
#ifndef CONN_H
#define CONN_H

#include "keys.h"
#include "model.h"
#include "ring.h"
#include "util.h"

/**
 * struct settings - how connections are to be made
 * @abi: how requests are laid out
 * @tell_abi: there is a key "protocol"
 * @queues: how many rings
 * @order: each has 2^this pages
 * @tell_order: there is a key "ring-page-order", if the ring has several pages
 * @tell_pages: there is a key "num-ring-pages"
 * @persistent: we say that we use the same grants again and again
 * @tell_persistent: there is a key "feature-persistent"
 * @always_notify: send an event with every push
 * @numbered: the only page of a ring has a number, too
 * @stale: leave keys of earlier connections where they are
 * @start: the first index of the rings
 */
struct settings {
	const struct wire_abi *abi;
	bool tell_abi;
	unsigned int queues;
	unsigned int order;
	bool tell_order;
	bool tell_pages;
	bool persistent;
	bool tell_persistent;
	bool always_notify;
	bool numbered;
	bool stale;
	__u32 start;
};

/**
 * struct disk - what the backend says of the disk
 * @sectors: its size, in 512 bytes
 * @block: its logical block, in 512 bytes
 * @max_segments: most in an INDIRECT request, 0 if there is no such thing
 * @flush: may be asked for; so may the others
 * @barrier: may be asked for
 * @discard: may be asked for
 * @persistent: the backend keeps grants mapped
 */
struct disk {
	__u64 sectors;
	unsigned int block;
	unsigned int max_segments;
	bool flush;
	bool barrier;
	bool discard;
	bool persistent;
};

struct request;

/**
 * struct conn - a connection
 * @next: one that was dropped before
 * @set: how it was made
 * @keys: what we wrote into xenstore
 * @rings: @set.queues of them
 * @out: requests that have no response yet
 * @nr_out: how many those are
 * @disk: known once the backend is connected
 */
struct conn {
	struct conn *next;
	struct settings set;
	struct key *keys;
	struct ring *rings;
	struct request *out;
	unsigned int nr_out;
	struct disk disk;
};

/**
 * struct frontend - all of it
 * @vbd: in xenstore
 * @events: event channels
 * @set: for the next connection
 * @extra: keys by hand, which have precedence
 * @conn: the connection, NULL if there is none
 * @dropped: connections given up without a word, whose grants are still there
 * @pool: pages for data
 * @readonly: the same, but the backend may only read them
 * @elsewhere: a page that another domain may map; none until it is wanted
 * @model: what the disk has in it
 * @rng: chance
 */
struct frontend {
	struct vbd vbd;
	struct xenevtchn_handle *events;
	struct settings set;
	struct key *extra;
	struct conn *conn;
	struct conn *dropped;
	struct pool pool;
	struct pool readonly;
	struct pages elsewhere;
	struct model model;
	struct rng rng;
};

/* The steps of connecting, for who wants them one by one. */
void conn_build(struct frontend *fe);		/* rings, but nobody knows */
void conn_announce(struct frontend *fe);	/* the keys, but not the state */
void conn_learn(struct frontend *fe);		/* what the disk is like */

/* All of them, as the protocol wants it. */
void conn_open(struct frontend *fe);

/* Closing, and Closed when the backend is done. */
void conn_close(struct frontend *fe);

/* The backend has enough of us, of itself, and we go. */
void conn_halted(struct frontend *fe);

/* As conn_open(), but the backend must not want us. */
void conn_refused(struct frontend *fe);

/* As conn_open(), but the backend may want us or not; then Closed. */
void conn_either(struct frontend *fe);

/* Forgets about the connection without telling anybody, as kexec does. */
void conn_drop(struct frontend *fe);

/* Frees what dropped connections have; or, the second, this one. */
void conn_release(struct frontend *fe);
void conn_free(struct frontend *fe);

/* Ends the program if there is none. */
struct conn *conn_current(struct frontend *fe);

#endif /* CONN_H */
