# lib.sh - sourced by the end-to-end tests: a folder, a daemon, and checks that say what went wrong
#
# A test is a script: `. lib.sh`, then start_daemon and commands. SCSAD_BIN and SCSACTL_BIN name the
# programs. Everything a test makes lies in $dir; its own processes are ended, and only those.
# shellcheck shell=bash
set -euo pipefail

: "${SCSAD_BIN:?names the scsad to test}" "${SCSACTL_BIN:?names the scsactl to test}"

dir=$(mktemp -d "${TMPDIR:-/tmp}/scsad-e2e.XXXXXX")
export SCSAD_SOCKET=$dir/scsad.sock PATH=$PATH:/usr/sbin:/sbin
daemon=
mounts=()
# an address of this machine that this test has for itself: a port of it that was given up is still
# free when it is wanted again
own_address=127.$((64 + ($$ >> 16 & 63))).$(($$ >> 8 & 255)).$(($$ & 255))

cleanup() {
  local status=$? mount
  if [ -n "$daemon" ] && kill -0 "$daemon" 2>/dev/null; then
    kill -TERM "$daemon"
    if ! wait "$daemon"; then
      echo "FAILED: the daemon did not end with 0 at SIGTERM"
      status=1
    fi
  fi
  if [ "$status" != 0 ] && [ -f "$dir/scsad.log" ]; then
    echo "--- scsad said:"
    tail -200 "$dir/scsad.log" # reports of sanitizers are long
  fi
  for mount in "${mounts[@]}"; do umount "$mount"; done
  rm -rf "$dir"
  exit "$status"
}
trap cleanup EXIT

fail() {
  echo "FAILED: $*"
  exit 1
}

ctl() { "$SCSACTL_BIN" "$@"; }

# start_daemon ARGUMENTS... - and wait until it answers
start_daemon() {
  "$SCSAD_BIN" --socket "$SCSAD_SOCKET" "$@" >>"$dir/scsad.log" 2>&1 &
  daemon=$!
  ctl status --wait 60 >/dev/null || fail "the daemon does not answer"
}

# stop_daemon - end it, and insist on exit status 0
stop_daemon() {
  kill -TERM "$daemon"
  wait "$daemon" || fail "scsad ended with $?"
  daemon=
}

# by_and_by COMMAND... - whether it is true before a minute of waiting has gone; until_true COMMAND...
# insists on it
by_and_by() {
  local i
  for ((i = 0; i < 1200; i++)); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.05
  done
  return 1
}
until_true() { by_and_by "$@" || fail "never: $*"; }

# is_equal WANT COMMAND... - what the command answers now
is_equal() { [ "$("${@:2}")" = "$1" ]; }

# log_has TEXT - in the daemon's words so far
log_has() { grep -qF -- "$1" "$dir/scsad.log"; }

# descriptors of the daemon
fds() { find "/proc/$daemon/fd" -mindepth 1 | wc -l; }

# need PROGRAM PACKAGE - without it the test cannot run here
need() {
  command -v "$1" >/dev/null && return 0
  echo "skipped: there is no $1 here; on Debian: apt-get install $2"
  exit 77
}

# lend USER - a scsad that this user can start, too, wherever the build lies
can_start() { setpriv --reuid="$1" --regid="$(id -g "$1")" --clear-groups test -x "$SCSAD_BIN"; }
lend() {
  can_start "$1" && return
  cp "$SCSAD_BIN" "$dir/scsad"
  SCSAD_BIN=$dir/scsad
  can_start "$1" && return
  echo "skipped: user $1 may not enter ${dir%/*}"
  exit 77
}

# expect STATUS TEXT COMMAND... - the exit status, and a text that its output must hold ("" = any)
expect() {
  local want=$1 text=$2 out status=0
  shift 2
  out=$("$@" 2>&1) || status=$?
  [ "$status" = "$want" ] || fail "$*: exit status $status, not $want: $out"
  if [ -n "$text" ] && ! grep -qF -- "$text" <<<"$out"; then
    fail "$*: '$text' is not in its answer: $out"
  fi
}

# same FILE FILE [BYTES]
same() { cmp ${3:+-n "$3"} "$1" "$2" || fail "$1 and $2 differ"; }

# resident KiB of the daemon
resident_kib() { awk '/^VmRSS:/ { print $2 }' "/proc/$daemon/status"; }

# is this build instrumented? Memory figures mean nothing then
instrumented() { grep -qE '__(asan|tsan|ubsan)_' < <(nm -D "$SCSAD_BIN"); }
