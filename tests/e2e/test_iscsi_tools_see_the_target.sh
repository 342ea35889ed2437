#!/usr/bin/env bash
# libiscsi's tools find the target through either portal, list its units and read who they are.
. "$(dirname "$0")/iscsi.sh"
need iscsi-ls libiscsi-bin
need iscsi-inq libiscsi-bin
need iscsi-readcapacity16 libiscsi-bin
serve_two

for n in 0 1; do
  expect 0 "Target:$target Portal:" iscsi-ls "iscsi://$(portal $n)"
  expect 0 "Lun:1" iscsi-ls -s "iscsi://$(portal $n)"
  expect 0 "SCSAD" iscsi-inq "$(url 0 $n)"
  expect 0 "TWO" iscsi-inq -e 1 -c 128 "$(url 1 $n)"
  expect 0 "Total size:33554432" iscsi-readcapacity16 "$(url 1 $n)"
done

# a LUN that is not there, a target that is not there
status=0
iscsi-inq "$(url 7)" >"$dir/inq" 2>&1 || status=$?
[ "$status" != 0 ] || grep -q "Peripheral Qualifier:NOT" "$dir/inq" || fail "LUN 7: $(cat "$dir/inq")"
status=0
iscsi-inq "iscsi://$(portal 0)/$target-not/0" >"$dir/inq" 2>&1 || status=$?
[ "$status" != 0 ] || fail "a target that is not there answers"

# the same unit through both portals: written here, read there
talk one "$(url 0 0)"
talk two "$(url 0 1)"
settle one 0
settle two 0
asked good one 0 0 2a000000000000000000
asked good two 0 0 000000000000
# those of the tools end by and by
sessions() { ctl --json sessions list | jq '.sessions | length'; }
by_and_by is_equal 2 sessions || fail "$(ctl sessions list)"
stop_daemon
