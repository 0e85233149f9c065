#!/bin/bash
# Shows a guest that gets a disk from this module on an emulated Xen host, from nothing: some minutes
# the first time, when the host's images are built, and about one afterwards.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
status=0
"$top/tests/xen/host.sh" -n demo bash tests/xen/demo-dom0.sh || status=$?
echo
if [ "$status" -eq 0 ]; then
	echo 'DEMO PASSED: what the guest wrote through the module is what dom0 found on the volume.'
else
	echo "DEMO FAILED, see build/xen/runs/demo"
fi
exit "$status"
