#!/usr/bin/env bash
# tools.sh [helm]: builds the control plane once, and the rig whenever its sources changed. Says so on stderr, and prints the folder.
# With 'helm', builds Helm alone. The folder is in the cache, named after what it is built from.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v go >/dev/null || {
  echo "there is no 'go' here. It builds the control plane: install Go 1.26 or newer (https://go.dev/dl)." >&2
  exit 1
}
bin=${XDG_CACHE_HOME:-$HOME/.cache}/snapfreeze/e2e-$(cat go.mod go.sum | sha256sum | cut -c1-16)
if [ "${1:-}" = helm ]; then
  if [ ! -e "$bin/helm" ]; then
    echo "building helm into $bin: once, some minutes on 2 cores ($(date +%T))" >&2
    nice go build -o "$bin/" helm.sh/helm/v3/cmd/helm
  fi
  echo "$bin"
  exit
fi
# An API server that does not know its version is refused by Helm.
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
if [ "$(cat "$bin/complete" 2>/dev/null)" != "$version" ]; then
  echo "building kube-apiserver and its like into $bin: once, about 8 minutes on 2 cores ($(date +%T))" >&2
  mkdir -p "$bin/crds"
  nice go build -ldflags "-X k8s.io/component-base/version.gitVersion=$version" -o "$bin/" tool
  module=$(go list -m -f '{{.Dir}}' github.com/kubernetes-csi/external-snapshotter/client/v8)
  install -m 644 "$module"/config/crd/snapshot.storage.k8s.io_volumesnapshot{s,classes,contents}.yaml "$bin/crds/"
  echo "$version" >"$bin/complete"
fi
if [ ! -e "$bin/rig" ] || [ -n "$(find rig -newer "$bin/rig")" ]; then
  echo "building the rig ($(date +%T))" >&2
  nice go build -o "$bin/rig" ./rig
fi
echo "$bin"
