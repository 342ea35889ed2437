#!/usr/bin/env bash
# Every verb answers in a table and in JSON with a schema number; list names every unit.
. "$(dirname "$0")/lib.sh"

truncate -s 16M "$dir/a.img"
start_daemon --disk "$dir/a.img,serial=SN-A" --disk mem:1G --disk null:1T,block=4096

ctl --json list | jq -e '
  .schema >= 1 and (.tool | startswith("scsactl ")) and (.units | length == 3)
  and (.units | all(.path and .vendor and .product and .capacity))
  and (.units[0].serial == "SN-A") and (.units[0].capacity == 16777216)
  and (.units[2].block_bytes == 4096) and (.units[2].capacity == 1099511627776)' >/dev/null ||
  fail "list: $(ctl --json list)"
path=$(ctl --json list | jq -r '.units[0].path')
[ "$path" = soft0/iport0/disk@0,0 ] || fail "path is $path"

for verb in list status "show $path" "probe $path" "inquiry $path" "vpd $path" "vpd $path 0x83" \
  "readcap $path" "luns $path" "getcap $path" "cdb $path 000000000000" "fault list" "version" \
  "reset lun $path"; do
  # shellcheck disable=SC2086
  ctl --json $verb | jq -e '.schema >= 1 and (.tool | startswith("scsactl "))' >/dev/null ||
    fail "--json $verb: $(ctl --json $verb 2>&1)"
  # shellcheck disable=SC2086
  ctl $verb >/dev/null || fail "$verb"
done

# without arguments: something useful, and 0
ctl >/dev/null
# a unit by tail and by serial
ctl readcap a.img >/dev/null 2>&1 && fail "a file's name is not a unit"
[ "$(ctl --json readcap disk@0,0 | jq .blocks)" = 32768 ] || fail "readcap by tail"
[ "$(ctl --json readcap SN-A | jq .blocks)" = 32768 ] || fail "readcap by serial"

# all 23 capabilities are printed
caps=$(ctl --json getcap "$path" | jq '.capabilities | length')
[ "$caps" = 23 ] || fail "getcap prints $caps capabilities, not 23"

# completions that a shell accepts
ctl completion bash | bash -n || fail "bash completion"
