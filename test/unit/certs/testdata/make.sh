#!/usr/bin/env bash
# make.sh: made the certificates beside it, which are valid for a hundred years: of a company's root CA, of the CA that it has signed to
# issue certificates, and of a webhook. Their keys are thrown away.
set -euo pipefail
cd "$(dirname "$0")"
keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT

sign() { # name, common name, issuer, extensions
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$keys/$1" -subj "/CN=$2" -out "$keys/$1.csr" 2>/dev/null
  openssl x509 -req -in "$keys/$1.csr" -CA "$3.pem" -CAkey "$keys/$3" -CAcreateserial -CAserial "$keys/serial" -days 36500 \
    -extfile <(printf '%b' "$4") -out "$1.pem" 2>/dev/null
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$keys/root" -subj "/CN=company root" -days 36500 \
  -addext keyUsage=critical,keyCertSign -out root.pem 2>/dev/null
sign issuing "company issuing" root 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign'
sign webhook webhook issuing 'subjectAltName=DNS:webhook.snapfreeze.svc,DNS:*.example.org\nextendedKeyUsage=serverAuth'
sign client client issuing 'subjectAltName=DNS:webhook.snapfreeze.svc\nextendedKeyUsage=clientAuth'
sign unnamed webhook.snapfreeze.svc issuing 'extendedKeyUsage=serverAuth'
