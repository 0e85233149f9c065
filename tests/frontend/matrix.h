/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything with everything. */
#ifndef MATRIX_H
#define MATRIX_H

#include "conn.h"

/*
 * Connects in every way there is: ABIs, with and without persistent grants,
 * 1 and 4 queues, rings of 1 and 16 pages; each time, directly and by INDIRECT,
 * all operations of @ops (as in struct plan), @count requests of each.
 */
void matrix_run(struct frontend *fe, const char *ops, unsigned int count);

#endif /* MATRIX_H */
