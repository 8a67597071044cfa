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

{{- /* A host's path may have $(NODE_NAME) in it, where nodes differ: what is before it is mounted, the rest a subPath. */}}
{{- define "node-agent.fixedPath" -}}
{{- $fixed := (splitList "$(" .) | first }}
{{- if eq $fixed . }}{{ . }}{{ else }}{{ dir (printf "%s_" $fixed) }}{{ end }}
{{- end }}

{{- define "node-agent.subPath" -}}
{{- $fixed := include "node-agent.fixedPath" . }}
{{- if ne $fixed . }}
subPathExpr: {{ . | trimPrefix $fixed | trimPrefix "/" | quote }}
{{- end }}
{{- end }}

{{- define "node-agent.security" -}}
{{- if .consistent -}}
privileged: true
{{- else -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
{{- end }}
readOnlyRootFilesystem: true
runAsUser: 0
{{- /* Where SELinux enforces, others may not enter the kubelet's folders; elsewhere it means nothing. */}}
seLinuxOptions:
  type: spc_t
{{- end }}
