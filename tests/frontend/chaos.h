/* SPDX-License-Identifier: GPL-2.0-only */
/* Whatever a guest can do, in no order. */
#ifndef CHAOS_H
#define CHAOS_H

#include "conn.h"

/**
 * chaos_run() - connections whose keys, rings, grants and states are changed by chance, at
 * any time
 * @fe: what one of them does depends on its number and on the seed alone
 * @first: number of the first one
 * @count: most of them
 * @ms: for so long
 *
 * Ends with the backend Closed, as it must be able to.
 */
void chaos_run(struct frontend *fe, unsigned int first, unsigned int count, unsigned int ms);

#endif /* CHAOS_H */
