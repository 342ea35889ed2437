#!/usr/bin/env bash
# 8 GiB of sparse image: read, write and unmap at its end, in less than 64 MiB of memory.
. "$(dirname "$0")/lib.sh"

start_daemon --disk "$dir/big.img,size=8G" --disk mem:8G
head -c 1M /dev/urandom >"$dir/data"
last=$((8 * 1024 * 2048 - 2048))
for disk in disk@0,0 disk@1,0; do
  ctl write $disk $last --in "$dir/data" >/dev/null
  ctl read $disk $last 2048 --out "$dir/back" >/dev/null
  same "$dir/back" "$dir/data"
  # UNMAP of that last MiB: one descriptor
  printf '\x00\x16\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xf8\x00\x00\x00\x08\x00\x00\x00\x00\x00' >"$dir/unmap"
  ctl cdb $disk "42 00 00 00 00 00 00 00 18 00" --in "$dir/unmap" >/dev/null
  ctl read $disk $last 2048 --out "$dir/back" >/dev/null
  cmp "$dir/back" <(head -c 1M /dev/zero) || fail "$disk: unmapped blocks do not read as zeros"
done
used=$(($(stat -c %b "$dir/big.img") / 2))
[ "$used" -lt 1024 ] || fail "the image takes $used KiB on disk after the unmap"
if ! instrumented; then
  [ "$(resident_kib)" -lt 65536 ] || fail "scsad uses $(resident_kib) KiB"
  echo "resident: $(resident_kib) KiB"
fi
