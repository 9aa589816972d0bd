#!/usr/bin/env bash
# outage.sh DIR SECONDS: kills kube-apiserver and etcd of the control plane in DIR, and starts them again after SECONDS.
# Ends when the API server is ready.
set -euo pipefail
cd "$1"

for name in apiserver etcd; do kill -9 "$(cat "$name.pid")"; done
sleep "$2"
for name in etcd apiserver; do setsid bash "$name.start" & done
for _ in $(seq 150); do
  "$BIN/kubectl" --kubeconfig admin.kubeconfig get --raw /readyz >/dev/null 2>&1 && exit
  sleep 0.2
done
echo "outage.sh: the API server did not come back in 30 s; see $1/apiserver.log" >&2
exit 1
