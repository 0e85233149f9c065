/* SPDX-License-Identifier: GPL-2.0-only */
/* Rings used as nobody should. */
#ifndef ABUSE_H
#define ABUSE_H

#include "args.h"
#include "conn.h"

/* No request may be out when one of these begins, and none is when it ends. */

/*
 * For so long, or until there is a file, all rings are kept full of the same request: slots
 * that have been answered are used again, and nobody looks at what the answer was.
 */
void abuse_flood(struct frontend *fe, struct args *args);

/* Requests of all operations: a response must change its own fields and no other byte. */
void abuse_untouched(struct frontend *fe, struct args *args);

/* Requests that change, with the segments they name, while the backend looks at them. */
void abuse_race(struct frontend *fe, struct args *args);

/*
 * A producer index that goes forth and back over a ring full of writes, until the backend has
 * answered them or had enough. No more is to be asked of the connection then than to close.
 */
void abuse_swing(struct frontend *fe, struct args *args);

#endif /* ABUSE_H */
