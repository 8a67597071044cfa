{{/* An image value as a reference. */}}
{{- define "cedana.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag }}
{{- end -}}
{{- end -}}

{{/* The chart's own toleration, and what a list from the values adds. */}}
{{- define "cedana.tolerations" -}}
- key: cedana.ai/not-ready
  operator: Exists
  effect: NoSchedule
{{- with . }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* affinity, nodeSelector and tolerations of a values section. */}}
{{- define "cedana.placement" -}}
tolerations:
  {{- include "cedana.tolerations" .tolerations | nindent 2 }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Changes with every setting, so that an upgrade that changes one replaces the pods. */}}
{{- define "cedana.checksum" -}}
checksum/config: {{ list .Values.config .Values.hostConfig | toJson | sha256sum }}
{{- end -}}

{{/* Environment of the manager and of the daemons. */}}
{{- define "cedana.env" -}}
- name: CEDANA_AUTH_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ include "cedana.secretName" . }}
      key: auth-token
{{- range list "cluster-id" "url" "address" "protocol" "checkpoint-dir" "checkpoint-streams" "checkpoint-compression" "plugins-builds" "log-level" }}
- name: CEDANA_{{ snakecase . | upper }}
  valueFrom:
    configMapKeyRef:
      name: cedana-config
      key: {{ . }}
{{- end }}
{{- end -}}
