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

network_start() {
  ip link set lo up
  modprobe -a virtio_pci virtio_net || fail "modules"
  wait_for 10 test -e /sys/class/net/eth0 || fail "no network card"
  ip addr add 10.0.2.15/24 dev eth0
  ip link set eth0 up
}

iscsid_answers() { grep -q ISCSIADM_ABSTRACT_NAMESPACE /proc/net/unix; }

initiator_start() {
  modprobe -a crc32c_generic iscsi_tcp sd_mod ext4 || fail "modules"
  mkdir -p /var/lib/iscsi/nodes /etc/iscsi/nodes /etc/iscsi/send_targets
  # it appends, so that the log can be emptied
  iscsid -f >>/tmp/iscsid.log 2>&1 </dev/null &
  wait_for 20 iscsid_answers || fail "no iscsid: $(cat /tmp/iscsid.log)"
}

# where targets are: here the host's 127.0.0.1
target_host=10.0.2.2

node() { # TARGET PORT ARGUMENTS...
  node_target=$prefix:$1 node_portal=$target_host:$2
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

log_in() { # TARGET PORT [LUN...] - until its disks are there; LUN 0 if not said otherwise
  login_target=$1 login_port=$2
  shift 2
  [ $# -gt 0 ] || set -- 0
  node "$login_target" "$login_port" --login >/dev/null || fail "login to $login_target"
  for lun in "$@"; do
    wait_for 20 disk "$login_target" "$lun" "$login_port" >/dev/null ||
      fail "$login_target shows no disk $lun"
  done
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

# ------ loads ------

# loads_start, load NAME CHURN_ARGUMENT..., loads_stop - churn that goes on in the background
loads_start() {
  rm -f /tmp/stop /tmp/steps.* /tmp/sum.* /tmp/err.*
  loads='' load_pids=''
}

load() {
  load_name=$1
  shift
  churn -u /tmp/stop -p "/tmp/steps.$load_name" "$@" >"/tmp/sum.$load_name" 2>"/tmp/err.$load_name" &
  loads="$loads $load_name" load_pids="$load_pids $!"
}

loads_stop() {
  touch /tmp/stop
  for pid in $load_pids; do
    wait $pid || fail "a load: $(cat /tmp/err.*)"
  done
  for name in $loads; do note "load $name: $(steps_of "$name") steps"; done
}

sum_of() { cat "/tmp/sum.$1"; }

steps_of() { sed 's/^0*\(.\)/\1/' "/tmp/steps.$1" 2>/dev/null || echo 0; }

went_on() { # LOAD STEPS - has it done more than so many?
  [ "$(($(steps_of "$1")))" -gt "$2" ]
}

# go_on WHEN - every load does steps
go_on() {
  for name in $loads; do
    wait_for 90 went_on "$name" $(($(steps_of "$name") + 3)) ||
      fail "$1: load $name stands still at $(steps_of "$name"): $(cat "/tmp/err.$name")"
  done
}

# ------ logs ------

# logs_hold_only REGEX - what the kernel says with weight (warnings and worse), and what iscsid says
# besides of logins and logouts, must be this, or the first unit attention of a new nexus, or that the
# host is busy. At any login the kernel may hand an answer to iscsid before it is ready for the next
# request, and refuse that; then iscsid begins anew.
logs_hold_only() {
  {
    dmesg -r | grep -E '^<[0-4]>' |
      grep -vE 'Power-on or device reset occurred|hrtimer: interrupt took|clocksource' |
      grep -vE 'Login/Text in progress. Cannot start new task'
    grep -vE 'is operational now|is shutdown|Login I/O error, failed to send a PDU' /tmp/iscsid.log |
      grep -vE 'Kernel reported iSCSI connection .* error \(1020 .*\) state \(1\)'
  } | grep -vE "$1" >/tmp/unexpected || return 0
  cat /tmp/unexpected
  fail "the lines above are in the logs"
}
