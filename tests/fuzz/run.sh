#!/usr/bin/env bash
# run.sh BUILD_DIR [SECONDS [TARGET]...]: run libFuzzer on the targets of preset fuzz, one after the other.
# New inputs are kept in BUILD_DIR/tests/fuzz/corpus_TARGET; what makes a target fail, in BUILD_DIR/tests/fuzz/found.
set -euo pipefail

build=$(readlink -f "$1")
seconds=${2:-60}
shift "$(($# < 2 ? $# : 2))"

fuzz() {
	local target=$1 corpus=$build/tests/fuzz/corpus_$1 seeds
	mkdir -p "$corpus"
	mapfile -t seeds <"$build/tests/fuzz/$target.seeds"
	"$build/bin/fuzz_$target" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$build/tests/fuzz/found/" "$corpus" "${seeds[@]}" >"$log" 2>&1
}

mkdir -p "$build/tests/fuzz/found"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0
if [ $# -eq 0 ]; then
	mapfile -t targets < <(cd "$build/tests/fuzz" && printf '%s\n' *.seeds | sed 's/[.]seeds$//')
	set -- "${targets[@]}"
fi
for target; do
	if fuzz "$target"; then
		passed=$((passed + 1))
		printf 'fine    %-10s %s inputs tried\n' "$target" \
			"$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
	else
		failed=$((failed + 1))
		printf 'FAILED  %s\n' "$target"
		tail -n 40 "$log"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
