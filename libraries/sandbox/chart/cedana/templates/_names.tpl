{{- define "cedana.fullname" -}}
{{- $fallback := printf "%s-%s" .Release.Name (default .Chart.Name .Values.nameOverride) -}}
{{- default $fallback .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "cedana.secretName" -}}
{{- default "cedana-secrets" .Values.config.preExistingSecret -}}
{{- end -}}

{{- define "cedana.serviceAccountName" -}}
{{- $own := default (include "cedana.fullname" .) .Values.serviceAccount.name -}}
{{- ternary $own (default "default" .Values.serviceAccount.name) .Values.serviceAccount.create -}}
{{- end -}}

{{/* Labels that a selector may use. Call with (list $ "component"). */}}
{{- define "cedana.podLabels" -}}
{{- $top := index . 0 -}}
app.kubernetes.io/name: {{ default $top.Chart.Name $top.Values.nameOverride }}
app.kubernetes.io/instance: {{ $top.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of objects. Call with (list $ "component"). */}}
{{- define "cedana.labels" -}}
{{- $top := index . 0 -}}
{{ include "cedana.podLabels" . }}
app.kubernetes.io/created-by: cedana-helm
app.kubernetes.io/part-of: cedana-helm
app.kubernetes.io/managed-by: {{ $top.Release.Service }}
app.kubernetes.io/version: {{ $top.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" $top.Chart.Name $top.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
e2e.cedana.ai/emulated: "true"
{{- end -}}

{{/* The older labels that the ConfigMap and the Secret carry. Call with (list $ "app"). */}}
{{- define "cedana.storeLabels" -}}
{{- $top := index . 0 -}}
app: {{ index . 1 }}
chart: {{ printf "%s-%s" $top.Chart.Name $top.Chart.Version | quote }}
release: {{ $top.Release.Name | quote }}
heritage: {{ $top.Release.Service | quote }}
{{- end -}}

{{- define "cedana.keep" -}}
helm.sh/hook: pre-delete
helm.sh/resource-policy: keep
{{- end -}}

{{/* Names of the config section that go to the ConfigMap, each as its key in kebab case. */}}
{{- define "cedana.configNames" -}}
clusterId url address protocol sqsQueueUrl checkpointDir checkpointStreams checkpointStreamMemoryLimit checkpointCompression checkpointAsync gpuPoolSize gpuShmSize pluginsBuilds pluginsCriuVersion pluginsContainerdRuntimeVersion pluginsGpuVersion pluginsStreamerVersion metrics profiling logLevel criuLogLevel awsAccessKeyId awsRegion awsEndpoint
{{- end -}}
