#!/usr/bin/env bash
# SYNCHRONIZE CACHE of one initiator fails: another one that has written is told by its next command, also when it
# was away meanwhile; who has not written is not.
. "$(dirname "$0")/iscsi.sh"
write_zeros=93010000000000000000000000010000 # WRITE SAME (16), NDOB, one block
flush=35000000000000000000
tur=000000000000

serve_two
for name in writer flusher reader; do
  ISID=800000000001 talk $name "$(url 0)"
  settle $name 0
done

lose() {
  ctl fault add action=check,sense=3/0c/00,op=0x35,count=1 --unit disk@0,0 >/dev/null
  asked "check 3/0c00" flusher 0 0 $flush
}

asked good writer 0 0 $write_zeros
lose
asked "check 3/0c00" writer 0 0 $write_zeros
asked good writer 0 0 $tur
asked good reader 0 0 $tur
asked good flusher 0 0 $flush

asked good writer 0 0 $write_zeros
INITIATOR=iqn.2026-11.internal.e2e:writer ISID=800000000001 talk again "$(url 0)"
lose
INITIATOR=iqn.2026-11.internal.e2e:writer ISID=800000000001 talk later "$(url 0)"
heard later 0 "check 3/0c00"
asked good later 0 0 $tur
asked good reader 0 0 $tur
