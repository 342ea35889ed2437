# gateway.sh - sourced by the end-to-end tests of driver iscsi, in place of lib.sh
#
# Adds to lib.sh a second scsad, the remote one, which is an iSCSI target for the first. Remotes are
# numbered; remote N ... commands them, its log is $dir/remoteN.log.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

target=iqn.2026-11.internal.e2e:far
declare -A remotes=() remote_at=()

gateway_cleanup() {
  local status=$? n
  set +e # all of it, also when something has failed
  for n in "${!remotes[@]}"; do
    kill -KILL "${remotes[$n]}" 2>/dev/null && { wait "${remotes[$n]}" 2>/dev/null || true; }
    [ "$status" = 0 ] || { echo "--- remote $n said:"; tail -20 "$dir/remote$n.log"; }
  done
  (exit "$status")
  cleanup
}
trap gateway_cleanup EXIT

remote() { SCSAD_SOCKET=$dir/remote$1.sock "$SCSACTL_BIN" "${@:2}"; }

# remote_config N UNIT... - disks of the N-th remote, all of them exported in order; further lines of
# its target on standard input
remote_config() {
  local n=$1 lun=0 unit
  shift
  {
    echo "hbas:"
    echo "  - driver: soft"
    echo "    disks: [ $(printf '"%s", ' "$@" | sed 's/, $//') ]"
    echo "portals:"
    echo "  - { address: \"${remote_at[$n]:-$own_address:0}\", group: 1 }"
    echo "targets:"
    echo "  - name: \"$target$n\""
    sed 's/^/    /'
    echo "exports:"
    for unit in "$@"; do
      unit=${unit##*serial=}
      echo "  - { target: \"$target$n\", lun: $((lun++)), unit: \"${unit%%,*}\", access: [ all ] }"
    done
    cat "$dir/remote$n.more" 2>/dev/null || true
  } >"$dir/remote$n.conf"
}

# remote_start N - and remember where it is, so that it comes back there
remote_start() {
  "$SCSAD_BIN" --socket "$dir/remote$1.sock" --config "$dir/remote$1.conf" >>"$dir/remote$1.log" 2>&1 &
  remotes[$1]=$!
  remote "$1" status --wait 60 >/dev/null || fail "remote $1 does not answer"
  remote_at[$1]=$(remote "$1" --json portal list | jq -re '.portals[0].bound')
  sed -i "s/address: \"[^\"]*\"/address: \"${remote_at[$1]}\"/" "$dir/remote$1.conf"
}

remote_stop() {
  kill -TERM "${remotes[$1]}"
  wait "${remotes[$1]}" || fail "remote $1 ended with $?"
  unset "remotes[$1]"
}

remote_kill() {
  kill -KILL "${remotes[$1]}"
  wait "${remotes[$1]}" || true
  unset "remotes[$1]"
}

# far N [OPTIONS] - the line that names the N-th remote. Who is slow is not taken for dead
far() { echo "iscsi://${remote_at[$1]}/$target$1,ping=120,task=120${2:+,$2}"; }

# units_are N - so many there are. A daemon does not wait long for those of a target that is slow
units_are() { [ "$(ctl --json list | jq '.units | length')" = "$1" ]; }
# log_counts N TEXT - so many lines at least have it
log_counts() { [ "$(grep -cF -- "$2" "$dir/scsad.log")" -ge "$1" ]; }
