#!/usr/bin/env bash
# Commands that the far unit swallows end by abort, by reset, and by their own time; the session stays,
# and what others have under way is not touched.
. "$(dirname "$0")/gateway.sh"
need jq jq

remote_config 0 mem:16M,serial=ONE,target=0 mem:16M,serial=TWO,target=1 </dev/null
remote_start 0
start_daemon --iscsi "$(far 0)"
until_true units_are 2

swallowed() { remote 0 --json fault list | jq -e '.rules[0].hits > 0'; }

# swallow COMMAND... - one read of ONE is dropped over there; COMMAND makes it end here
swallow() {
  local reader
  remote 0 fault add action=drop,target=0,op=read,count=1 >/dev/null
  ctl read ONE 0 1 -o "$dir/block" --timeout 120 >"$dir/read.log" 2>&1 &
  reader=$!
  until_true swallowed
  "$@" >"$dir/said" 2>&1 || fail "$*: $(cat "$dir/said")"
  wait "$reader" && fail "$*: the read that was swallowed has succeeded"
  remote 0 fault clear >/dev/null
  until_true ctl read ONE 0 1 -o "$dir/block"
}
swallow ctl abort ONE
swallow ctl reset lun ONE
swallow ctl reset target ONE
swallow ctl reset bus ONE

# its own time
remote 0 fault add action=drop,target=0,op=read,count=1 >/dev/null
head -c 8388608 /dev/urandom >"$dir/data"
ctl write TWO -i "$dir/data" &
writer=$!
expect 33 "" ctl read ONE 0 1 -o "$dir/block" --timeout 2
wait "$writer" || fail "the other unit's writes failed"
ctl read TWO 0 16384 -o "$dir/back"
same "$dir/data" "$dir/back"
log_has "session lost" && fail "the session was lost"
stop_daemon
