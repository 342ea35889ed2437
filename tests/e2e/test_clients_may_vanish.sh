#!/usr/bin/env bash
# Clients killed with packets in flight: others go on, nothing leaks, every packet is accounted for.
. "$(dirname "$0")/lib.sh"

start_daemon --disk mem:64M --disk mem:16M
fds() { find "/proc/$daemon/fd" -mindepth 1 | wc -l; }
before=$(fds)

ctl fault add action=delay,ms=300,op=0x2a --unit disk@0,0 >/dev/null
head -c 16M /dev/urandom >"$dir/data"
for _ in 1 2 3 4 5 6 7 8 9 10; do
  ctl write disk@0,0 --in "$dir/data" >/dev/null 2>&1 &
  victim=$!
  # it has connected when the daemon counts one more packet under way
  for _ in $(seq 200); do
    [ "$(ctl --json status | jq .packets_active)" -gt 0 ] && break
  done
  kill -KILL "$victim"
  wait "$victim" 2>/dev/null || true
  expect 0 "" ctl read disk@1,0 0 2048 --out /dev/null
done
ctl fault clear >/dev/null
for _ in $(seq 500); do
  [ "$(ctl --json status | jq .packets_active)" = 0 ] && break
done
[ "$(ctl --json status | jq .packets_active)" = 0 ] || fail "packets of dead clients are still active"
ctl write disk@0,0 --in "$dir/data" >/dev/null
ctl read disk@0,0 0 32768 --out "$dir/back" >/dev/null
same "$dir/back" "$dir/data"
for _ in $(seq 200); do [ "$(fds)" -le "$before" ] && break; done
[ "$(fds)" -le "$before" ] || fail "descriptors leak: $before before, $(fds) after"
stop_daemon
