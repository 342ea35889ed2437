# lib.sh - sourced by what boots the guest: the guest itself, and the line to it
#
# The console of the guest goes to a file, its second serial line is the coprocess's input and output.
# Who sources this has $logs and a function request, which does what the guest asks the host for.
# shellcheck shell=bash

skip() { echo "skipped: $*"; exit 77; }

# guest_find - sets guest; ends the test when none can be made here
guest_find() {
  local status=0 tool
  [ "$(uname -m)" = x86_64 ] || skip "the guest needs a machine of x86_64"
  for tool in qemu-system-x86_64 jq; do
    command -v $tool >/dev/null || skip "there is no $tool here; on Debian: packaging/install-deps --tests"
  done
  guest=$("$here/make" "${SCSAD_GUEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/scsad/guest}" 2>&1) || status=$?
  case $status in
  0) guest=${guest##*$'\n'} ;;
  2) skip "$guest" ;;
  *) echo "$guest" >&2; exit 1 ;;
  esac
}

# guest_pack DIR - what is the test's own, as a second archive behind that of the packages
guest_pack() {
  local size
  cp -L "$guest/initrd" "$dir/initrd"
  size=$(stat -c %s "$dir/initrd")
  truncate -s $(((size + 511) / 512 * 512)) "$dir/initrd"
  (cd "$1" && find . | "$guest/busybox" cpio -o -H newc -R 0:0 2>/dev/null) >>"$dir/initrd"
}

# /dev/kvm alone says nothing: paravirtual ones do not get an ordinary kernel up
guest_accel() {
  if [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then echo kvm; else echo tcg; fi
}

# guest_start TESTS MIB WORDS QEMU_ARGUMENT... - run /tests/TESTS/all there; the kernel gets WORDS, too.
# Half of what it does at its start is of no use to a test, and slow when emulated; so are moves of
# strings (erms, fsrm), which libraries take for the fastest way to copy. On a busy machine the kernel
# would find that its timer does not work, and panic. With guest_cpus processors
guest_start() {
  guest_words=("$@") guest_boots=0
  guest_boot
}

guest_boot() {
  local tests=${guest_words[0]} mib=${guest_words[1]} words=${guest_words[2]}
  guest_boots=$((guest_boots + 1))
  coproc qemu { exec qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
    -machine q35,kernel-irqchip=split -accel "$(guest_accel)" -cpu max,-erms,-fsrm -smp "${guest_cpus:-2}" -m "$mib" \
    -kernel "$guest/kernel" -initrd "$dir/initrd" \
    -append "tests=$tests console=ttyS0 quiet panic=-1 nokaslr random.trust_cpu=on mitigations=off tsc=reliable no_timer_check cryptomgr.notests lsm= initcall_blacklist=crypto_kdf108_init,init_kprobe_trace $words" \
    "${guest_words[@]:3}" -serial "file:$logs/console.log" -serial stdio 2>"$logs/qemu.log"; }
  guest_pid=$qemu_PID
  exec {guest_in}<&"${qemu[0]}" {guest_out}>&"${qemu[1]}"
}

guest_stop() {
  [ -n "${guest_pid:-}" ] || return 0
  kill "$guest_pid" 2>/dev/null || true
  wait "$guest_pid" 2>/dev/null || true
  guest_pid=
}

# guest_boot_again - of a guest that has ended and never said a word: once more, if its kernel has
# panicked. Not every check of its timers can be turned off, and on a busy machine they fail now and
# then; nothing of the test has run by then. Three boots at most
guest_boot_again() {
  local panic
  panic=$(grep -am 1 -o 'Kernel panic.*' "$logs/console.log" 2>/dev/null | tr -d '\r') && [ "$guest_boots" -lt 3 ] || return 1
  exec {guest_in}<&- {guest_out}>&-
  guest_stop
  mv "$logs/console.log" "$logs/console-$guest_boots.log"
  echo "the guest's kernel died before init ran, booting again: $panic"
  guest_boot
}

# dialogue SECONDS - a line of the guest is a request when it begins with @, for the log with #, else
# for the reader; returns what the tests returned
dialogue() {
  local line left words status has_spoken='' deadline=$((SECONDS + $1))
  while left=$((deadline - SECONDS)); [ "$left" -gt 0 ]; do
    status=0
    IFS= read -rt "$left" -u "$guest_in" line || status=$?
    if [ $status = 1 ] && [ -z "$has_spoken" ] && guest_boot_again; then continue; fi
    [ $status = 0 ] || break
    has_spoken=1
    case "$line" in
    '@end '*)
      echo ok >&"$guest_out"
      return "${line#@end }" ;;
    @*)
      read -ra words <<<"${line#@}"
      if request "${words[@]}" >"$dir/said" 2>&1; then
        echo ok >&"$guest_out"
      else
        echo "no $(tr '\n' ' ' <"$dir/said")" >&"$guest_out"
      fi ;;
    '#'*) echo "${line#\#}" >>"$logs/guest.log" ;;
    *) echo "$line" ;;
    esac
  done
  echo "the guest ended, or was not done after $1 s; its console:"
  tail -n 20 "$logs/console.log" "$logs/qemu.log"
  return 1
}

# logs_are_clean FILE... - of daemons: nothing a sanitizer or an assertion has said
logs_are_clean() {
  grep -nE 'ERROR: [A-Za-z]*Sanitizer|WARNING: ThreadSanitizer|runtime error:|panic:|Assertion' "$@" || return 0
  echo "the lines above are in the daemon's log"
  return 1
}
