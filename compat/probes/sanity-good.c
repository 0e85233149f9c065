// SPDX-License-Identifier: GPL-2.0-only
/* Must compile: otherwise no probe says anything. */
#include <linux/module.h>
