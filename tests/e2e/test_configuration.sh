#!/usr/bin/env bash
# The configuration file: checked off line, errors with file:line:column, and served when right.
. "$(dirname "$0")/lib.sh"

cat >"$dir/good.conf" <<EOT
hbas:
  - driver: soft
    disks:
      - mem:16M
      - $dir/made.img,size=8M
EOT
expect 0 "" "$SCSAD_BIN" --config "$dir/good.conf" --check
[ ! -e "$dir/made.img" ] || fail "--check touched a disk"

printf 'hbas:\n  - driver: soft\n    discs: []\n' >"$dir/key.conf"
expect 102 "key.conf:3" "$SCSAD_BIN" --config "$dir/key.conf" --check
printf 'hbas:\n  - driver: soft\n    disks:\n      - mem:lots\n' >"$dir/value.conf"
expect 102 "value.conf:4" "$SCSAD_BIN" --config "$dir/value.conf" --check
printf 'hbas: [\n' >"$dir/yaml.conf"
expect 102 "yaml.conf:" "$SCSAD_BIN" --config "$dir/yaml.conf" --check
expect 102 "none.conf" "$SCSAD_BIN" --config "$dir/none.conf" --check

start_daemon --config "$dir/good.conf"
[ "$(ctl --json list | jq '.units | length')" = 2 ] || fail "two disks were configured"
expect 0 "" "$SCSAD_BIN" --version
expect 0 "--disk" "$SCSAD_BIN" --help
expect 1 "" "$SCSAD_BIN" --no-such-option
