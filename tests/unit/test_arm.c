// SPDX-License-Identifier: GPL-2.0-only
/*
 * What decode.c does otherwise on a host of another architecture.
 */
#include <assert.h>

#include "unit.h"

#undef CONFIG_X86
#include "../../decode.c"

static void abi_of_an_arm_guest_that_names_none_is_arms(void **state)
{
	(void)state;
	assert_ptr_equal(blkif_find_abi(NULL), blkif_find_abi("arm-abi"));
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(abi_of_an_arm_guest_that_names_none_is_arms),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
