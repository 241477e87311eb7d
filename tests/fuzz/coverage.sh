#!/usr/bin/env bash
# coverage.sh BUILD_DIR FUZZ_BUILD_DIR: which lines of the reader and the importers the inputs of the fuzz targets reach:
# the seeds, and what runs of preset fuzz have kept.  BUILD_DIR is of preset coverage.
set -euo pipefail

build=$(readlink -f "$1") fuzz=$(readlink -f "$2")
profiles=$(mktemp -d)
trap 'rm -rf "$profiles"' EXIT
programs=()
for target in reader roundtrip text build pickle; do
	mapfile -t inputs < <(cat "$fuzz/tests/fuzz/$target.seeds")
	[ ! -d "$fuzz/tests/fuzz/corpus_$target" ] || inputs+=("$fuzz/tests/fuzz/corpus_$target")
	LLVM_PROFILE_FILE=$profiles/$target.profraw "$build/bin/replay_$target" "${inputs[@]}"
	programs+=(-object "$build/bin/replay_$target")
done
llvm-profdata-14 merge -o "$profiles/all" "$profiles"/*.profraw
llvm-cov-14 report "${programs[@]:1:1}" "${programs[@]:2}" -instr-profile="$profiles/all" \
	-ignore-filename-regex='/(tests|cmd/(base|model|render|report|tracemalloc|cli)|libsnap/(write|format))/' |
	awk '/^Filename|^-----/ {next} NF > 9 {printf "%-40s %6d lines, %5d missed, %s\n", $1, $8, $9, $10}'
