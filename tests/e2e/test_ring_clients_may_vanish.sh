#!/usr/bin/env bash
# Clients with rings are killed and stopped, units are pulled, and the daemon itself goes, with
# packets in flight: others go on, nothing leaks, and whoever is left hears of it.
. "$(dirname "$0")/lib.sh"

: "${RING_LOAD:?names the program that loads a ring}"
loads=()

# load NAME ARGUMENTS... - start it; its process is $pid, what it says is in $dir/NAME
load() {
  local name=$1
  shift
  "$RING_LOAD" --socket "$SCSAD_SOCKET" "$@" >"$dir/$name" 2>&1 &
  pid=$!
  loads+=("$pid")
}

# ready NAME PID - until it moves data
ready() {
  until grep -q ready "$dir/$1"; do
    kill -0 "$2" 2>/dev/null || fail "$1 has ended: $(cat "$dir/$1")"
    read -rt 0.02 <> <(:) || true
  done
}

# ends NAME PID STATUS
ends() {
  local status=0
  wait "$2" || status=$?
  [ "$status" = "$3" ] || fail "$1 ended with $status, not $3: $(cat "$dir/$1")"
}

end_loads() {
  local one
  for one in "${loads[@]}"; do kill -KILL "$one" 2>/dev/null || true; done
}
trap 'status=$?; end_loads; set +e; (exit "$status"); cleanup' EXIT

is_clean() { [ "$(ctl --json status | jq .packets_active)" = 0 ] && [ "$(fds)" -le "$before" ]; }

start_daemon --loops 2 --disk mem:64M --disk mem:16M
before=$(fds)
load steady --unit disk@1,0
steady=$pid
ready steady "$steady"

# --- killed at any instant, and stopped before; blocks of its own for each, because what it has left
# under way may still be written
for i in $(seq 12); do
  load victim --unit disk@0,0 --depth $((2 << i % 7)) --base $((i * 1024))
  ready victim "$pid"
  if [ $((i % 3)) = 0 ]; then
    kill -STOP "$pid"
    expect 0 "" ctl read disk@0,0 0 2048 --out /dev/null
  fi
  kill -KILL "$pid"
  wait "$pid" 2>/dev/null || true
done

# --- stopped for a while: it goes on where it was, nobody has waited for it
load sleeper --unit disk@0,0 --base 32768
sleeper=$pid
ready sleeper "$sleeper"
kill -STOP "$sleeper"
load other --unit disk@0,0 --base 65536
ready other "$pid"
kill -TERM "$pid"
ends other "$pid" 0
kill -CONT "$sleeper"
kill -TERM "$sleeper"
ends sleeper "$sleeper" 0

kill -0 "$steady" || fail "another client's end has ended this one: $(cat "$dir/steady")"
kill -TERM "$steady"
ends steady "$steady" 0
by_and_by is_clean || fail "left behind: $before descriptors before, $(fds) after; $(ctl --json status)"

# --- the unit goes, the client hears of it; the other unit's client does not notice
load steady --unit disk@1,0
steady=$pid
ready steady "$steady"
load bereft --unit disk@0,0 --base 98304
ready bereft "$pid"
ctl soft target remove iport0/0 >/dev/null
ends bereft "$pid" 4
kill -0 "$steady" || fail "a unit that went took another's client along: $(cat "$dir/steady")"

# --- the daemon goes: killed, and asked to
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null || true
daemon=
ends steady "$steady" 3
start_daemon --loops 2 --disk mem:16M
load again --unit disk@0,0
ready again "$pid"
stop_daemon
status=0
wait "$pid" || status=$?
[ "$status" = 3 ] || [ "$status" = 4 ] || fail "the client of a daemon that stopped: $status"
