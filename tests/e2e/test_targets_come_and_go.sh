#!/usr/bin/env bash
# Targets, units, expanders and phys come and go while the daemon runs: lists, events and addresses
# follow, a unit that is pulled ends its commands with an error, and others notice nothing.
. "$(dirname "$0")/lib.sh"

watch=

# what scsactl watch has told so far
told() { grep -qF -- "$1" "$dir/events"; }

expect_event() { by_and_by told "$1" || fail "no event '$1': $(cat "$dir/events")"; }

# whoever watches is heard of by what it is told
is_watched() {
  ctl soft target add mem:1M,target=9
  ctl soft target remove iport0/9
  [ -s "$dir/events" ]
}

units() { ctl list --names | grep -c "$1" || true; }

start_daemon --disk mem:64M,serial=STAYS --disk mem:1M,wwn=5000c50012345678,port=p0 \
  --disk mem:1M,port=vol --port vol,virtual --port p0,remote=5000c500000000aa,phys=f \
  --expander 5000c500a0000000,port=p0
ctl watch >"$dir/events" &
watch=$!
until_true is_watched

# --- the tree
tree=$(ctl list --tree)
for text in iport0 f vol smp@w5000c500a0000000 disk@w5000c50012345678,0; do
  grep -qF -- "$text" <<<"$tree" || fail "the tree lacks $text: $tree"
done
ctl --json list | jq -e '
  (.ports | map({(.iport): .kind}) | add) == {"iport0": "plain", "f": "phys", "vol": "virtual"}
  and (.ports[] | select(.iport == "f") | .phys == 15 and .remote == "5000c500000000aa"
    and .units == 1 and .expanders == 1 and .targets == 1)
  and (.phys | length == 4 and all(.up and .iport == "f"))
  and (.expanders | length == 1) and .expanders[0].wwn == "5000c500a0000000"
  and (.units | map(.path) == ["soft0/f/disk@w5000c50012345678,0", "soft0/iport0/disk@0,0",
    "soft0/vol/disk@0,0"])' >/dev/null || fail "list: $(ctl --json list)"

# --- absent addresses, in both forms
expect 36 "no response" ctl probe soft0/iport0 5
expect 36 "no response" ctl probe soft0/iport0 0 7
expect 36 "no response" ctl probe soft0/f w5000c5001234567f
expect 36 "no response" ctl probe soft0/iport0 w5000c50012345678
expect 36 "no response" ctl probe soft0/f w5000c50012345678 1
expect 0 "soft0/f/disk@w5000c50012345678,0" ctl probe soft0/f w5000c50012345678
expect 0 "soft0/f/disk@w5000c50012345678,0" ctl probe soft0/f 5000C50012345678
expect 0 "soft0/iport0/disk@0,0" ctl probe soft0/iport0 0
expect 69 "no such HBA or port" ctl probe soft0/iport9 0
expect 1 "several ports" ctl probe soft0 0
expect 1 "cannot have a unit" ctl probe soft0/iport0 nonsense

# --- a target with units: there when the command returns
expect 0 "soft0/iport0/1,0" ctl soft target add mem:2M
[ "$(ctl --json readcap disk@1,0 | jq .blocks)" = 4096 ] || fail "the new target's size"
expect_event "unit-added soft0/iport0/disk@1,0"
expect_event "tree soft0/iport0/1,0: target added"
ctl --json soft target add mem:1M,target=2,luns=20 |
  jq -e '.settled and .units == 20 and .address == "iport0/2,0"' >/dev/null || fail "20 units"
[ "$(units iport0/disk@2,)" = 20 ] || fail "20 units are not listed"
expect 67 "there is such a target" ctl soft target add mem:1M,target=2
expect 1 "" ctl soft target add mem:
expect 69 "no port" ctl soft target remove nowhere/3
expect 69 "no target 9" ctl soft target remove iport0/9
expect 1 "is neither add nor remove" ctl soft target pull iport0/1

# --- units of a target; the others stay what they are
expect 0 "soft0/iport0/2,14" ctl soft lun add mem:1M,target=2
expect 0 "soft0/iport0/2,5" ctl soft lun remove iport0/2,5
[ "$(units iport0/disk@2,)" = 20 ] || fail "not 20 units after one came and one went"
[ "$(units 'iport0/disk@2,5$')" = 0 ] || fail "LUN 5 is still there"
expect 36 "no response" ctl probe soft0/iport0 2 5
expect_event "unit-gone soft0/iport0/disk@2,5"
ctl readcap iport0/disk@2,6 >/dev/null || fail "a unit beside it"

