/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What sring.h takes from the kernel, for one thread in user space.
 *
 * Whoever defines SHIM_EVENT(kind) before including this is called at each
 * use, after it: 'r' and 'w' for READ_ONCE and WRITE_ONCE, 'R', 'W' and 'M'
 * for the barriers between processors, 'b' for the compiler's.
 */
#ifndef SHIM_H
#define SHIM_H

#include <string.h>

#ifndef SHIM_EVENT
#define SHIM_EVENT(kind) ((void)0)
#endif

#define READ_ONCE(x)			\
({					\
	typeof(x) _seen = (x);		\
					\
	SHIM_EVENT('r');		\
	_seen;				\
})

#define WRITE_ONCE(x, value)		\
do {					\
	(x) = (value);			\
	SHIM_EVENT('w');		\
} while (0)

#define barrier() SHIM_EVENT('b')	/* all may differ behind it */
#define virt_rmb() SHIM_EVENT('R')	/* reads stay on their side */
#define virt_wmb() SHIM_EVENT('W')	/* so do writes */
#define virt_mb() SHIM_EVENT('M')	/* and both */

#endif /* SHIM_H */
