# iscsi.sh - sourced by the end-to-end tests of the iSCSI target, in place of lib.sh
#
# Adds to lib.sh: a target with the units ONE (64 MiB) and TWO (32 MiB) as LUN 0 and 1 behind two
# portals, its URLs, skipping, and sessions that stay (tests/hostile/iscsi_say). A test that cannot
# run here says why and ends with 77.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

target=iqn.2026-11.internal.e2e:disks
say=$BUILD_DIR/tests/hostile/iscsi_say

# hbas, portals and a target, for the front of a configuration; UNIT... are disks
base_config() {
  echo "hbas:"
  echo "  - driver: soft"
  echo "    disks: [ $(printf '"%s", ' "$@" | sed 's/, $//') ]"
  cat <<EOT
portals:
  - { address: "127.0.0.1:0", group: 1 }
  - { address: "127.0.0.2:0", group: 2 }
targets:
  - name: "$target"
    groups: [ "1", "2" ]
EOT
}

# export_config LUN UNIT... - pairs
export_config() {
  echo "exports:"
  while [ $# -gt 0 ]; do
    echo "  - { target: \"$target\", lun: $1, unit: \"$2\", access: [ all ] }"
    shift 2
  done
}

# serve_two ARGUMENTS... - the usual target
serve_two() {
  { base_config mem:64M,serial=ONE mem:32M,serial=TWO && export_config 0 ONE 1 TWO; } >"$dir/scsad.conf"
  start_daemon --config "$dir/scsad.conf" "$@"
}

# portal N - address and port of the N-th portal, from 0
portal() { ctl --json portal list | jq -re ".portals[$1].bound"; }

# url LUN [N]
url() { echo "iscsi://$(portal "${2:-0}")/$target/$1"; }

# talk NAME URL - a session that stays: ask NAME ... goes through it. INITIATOR names it, with ISID
# (12 hexadecimal digits) it takes the place of the session that has both
declare -A talk_in talk_out
talk() {
  local in out
  mkfifo "$dir/$1.in" "$dir/$1.out"
  # shellcheck disable=SC2086 # a word or none
  "$say" "$2" "${INITIATOR:-iqn.2026-11.internal.e2e:$1}" ${ISID:-} <"$dir/$1.in" >"$dir/$1.out" &
  exec {in}>"$dir/$1.in" {out}<"$dir/$1.out"
  talk_in[$1]=$in
  talk_out[$1]=$out
  read -rt 60 -u "$out" line || fail "no session $1"
  [ "$line" = ready ] || fail "session $1: $line"
}

# ask NAME LUN BYTES CDB - the answer on standard output
ask() {
  local name=$1 line
  shift
  echo "$*" >&"${talk_in[$name]}"
  read -rt 60 -u "${talk_out[$name]}" line || line=hang
  echo "$line"
}

# heard NAME LUN WANT - the unit attention that something outside of the session brings, by and by;
# until it is there TEST UNIT READY is good
heard() {
  local seen=none i
  for ((i = 0; i < 1200; i++)); do
    seen=$(ask "$1" "$2" 0 000000000000)
    [ "$seen" != "$3" ] || return 0
    [ "$seen" = good ] || break
    sleep 0.05
  done
  fail "LUN $2 says '$seen', not '$3'"
}

# settle NAME LUN - unit attentions are taken away
settle() {
  local i
  for ((i = 0; i < 10; i++)); do
    case "$(ask "$1" "$2" 0 000000000000)" in check\ 6/*) ;; *) return 0 ;; esac
  done
}

# asked WANT NAME LUN BYTES CDB - it must be answered so; WANT is a pattern
asked() {
  local want=$1 seen
  shift
  seen=$(ask "$@")
  # shellcheck disable=SC2053 # a pattern
  [[ $seen == $want ]] || fail "$*: '$seen', not '$want'"
}
