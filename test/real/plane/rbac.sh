#!/usr/bin/env bash
# rbac.sh: prints service accounts, roles and bindings of webhook and sweeper, from the rules that the chart uses.
set -euo pipefail
rules=$(cd "$(dirname "$0")/../../../charts/snapfreeze/files" && pwd)
namespace=snapfreeze-system

for part in webhook sweeper; do
  cat <<E2
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: $part, namespace: $namespace}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: snapfreeze-$part}
rules:
$(sed 's/^/  /' "$rules/$part-cluster-rules.yaml")
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: snapfreeze-$part}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: snapfreeze-$part}
subjects: [{kind: ServiceAccount, name: $part, namespace: $namespace}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: snapfreeze-$part, namespace: $namespace}
rules:
$(sed 's/^/  /' "$rules/$part-namespace-rules.yaml")
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: snapfreeze-$part, namespace: $namespace}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: snapfreeze-$part}
subjects: [{kind: ServiceAccount, name: $part, namespace: $namespace}]
E2
done
