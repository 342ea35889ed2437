#!/usr/bin/env bash
# The conformance tool, through a gateway: what it reads, writes, compares and asks is the far unit's,
# and comes through unharmed.
. "$(dirname "$0")/gateway.sh"
need iscsi-test-cu libiscsi-bin
need jq jq

remote_config 0 mem:64M,serial=ONE </dev/null
remote_start 0
cat >"$dir/scsad.conf" <<EOT
hbas:
  - driver: iscsi
    targets: [ "$(far 0 header_digest=crc32c)" ]
portals:
  - { address: "127.0.0.1:0", group: 1 }
targets:
  - name: "iqn.2026-11.internal.e2e:again"
exports:
  - { target: "iqn.2026-11.internal.e2e:again", lun: 0, unit: "ONE", access: [ all ] }
EOT
start_daemon --config "$dir/scsad.conf"
url="iscsi://$(ctl --json portal list | jq -re '.portals[0].bound')/iqn.2026-11.internal.e2e:again/0"

for family in Read6 Read10 Read16 Write10 Write16 WriteSame16 Unmap CompareAndWrite Verify10 Inquiry \
  ReadCapacity16 TestUnitReady ModeSense6 GetLBAStatus; do
  iscsi-test-cu --dataloss -t "SCSI.$family" "$url" >"$dir/cu" 2>&1 || true
  # asserts: total, ran, passed, failed
  awk '/ asserts / { ran = $3; failed = $5 } END { exit !(ran > 0 && failed == 0) }' "$dir/cu" ||
    fail "$family: $(cat "$dir/cu")"
done
log_has "session lost" && fail "the session was lost"
stop_daemon
