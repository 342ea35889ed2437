#!/usr/bin/env bash
# A function for all tasks that the device refuses, because one of them is stuck, leaves no other task without an
# answer (tests/hostile/iscsi_refused), whichever loops target and disk live on.
. "$(dirname "$0")/iscsi.sh"

for loops in 1 2; do
  serve_two --loops $loops
  for lun in 0 1; do
    ctl fault add action=stuck,op=read,lba=0,until=lun --unit "disk@$lun,0" >/dev/null
    ctl fault add action=drop,op=read --unit "disk@$lun,0" >/dev/null
    "$BUILD_DIR/tests/hostile/iscsi_refused" "$(url $lun)" >"$dir/said" 2>&1 ||
      fail "loops $loops, LUN $lun: $(cat "$dir/said")"
  done
  stop_daemon
done
