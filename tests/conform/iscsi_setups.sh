# iscsi_setups.sh - sourced by tests/conform/iscsi: a scsad for each worker and each kind of disk
#
# Workers are processes, each with daemons and disks of its own, so that tests of different workers
# never meet. A daemon is started when a test first needs its set-up, and asked after each test
# whether it still answers.
# shellcheck shell=bash

target=iqn.2026-11.internal.scsad:conform
size=1056M # the tool wants 1 GiB at least

# disk_of SETUP - the line of the disk
disk_of() {
  case "$1" in
  removable) echo "mem:$size,thin,physical=4096,removable" ;;
  protected)
    # bytes that nobody will ever write
    [ -e "$dir/protected.img" ] || truncate -s "$size" "$dir/protected.img"
    echo "file:$dir/protected.img,readonly" ;;
  plain) echo "mem:$size,thin" ;;
  *) echo "mem:$size,thin,physical=4096,unmap_any" ;;
  esac
}

# user_of SETUP - the CHAP name that it asks for, or nothing
user_of() {
  case "$1" in
  chap-0x) echo 0xabcuser ;;
  chap-0b) echo 0babcuser ;;
  esac
}

conf_write() { # SETUP
  local user
  user=$(user_of "$1")
  cat <<EOT
hbas:
  - driver: soft
    disks: [ "$(disk_of "$1")" ]
portals:
  - { address: "127.0.0.1:0", group: 1 }
  - { address: "127.0.0.2:0", group: 2 }
targets:
  - name: $target
    groups: [ "1", "2" ]
EOT
  if [ -n "$user" ]; then
    echo "    chap: [ account ]"
    (umask 077 && printf 'secret123456' >"$dir/secret")
    printf 'chap:\n  - { name: account, user: "%s", secret_file: "%s" }\n' "$user" "$dir/secret"
  fi
  cat <<EOT
exports:
  - { target: "$target", lun: 0, unit: "soft0/iport0/disk@0,0", access: [ all ] }
EOT
}

# is_ready SETUP - within a minute: portals open behind the socket
is_ready() {
  local i
  for ((i = 0; i < 600; i++)); do
    ! grep -q 'notice: ready' "$dir/$1.log" || return 0
    kill -0 "${pid[$1]}" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

# scsad_start SETUP - sets pid[SETUP], url1[SETUP], url2[SETUP]
scsad_start() {
  local setup=$1 log=$dir/$1.log user at
  conf_write "$setup" >"$dir/$setup.conf"
  "$build/bin/scsad" --config "$dir/$setup.conf" --socket "$dir/$setup.sock" >"$log" 2>&1 &
  pid[$setup]=$!
  if ! "$build/bin/scsactl" --socket "$dir/$setup.sock" --wait 60 status >/dev/null || ! is_ready "$setup"; then
    cat "$log" >&2
    echo "iscsi: scsad does not start" >&2
    return 1
  fi
  user=$(user_of "$setup")
  for n in 1 2; do
    at=$(sed -n "s/.*target $target at \(127.0.0.$n:[0-9]*\).*/\1/p" "$log")
    [ -n "$at" ] || { cat "$log" >&2; echo "iscsi: scsad does not listen" >&2; return 1; }
    if [ "$n" = 1 ]; then
      url1[$setup]=iscsi://${user:+$user%secret123456@}$at/$target/0
    else
      url2[$setup]=iscsi://${user:+$user%secret123456@}$at/$target/0
    fi
  done
}

scsad_stop() { # SETUP; fails when it did not end well
  local status=0
  [ -n "${pid[$1]:-}" ] || return 0
  kill -TERM "${pid[$1]}" 2>/dev/null || true
  wait "${pid[$1]}" || status=$?
  pid[$1]=
  [ "$status" = 0 ] || { tail -40 "$dir/$1.log" >&2; echo "iscsi: scsad ended with $status" >&2; }
  return "$status"
}

# worker NUMBER - the tests of the list whose turn is its own
worker() {
  local i name setup line
  declare -A pid url1 url2
  local dir=$logs/worker$1
  mkdir -p "$dir"
  trap 'for setup in "${!pid[@]}"; do [ -z "${pid[$setup]}" ] || kill -TERM "${pid[$setup]}"; done' EXIT
  for ((i = $1; i < ${#tests[@]}; i += jobs)); do
    name=${tests[i]}
    setup=$(setup_of "$name")
    [ -n "${pid[$setup]:-}" ] || scsad_start "$setup"
    line=$(run_one "$name" "${url1[$setup]}" "${url2[$setup]}")
    if ! kill -0 "${pid[$setup]}" 2>/dev/null; then
      line="$name crash"
      scsad_stop "$setup" || true
    fi
    echo "$line"
  done
  for setup in "${!pid[@]}"; do scsad_stop "$setup" || echo "scsad.$setup crash"; done
}

run_all() {
  local w
  for ((w = 0; w < jobs; w++)); do
    worker "$w" &
  done | progress "${#tests[@]}" >"$logs/verdicts.unsorted"
  wait
  # in the order of the list
  for name in "${tests[@]}"; do grep -F "$name " "$logs/verdicts.unsorted" | grep "^$name " || echo "$name fail"; done >"$logs/verdicts"
  grep '^scsad\.' "$logs/verdicts.unsorted" >>"$logs/verdicts" || true
}
