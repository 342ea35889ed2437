#!/usr/bin/env bash
# A command right behind a reset of all units is none of those that it ends: it is answered, whatever unit it is
# for, wherever that lives, and although it takes the disk longer than the reset of the units before.
. "$(dirname "$0")/iscsi.sh"
read_one=28000000000000000100

for loops in 1 2; do
  serve_two --loops $loops
  talk "s$loops" "$(url 0)"
  for function in 6 11; do
    for lun in 0 1; do
      settle "s$loops" 0
      settle "s$loops" 1
      ctl fault add action=delay,ms=300,op=read,count=1 --unit "disk@$lun,0" >/dev/null
      asked "0 check 6/29??" "s$loops" "tmf $function $lun" 512 $read_one
      ctl fault clear >/dev/null
    done
  done
  stop_daemon
done
