#!/bin/bash
# whatever a frontend does, by chance, its backend gets rid of it, and it may be served after that
# On two CPUs, too.

# shellcheck source=tests/cases/hostile.sh
. /job/tests/cases/hostile.sh

hostile_start
seconds=${CHAOS_SECONDS:-60}
GUEST_LIMIT=$((GUEST_LIMIT + 2 * seconds))
# In the report before anything can happen.
seed=$RANDOM$RANDOM$RANDOM
note "seed $seed"
attack <<END
seed $seed
chaos ms=$((seconds * 1000))
END
pass "$(sed -n 's/^chaos: //p' "$state/frontend"), seed $seed"
served
