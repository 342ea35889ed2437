#!/usr/bin/env bash
# A target is killed under load, and comes back: the units stay, commands wait for it, the data is what
# was acknowledged. Twice, and once with a login in between that fails.
. "$(dirname "$0")/gateway.sh"
need jq jq

truncate -s 32M "$dir/far.img"
remote_config 0 "$dir/far.img,serial=ONE" </dev/null
remote_start 0
start_daemon --iscsi "$(far 0 grace=60,retry=500ms)"
head -c 33554432 /dev/urandom >"$dir/data"

# write_on - until all of it has been acknowledged: what was lost under way is written again
write_on() {
  local i
  for ((i = 0; i < 20; i++)); do
    ctl write ONE -i "$dir/data" --chunk 8K --depth 8 && return 0
  done
  return 1
}

# has_written BYTES - over there, since it started
has_written() { [ "$(remote 0 --json show ONE | jq '[.. | .written_bytes? // empty] | max // 0')" -ge "$1" ]; }

for round in 1 2; do
  # slow, and never done before its target goes; that one's faults go with it
  remote 0 fault add action=delay,ms=20,op=write --unit ONE >/dev/null
  remote 0 fault add action=delay,ms=250000,op=write,lba=49152-65535 --unit ONE >/dev/null
  write_on >"$dir/write.log" 2>&1 &
  writer=$!
  until_true has_written 4000000
  kill -0 "$writer" 2>/dev/null || fail "the data was through too soon"
  remote_kill 0
  until_true log_counts "$round" "session lost"
  remote_start 0
  wait "$writer" || fail "the data never got through: $(tail -3 "$dir/write.log")"
  ctl read ONE -o "$dir/back"
  same "$dir/data" "$dir/back"
  remote 0 read ONE -o "$dir/there"
  same "$dir/data" "$dir/there"
  head -c 33554432 /dev/urandom >"$dir/data"
done
log_has "unit removed" && fail "the unit went"

# a command that comes while nobody is there waits
remote_stop 0
until_true log_has "not logged in"
ctl read ONE 0 1 -o "$dir/block" --timeout 60 &
reader=$!
remote_start 0
wait "$reader" || fail "the command that waited failed"
stop_daemon
