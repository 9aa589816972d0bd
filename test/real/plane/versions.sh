#!/usr/bin/env bash
# versions.sh [COMMIT]: an upgrade and the way back with sessions under way, on a real control plane: the program of COMMIT (default: the
# last one whose Leases said no format) beside this one, each under the rights of its own chart. See versions.py. PORT: the API server's;
# the next twenty are used, too. BUILD: folder of a release build. KEEP: leave the logs behind.
set -euo pipefail
cd "$(dirname "$0")/../../.."

build=${BUILD:-build/release}
before=cbca5a0ab765990afab687e3d1594c929dde123b
commit=$(git rev-parse --quiet --verify "${1:-$before}^{commit}") || {
  echo "versions: no commit ${1:-$before} here; it takes a clone with the whole history" >&2
  exit 2
}
scripts/deps build test e2e
BIN=$(test/real/plane/tools.sh)
export BIN PORT=${PORT:-27443}
cmake --preset release -B "$build" >/dev/null
nice cmake --build "$build" --target snapfreeze

# Kept, as the old program never changes. How fast it is does not matter.
old=build/versions/${commit:0:12}
if [ ! -e "$old/build/release/snapfreeze" ]; then
  echo "versions: building ${commit:0:12} in $old, once ($(date +%T))"
  rm -rf "$old"
  mkdir -p "$old"
  git archive "$commit" | tar -C "$old" -x
  (cd "$old" && export SNAPFREEZE_VERSION=0.0.0-${commit:0:12} &&
    cmake --preset release -DBUILD_TESTING=OFF -DCMAKE_CXX_FLAGS_RELEASE=-O0 >/dev/null && nice cmake --build --preset release --target snapfreeze >build.log)
fi

exec test/real/plane/with.sh versions timeout --kill-after=10 600 python3 -B test/real/plane/versions.py {} "$old" "$build"
