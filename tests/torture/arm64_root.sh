#!/usr/bin/env bash
# arm64_root.sh DIR: unpack Debian's arm64 packages that libsnap and its test programs stand on into DIR.
# Nothing is installed: apt works on lists and a cache of its own below DIR, so that neither root nor a
# foreign architecture of the system is needed.
set -euo pipefail

root=$(realpath -m "$1")
own=$root/.apt
packages=(libc6-dev libstdc++6 libgcc-s1 libzstd-dev libsqlite3-dev libdw-dev libelf-dev zlib1g-dev
	libunwind-dev libcjson-dev libcriterion-dev libncurses-dev libedit-dev libinih-dev libiberty-dev libjs-dygraphs)
options=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Debug::NoLocking=1
	-o APT::Sandbox::User= -o "Dir::State=$own/state" -o "Dir::State::status=$own/status"
	-o "Dir::Cache=$own/cache")

[ "$(cat "$root/.complete" 2>/dev/null)" != "${packages[*]}" ] || exit 0
mkdir -p "$own/state/lists/partial" "$own/cache/archives/partial"
: >"$own/status"
apt-get "${options[@]}" update -qq
apt-get "${options[@]}" install -y -qq --no-install-recommends --download-only "${packages[@]}" >/dev/null
for package in "$own"/cache/archives/*.deb; do
	dpkg -x "$package" "$root"
done
echo "${packages[*]}" >"$root/.complete"
