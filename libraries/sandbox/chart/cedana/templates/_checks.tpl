{{/* A value of the config section as text; a number is never written with an exponent. */}}
{{- define "cedana.text" -}}
{{- if kindIs "float64" . -}}{{ int64 . }}{{- else if not (kindIs "invalid" .) -}}{{ toString . }}{{- end -}}
{{- end -}}

{{/* Fails with one sentence that names all required values that are missing. */}}
{{- define "cedana.required" -}}
{{- $missing := list -}}
{{- range list "authToken" "url" "clusterId" "address" "protocol" -}}
{{- $held := or (and (eq . "authToken") $.Values.config.preExistingSecret) (and (eq . "clusterId") $.Values.config.clusterName) -}}
{{- if not (or $held (get $.Values.config .)) -}}{{- $missing = append $missing (printf "config.%s" .) -}}{{- end -}}
{{- end -}}
{{- if $missing -}}{{- fail (printf "required values are missing: %s" (join ", " $missing)) -}}{{- end -}}
{{- end -}}

{{/* Refuses what the stand-in does not emulate. */}}
{{- define "cedana.refused" -}}
{{- if .Values.installKueue -}}{{- fail "installKueue is not emulated by this stand-in chart" -}}{{- end -}}
{{- if .Values.dynamoWatcher.enabled -}}{{- fail "dynamoWatcher.enabled is not emulated by this stand-in chart" -}}{{- end -}}
{{- if .Values.controllerManager.autoscaling.enabled -}}{{- fail "controllerManager.autoscaling.enabled is not emulated by this stand-in chart" -}}{{- end -}}
{{- end -}}
