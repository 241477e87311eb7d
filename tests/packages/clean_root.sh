#!/usr/bin/env bash
# clean_root.sh BUILD: the Debian packages in a root that has nothing but Debian: installed by apt, used, and removed
# without a trace.  Exit status 77 where no such root can be made (not root, no debootstrap, no network).
set -euo pipefail

build=$1
skip() { echo "skipped: $*" && exit 77; }
[ "$(id -u)" -eq 0 ] || skip "only root can make a chroot"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
command -v dpkg-shlibdeps >/dev/null || skip "dpkg-dev is not installed"
root=$(mktemp -d /var/tmp/snapdiff-packages.XXXXXX)
clean_up() {
	umount -l "$root/proc" "$root/dev" 2>/dev/null || true
	rm -rf --one-file-system "$root"
}
trap clean_up EXIT
debootstrap --variant=minbase bookworm "$root" >"$root.log" 2>&1 || skip "debootstrap: $(tail -1 "$root.log")"
rm -f "$root.log"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin DEBIAN_FRONTEND=noninteractive "$@"; }

cpack --config "$build/CPackConfig.cmake" -G DEB -B "$root/packages" >/dev/null
rm -rf "$root/packages/_CPack_Packages"
# What the packages need comes first, so that what is left at the end is of ours.
needed=$(for package in "$root"/packages/*.deb; do dpkg-deb -f "$package" Depends | tr , '\n'; done |
	sed 's/^ *//; s/[ (|].*//' | grep -v -e snapdiff -e libsnap -e '^$' | sort -u)
# shellcheck disable=SC2086  # a list of names
inside apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends $needed >/dev/null
list() { (cd "$root" && find . -xdev \( -path ./var -o -path ./packages -o -path ./proc -o -path ./dev -o -path ./tmp \) -prune \
	-o -print | sort); }
list >/tmp/snapdiff-before.$$
inside sh -c 'apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends /packages/*.deb >/dev/null'

inside sh -c 'cd /tmp && snapdiff run -q -o snaps -- perl -e '\''push @kept, "x" x 1000 for 1 .. 5000'\'' &&
	snapdiff top -n 3 snaps && snapdiff ls snaps'
inside sh -c 'cd /tmp && snapdiff run -q -o py -- python3 -c "
kept = [bytes(1000) for _ in range(3000)]
" && snapdiff top -n 1 py && python3 -c "import snapdiff; print(snapdiff.__name__)"'
inside sh -c 'rm -rf /tmp/snaps /tmp/py; apt-get -qq -o Dpkg::Use-Pty=0 purge snapdiff libsnap0 libsnap-dev python3-snapdiff >/dev/null'
list >/tmp/snapdiff-after.$$
diff /tmp/snapdiff-before.$$ /tmp/snapdiff-after.$$ && echo "installed, used, and removed without a trace"
rm -f /tmp/snapdiff-before.$$ /tmp/snapdiff-after.$$
