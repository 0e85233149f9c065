cp /job/tests/mutants/m42.ko /job/xen-blkback.ko
bash /job/tests/xen/dom0-run.sh 42-discard
