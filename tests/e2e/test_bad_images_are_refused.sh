#!/usr/bin/env bash
# An image that is missing, a directory, in use, or odd in size is refused with what to do.
. "$(dirname "$0")/lib.sh"

refused() { # TEXT ARGUMENTS...
  local text=$1 out status=0
  shift
  out=$("$SCSAD_BIN" --socket "$dir/other.sock" "$@" 2>&1) || status=$?
  [ "$status" != 0 ] || fail "scsad $* was not refused"
  grep -qiF -- "$text" <<<"$out" || fail "scsad $*: '$text' is not in: $out"
}

mkdir "$dir/folder"
truncate -s 1000 "$dir/odd.img"
truncate -s 8M "$dir/used.img"
: >"$dir/empty.img"
refused "size=" --disk "$dir/missing.img"
refused "directory" --disk "$dir/folder"
refused "odd.img" --disk "$dir/odd.img"
refused "size" --disk "$dir/empty.img"
refused "block" --disk mem:1M,block=500
refused "colour" --disk mem:1M,colour=blue
refused "disk" --disk ""
[ ! -e "$dir/missing.img" ] || fail "a refused image was made"

start_daemon --disk "$dir/used.img"
refused "in use" --disk "$dir/used.img"
# a second daemon on the same socket
out=$("$SCSAD_BIN" --socket "$SCSAD_SOCKET" --disk mem:1M 2>&1) && fail "two daemons on one socket"
grep -qF "$SCSAD_SOCKET" <<<"$out" || fail "the refusal does not name the socket: $out"
expect 0 "" ctl readcap disk@0,0

# an image that shrinks under the daemon: the blocks are gone (21h), the rest stays readable
head -c 8M /dev/urandom >"$dir/random"
ctl write disk@0,0 --in "$dir/random" >/dev/null
truncate -s 4M "$dir/used.img"
# sooner or later the disk notices, and says so once
notices() { ! ctl cdb disk@0,0 000000000000; }
until_true notices
expect 22 "21h" ctl cdb disk@0,0 "28 00 00 00 30 00 00 00 08 00" --length 4096
expect 0 "" ctl read disk@0,0 0 8192 --out "$dir/half"
same "$dir/half" "$dir/random" 4194304