# --- pulled while commands are at work
ctl fault add --unit iport0/disk@2,3 action=drop,op=read >/dev/null
ctl read iport0/disk@2,3 0 8 -o /dev/null 2>"$dir/pulled" &
reader=$!
ctl read STAYS -o "$dir/whole" &
other=$!
until ctl --json show iport0/disk@2,3 | jq -e '.counters.in_flight > 0' >/dev/null; do :; done
expect 0 "soft0/iport0/2" ctl soft target remove soft0/iport0/disk@2,3
status=0
wait "$reader" || status=$?
[ "$status" = 69 ] || fail "the read of the pulled unit ended with $status: $(cat "$dir/pulled")"
wait "$other" || fail "the read of another unit failed"
[ "$(stat -c %s "$dir/whole")" = 67108864 ] || fail "it read $(stat -c %s "$dir/whole") bytes"
[ "$(units iport0/disk@2,)" = 0 ] || fail "units of the pulled target are listed"
ctl fault clear >/dev/null
expect 0 "soft0/iport0/2,0" ctl soft target add mem:1M,target=2
expect 0 "soft0/iport0/2" ctl soft target remove soft0/iport0/2

# --- names in place of numbers, and the expander that counts them
expect 0 "soft0/p0/w5000c50012340000,0" ctl soft target add mem:1M,wwn=5000c50012340000,port=p0
[ "$(units f/disk@w5000c50012340000,0)" = 1 ] || fail "the named target is not listed"
expect 0 "5000c500a0000000" ctl smp smp@w5000c500a0000000 general
expect 0 "SCSAD" ctl smp soft0/f/smp@w5000c500a0000000 manufacturer
for ((phy = 0, found = 0; phy < 12; phy++)); do
  grep -q 5000c50012340000 < <(ctl smp smp@w5000c500a0000000 discover $phy) && found=$((found + 1))
done
[ "$found" = 1 ] || fail "$found phys of the expander lead to the new target"
expect 5 "phy does not exist" ctl smp smp@w5000c500a0000000 discover 12
ctl --json smp smp@w5000c500a0000000 general | jq -e '.phys == 12' >/dev/null || fail "smp --json"
expect 69 "no such expander" ctl smp smp@w5000c500a0000009 general
expect 0 "soft0/p0/w5000c500a0000001" ctl soft expander add 5000c500a0000001,port=p0,phys=4
expect_event "expander-added soft0/f/smp@w5000c500a0000001"
expect 0 "" ctl soft target remove p0/w5000c500a0000001
expect_event "expander-gone soft0/f/smp@w5000c500a0000001"
expect 0 "" ctl soft target remove soft0/f/disk@w5000c50012340000,0

# --- phys: the port stays while one is up, goes with the last, and comes back by another name
expect 0 "" ctl soft phy down 0
[ "$(units f/disk@w5000c50012345678,0)" = 1 ] || fail "the port went with its first phy"
expect 69 "" ctl soft phy down 0
for phy in 1 2 3; do ctl soft phy down $phy; done
expect_event "port-gone soft0/f"
by_and_by is_equal 0 units disk@w5000c50012345678,0 || fail "its unit is still there"
expect 36 "" ctl probe soft0/iport0 w5000c50012345678
expect 0 "no phy leads" ctl soft target add mem:1M,wwn=5000c5001234000a,port=p0
expect 0 "" ctl soft phy up 8 5000c500000000aa
expect_event "port-added soft0/100"
by_and_by is_equal 2 units soft0/100/disk@ || fail "behind the new port: $(ctl list)"
expect 67 "" ctl soft phy up 8 5000c500000000bb
expect 1 "" ctl soft phy up 64 5000c500000000bb
expect 1 "" ctl soft phy up 1 nonsense

# --- the role decides, and who does not wait is not held up
expect 0 "soft0/iport0/3,0" ctl soft target add --no-wait mem:1M,target=3
expect 1 "takes 0 to" ctl soft target add --wait-settled never mem:1M

# --- static adapters have no phys, and several adapters need a name
kill "$watch"
wait "$watch" 2>/dev/null || true
stop_daemon
cat >"$dir/two.conf" <<EOF
hbas:
  - driver: soft
    disks: [ mem:1M ]
  - driver: soft
    ports: [ "p0,remote=5000c500000000aa,phys=1" ]
    disks: [ "mem:1M,port=p0,wwn=5000c50012345678" ]
    expanders: [ "5000c500a0000000,port=p0" ]
EOF
start_daemon --config "$dir/two.conf"
expect 1 "several software HBAs" ctl soft target add mem:1M
expect 0 "soft0/iport0/1,0" ctl soft target add --unit soft0 mem:1M
expect 0 "soft1/p0/w5000c50012340000,0" ctl soft target add --unit disk@w5000c50012345678,0 \
  mem:1M,port=p0,wwn=5000c50012340000
expect 99 "static" ctl soft phy up --unit soft0 1 5000c500000000bb
expect 0 "" ctl soft target remove soft0/iport0/1
expect 0 "5000c500a0000000" ctl smp smp@w5000c500a0000000 general
stop_daemon
