#!/usr/bin/env bash
# A file system image goes through qemu's iSCSI initiator to a unit and back, by the one and the other
# portal, and is the same.
. "$(dirname "$0")/iscsi.sh"
need qemu-img qemu-utils
need mkfs.ext4 e2fsprogs
need debugfs e2fsprogs
grep -qw iscsi < <(qemu-img --help) ||
  { echo "skipped: qemu has no iSCSI here; on Debian: apt-get install qemu-block-extra"; exit 77; }

# an ext4 image with files in it
mkdir "$dir/tree"
head -c 3000000 /dev/urandom >"$dir/tree/random"
seq 200000 >"$dir/tree/numbers"
mkfs.ext4 -q -d "$dir/tree" "$dir/image" 64M
qemu-img convert -f raw -O qcow2 "$dir/image" "$dir/image.qcow2"

serve_two
qemu-img convert -n -f raw -O raw "$dir/image" "$(url 0)"
qemu-img convert -f raw -O raw "$(url 0 1)" "$dir/back"
same "$dir/image" "$dir/back"
qemu-img compare -f raw -F raw "$dir/image" "$(url 0)" >/dev/null || fail "qemu-img compare"
debugfs -R "dump /numbers $dir/numbers" "$dir/back" 2>/dev/null
same "$dir/tree/numbers" "$dir/numbers"
e2fsck -fn "$dir/back" >/dev/null 2>&1 || fail "the file system that came back is not clean"

# what the initiator wrote is what the unit holds
ctl read ONE -o "$dir/local"
same "$dir/image" "$dir/local"

# sparse, from another format, over what was there; with many requests in flight
ctl write ONE -i /dev/urandom 0 131072 >/dev/null 2>&1 || head -c 67108864 /dev/urandom | ctl write ONE -i -
qemu-img convert -n -W -m 16 -f qcow2 -O raw "$dir/image.qcow2" "$(url 0)"
qemu-img convert -W -m 16 -f raw -O raw "$(url 0)" "$dir/back2"
same "$dir/image" "$dir/back2"
stop_daemon
