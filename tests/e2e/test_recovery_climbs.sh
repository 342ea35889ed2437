#!/usr/bin/env bash
# A device that swallows commands: abort, reset of the unit, of its target, of the bus, of the HBA,
# then off line; each step as soon as the one before has had its time, and others work on.
. "$(dirname "$0")/lib.sh"

start_daemon --disk mem,size=4M,target=0 --disk mem,size=4M,target=1
stuck=soft0/iport0/disk@0,0
other=soft0/iport0/disk@1,0

# a READ may take a second
expect 0 "" ctl unit set $stuck --command-timeout 1 --recover-grace 1

steps() { grep -o "$1: \(recovery step [a-z]*\|offline\)" "$dir/scsad.log" | sed 's/.* //' | xargs; }

# patience STEP... - a second for each of the steps before the last one, and that one has all the time it needs
patience() {
  local step
  for step in "${@:1:$#-1}"; do expect 0 "" ctl unit set $stuck "--recover-$step" 1; done
  expect 0 "" ctl unit set $stuck "--recover-${*: -1}" 120
}

# climb UNTIL STEPS - a READ that only UNTIL gets back, and the steps that were needed
climb() {
  local status=0
  # shellcheck disable=SC2086 # words
  patience $2
  : >"$dir/scsad.log"
  expect 0 "" ctl fault add "action=stuck,op=0x28,count=1,until=$1" --unit $stuck
  ctl --timeout 1 cdb $stuck 28000000000000000100  >"$dir/out" 2>&1 || status=$?
  [ "$status" != 0 ] || fail "a swallowed READ ended well: $(cat "$dir/out")"
  [ "$(steps $stuck)" = "$2" ] || fail "until=$1: steps were '$(steps $stuck)', not '$2'"
  [ -z "$(steps $other)" ] || fail "until=$1: another unit climbed"
  ctl read $stuck 0 1 --out /dev/null >/dev/null || fail "until=$1: the unit does not work afterwards"
}

climb lun "abort lun"
climb target "abort lun target"
climb bus "abort lun target bus"
climb hba "abort lun target bus hba"
grep -q "soft0: reset" "$dir/scsad.log" || fail "the HBA was not reset"

# a step without time is left out
expect 0 "" ctl unit set $stuck --recover-abort 0 --recover-target 0 --recover-bus 0
climb hba "lun hba"

# a reset of the HBA ends what is under way on all units, and is told to each of them once
other_works() {
  local try
  for try in 1 2 3; do
    ctl write $other 0 --in <(head -c 4096 /dev/urandom) >"$dir/other" 2>&1 && return 0
    grep -qi "reset" "$dir/other" || break
  done
  fail "the other unit does not work: $try, $(cat "$dir/other")"
}

# nothing helps: off line, and the other one works all the time
expect 0 "" ctl unit set $stuck --recover-hba 1
: >"$dir/scsad.log"
expect 0 "" ctl fault add action=stuck,op=0x28,count=1,until=quiesce --unit $stuck
ctl --timeout 1 cdb $stuck 28000000000000000100  >/dev/null 2>&1 &
reader=$!
for ((i = 0; i < 1200; i++)); do
  other_works
  if log_has "$stuck: offline"; then break; fi
  sleep 0.05
done
[ "$(steps $stuck)" = "lun hba offline" ] || fail "steps were '$(steps $stuck)'"
grep -q "soft0: silenced" "$dir/scsad.log" && fail "the HBA was silenced while a unit of it works"
expect 69 "transport: gone" ctl cdb $stuck 000000000000
ctl read $other 0 8 --out /dev/null >/dev/null || fail "the other unit does not work"
kill "$reader" 2>/dev/null || true
wait "$reader" || true

# the daemon ends well all the same: what the device swallowed comes back when it is silenced
stop_daemon

# an HBA of whose units none answers is silenced; the other HBA works on
cat >"$dir/conf" <<END
hbas:
  - {driver: soft, disks: ["mem,size=4M"]}
  - {driver: soft, disks: ["mem,size=4M"]}
drain_ms: 100
units:
  - {unit: "soft0/iport0/disk@0,0", command_timeout: 1, recover_grace: 1, recover_abort: 0,
     recover_lun: 1, recover_target: 0, recover_bus: 0, recover_hba: 0}
END
: >"$dir/scsad.log"
start_daemon --config "$dir/conf"
expect 0 "" ctl fault add action=stuck,op=0x28,count=1,until=quiesce --unit $stuck
expect 33 "READ(10)" ctl --timeout 1 cdb $stuck 28000000000000000100
[ "$(steps $stuck)" = "lun offline" ] || fail "steps were '$(steps $stuck)'"
states() { ctl --json list | jq -r '[.hbas[].state] | join(" ")'; }
by_and_by is_equal "silenced ready" states || fail "the HBAs are $(ctl --json list | jq -c .hbas)"
expect 0 "" ctl read soft1/iport0/disk@0,0 0 8 --out /dev/null
stop_daemon
