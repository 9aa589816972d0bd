{{/* Names are fixed, whatever the release is called: two installations would both freeze, and Helm refuses the second. */}}

{{- define "snapfreeze.image" -}}
{{- $image := .root.Values.image -}}
{{- $global := .root.Values.global | default dict -}}
{{- $registry := coalesce $global.imageRegistry ($global.cattle | default dict).systemDefaultRegistry $image.registry -}}
{{- $name := list ($registry | default "" | trimSuffix "/") $image.repository | compact | join "/" -}}
{{- if $image.digest }}{{ $name }}@{{ $image.digest }}{{ else }}{{ $name }}:{{ $image.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end -}}

{{- define "snapfreeze.labels" -}}
{{ include "snapfreeze.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels that never change, as a Deployment's selector must not. */}}
{{- define "snapfreeze.selector" -}}
app.kubernetes.io/name: snapfreeze
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "snapfreeze.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "snapfreeze.labels" . | nindent 2 }}
{{- end -}}

{{/* The metadata of an object without a namespace. */}}
{{- define "snapfreeze.clusterMetadata" -}}
name: {{ .name }}
labels:
  {{- include "snapfreeze.labels" . | nindent 2 }}
{{- end -}}

{{- define "snapfreeze.tlsSecret" -}}
{{- if eq .Values.certificates.source "secret" -}}
{{ required "certificates.existingSecret: name the Secret with tls.crt, tls.key and ca.crt" .Values.certificates.existingSecret }}
{{- else -}}
snapfreeze-tls
{{- end -}}
{{- end -}}

{{/* The rules of a file, without those that this source of certificates does not use. */}}
{{- define "snapfreeze.rules" -}}
{{- $source := .root.Values.certificates.source -}}
{{- range .root.Files.Get (printf "files/%s-rules.yaml" .file) | fromYamlArray }}
  {{- $keeps := has (first .resources) (list "secrets" "mutatingwebhookconfigurations") }}
  {{- if and (eq $source "secret") (has "secrets" .resources) }}
    {{- if .resourceNames }}
- {{ dict "apiGroups" .apiGroups "resources" .resources "resourceNames" (list "snapfreeze-ca" (include "snapfreeze.tlsSecret" $.root)) "verbs" (list "get") | toYaml | nindent 2 | trim }}
    {{- end }}
  {{- else if not (and (eq $source "cert-manager") $keeps) }}
- {{ toYaml . | nindent 2 | trim }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The user that a pod runs as. OpenShift refuses numbers outside the range of the namespace, and sets its own if there are none. */}}
{{- define "snapfreeze.podSecurity" -}}
runAsNonRoot: true
{{- if and .root.Values.podSecurity.fixedIds (not (.root.Capabilities.APIVersions.Has "security.openshift.io/v1")) }}
runAsUser: 65532
runAsGroup: 65532
{{- if .files }}
fsGroup: 65532
{{- end }}
{{- end }}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* The Deployments of webhook and sweeper differ only in their container. */}}
{{- define "snapfreeze.podSpec" -}}
{{- $own := get .root.Values .component -}}
serviceAccountName: snapfreeze-{{ .component }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
priorityClassName: {{ .root.Values.priorityClassName | quote }}
securityContext:
  {{- include "snapfreeze.podSecurity" (dict "root" .root "files" true) | nindent 2 }}
{{- /* A preference: on a cluster of one node both must run. */}}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "snapfreeze.selector" $ | nindent 8 }}
  {{- end }}
{{- with $own.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The part that all containers share. */}}
{{- define "snapfreeze.program" -}}
name: {{ .component }}
image: {{ include "snapfreeze.image" . | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "snapfreeze.container" -}}
{{ include "snapfreeze.program" . }}
{{- /* For commands in the pod: with cert-manager, no role lets it read in the registration where snapfreeze is. */}}
env:
  - {name: SNAPFREEZE_SYSTEM_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
livenessProbe:
  httpGet: {path: /healthz, port: status}
  periodSeconds: 10
readinessProbe:
  httpGet: {path: /readyz, port: status}
  periodSeconds: 2
  timeoutSeconds: 2
{{- /* Puts the last words of a process into the pod's status. */}}
terminationMessagePolicy: FallbackToLogsOnError
resources:
  {{- toYaml (get .root.Values .component).resources | nindent 2 }}
{{- end -}}

{{/* The pod of a hook, which runs the program once. `args` is a list. */}}
{{- define "snapfreeze.hookPod" -}}
serviceAccountName: {{ .name }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
restartPolicy: Never
securityContext:
  {{- include "snapfreeze.podSecurity" . | nindent 2 }}
{{- with .root.Values.sweeper.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.sweeper.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - {{ include "snapfreeze.program" . | nindent 4 | trim }}
    args:
      {{- toYaml .args | nindent 6 }}
    resources:
      {{- toYaml .root.Values.hooks.resources | nindent 6 }}
{{- end -}}
