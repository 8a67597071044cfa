#!/bin/sh
# One lifecycle in the manner of the existing shell suites: kubectl and curl, status polled every 5 s, pods every 2 s,
# and Ready looked at five times, a second apart. It believes a restore when the pod is Ready.
# usual_way.sh MANIFEST NAME; KUBECONFIG, KUBECTL, CEDANA_URL, CEDANA_AUTH_TOKEN, CLUSTER_ID and NAMESPACE in the environment
set -eu
manifest=$1 name=$2

ask() {
    method=$1 path=$2
    shift 2
    curl --silent --show-error --fail --max-time 30 --request "$method" "$CEDANA_URL/v2$path" \
        --header "Authorization: Bearer $CEDANA_AUTH_TOKEN" --header 'Content-Type: application/json' "$@" | tr -d '"'
}

kube() { "$KUBECTL" --namespace "$NAMESPACE" "$@"; }

wait_until_ready() {
    until [ "$(kube get pod "$1" --output 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ]; do
        sleep 2
    done
    for _ in 1 2 3 4 5; do
        sleep 1
        [ "$(kube get pod "$1" --output 'jsonpath={.status.phase}')" = Running ]
    done
}

wait_for_status() {
    until ask GET "/checkpoint/status/$1" | grep --quiet 'status: *ready'; do sleep 5; done
}

"$KUBECTL" create namespace "$NAMESPACE" >/dev/null
kube apply --filename "$manifest" >/dev/null
wait_until_ready "$name"

uid=$(kube get pod "$name" --output 'jsonpath={.metadata.uid}')
action=$(ask POST /checkpoint/pod --data "{\"pod_id\": \"$uid\", \"reason\": \"manual\", \"runc_root\": \"/run/containerd/runc/k8s.io\"}")
[ -n "$action" ]
wait_for_status "$action"

seen=$(kube logs "$name" | wc -l)
until [ "$(kube logs "$name" | wc -l)" -gt "$seen" ]; do sleep 2; done

kube delete pod "$name" --wait=true >/dev/null
ask POST /restore/pod --data "{\"action_id\": \"$action\", \"cluster_id\": \"$CLUSTER_ID\", \"reason\": \"manual\"}" >/dev/null
restored=
while [ -z "$restored" ]; do
    restored=$(kube get pods --output name | grep restored | head -n 1 | cut -d / -f 2) || true
    [ -n "$restored" ] || sleep 2
done
wait_until_ready "$restored"
kube delete pod "$restored" --wait=true >/dev/null
"$KUBECTL" delete namespace "$NAMESPACE" >/dev/null
