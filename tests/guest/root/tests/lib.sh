# lib.sh - sourced by the tests in the guest: logins, disks, waiting, what the logs may say
. /tests/env

fail() {
  echo "FAILED: $*"
  exit 1
}

# note TEXT - where the test is, for the log
note() { echo "#$(cut -d' ' -f1 /proc/uptime): $*"; }

# rounds QUICK FULL - which of two numbers counts
rounds() { if [ -n "$quick" ]; then echo "$1"; else echo "$2"; fi; }

# ask WORD... - let the host do something, see request in tests/guest/lib.sh
ask() {
  note "host: $*"
  echo "@$*"
  read -r answer reason
  [ "$answer" = ok ] || fail "the host, asked for '$*': $reason"
}

now() { cut -d. -f1 /proc/uptime; }

# wait_for SECONDS COMMAND... - until it succeeds
wait_for() {
  deadline=$(($(now) + $1))
  shift
  until "$@"; do
    [ "$(now)" -lt $deadline ] || return 1
    sleep 0.1
  done
}

# ------ sessions ------

node() { # TARGET PORT ARGUMENTS...
  node_target=$prefix:$1 node_portal=10.0.2.2:$2
  shift 2
  iscsiadm -m node -T "$node_target" -p "$node_portal" "$@"
}

# know TARGET PORT [NAME=VALUE]... - a record made by hand: discovery tells the address at which
# scsad listens, 127.0.0.1, and that is another one from here
know() {
  known_target=$1 known_port=$2
  shift 2
  node "$known_target" "$known_port" -o new >/dev/null || fail "no record of $known_target"
  for setting in "$@"; do
    node "$known_target" "$known_port" -o update -n "${setting%%=*}" -v "${setting#*=}" ||
      fail "setting $setting"
  done
}

log_in() { # TARGET PORT
  node "$1" "$2" --login >/dev/null || fail "login to $1"
  wait_for 20 disk "$1" 0 "$2" >/dev/null || fail "$1 shows no disk"
}

log_out() { node "$1" "$2" --logout >/dev/null || fail "logout from $1"; }

# session_of TARGET PORT - its folder in sysfs
session_of() {
  for session in /sys/class/iscsi_session/session*; do
    [ "$(cat "$session/targetname" 2>/dev/null)" = "$prefix:$1" ] || continue
    [ "$(cat "$session"/device/connection*/iscsi_connection/connection*/persistent_port)" = "$2" ] || continue
    echo "$session"
    return 0
  done
  return 1
}

# disk TARGET LUN PORT - its node
disk() {
  disk_session=$(session_of "$1" "$3") || return 1
  for block in "$disk_session"/device/target*/*:"$2"/block/sd*; do
    [ -b "/dev/${block##*/}" ] || continue
    echo "/dev/${block##*/}"
    return 0
  done
  return 1
}

# ------ files ------

new_files() { # DISK - an empty file system on it, at /mnt
  mkfs.ext4 -q -F -E lazy_itable_init=1,lazy_journal_init=1 "$1" >/dev/null || fail "mkfs"
  mount -t ext4 "$1" /mnt || fail "mount"
}

old_files() { # DISK - as they were left, sound and unchanged, at /mnt
  e2fsck -f -n "$1" >/tmp/fsck 2>&1 || { cat /tmp/fsck; fail "fsck"; }
  mount -t ext4 -o ro "$1" /mnt || fail "mount again"
}

# ------ logs ------

# log_holds_only REGEX - what the kernel says with weight (warnings and worse) must be this, or the
# first unit attention of a new nexus, or that the host is busy
log_holds_only() {
  dmesg -r | grep -E '^<[0-4]>' | grep -vE "$1" |
    grep -vE 'Power-on or device reset occurred|hrtimer: interrupt took|clocksource' >/tmp/unexpected || return 0
  cat /tmp/unexpected
  fail "the lines above are in the kernel's log"
}
