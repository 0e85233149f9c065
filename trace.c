// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracepoints: what their macros make.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"
