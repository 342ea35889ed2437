#!/usr/bin/env bash
# A reservation of a local program stops an iSCSI initiator, and the other way round: RESERVE(6) and
# persistent reservations. A session that ends gives RESERVE(6) back.
. "$(dirname "$0")/iscsi.sh"
serve_two
talk a "$(url 0)"
settle a 0

# ctl cdb, as one and the same local initiator; until no unit attention is in the way
mine() {
  local i status=0
  for ((i = 0; i < 10; i++)); do
    status=0
    ctl --json cdb ONE --initiator local-test "$@" >"$dir/cdb" 2>&1 || status=$?
    grep -q '"key":6\|UNIT ATTENTION' "$dir/cdb" || break
  done
  return "$status"
}
conflicts() {
  mine "$@" && fail "cdb $*: no conflict: $(cat "$dir/cdb")"
  grep -qi "conflict" "$dir/cdb" || fail "cdb $*: $(cat "$dir/cdb")"
}
write="2a 00 00 00 00 00 00 00 01 00"
head -c 512 /dev/zero >"$dir/zeros"

# --- persistent: a program on this machine takes Write Exclusive
key() { # KEY NEWKEY - a parameter list
  printf '%016x%016x0000000000000000' "$1" "$2" | xxd -r -p
}
command -v xxd >/dev/null || key() {
  local hex i
  hex=$(printf '%016x%016x0000000000000000' "$1" "$2")
  for ((i = 0; i < ${#hex}; i += 2)); do printf "\\x${hex:i:2}"; done
}
key 0 0x11 >"$dir/register"
key 0x11 0 >"$dir/own"
mine --in "$dir/register" 5f 00 00 00 00 00 00 00 18 00 || fail "REGISTER: $(cat "$dir/cdb")"
mine --in "$dir/own" 5f 01 01 00 00 00 00 00 18 00 || fail "RESERVE: $(cat "$dir/cdb")"
asked "status 18" a 0 0 350000000000000000
asked "status 18" a 0 0 160000000000
asked "good*" a 0 512 28000000000000000100
mine --in "$dir/own" 5f 03 00 00 00 00 00 00 18 00 || fail "CLEAR: $(cat "$dir/cdb")"
settle a 0
asked good a 0 0 350000000000000000

# --- RESERVE(6) by the initiator stops the program
asked good a 0 0 160000000000
# shellcheck disable=SC2086 # bytes
conflicts --in "$dir/zeros" $write
conflicts 28 00 00 00 00 00 00 00 01 00
mine 12 00 00 00 24 00 || fail "INQUIRY: $(cat "$dir/cdb")"
asked good a 0 0 170000000000
# shellcheck disable=SC2086
mine --in "$dir/zeros" $write || fail "after RELEASE: $(cat "$dir/cdb")"

# --- it goes with its session
asked good a 0 0 160000000000
conflicts 28 00 00 00 00 00 00 00 01 00
exec {talk_in[a]}>&-
by_and_by mine 28 00 00 00 00 00 00 00 01 00 || fail "the reservation outlived its session: $(cat "$dir/cdb")"
stop_daemon
