#!/usr/bin/env bash
# A remote target is a target here: its units are found, data goes there and back and is the same, also
# when the units are exported once more. Units that appear over there appear here.
. "$(dirname "$0")/gateway.sh"
need jq jq

truncate -s 32M "$dir/far.img"
remote_config 0 "$dir/far.img,serial=ONE" mem:16M,serial=TWO </dev/null
remote_start 0
cat >"$dir/scsad.conf" <<EOT
hbas:
  - driver: iscsi
    initiator: "iqn.2026-11.internal.e2e:gateway"
    targets: [ "$(far 0)" ]
portals:
  - { address: "127.0.0.1:0", group: 1 }
targets:
  - name: "iqn.2026-11.internal.e2e:again"
exports:
  - { target: "iqn.2026-11.internal.e2e:again", lun: 0, unit: "iscsi0/iport0/disk@0,0", access: [ all ] }
EOT
start_daemon --config "$dir/scsad.conf"
expect 0 "iscsi0/iport0/disk@0,1" ctl list
until_true units_are 2

# who is seen over there is who the configuration says
expect 0 "iqn.2026-11.internal.e2e:gateway" remote 0 sessions list

# every size from a block to more than one burst; and all of it
head -c 33554432 /dev/urandom >"$dir/data"
ctl write ONE -i "$dir/data"
ctl read ONE -o "$dir/back"
same "$dir/data" "$dir/back"
remote 0 read ONE -o "$dir/there"
same "$dir/data" "$dir/there"
for blocks in 1 2 7 8 15 16 17 511 512 513 2047 2048; do
  head -c $((blocks * 512)) /dev/urandom >"$dir/piece"
  ctl write ONE $((blocks * 3)) "$blocks" --chunk 1M -i "$dir/piece"
  ctl read ONE $((blocks * 3)) "$blocks" --chunk 1M -o "$dir/back"
  same "$dir/piece" "$dir/back"
done

# sense and residuals come through
expect 22 "LOGICAL BLOCK ADDRESS OUT OF RANGE" ctl cdb ONE 28 00 ff ff ff ff 00 00 01 00 --out /dev/null
[ "$(ctl cdb ONE 12 00 00 00 ff 00 --length 255 --out - | wc -c)" -lt 255 ] || fail "no residual"

# once more over iSCSI
if grep -qw iscsi < <(qemu-img --help); then
  again=$(ctl --json portal list | jq -re '.portals[0].bound')
  qemu-img convert -n -f raw -O raw "$dir/data" "iscsi://$again/iqn.2026-11.internal.e2e:again/0"
  remote 0 read ONE -o "$dir/there"
  same "$dir/data" "$dir/there"
  qemu-img convert -f raw -O raw "iscsi://$again/iqn.2026-11.internal.e2e:again/0" "$dir/back"
  same "$dir/data" "$dir/back"
fi

# a unit more over there: its unit attention is heard with the next command
noticed() {
  ctl cdb ONE 00 00 00 00 00 00 >/dev/null || true
  units_are "$1"
}
remote 0 soft target add mem:8M,serial=NEW >/dev/null
until_true remote 0 inquiry NEW
remote 0 export add "${target}0" NEW --lun 5 --access all >/dev/null
until_true noticed 3
ctl write NEW -i /dev/zero 0 8 >/dev/null
remote 0 export remove "${target}0" 5
until_true noticed 2
stop_daemon
