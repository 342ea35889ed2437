# lib.sh - sourced by the tests of adapters: the kernel's driver and disks, scsad here, its log
. /tests/lib.sh

target_host=127.0.0.1
port=3260

# chip_find CHIP - sets addresses (of all such functions), address (of the first), kernel_driver, and
# module, which brings the disks
chip_find() {
  case "$1" in
  virtio_scsi) kernel_driver=virtio-pci module=virtio_scsi id=0x1af4:0x1048 ;;
  pvscsi) kernel_driver=vmw_pvscsi module=vmw_pvscsi id=0x15ad:0x07c0 ;;
  mptsas) kernel_driver=mptsas module=mptsas id=0x1000:0x0054 ;;
  esac
  addresses=''
  for function in /sys/bus/pci/devices/*; do
    [ "$(cat "$function/vendor"):$(cat "$function/device")" != $id ] ||
      addresses="$addresses ${function##*/}"
  done
  [ -n "$addresses" ] || fail "there is no $1"
  address=$(echo $addresses | cut -d' ' -f1)
}

driver_now() { basename "$(readlink "/sys/bus/pci/devices/$address/driver")"; }

# kernel_disk SERIAL - the node of a disk behind the adapter, as the kernel's driver shows it
kernel_disk() {
  for block in /sys/block/sd*; do
    case "$(readlink -f "$block")" in */"$address"/*) ;; *) continue ;; esac
    grep -q "$1" "$block/device/vpd_pg80" || continue
    [ -b "/dev/${block##*/}" ] || continue
    echo "/dev/${block##*/}"
    return 0
  done
  return 1
}

kernel_has_it() { # SERIAL... - with these disks
  [ "$(driver_now)" = $kernel_driver ] || fail "$address is with '$(driver_now)', not $kernel_driver"
  for serial in "$@"; do
    wait_for 30 kernel_disk "$serial" >/dev/null || fail "the kernel's driver shows no disk $serial"
  done
}

# ------ scsad ------

# conf_write BUS - the emulated pvscsi reads and writes its rings around the IOMMU
conf_write() {
  more=
  case "$1.$chip" in
  uio.*) more=", allow_unsafe_dma: yes" ;;
  vfio.pvscsi) more=", identity_dma: yes" ;;
  esac
  rm -rf /tmp/state
  mkdir /tmp/state
  chown scsad:scsad /tmp/state
  cat <<EOT
user: scsad
state_dir: /tmp/state
hbas:
  - { name: $chip, driver: $chip, pci: "$address", bus: $1$more }
portals:
  - { address: "0.0.0.0:$port", group: 1 }
EOT
}

ctl() { scsactl --socket /tmp/scsad.sock "$@"; }

scsad_answers() {
  kill -0 "$scsad" 2>/dev/null || fail "scsad has ended: $(tail -5 /tmp/scsad.log)"
  ctl --wait 1 status >/dev/null 2>&1
}

scsad_start() {
  scsad --config /tmp/scsad.conf --socket /tmp/scsad.sock >>/tmp/scsad.log 2>&1 </dev/null &
  scsad=$!
  wait_for 60 scsad_answers || fail "scsad does not answer: $(tail -5 /tmp/scsad.log)"
}

# serves_without_rights - it has the function open, and may not open it again
serves_without_rights() {
  status=/proc/$scsad/status
  [ "$(awk '/^Uid:/ { print $2, $3, $4 }' "$status")" = "900 900 900" ] || fail "scsad is still root"
  grep -qE '^CapPrm:.*[1-9a-f]' "$status" && fail "scsad has capabilities: $(grep Cap "$status")"
  grep -q '^Seccomp:.2' "$status" || fail "no filter of system calls: $(grep Seccomp "$status")"
}

scsad_kill() {
  kill -KILL $scsad || fail "scsad was dead before it was killed: $(tail -5 /tmp/scsad.log)"
  wait $scsad 2>/dev/null
  scsad_start
}

scsad_stop() {
  kill -TERM $scsad
  wait $scsad || fail "scsad ended with $?"
}

unit_is_there() { ctl inquiry "$1" >/tmp/inquiry 2>&1; }

units_come() { # SERIAL...
  for serial in "$@"; do
    wait_for 30 unit_is_there "$serial" || fail "no unit $serial: $(cat /tmp/inquiry)"
  done
}
