#!/usr/bin/env bash
# cluster.sh: tests the chart on a real API server; see cluster.py. PORT: the API server's; the next twenty are used, too. BUILD: folder
# of a release build. KEEP: leave the logs behind.
set -euo pipefail
cd "$(dirname "$0")/../../.."

build=${BUILD:-build/release}
scripts/deps build test e2e
BIN=$(test/real/plane/tools.sh)
export BIN PORT=${PORT:-27443}
cmake --preset release -B "$build" >/dev/null
nice cmake --build "$build" --target snapfreeze

exec test/real/plane/with.sh chart timeout --kill-after=10 600 python3 -B test/real/chart/cluster.py "$BIN" {} "$build/snapfreeze"
