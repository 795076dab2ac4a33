#!/usr/bin/env bash
# All tests.  Three builds: gcc release, clang release, gcc with address and undefined
# sanitizers.  The fast tests come first; each build's tests run under CTest.
# SPLOT_VECTORS=DIR names the folder of the public test vectors of the log.
set -euo pipefail
quick=0
case "$*" in
"") ;;
--quick) quick=1 ;;
*)
	echo "usage: ./dev test [--quick]" >&2
	exit 2
	;;
esac
if [[ ${SPLOT_VECTORS:-} ]]; then
	[[ -d $SPLOT_VECTORS ]] || { echo "SPLOT_VECTORS: there is no folder $SPLOT_VECTORS" >&2; exit 2; }
	SPLOT_VECTORS=$(realpath -- "$SPLOT_VECTORS") # tests run elsewhere
fi
cd "$(dirname "$0")/.."

step() { printf '\n== %s (%(%H:%M:%S)T)\n' "$1" -1; }
configure() { cmake --preset "$@" -DSPLOT_TESTS=ON >/dev/null; }

# run BUILD-FOLDER LABELS [option…]: CTest keeps quiet about what a test left out, so say it.
run() {
	local folder=$1 labels=$2
	shift 2
	ctest --test-dir "$folder" --output-on-failure -L "$labels" "$@"
	awk '/^ *(test_[A-Za-z_0-9]+|setUp[A-Za-z]+) \(/ { name = $1 }
		/^skipped, / { print; next }
		match($0, /(^|\.\.\. )skipped [\x27"]/) { print "skipped, " substr($0, RSTART + RLENGTH, length($0) - RSTART - RLENGTH) ": " name }' \
		"$folder/Testing/Temporary/LastTest.log" | sort -u
}

step "gcc, release"
configure release
cmake --build --preset release -- --quiet
run build 'unit|admin' -j2
if ((quick)); then
	run build 'e2e'
	exit
fi

step "clang, release: compiles without a warning"
configure clang
cmake --build --preset clang -- --quiet

step "gcc, address and undefined sanitizers"
configure asan
cmake --build --preset asan -- --quiet
run build/asan 'unit|admin' -j2

step "simulation: 1,000 seeds"
run build 'sim' -j2

step "end to end and faults, release programs"
run build 'e2e|faults' -j4 # most of them wait most of the time

step "end to end, faults and simulation, sanitized programs"
run build/asan 'e2e|faults|sim' -j4
