#!/bin/bash
# a grant that Xen wants to be asked for again later is waited for, but not for ever

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
skip "Xen answers so for pages of HVM guests only that it has put away on a disk (xenpaging), for which the emulated host lacks EPT"
