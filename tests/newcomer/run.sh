#!/usr/bin/env bash
# run.sh [--full] [--keep] [SUITE]: what somebody meets who has a fresh Debian with nothing but git, and this README.
#
# Makes a chroot with debootstrap (SUITE: bookworm), clones this tree's last commit into it, and there, as a user with
# sudo whose name and directory are unusual: runs ./dev demo; installs to a prefix; types README; uninstalls.  --full:
# runs ./dev test as well.  Ends with a line per step.  Exit status 77 where no chroot can be made (not root, no
# debootstrap, no network); 1 when a step fails.
# shellcheck disable=SC2016  # what is in single quotes is for the shell in the chroot
set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
source_root=$(readlink -f "$here/../..")
suite=bookworm full=no keep=no
for argument; do
	case "$argument" in
	--full) full=yes ;;
	--keep) keep=yes ;;
	-*) sed -n '2,8p' "$0" && exit 2 ;;
	*) suite=$argument ;;
	esac
done

skip() {
	echo "skipped: $*"
	exit 77
}

[ "$(id -u)" -eq 0 ] || skip "only root can make a chroot"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
root=$(mktemp -d /var/tmp/snapdiff-newcomer.XXXXXX)
chmod 755 "$root"
log=$root.log

clean_up() {
	umount -l "$root/proc" "$root/dev" 2>/dev/null
	if [ "$keep" = yes ]; then
		echo "the chroot is $root, what was printed in $log"
	else
		rm -rf --one-file-system "$root"
	fi
}
trap clean_up EXIT

make_chroot() {
	debootstrap --variant=minbase --include=git,ca-certificates,sudo "$suite" "$root" >"$log" 2>&1 &&
		mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount --make-rslave "$root/dev"
}

# The user: no password for sudo, a directory with a blank in its name, a locale that is not English.
make_user() {
	echo "127.0.0.1 localhost $(hostname)" >"$root/etc/hosts"
	chroot "$root" useradd -m -d "/home/nèw comer" -s /bin/bash newcomer &&
		echo 'newcomer ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/newcomer" &&
		git clone -q "$source_root" "$root/home/nèw comer/src" &&
		git clone -q "$source_root" "$root/srv/snapdiff" &&
		chroot "$root" chown -R newcomer: "/home/nèw comer" /srv/snapdiff
}

# as_newcomer DIR COMMAND
as_newcomer() {
	chroot "$root" sudo -u newcomer -H env -i HOME="/home/nèw comer" PATH=/usr/local/bin:/usr/bin:/bin \
		TERM=dumb LC_ALL=C.UTF-8 bash -c 'cd "$0" && eval "$1"' "$1" "$2"
}

failed=0 passed=0
# step NAME DIR COMMAND: run it, and say how it ended and how long it took.
step() {
	local begin=$SECONDS
	echo "### $1: $3" >>"$log"
	if as_newcomer "$2" "$3" >>"$log" 2>&1; then
		passed=$((passed + 1))
		echo "fine    $1 ($((SECONDS - begin)) s)"
	else
		failed=$((failed + 1))
		echo "FAILED  $1; the last lines:"
		sed "1,/^### $1: /d" "$log" | tail -n 15
	fi
}

make_chroot || skip "debootstrap $suite did not work: $(tail -n 1 "$log")"
make_user || exit 1
home="/home/nèw comer"
clone=/srv/snapdiff
step "demo, below a directory with a blank" "$home/src" "./dev demo"
step "tests are refused there with a sentence" "$home/src" \
	'./dev test 2>&1 | grep "the tests cannot run below"; [ "${PIPESTATUS[0]}" -eq 2 ]'
step "build" $clone "./dev build"
step "install" $clone 'cmake --install build/release --prefix ~/".local pre:fix"'
step "the installed program records" "$home" \
	'".local pre:fix/bin/snapdiff" run -o "s n" -- sqlite3 :memory: "select 1" && ".local pre:fix/bin/snapdiff" top "s n"'
step "uninstall" $clone 'cmake --build build/release --target uninstall && [ -z "$(find ~/".local pre:fix" -type f)" ]'
step "README, typed" $clone "sudo apt-get install -y -qq python3 sqlite3 >/dev/null && python3 tests/readme/test_readme.py build/release"
step "a stack is verified" $clone 'SNAP_VERIFY=10 build/release/bin/snapdiff run -o v -- sqlite3 :memory: "select 1" 2>&1 | grep " 0 mismatches"'
chroot "$root" chown -R root: $clone
step "a tree of another user is refused with a sentence" $clone './dev build 2>&1 | grep "another user"'
chroot "$root" chown -R newcomer: $clone
[ "$full" = no ] || step "test" $clone "./dev test"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
