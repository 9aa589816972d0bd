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

work=$(mktemp -d "${TMPDIR:-/tmp}/snapfreeze-chart-XXXXXX")
clean_up() {
  local status=$?
  trap - EXIT INT TERM
  test/real/plane/down.sh "$work/plane"
  if [ -n "${KEEP:-}" ] || [ "$status" -ne 0 ]; then echo "chart: logs are in $work"; else rm -rf "$work"; fi
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "chart: starting a control plane ($(date +%T))"
mkdir "$work/plane"
timeout 120 test/real/plane/up.sh "$work/plane"
timeout --kill-after=10 600 python3 -B test/real/chart/cluster.py "$BIN" "$work/plane" "$build/snapfreeze"
