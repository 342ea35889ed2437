#!/usr/bin/env bash
# Clients killed with packets in flight: others go on, nothing leaks, every packet is accounted for.
. "$(dirname "$0")/lib.sh"

start_daemon --disk mem:64M --disk mem:16M
active() { ctl --json status | jq .packets_active; }
hits() { ctl --json fault list | jq '.rules[0].hits'; }
has_hit() { [ "$(hits)" -gt "$1" ]; }
has_closed() { [ "$(fds)" -le "$before" ]; }
before=$(fds)

# slow, and not through before it is killed
ctl fault add action=delay,ms=300,op=0x2a --unit disk@0,0 >/dev/null
ctl fault add action=delay,ms=3000,op=0x2a,lba=32760-32767 --unit disk@0,0 >/dev/null
head -c 16M /dev/urandom >"$dir/data"
for _ in 1 2 3 4 5 6 7 8 9 10; do
  seen=$(hits)
  ctl write disk@0,0 --in "$dir/data" >/dev/null 2>&1 &
  victim=$!
  until_true has_hit "$seen"
  kill -KILL "$victim" 2>/dev/null || fail "it has ended before it was killed"
  wait "$victim" 2>/dev/null || true
  expect 0 "" ctl read disk@1,0 0 2048 --out /dev/null
done
ctl fault clear >/dev/null
by_and_by is_equal 0 active || fail "packets of dead clients are still active"
ctl write disk@0,0 --in "$dir/data" >/dev/null
ctl read disk@0,0 0 32768 --out "$dir/back" >/dev/null
same "$dir/back" "$dir/data"
by_and_by has_closed || fail "descriptors leak: $before before, $(fds) after"
stop_daemon
