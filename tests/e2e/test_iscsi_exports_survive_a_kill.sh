#!/usr/bin/env bash
# What scsactl has made - portals, targets, exports, accounts, access lists - is there again after scsad
# was killed, on the same port, and so is the data.
. "$(dirname "$0")/iscsi.sh"

disk=$dir/disk.img,size=32M,serial=DISK
state=$dir/state
start_daemon --disk "$disk" --state-dir "$state"
at=$own_address:3260
ctl portal add "$at" >/dev/null
ctl target add "$target" >/dev/null
ctl acl add friends --initiators "iqn.2026-11.internal.e2e:*" >/dev/null
ctl export add "$target" DISK --lun 3 --acl friends --access all >/dev/null

round() {
  talk "$1" "iscsi://$at/$target/3"
  settle "$1" 3
  asked "good*" "$1" 3 512 28000000000000000100
}
round before
head -c 512 /dev/urandom >"$dir/block"
ctl write DISK 0 1 -i "$dir/block" >/dev/null
seen=$(ask before 3 512 28000000000000000100)

for i in 1 2 3; do
  kill -KILL "$daemon"
  wait "$daemon" 2>/dev/null || true
  asked closed before 3 0 000000000000
  start_daemon --disk "$disk" --state-dir "$state"
  round "after$i"
  asked "$seen" "after$i" 3 512 28000000000000000100
  ctl --json export list | jq -e '.exports | length == 1 and .[0].lun == 3 and .[0].acl == "friends"' \
    >/dev/null || fail "exports: $(ctl --json export list)"
done

# whoever is no friend stays out, as before
[ "$("$say" "iscsi://$at/$target/3" iqn.2026-11.internal.stranger:x </dev/null)" = refused ] ||
  fail "a stranger is let in after the restart"

# and what is removed stays away
ctl export remove "$target,3,friends" >/dev/null
ctl target remove "$target" >/dev/null
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null || true
start_daemon --disk "$disk" --state-dir "$state"
[ "$(ctl --json target list | jq '.targets | length')" = 0 ] || fail "the target came back"
stop_daemon
