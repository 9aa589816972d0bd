#!/usr/bin/env bash
# up.sh DIR: starts a real control plane on loopback: etcd, kube-apiserver, kube-controller-manager, snapshot-controller. Writes
# DIR/USER.kubeconfig for each caller, and NAME.start and NAME.pid for each process. BIN: folder of the built tools. PORT: the API
# server's; the next twenty are snapfreeze's and the rig's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mkdir -p "$1" && cd "$1" && pwd)
bin=${BIN:?folder of the built tools}
port=${PORT:-7443}
etcd_port=$((port + 2))
pki=$dir/pki
mkdir -p "$pki"
cd "$dir"
runs() { kill -0 "$(cat "$1" 2>/dev/null)" 2>/dev/null; } # pid file
for part in *.pid; do
  ! runs "$part" || { echo "up.sh: $dir: ${part%.pid} runs there already; stop it first, with down.sh" >&2; exit 1; }
done
echo "$port" >port

ca() { # name
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
    -keyout "$pki/$1.key" -out "$pki/$1.crt" 2>/dev/null
}
leaf() { # name subject ca
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" \
    -keyout "$pki/$1.key" -out "$pki/$1.csr" 2>/dev/null
  printf 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc,DNS:virt-api.kubevirt.svc\nextendedKeyUsage=serverAuth,clientAuth\n' |
    openssl x509 -req -in "$pki/$1.csr" -CA "$pki/$3.crt" -CAkey "$pki/$3.key" -CAcreateserial -days 2 \
      -extfile /dev/stdin -out "$pki/$1.crt" 2>/dev/null
}
start() { # name command...: leaves a script behind that starts it again
  local name=$1
  shift
  {
    echo '#!/usr/bin/env bash'
    echo "echo \$\$ >$(printf %q "$dir/$name.pid")"
    echo "exec $(printf '%q ' "$@")>>$(printf %q "$dir/$name.log") 2>&1"
  } >"$name.start"
  setsid bash "$name.start" &
}
kubeconfig() { # user credentials [port]
  cat >"$1.kubeconfig" <<K
apiVersion: v1
kind: Config
clusters: [{name: rig, cluster: {server: "https://127.0.0.1:${3:-$port}", certificate-authority: "$pki/ca.crt"}}]
users: [{name: $1, user: {$2}}]
contexts: [{name: rig, context: {cluster: rig, user: $1, namespace: snapfreeze-system}}]
current-context: rig
K
}
await() { # seconds what command...
  local seconds=$1 what=$2
  shift 2
  for _ in $(seq $((seconds * 5))); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.2
  done
  echo "up.sh: $what did not come in $seconds s; see $dir/*.log" >&2
  exit 1
}

ca ca
ca front-proxy-ca
leaf apiserver /CN=kube-apiserver ca
leaf admin /O=system:masters/CN=admin ca
leaf tenant /CN=tenant ca
leaf virt-api /CN=virt-api ca
leaf webhook /CN=webhook ca
leaf front-proxy /CN=front-proxy front-proxy-ca
openssl genrsa -out "$pki/sa.key" 2048 2>/dev/null
openssl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub" 2>/dev/null

start etcd etcd --data-dir "$dir/etcd" --unsafe-no-fsync=true \
  --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
  --listen-peer-urls "http://127.0.0.1:$((etcd_port + 1))" \
  --initial-advertise-peer-urls "http://127.0.0.1:$((etcd_port + 1))" \
  --initial-cluster "default=http://127.0.0.1:$((etcd_port + 1))"
start apiserver "$bin/kube-apiserver" --etcd-servers="http://127.0.0.1:$etcd_port" --bind-address=127.0.0.1 \
  --secure-port="$port" --advertise-address=127.0.0.1 --endpoint-reconciler-type=none \
  --service-cluster-ip-range=10.0.0.0/24 --authorization-mode=RBAC --disable-admission-plugins=ServiceAccount \
  --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" --client-ca-file="$pki/ca.crt" \
  --service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" \
  --service-account-issuer=https://kubernetes.default.svc \
  --audit-policy-file="$here/manifests/audit.yaml" --audit-log-path="$dir/audit.log" \
  --requestheader-client-ca-file="$pki/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy \
  --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
  --requestheader-extra-headers-prefix=X-Remote-Extra- \
  --proxy-client-cert-file="$pki/front-proxy.crt" --proxy-client-key-file="$pki/front-proxy.key"
