# target.sh - sourced by tests/guest/iscsi: the scsad that the guest uses
#
# It has file disks and a state folder, so that it can be killed and started again at the same
# addresses. In the guest 10.0.2.2 is 127.0.0.1 of the host.
# shellcheck shell=bash

prefix=iqn.2026-11.internal.scsad

conf_write() { # FIRST_PORT
  local p=$1 disk line
  truncate -s 96M "$dir/a.img" "$dir/b.img"
  mkdir -p "$dir/state"
  (umask 077 && printf 'secret123456' >"$dir/secret" && printf 'reverse654321' >"$dir/reverse")
  cat <<EOT
state_dir: "$dir/state"
hbas:
  - driver: soft
    disks: [ "file:$dir/a.img,serial=A", "file:$dir/b.img,serial=B", "mem:64M,serial=C", "mem:64M,serial=D" ]
portals:
  - { address: "127.0.0.1:$p", group: 1 }
chap:
  - { name: one, user: guest, secret_file: "$dir/secret" }
  - { name: both, user: guest, secret_file: "$dir/secret", mutual_user: scsad, mutual_secret_file: "$dir/reverse" }
targets:
  - { name: "$prefix:plain", groups: [ "1" ] }
  - { name: "$prefix:one", groups: [ "1" ], chap: [ one ] }
  - { name: "$prefix:both", groups: [ "1" ], chap: [ both ] }
exports:
EOT
  for line in "plain 0 0" "plain 1 1" "one 0 2" "both 0 2"; do
    read -r name lun disk <<<"$line"
    echo "  - { target: \"$prefix:$name\", lun: $lun, unit: \"soft0/iport0/disk@$disk,0\", access: [ all ] }"
  done
}

ctl() { "$build/bin/scsactl" --socket "$dir/scsad.sock" "$@"; }

# scsad_start - once more, as its configuration says
scsad_start() {
  "$build/bin/scsad" --config "$dir/scsad.conf" --socket "$dir/scsad.sock" >>"$logs/scsad.log" 2>&1 &
  scsad=$!
  # a daemon that ends at once is noticed at once
  until ctl --wait 1 status >/dev/null 2>&1; do
    kill -0 "$scsad" 2>/dev/null || { scsad=; return 1; }
  done
}

# paths_add - a target with two portals, one a group, at run time: so it can be changed
paths_add() {
  ctl portal add "127.0.0.1:$((port + 1))" --group 2 &&
    ctl portal add "127.0.0.1:$((port + 2))" --group 3 &&
    ctl portal state 2 optimized --preferred yes &&
    ctl portal state 3 non-optimized &&
    ctl target add "$prefix:paths" --groups 2,3 &&
    ctl export add "$prefix:paths" "soft0/iport0/disk@3,0" --lun 0 --access all
}

# scsad_first - find ports that are free
scsad_first() {
  local try
  for ((try = 0; try < 20; try++)); do
    port=$((20000 + (RANDOM << 3 ^ RANDOM) % 12000))
    conf_write "$port" >"$dir/scsad.conf"
    if scsad_start; then
      if paths_add >"$dir/said" 2>&1; then return 0; fi
      cat "$dir/said" >>"$logs/scsad.log"
      scsad_stop || return 1
    fi
    grep -q 'ddress already in use' "$logs/scsad.log" || break
    rm -rf "$dir/state"
  done
  cat "$logs/scsad.log" >&2
  return 1
}

scsad_stop() {
  local status=0
  kill -TERM "$scsad" 2>/dev/null || true
  wait "$scsad" || status=$?
  scsad=
  [ "$status" = 0 ] || echo "scsad ended with $status"
  return "$status"
}

# scsad_kill SECONDS - and start it again after that time; fails when it was dead already
scsad_kill() {
  kill -KILL "$scsad" 2>/dev/null || { echo "scsad was dead before it was killed"; return 1; }
  wait "$scsad" 2>/dev/null || true
  scsad=
  pause "$1"
  scsad_start || { echo "scsad does not start again"; return 1; }
}

scsad_hold() { # SECONDS
  kill -STOP "$scsad" || return 1
  pause "$1"
  kill -CONT "$scsad"
}

pause() { read -rt "$1" <> <(:) || true; }

# session_close GROUP - end the session of a portal group, as if its cable was pulled
session_close() {
  local id
  id=$(ctl --json sessions list | jq ".sessions[] | select(.group == $1) | .id")
  [ -n "$id" ] || { echo "no session of group $1"; return 1; }
  ctl sessions close "$id"
}

# request WORD... - what the guest asks for; prints what went wrong
request() {
  case "$1" in
  kill) scsad_kill "$2" ;;
  hold) scsad_hold "$2" ;;
  close) session_close "$2" ;;
  ctl) ctl "${@:2}" ;;
  *) echo "the host knows no '$1'"; return 1 ;;
  esac
}
