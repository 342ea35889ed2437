#!/usr/bin/env bash
# The scripts of both shells are good syntax, and bash completes verbs of several words.
. "$(dirname "$0")/lib.sh"

start_daemon --disk mem:1M --disk mem:1M
ctl completion bash >"$dir/bash"
bash -n "$dir/bash" || fail "the script for bash has wrong syntax"
if command -v zsh >/dev/null; then
  ctl completion zsh >"$dir/zsh"
  zsh -n "$dir/zsh" || fail "the script for zsh has wrong syntax"
fi

scsactl() { ctl "$@"; }
# shellcheck disable=SC1091
. "$dir/bash"

# completes WORDS... - what the last word can become
completes() {
  local want=$1
  shift
  COMP_WORDS=(scsactl "$@") COMP_CWORD=$#
  set +e +u
  _scsactl
  set -e -u
  [ "${COMPREPLY[*]}" = "$want" ] || fail "'$*' completes to '${COMPREPLY[*]}', not '$want'"
}

completes "soft" so
completes "target" soft t
completes "add remove" soft target ""
completes "up down" -t 5 soft --json phy ""
completes "lun target bus hba" reset ""
completes "soft0/iport0/disk@0,0 soft0/iport0/disk@1,0" reset lun ""
completes "soft0/iport0/disk@0,0 soft0/iport0/disk@1,0" readcap ""
completes "--unit" soft lun --u
stop_daemon
