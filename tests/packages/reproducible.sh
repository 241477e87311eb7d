#!/usr/bin/env bash
# reproducible.sh SOURCE: two builds of the last commit, in two directories, give packages of the same bytes.
set -euo pipefail

source_root=$1
command -v dpkg-shlibdeps >/dev/null || { echo "skipped: dpkg-dev is not installed" && exit 77; }
git -C "$source_root" rev-parse HEAD >/dev/null 2>&1 || { echo "skipped: no git clone" && exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for place in one another/longer; do
	mkdir -p "$scratch/$place"
	git -C "$source_root" archive HEAD | tar x -C "$scratch/$place"
	(cd "$scratch/$place" && SOURCE_DATE_EPOCH=1 ./dev package) >"$scratch/log" 2>&1 || { cat "$scratch/log" && exit 1; }
	(cd "$scratch/$place/build/release/packages" && sha256sum -- *.deb *.tar.gz) >"$scratch/sums.${place%%/*}"
done
diff "$scratch/sums.one" "$scratch/sums.another" && cat "$scratch/sums.one"
