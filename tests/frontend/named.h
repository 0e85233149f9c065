/* SPDX-License-Identifier: GPL-2.0-only */
/* Names for grants, as requests and keys may have them. */
#ifndef NAMED_H
#define NAMED_H

#include "conn.h"

/*
 * A page that always is the same, so the caller sees to it that nothing else uses it meanwhile:
 * poolN, roN, ringQ (the first one of that queue), elsewhere (granted to another domain);
 * bad, which never was granted, and revoked, which was; or a number.
 */
__u32 grant_named(struct frontend *fe, const char *name);

#endif /* NAMED_H */
