#!/usr/bin/env bash
# An initiator that logs in anew while a write of its former session is still with the disk: what it sends now
# comes behind that write, whichever loops target and disk live on.
. "$(dirname "$0")/iscsi.sh"
write_zeros=93010000000000000000000000010000 # WRITE SAME (16), NDOB, one block
export INITIATOR=iqn.2026-11.internal.e2e:same ISID=800000000001
now_ms() { awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime; } # no clock that is set
has_arrived() { ctl --json fault list | jq -e '[.rules[].hits] | add > 0'; }

for loops in 1 2; do
  serve_two --loops $loops
  for lun in 0 1; do
    talk "old$loops$lun" "$(url $lun)"
    settle "old$loops$lun" $lun
    asked good "old$loops$lun" $lun 0 $write_zeros
    ctl fault add action=delay,ms=1500,op=0x93,count=1 --unit "disk@$lun,0" >/dev/null
    begin=$(now_ms)
    echo "$lun 0 $write_zeros" >&"${talk_in[old$loops$lun]}"
    until_true has_arrived
    talk "new$loops$lun" "$(url $lun)"
    settle "new$loops$lun" $lun
    asked good "new$loops$lun" $lun 0 $write_zeros
    took=$(($(now_ms) - begin))
    [ "$took" -ge 1400 ] || fail "loops $loops, LUN $lun: written $took ms after a write of 1500 ms began"
    ctl fault clear >/dev/null
  done
  stop_daemon
done
