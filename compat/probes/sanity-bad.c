// SPDX-License-Identifier: GPL-2.0-only
/* Must not compile: otherwise every probe says yes. */
#include <linux/module.h>

int probe(void)
{
	return no_such_function_in_any_kernel();
}
