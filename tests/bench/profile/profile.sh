#!/bin/bash
# Where the instructions of a few rows of the bench go; leaves results in build/profile.
#
#   profile.sh MODULES PERSISTENT ROWS     as for dom0-bench.sh
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
out=$top/build/profile

# shellcheck source=tests/lib/packages.sh
. "$here/../../lib/packages.sh"

need_packages python3
"$top/tests/xen/host.sh" -p -n profile \
	"PROFILE=1 FRONTEND=norandmaps PERSISTENT=$2 bash tests/bench/dom0-bench.sh $1 $3"
rm -rf "$out"
mkdir -p "$out"
"$here/places.py" "$top/build/xen/runs/profile" "$out"
cat "$out/purposes.md"
say "functions: $(cd "$top" && echo build/profile/*.txt)"
