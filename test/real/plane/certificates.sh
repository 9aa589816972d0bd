#!/usr/bin/env bash
# certificates.sh PLANE SNAPFREEZE KUBECTL: a sweeper under its own account makes CA and leaf on the control plane in PLANE,
# publishes the CA, and rotates it. Then it repairs a broken caBundle. The API server alone decides what is trusted.
set -euo pipefail
plane=$1 snapfreeze=$2 kubectl=$3
export KUBECONFIG=$plane/admin.kubeconfig
config=mutatingwebhookconfiguration/snapfreeze

"$kubectl" delete "$config" --ignore-not-found >/dev/null
python3 - "$plane/registration.json" >"$plane/unpublished.json" <<'P'
import json, sys
registration = json.load(open(sys.argv[1]))
for webhook in registration["webhooks"]:
    del webhook["clientConfig"]["caBundle"]
json.dump(registration, sys.stdout)
P
"$kubectl" create -f "$plane/unpublished.json" >/dev/null

"$snapfreeze" sweeper --kubeconfig "$plane/sweeper-0.kubeconfig" --identity sweeper-0 --status-listen 127.0.0.1:0 \
  --ca-settles 2s >>"$plane/certificates.log" 2>&1 &
sweeper=$!
trap 'kill "$sweeper"; wait "$sweeper" || true' EXIT

certs() { "$snapfreeze" certs "$1" --kubeconfig "$plane/sweeper-0.kubeconfig"; }
serial() { certs show | sed -n "s/^$1  *.*serial //p"; }
await() { # what, condition
  for _ in $(seq 240); do
    if eval "$2"; then return; fi
    sleep 0.25
  done
  echo "certificates: $1: not within 60 s; see $plane/certificates.log" >&2
  certs show >&2
  exit 1
}
await "the API server trusts the first certificate" "certs show >/dev/null"
ca=$(serial CA) leaf=$(serial certificate)
certs rotate >/dev/null
# shellcheck disable=SC2016 # await evaluates it, again and again
await "a new CA signs" '[ "$(serial CA)" != "$ca" ] && [ "$(serial certificate)" != "$leaf" ] && certs show >/dev/null'
certs show | grep -q "before it.*$ca" || { echo "certificates: the old CA is not trusted beside the new one" >&2; exit 1; }
leaf=$(serial certificate)
certs issue >/dev/null
[ "$(serial certificate)" != "$leaf" ] || { echo "certificates: 'certs issue' issued nothing" >&2; exit 1; }
"$kubectl" patch "$config" --type json -p '[{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]' >/dev/null
bundle() { "$kubectl" get "$config" -o jsonpath='{.webhooks[0].clientConfig.caBundle}'; }
# The sweeper may have looked in this very moment, and put it back.
! certs show >/dev/null || [ -n "$(bundle)" ] || { echo "certificates: a removed caBundle was not noticed" >&2; exit 1; }
await "a removed caBundle is put back" "certs show >/dev/null"
certs show
