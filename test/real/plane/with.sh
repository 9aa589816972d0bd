#!/usr/bin/env bash
# with.sh NAME COMMAND...: starts a control plane, runs COMMAND with the plane's folder in place of {}, and stops the plane whatever
# happens. NAME stands before what it says. If COMMAND fails, or if KEEP is set, the logs are left behind. BIN holds what tools.sh built.
set -euo pipefail
cd "$(dirname "$0")/../../.."

name=${1:?with.sh: say a name, and a command}
shift
work=$(mktemp -d "${TMPDIR:-/tmp}/snapfreeze-$name-XXXXXX")
child=
clean_up() {
  local status=$?
  trap - EXIT INT TERM
  [ -z "$child" ] || kill "$child" 2>/dev/null || true
  test/real/plane/down.sh "$work/plane"
  if [ -n "${KEEP:-}" ] || [ "$status" -ne 0 ]; then echo "$name: logs are in $work"; else rm -rf "$work"; fi
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "$name: starting a control plane ($(date +%T))"
mkdir "$work/plane"
timeout 120 test/real/plane/up.sh "$work/plane"
# In the background, so that a signal is handled at once.
"${@//\{\}/"$work/plane"}" &
child=$!
wait "$child"
child=
