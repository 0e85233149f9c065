/* SPDX-License-Identifier: GPL-2.0-only */
/* Single requests, sensible or not, with every field set by hand. */
#ifndef ODD_H
#define ODD_H

#include "args.h"
#include "conn.h"

/*
 * request op=OP ...		see README.md
 * discard sector=N count=N ...
 */
void odd_request(struct frontend *fe, struct args *args);
void odd_discard(struct frontend *fe, struct args *args);

#endif /* ODD_H */
