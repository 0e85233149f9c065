/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the unit tests have in common. Each test_*.c is a program of its own,
 * which runs all its tests, or the one it is given the name of.
 */
#ifndef UNIT_H
#define UNIT_H

#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#endif /* UNIT_H */
