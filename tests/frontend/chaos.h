/* SPDX-License-Identifier: GPL-2.0-only */
/* Whatever a guest can do, in no order. */
#ifndef CHAOS_H
#define CHAOS_H

#include "conn.h"

/*
 * For so long: connections whose keys, rings, grants and states are changed by chance, at
 * any time. Ends with the backend Closed, as it must be able to.
 */
void chaos_run(struct frontend *fe, unsigned int ms);

#endif /* CHAOS_H */
