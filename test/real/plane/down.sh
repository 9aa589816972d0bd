#!/usr/bin/env bash
# down.sh DIR: stops what up.sh started there, by pid. The API server stops before etcd, or it would hang.
set -uo pipefail
cd "$1" || exit 1

stop() { # name seconds
  [ -f "$1.pid" ] || return 0
  local pid
  pid=$(cat "$1.pid")
  kill "$pid" 2>/dev/null
  for _ in $(seq $(($2 * 10))); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null
  rm -f "$1.pid"
}
for name in longhorn-snapshotter csi-snapshotter snapshot-controller rig kcm; do stop "$name" 5; done
stop apiserver 10
stop etcd 5
