/* SPDX-License-Identifier: GPL-2.0-only */
/* Single requests with every field set by hand. */
#ifndef ODD_H
#define ODD_H

#include "args.h"
#include "conn.h"

struct request;

/* The commands "request" and "discard", see README.md. */
void odd_request(struct frontend *fe, struct args *args);
void odd_discard(struct frontend *fe, struct args *args);

/* What "request" would send. Its pages are given back when it is done, or forgotten. */
struct request *odd_prepare(struct frontend *fe, struct args *args);

#endif /* ODD_H */