for user in admin tenant; do
  kubeconfig "$user" "client-certificate: '$pki/$user.crt', client-key: '$pki/$user.key'"
done
kubeconfig control '' "$((port + 6))"
export KUBECONFIG=$dir/admin.kubeconfig
await 30 "the API server" "$bin/kubectl" get --raw /readyz
start kcm "$bin/kube-controller-manager" --kubeconfig="$KUBECONFIG" --authentication-kubeconfig="$KUBECONFIG" \
  --authorization-kubeconfig="$KUBECONFIG" --bind-address=127.0.0.1 --secure-port="$((port + 1))" \
  --leader-elect=false --service-account-private-key-file="$pki/sa.key" \
  --controllers=garbage-collector-controller,job-controller,namespace-controller,persistentvolume-binder-controller,serviceaccount-controller

"$bin/kubectl" apply -f "$bin/crds" -f "$here/manifests/crds.yaml" >/dev/null
await 30 "the CRDs" "$bin/kubectl" wait --for=condition=Established --timeout=5s crd --all
sed -e "s|RIG_PORT|$((port + 5))|" -e "s|RIG_CA|$(base64 -w0 "$pki/ca.crt")|" "$here/manifests/rig.yaml" |
  "$bin/kubectl" apply -f - >/dev/null
# By default the snapshot controllers allow themselves five calls a second, and a sidecar serves ten disks at a time: then a herd
# waits for them (docs/compatibility.md). Here they have what that page recommends, so that what is judged is snapfreeze's.
pace=(--kube-api-qps=50 --kube-api-burst=100)
start snapshot-controller "$bin/snapshot-controller" --kubeconfig="$KUBECONFIG" --leader-election=false \
  --http-endpoint="127.0.0.1:$((port + 4))" "${pace[@]}"
start rig "$bin/rig" --kubeconfig="$KUBECONFIG" --pki="$pki" --virt-api="127.0.0.1:$((port + 5))" \
  --control="127.0.0.1:$((port + 6))" --csi="$dir/csi.sock" \
  --longhorn-csi="$dir/longhorn.sock" --longhorn-api="127.0.0.1:$((port + 9))" \
  --balance="127.0.0.1:$((port + 8))=127.0.0.1:$((port + 11)),127.0.0.1:$((port + 12))"
echo "http://127.0.0.1:$((port + 9))" >longhorn.url
sidecar() { # name socket port
  await 10 "the CSI driver" test -S "$dir/$2"
  start "$1" "$bin/csi-snapshotter" --kubeconfig="$KUBECONFIG" --csi-address="unix://$dir/$2" \
    --leader-election=false --extra-create-metadata --http-endpoint="127.0.0.1:$3" "${pace[@]}" --worker-threads=50
}
sidecar csi-snapshotter csi.sock $((port + 7))
sidecar longhorn-snapshotter longhorn.sock $((port + 10))
await 20 "the freeze API" "$bin/kubectl" get --raw /apis/subresources.kubevirt.io/v1

# snapfreeze as the chart would install it: service accounts with the least rights, their tokens, the registration.
"$here/rbac.sh" | "$bin/kubectl" apply -f - >/dev/null
# A replica's token is bound to its pod, which no node ever runs: by that the rig tells the replicas apart.
for replica in webhook-0 webhook-1 sweeper-0 sweeper-1; do
  "$bin/kubectl" -n snapfreeze-system run "$replica" --image=none --restart=Never \
    --overrides="{\"spec\": {\"serviceAccountName\": \"${replica%-*}\"}}" >/dev/null
  "$bin/kubectl" -n snapfreeze-system create token "${replica%-*}" --duration=24h \
    --bound-object-kind=Pod --bound-object-name="$replica" >"$replica.token"
  kubeconfig "$replica" "tokenFile: '$dir/$replica.token'"
done
# The runner puts it in place, as each scenario needs it; also with a CA that signed nothing.
sed -e "s|WEBHOOK_URL|https://127.0.0.1:$((port + 8))/mutate|" -e "s|WEBHOOK_CA|$(base64 -w0 "$pki/ca.crt")|" \
  "$here/manifests/webhook.yaml" | "$bin/kubectl" create --dry-run=client -o json -f - >registration.json
base64 -w0 "$pki/front-proxy-ca.crt" >wrong-ca.b64

# One whose port was taken has ended, and is missed much later only.
for part in *.pid; do
  runs "$part" || { echo "up.sh: ${part%.pid} has ended: $(grep . "${part%.pid}.log" | tail -n 1)" >&2; exit 1; }
done
