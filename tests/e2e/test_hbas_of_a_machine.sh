#!/usr/bin/env bash
# scsactl hba: what a machine has, who uses it, and that nothing in use is taken. The machine is a
# folder; what a real kernel does with it is tried in the guests
. "$(dirname "$0")/lib.sh"

m=$dir/machine
sys=$m/sys
put() { mkdir -p "$(dirname "$1")" && printf '%s\n' "$2" >"$1"; }
link() { mkdir -p "$(dirname "$1")" && ln -sfn "$2" "$1"; }

# function ADDRESS VENDOR DEVICE CLASS DRIVER GROUP
function_add() {
  local fn=$sys/devices/pci0000:00/$1
  put "$fn/vendor" "0x$2"
  put "$fn/device" "0x$3"
  put "$fn/class" "0x$4"
  put "$fn/driver_override" "(null)"
  put "$sys/bus/pci/drivers/$5/unbind" ""
  link "$fn/driver" "$sys/bus/pci/drivers/$5"
  link "$fn/iommu_group" "$sys/kernel/iommu_groups/$6"
  link "$sys/kernel/iommu_groups/$6/devices/$1" "$fn"
  link "$sys/bus/pci/devices/$1" "$fn"
}

# disk ADDRESS NAME DEV
disk_add() {
  local disk=$sys/devices/pci0000:00/$1/host0/target/dev/block/$2
  put "$disk/dev" "$3"
  put "$disk/size" 2097152
  put "$sys/devices/pci0000:00/$1/host0/target/dev/model" "A DISK"
  link "$disk/device" "$sys/devices/pci0000:00/$1/host0/target/dev"
  link "$sys/class/block/$2" "$disk"
}

function_add 0000:00:10.0 1000 0054 010700 mptsas 4
function_add 0000:00:11.0 1af4 1048 010000 virtio-pci 5
function_add 0000:00:11.1 8086 100e 020000 e1000 5
function_add 0000:00:12.0 8086 5845 010802 nvme 6
put "$sys/bus/pci/drivers/vfio-pci/unbind" ""
put "$sys/bus/pci/drivers_probe" ""
disk_add 0000:00:10.0 sda 8:0
disk_add 0000:00:11.0 sdb 8:16
put "$m/proc/swaps" "Filename Type"
put "$m/proc/self/mountinfo" "22 27 8:0 / /srv rw - ext4 /dev/sda rw"
put "$m/proc/77/comm" tgtd
link "$m/proc/77/fd/5" /dev/sdb
mkdir -p "$m/dev" "$m/etc" "$m/run"

hba() { ctl hba "$1" --root "$m" "${@:2}"; }

# for people
out=$(hba list)
grep -q '^0000:00:10.0 1000:0054 SAS .* mptsas ' <<<"$out" || fail "no controller in: $out"
grep -q 'sda is mounted at /srv' <<<"$out" || fail "no mount in: $out"
grep -q 'sdb is open in process 77 (tgtd)' <<<"$out" || fail "no process in: $out"
grep -q '5 +0000:00:11.1=e1000' <<<"$out" || fail "no group in: $out"
grep -q 0000:00:11.1 <<<"$(hba list | grep -v '5 +')" && fail "a network function is listed"
[ "$(hba list --names | wc -l)" = 3 ] || fail "not three storage controllers"
[ "$(hba list --all --names | wc -l)" = 4 ] || fail "not four functions"

# for programs
if command -v jq >/dev/null; then
  hba list --json | jq -e '.functions | length == 3 and
    (.[0] | .address == "0000:00:10.0" and .id == "1000:0054" and .driver == "mptsas" and .used and
      .iommu_group == 4 and .disks[0].name == "sda" and .disks[0].capacity == 1073741824 and
      .disks[0].uses[0] == {kind: "mounted", device: "sda", by: "/srv"}) and
    (.[1] | .group == [{address: "0000:00:11.1", driver: "e1000"}])' >/dev/null ||
    fail "the document is wrong: $(hba list --json)"
fi

