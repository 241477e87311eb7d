#!/usr/bin/env bash
# run.sh BUILD_DIR [SECONDS [TARGET]...]: run libFuzzer on the targets of preset fuzz, one after the other.
# New inputs are kept in BUILD_DIR/tests/fuzz/corpus_TARGET; what makes a target fail, in BUILD_DIR/tests/fuzz/found.
# A failure ends neither its target nor the others.
set -euo pipefail

build=$(readlink -f "$1")
seconds=${2:-60}
shift "$(($# < 2 ? $# : 2))"

# Lines of libFuzzer's parent end with "... crash: 0 time: 30s ..."; what a child says of a failure goes to its log.
fuzz() {
	local target=$1 corpus=$build/tests/fuzz/corpus_$1 seeds
	mkdir -p "$corpus"
	mapfile -t seeds <"$build/tests/fuzz/$target.seeds"
	"$build/bin/fuzz_$target" -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 \
		-max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 -close_fd_mask=3 \
		-artifact_prefix="$found/$target-" "$corpus" "${seeds[@]}" >"$log" 2>&1
}

found=$build/tests/fuzz/found
mkdir -p "$found"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0
if [ $# -eq 0 ]; then
	mapfile -t targets < <(cd "$build/tests/fuzz" && printf '%s\n' *.seeds | sed 's/[.]seeds$//')
	set -- "${targets[@]}"
fi
for target; do
	rm -f "$found/$target-"*
	fuzz "$target" || true
	tried=$(sed -n 's/^#\([0-9]*\): cov.*/\1/p' "$log" | tail -n 1)
	faults=$(find "$found" -name "$target-*" ! -name '*-slow-unit-*' | wc -l)
	if [ "$faults" -eq 0 ] && [ "${tried:-0}" -gt 0 ]; then
		passed=$((passed + 1))
		printf 'fine    %-10s %s inputs tried\n' "$target" "$tried"
	else
		failed=$((failed + 1))
		printf 'FAILED  %-10s %s inputs tried, %s failures in %s\n' "$target" "${tried:-0}" "$faults" "$found"
		tail -n 20 "$log"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
