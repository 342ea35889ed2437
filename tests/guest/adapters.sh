# adapters.sh - sourced by tests/guest/chips and compare: the guest with adapters, and scsad inside it
#
# Each adapter is behind a root port of its own: that gives it a reset and an IOMMU group of its own.
# They are at 0000:01:00.0, 02:00.0, ... in the order of $chips.
# shellcheck shell=bash

chips=(virtio_scsi pvscsi mptsas)

# device_of CHIP - QEMU's words. A virtio device goes around the IOMMU unless told otherwise
device_of() {
  case "$1" in
  virtio_scsi) echo "virtio-scsi-pci,disable-legacy=on,iommu_platform=on,ats=off" ;;
  pvscsi) echo pvscsi ;;
  mptsas) echo mptsas1068 ;;
  esac
}

# the IOMMU comes before what is behind it. Functions of the kernel's own drivers are not translated,
# which UIO needs, too
adapters_words="intel_iommu=on iommu=pt"
adapters=(-device "intel-iommu,intremap=on,caching-mode=on")

# adapter_add NUMBER DEVICE NAME - one more; its bus is NAME.0
adapter_add() {
  adapters+=(-device "pcie-root-port,id=port$1,chassis=$1,slot=$1,addr=$(printf %x $((15 + $1))).0"
    -device "$2,id=$3,bus=port$1,addr=0.0")
}

# disk_add NAME ID BLOCKDEV - a disk of an adapter. The kernel's driver of the SAS1068 sees disks by
# their names only
disk_add() {
  adapters+=(-blockdev "$3,node-name=$1-$2"
    -device "scsi-hd,bus=$1.0,scsi-id=$2,drive=$1-$2,serial=$1-$2,dpofua=on,wwn=0x5000c500$(printf '%s-%s' "$1" "$2" | cksum | awk '{ printf "%08x", $1 }')")
}

# scsad_pack DIR - the programs with all their libraries, started by their own loader, so that the
# guest's do not matter
scsad_pack() {
  local program file
  mkdir -p "$1/scsad/lib" "$1/usr/bin"
  for program in "$build/bin/scsad" "$build/bin/scsactl" "$@"; do
    [ -f "$program" ] || continue
    cp "$program" "$1/scsad/"
    ldd "$program" | awk '/=> \//{ print $3 } /^[ \t]*\//{ print $1 }' >"$dir/libraries"
    while read -r file; do cp -L "$file" "$1/scsad/lib/"; done <"$dir/libraries"
    file=${program##*/}
    cat >"$1/usr/bin/$file" <<EOT
#!/bin/sh
exec /scsad/lib/ld-linux-x86-64.so.2 --library-path /scsad/lib /scsad/$file "\$@"
EOT
    chmod +x "$1/usr/bin/$file"
  done
}