# refusals: nothing has moved
expect 26 "sda is mounted at /srv" hba bind 0000:00:10.0
expect 26 "sda is mounted at /srv" hba bind 00:10.0 --bus uio --persistent
expect 26 "sdb is open in process 77 (tgtd)" hba bind 0000:00:11.0
rm "$m/proc/77/fd/5"
expect 5 "0000:00:11.1 is in the same IOMMU group, 5, and driver e1000" hba bind 0000:00:11.0
expect 5 "no SCSI controller" hba bind 0000:00:11.1
expect 5 "no SCSI controller" hba bind 0000:00:12.0
expect 69 "no such PCI function" hba bind 0000:00:13.0
expect 1 "not the address" hba bind /etc
expect 1 "vfio or uio" hba bind 0000:00:10.0 --bus isa
expect 1 "no such option" hba bind 0000:00:10.0 --force
expect 36 "nothing is saved" hba bind 0000:00:10.0 --saved
expect 36 "the kernel has it: driver mptsas" hba unbind 0000:00:10.0
[ "$(cat "$sys"/bus/pci/devices/*/driver_override | sort -u)" = "(null)" ] || fail "an override is left"
[ ! -e "$m/etc/driverctl.d" ] || fail "something is kept"

# nobody uses it: the kernel is asked. This one does nothing, so that all is as it was
: >"$m/proc/self/mountinfo"
put "$m/proc/self/mountinfo" "22 27 0:1 / / rw - overlay none rw"
expect 69 "vfio-pci did not take it" hba bind 0000:00:10.0
[ "$(cat "$sys/bus/pci/drivers_probe")" = 0000:00:10.0 ] || fail "the kernel was not asked"

# what was given away is shown, and kept
link "$sys/devices/pci0000:00/0000:00:10.0/driver" "$sys/bus/pci/drivers/vfio-pci"
expect 0 "vfio-pci (/dev/vfio/4) has it now" hba bind 0000:00:10.0 --persistent
[ "$(cat "$m/etc/driverctl.d/pci-0000:00:10.0")" = vfio-pci ] || fail "it is not kept"
[ "$(cat "$m/run/scsad-hbas/0000:00:10.0")" = vfio ] || fail "udev is not told"
expect 0 "has it now" hba bind 0000:00:10.0 --saved
link "$m/proc/78/fd/9" /dev/vfio/4
put "$m/proc/78/comm" scsad
expect 26 "process 78 (scsad) has it open" hba unbind 0000:00:10.0

# the rule of udev: the device of a group with a function that was given to scsad
rule=${BUILD_DIR:+$BUILD_DIR/packaging/scsad.rules}
if [ -f "$rule" ]; then
  program=$(sed -n "s/.*PROGRAM==\"\/bin\/sh -c '\(.*\)'\"/\1/p" "$rule" | sed "s|/sys/|$sys/|; s|/run/|$m/run/|; s|\\$\\$|\$|g")
  [ -n "$program" ] || fail "no program in $rule"
  sh -c "${program//%k/4}" || fail "the group of a function that was given is refused"
  if sh -c "${program//%k/5}"; then fail "the group of others is given away"; fi
fi

# given back
rm "$m/proc/78/fd/9"
expect 0 "vfio-pci has it now" hba unbind 0000:00:10.0
[ ! -e "$m/etc/driverctl.d/pci-0000:00:10.0" ] || fail "it is still kept"
[ ! -e "$m/run/scsad-hbas/0000:00:10.0" ] || fail "udev still gives it away"
# a daemon that is told to drive what is not there, or what could write anywhere
expect 15 "ffff:ff:1f.7: there is no such PCI function" "$SCSAD_BIN" --pci ffff:ff:1f.7
expect 102 "allow_unsafe_dma: yes" "$SCSAD_BIN" --pci ffff:ff:1f.7,uio
expect 102 "drives PCI functions: say which" "$SCSAD_BIN" --config /dev/stdin <<<"hbas: [{driver: pvscsi}]"
expect 15 "ffff:ff:1f.7" "$SCSAD_BIN" --pci ffff:ff:1f.7,pvscsi,uio --allow-unsafe-dma
echo "controllers found, none in use taken"
