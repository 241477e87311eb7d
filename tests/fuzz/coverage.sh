#!/usr/bin/env bash
# coverage.sh BUILD_DIR FUZZ_BUILD_DIR: which lines of the reader and the importers are reached: by the inputs of the fuzz
# targets (the seeds, what runs of preset fuzz have kept, and the hostile pickles), and by these and the unit tests, which
# make memory and files fail.  BUILD_DIR is of preset coverage.
set -euo pipefail

build=$(readlink -f "$1") fuzz=$(readlink -f "$2")
profiles=$(mktemp -d)
mkdir "$profiles/pickles"
python3 "$(dirname "$0")/../tracemalloc/hostile.py" --write "$profiles/pickles"
trap 'rm -rf "$profiles"' EXIT
programs=()

# report WHAT: of all profiles so far.
report() {
	llvm-profdata-14 merge -o "$profiles/all" "$profiles"/*.profraw
	echo "$1"
	llvm-cov-14 report "${programs[@]:1}" -instr-profile="$profiles/all" \
		-ignore-filename-regex='/(tests|include|cmd/(base|model|render|report|tracemalloc|cli)|libsnap/(write|format))/' |
		awk '/^Filename|^-----/ {next}
			NF > 9 {printf "%-34s %5d lines, %4d missed, %s\n", $1, $8, $9, $10}
			$1 ~ /^cmd\/input/ {lines += $8; missed += $9}
			END {printf "%-34s %5d lines, %4d missed, %.2f%%\n", "the importers", lines, missed, 100 * (1 - missed / lines)}'
}

for target in reader roundtrip text build pickle; do
	mapfile -t inputs <"$fuzz/tests/fuzz/$target.seeds"
	[ ! -d "$fuzz/tests/fuzz/corpus_$target" ] || inputs+=("$fuzz/tests/fuzz/corpus_$target")
	[ "$target" != pickle ] || inputs+=("$profiles/pickles")
	LLVM_PROFILE_FILE=$profiles/$target.profraw "$build/bin/replay_$target" "${inputs[@]}" >/dev/null
	programs+=(-object "$build/bin/replay_$target")
done
report "inputs of the fuzz targets"
for test in reader reader_bad reader_golden reader_memory input input_memory text pickle; do
	LLVM_PROFILE_FILE=$profiles/$test-%p.profraw "$build/bin/test_$test" >/dev/null 2>&1
	programs+=(-object "$build/bin/test_$test")
done
report "and unit tests"
