{{- define "node-agent.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "node-agent.podLabels" . }}
{{- end }}

{{- define "node-agent.podLabels" -}}
app.kubernetes.io/name: node-agent
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: node-agent
{{- end }}

{{- /* Certificate, key and token stay the same over upgrades: agents of both revisions speak to each other. */}}
{{- define "node-agent.secret" -}}
{{- $known := lookup "v1" "Secret" .Release.Namespace "node-agent" }}
{{- if $known }}
{{- $known.data | toYaml }}
{{- else }}
{{- $certificate := genSelfSignedCertWithKey "node-agent" nil (list "node-agent") 3650 (genPrivateKey "ecdsa") }}
token: {{ randAlphaNum 48 | b64enc }}
tls.crt: {{ $certificate.Cert | b64enc }}
tls.key: {{ $certificate.Key | b64enc }}
{{- end }}
{{- end }}
