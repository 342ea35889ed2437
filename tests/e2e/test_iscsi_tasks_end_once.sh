#!/usr/bin/env bash
# Commands of slow disks, aborted, reset and left behind: each is answered or ended once, and what was ended does not
# write any more (tests/hostile/hostile_oracle), whichever loops target and disk live on.
. "$(dirname "$0")/iscsi.sh"
oracle=$BUILD_DIR/tests/hostile/hostile_oracle

for loops in 1 2; do
  serve_two --loops $loops
  for lun in 0 1; do
    ctl fault add action=delay,ms=5,op=write,prob=300 --unit "disk@$lun,0" >/dev/null
    ctl fault add action=delay,ms=2,op=read,prob=300 --unit "disk@$lun,0" >/dev/null
    "$oracle" --seconds 3 --seed "$loops$lun" "$(url $lun)" >"$dir/said" 2>&1 ||
      fail "loops $loops, LUN $lun: $(cat "$dir/said")"
  done
  stop_daemon
done
