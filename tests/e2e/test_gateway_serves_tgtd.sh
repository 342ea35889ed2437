#!/usr/bin/env bash
# The same with a target that others have written: tgtd, with CHAP, killed in the middle.
. "$(dirname "$0")/gateway.sh"
need tgtd tgt
need tgtadm tgt
[ "$(id -u)" = 0 ] || { echo "skipped: tgtd wants to be root"; exit 77; }

name=iqn.2026-11.internal.e2e:tgtd
control=$((1000 + $$ % 30000)) # in the name of a socket; tgtd takes short ones only
at=$own_address:3260
tgtd_cleanup() {
  local status=$?
  set +e
  rm -f "/var/run/tgtd/socket.$control" "/var/run/tgtd/socket.$control.lock"
  (exit "$status")
  gateway_cleanup
}
trap tgtd_cleanup EXIT
umask 077
printf 'initiatorsecret1' >"$dir/secret"
printf 'targetssecret002' >"$dir/mutual"
truncate -s 32M "$dir/one.img" "$dir/two.img"
adm() { tgtadm -C "$control" --lld iscsi "$@"; }

# start_tgtd - it is one of the remotes
start_tgtd() {
  tgtd -f -C "$control" --iscsi "portal=$at" >>"$dir/remote9.log" 2>&1 &
  remotes[9]=$!
  until_true adm --op show --mode sys
  adm --op new --mode target --tid 1 -T "$name"
  adm --op new --mode logicalunit --tid 1 --lun 1 -b "$dir/one.img"
  adm --op new --mode logicalunit --tid 1 --lun 2 -b "$dir/two.img"
  adm --op new --mode account --user alice --password initiatorsecret1
  adm --op bind --mode account --tid 1 --user alice
  adm --op new --mode account --user far --password targetssecret002
  adm --op bind --mode account --tid 1 --user far --outgoing
  adm --op bind --mode target --tid 1 -I ALL
}
start_tgtd
start_daemon --iscsi "iscsi://$at/$name,grace=60,retry=500ms,header_digest=prefer,user=alice,secret_file=$dir/secret,mutual_user=far,mutual_secret_file=$dir/mutual"
# LUN 0 is a controller
until_true ctl inquiry iscsi0/iport0/disk@0,2
head -c 33554432 /dev/urandom >"$dir/data"
ctl write iscsi0/iport0/disk@0,1 -i "$dir/data"
same "$dir/data" "$dir/one.img"
ctl read iscsi0/iport0/disk@0,1 -o "$dir/back"
same "$dir/data" "$dir/back"
for level in lun target; do
  ctl reset "$level" iscsi0/iport0/disk@0,1 >/dev/null || fail "reset $level"
  until_true ctl read iscsi0/iport0/disk@0,1 0 1 -o "$dir/block"
done

ctl write iscsi0/iport0/disk@0,2 -i "$dir/data" --chunk 4K --depth 2 >"$dir/write.log" 2>&1 &
writer=$!
until_true cmp -n 1000000 "$dir/data" "$dir/two.img"
remote_kill 9
until_true log_has "session lost"
start_tgtd
wait "$writer" || true
ctl write iscsi0/iport0/disk@0,2 -i "$dir/data" || ctl write iscsi0/iport0/disk@0,2 -i "$dir/data"
ctl read iscsi0/iport0/disk@0,2 -o "$dir/back"
same "$dir/data" "$dir/back"
same "$dir/data" "$dir/two.img"
stop_daemon
remote_kill 9
