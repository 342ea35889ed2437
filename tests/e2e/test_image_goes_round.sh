#!/usr/bin/env bash
# An ext4 image through the socket: read whole, written anew, checked by e2fsck, byte for byte.
. "$(dirname "$0")/lib.sh"

mkdir "$dir/content"
cp -r "$(dirname "$0")" "$dir/content/"
mke2fs -q -F -t ext4 -d "$dir/content" "$dir/disk.img" 32M
cp "$dir/disk.img" "$dir/before.img"
start_daemon --disk "$dir/disk.img" --disk mem:64M --disk null:1T,block=4096

ctl read disk@0,0 --out "$dir/copy.img" >/dev/null
same "$dir/copy.img" "$dir/before.img"
ctl write disk@1,0 --in "$dir/before.img" >/dev/null
ctl read disk@1,0 0 65536 --out "$dir/back.img" >/dev/null
same "$dir/back.img" "$dir/before.img"
e2fsck -fn "$dir/back.img" >"$dir/e2fsck.log" 2>&1 || fail "e2fsck: $(cat "$dir/e2fsck.log")"

# standard input and output
ctl read disk@1,0 0 2048 --out - | cmp - <(head -c 1M "$dir/before.img") || fail "read --out -"
head -c 3M /dev/urandom >"$dir/random"
ctl write disk@0,0 2048 --in - <"$dir/random" >/dev/null
dd if="$dir/disk.img" bs=1M skip=1 count=3 status=none | cmp - "$dir/random" || fail "write at an LBA"

ctl verify disk@0,0 >/dev/null
ctl cdb disk@0,0 "35 00 00 00 00 00 00 00 00 00" >/dev/null
stop_daemon
[ ! -e "$SCSAD_SOCKET" ] || fail "the socket is still there after the end"
