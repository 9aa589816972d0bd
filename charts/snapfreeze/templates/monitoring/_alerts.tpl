{{/*
The increase of a counter whose series may begin with its first event, which increase() would miss.
$1: selector, $2: window.
*/}}
{{- define "snapfreeze.increase" -}}
{{- $series := first . -}}{{- $window := last . -}}
(({{ $series }} unless {{ $series }} offset {{ $window }}) or increase({{ $series }}[{{ $window }}]))
{{- end -}}

{{/* The labels and the runbook of an alert. */}}
{{- define "snapfreeze.alert" -}}
{{- $own := .root.Values.prometheusRule -}}
labels:
  severity: {{ .severity }}
  {{- with $own.alertLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  runbook_url: {{ printf "%s#%s" $own.runbookUrl (lower .name) | quote }}
{{- end -}}

{{- define "snapfreeze.alerts" -}}
{{- $own := .Values.prometheusRule -}}
{{- $failed := `snapfreeze_thaw_calls_total{outcome=~"refused|unknown"}` -}}
{{- $thawed := `snapfreeze_thaw_calls_total{outcome=~"thawed|lapsed"}` -}}
{{- $erring := `snapfreeze_admissions_total{decision=~"api-error|busy|malformed|no-sweeper|no-time"}` -}}
{{- $crashed := `snapfreeze_verdicts_total{consistency="crash",reason!~"observe|skipped"}` -}}
- alert: SnapfreezeThawFailing
  expr: sum{{ include "snapfreeze.increase" (list $failed "5m") }} > 2
  {{- include "snapfreeze.alert" (dict "root" . "name" "SnapfreezeThawFailing" "severity" "critical") | nindent 2 }}
    summary: Guests cannot be thawed.
    description: {{ `{{ $value | humanize }} unfreeze calls failed within 5 minutes. Those guests thaw by KubeVirt's timer, unless it is lost.` | quote }}
- alert: SnapfreezeSessionStuck
  # Guests are held, and none has been thawed for a long time.
  expr: max(snapfreeze_sessions{phase=~"Freezing|Frozen|Armed|Thawing"}) > 0 unless sum{{ include "snapfreeze.increase" (list $thawed "5m") }} > 0
  for: {{ add .Values.freeze.maxTimeoutSeconds 60 }}s
  {{- include "snapfreeze.alert" (dict "root" . "name" "SnapfreezeSessionStuck" "severity" "critical") | nindent 2 }}
    summary: A session does not end.
    description: {{ printf "A guest is held for longer than the longest T, %d s, and no thaw has succeeded meanwhile." (int .Values.freeze.maxTimeoutSeconds) | quote }}
- alert: SnapfreezeNewerSession
  expr: max(snapfreeze_sessions{phase="NewerFormat"}) > 0
  for: 5m
  {{- include "snapfreeze.alert" (dict "root" . "name" "SnapfreezeNewerSession" "severity" "warning") | nindent 2 }}
    summary: A session of a newer version is left alone.
    description: {{ `This version neither freezes nor thaws the guests of {{ $value | humanize }} Leases, and their backups are crash-consistent.` | quote }}
- alert: SnapfreezeGuestFrozenTooLong
  # Compared with half a guest, because sums of equal parts may differ in their last digit. Prometheus 3 writes le="60" as "60.0".
  expr: >-
    sum(increase(snapfreeze_guest_frozen_seconds_count[15m]))
    - sum(increase(snapfreeze_guest_frozen_seconds_bucket{le=~"{{ $own.frozenSeconds }}([.]0)?"}[15m])) > 0.5
  {{- include "snapfreeze.alert" (dict "root" . "name" "SnapfreezeGuestFrozenTooLong" "severity" "warning") | nindent 2 }}
    summary: Guests were frozen for a long time.
    description: {{ printf "{{ $value | humanize }} guests were frozen for longer than %d s within 15 minutes." (int $own.frozenSeconds) | quote }}
- alert: SnapfreezeNoLeader
  expr: absent(snapfreeze_leader == 1)
  for: 1m
  {{- include "snapfreeze.alert" (dict "root" . "name" "SnapfreezeNoLeader" "severity" "critical") | nindent 2 }}
    summary: No sweeper leads.
    description: Nobody would thaw a guest, so none is frozen, and all backups are crash-consistent.
- alert: SnapfreezeWebhookUnreachable
  expr: sum{{ include "snapfreeze.increase" (list `apiserver_admission_webhook_fail_open_count{name="volumesnapshots.snapfreeze.harvesterhci.io"}` "15m") }} > 0
  {{- include "snapfreeze.alert" (dict "root" . "name" "SnapfreezeWebhookUnreachable" "severity" "critical") | nindent 2 }}
    summary: The API server does not reach the webhook.
    description: {{ `{{ $value | humanize }} snapshots were admitted without it within 15 minutes. Their backups are crash-consistent.` | quote }}
- alert: SnapfreezeCertificateExpiring
  # A sweeper that led before remembers certificates that another one has renewed since.
  expr: >-
    min by (instance, pod) ({__name__=~"snapfreeze_(certificate|ca)_expiry_timestamp_seconds"}
    unless on (instance) snapfreeze_leader == 0) - time() < {{ mul $own.certificateDays 86400 }}
  for: 10m
  {{- include "snapfreeze.alert" (dict "root" . "name" "SnapfreezeCertificateExpiring" "severity" "warning") | nindent 2 }}
    summary: A certificate is not renewed.
    description: {{ `A certificate of pod {{ $labels.pod }} ({{ $labels.instance }}) expires in {{ $value | humanizeDuration }}. Then the API server refuses the webhook.` | quote }}
- alert: SnapfreezeFreezeFailing
  expr: sum{{ include "snapfreeze.increase" (list `snapfreeze_admissions_total{decision="freeze-failed"}` "15m") }} > 0
  {{- include "snapfreeze.alert" (dict "root" . "name" "SnapfreezeFreezeFailing" "severity" "warning") | nindent 2 }}
    summary: Guests cannot be frozen.
    description: {{ `{{ $value | humanize }} freezes failed within 15 minutes. Those backups are crash-consistent.` | quote }}
- alert: SnapfreezeAdmissionsErring
  expr: sum by (decision) {{ include "snapfreeze.increase" (list $erring "15m") }} > 0
  {{- include "snapfreeze.alert" (dict "root" . "name" "SnapfreezeAdmissionsErring" "severity" "warning") | nindent 2 }}
    summary: {{ `Admissions end with {{ $labels.decision }}.` | quote }}
    description: {{ `{{ $value | humanize }} within 15 minutes. Those backups are crash-consistent.` | quote }}
- alert: SnapfreezeBackupNotConsistent
  expr: sum by (reason) {{ include "snapfreeze.increase" (list $crashed "1h") }} > 0
  {{- include "snapfreeze.alert" (dict "root" . "name" "SnapfreezeBackupNotConsistent" "severity" "info") | nindent 2 }}
    summary: {{ `Backups are crash-consistent: {{ $labels.reason }}.` | quote }}
    description: {{ `{{ $value | humanize }} within an hour. docs/reasons.md says what the reason means.` | quote }}
{{- end -}}
