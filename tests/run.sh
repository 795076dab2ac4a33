#!/usr/bin/env bash
# All tests.  Three builds: gcc release, clang release, gcc with address and undefined
# sanitizers.  The fast tests come first; each build's tests run under CTest.
set -euo pipefail
cd "$(dirname "$0")/.."
quick=0
[[ ${1:-} == --quick ]] && quick=1

step() { printf '\n== %s (%(%H:%M:%S)T)\n' "$1" -1; }
configure() { cmake --preset "$@" -DSPLOT_TESTS=ON >/dev/null; }

step "gcc, release"
configure release
cmake --build --preset release -- --quiet
ctest --test-dir build --output-on-failure -L 'unit|admin' -j2
if ((quick)); then
	ctest --test-dir build --output-on-failure -L e2e
	exit
fi

step "clang, release: compiles without a warning"
configure clang
cmake --build --preset clang -- --quiet

step "gcc, address and undefined sanitizers"
configure asan
cmake --build --preset asan -- --quiet
ctest --test-dir build/asan --output-on-failure -L 'unit|admin' -j2

step "simulation: 1,000 seeds"
ctest --test-dir build --output-on-failure -L sim -j2

step "end to end, release programs"
ctest --test-dir build --output-on-failure -L e2e

step "end to end and simulation, sanitized programs"
ctest --test-dir build/asan --output-on-failure -L 'e2e|sim' -j2
