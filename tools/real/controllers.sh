#!/usr/bin/env bash
# Runs the real kube-controller-manager and kube-scheduler against trikube, whose own controllers stand back, and uses
# both: `tools/real/controllers.sh PROGRAMS` with a folder that `build.sh` filled. Prints OK, leaves nothing running.
set -euo pipefail
programs=$(realpath "${1:?the folder with kube-controller-manager and kube-scheduler}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=$(mktemp -d)
stop() { jobs -p | xargs -r kill 2>/dev/null || true; wait; rm -rf "$folder"; }
trap stop EXIT
fail() { echo "never: $*" >&2; tail -n 20 "$folder"/*.log >&2; exit 1; }
until_() { for _ in $(seq 300); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.2; done; fail "$@"; }
pki=$folder/data/pki kubectl=.venv/bin/kubectl
export KUBECONFIG=$folder/data/admin.kubeconfig HOME=$folder

.venv/bin/trikube up --data-dir "$folder/data" --secure-port 0 --controllers '' >"$folder/trikube.log" 2>&1 &
until_ $kubectl get --raw /readyz
flags=(--kubeconfig "$KUBECONFIG" --authentication-kubeconfig "$KUBECONFIG" --authorization-kubeconfig "$KUBECONFIG"
  --secure-port 0)
# Each controller with a service account of its own: the default roles are put to the test.
"$programs/kube-controller-manager" "${flags[@]}" --use-service-account-credentials \
  --service-account-private-key-file "$pki/sa.key" --root-ca-file "$pki/ca.crt" \
  --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key" >"$folder/manager.log" 2>&1 &
"$programs/kube-scheduler" "${flags[@]}" >"$folder/scheduler.log" 2>&1 &
.venv/bin/python tools/real/hollow_kubelet.py "$KUBECONFIG" >"$folder/kubelet.log" 2>&1 &
until_ $kubectl get serviceaccount default

$kubectl create deployment web --image=image:1 --replicas=3
$kubectl expose deployment web --port 80
$kubectl apply -f tools/real/workloads.yaml
$kubectl rollout status deployment/web statefulset/db daemonset/everywhere --timeout=60s
$kubectl wait --for=condition=complete job/once --timeout=60s
$kubectl set image deployment/web image=image:2
$kubectl rollout status deployment/web --timeout=60s
$kubectl rollout undo deployment/web
$kubectl rollout status deployment/web --timeout=60s
until_ sh -c "$kubectl get endpointslices -l kubernetes.io/service-name=web -o yaml | grep 10.244"
until_ sh -c "$kubectl get pvc data-db-0 data-db-1 -o jsonpath={.items[*].status.phase} | grep 'Bound Bound'"
until_ sh -c "$kubectl get quota some -o jsonpath={.status.used.pods} | grep -v '^0*\$'"
$kubectl drain hollow-2 --ignore-daemonsets --force --timeout=60s
$kubectl uncordon hollow-2
$kubectl create namespace gone
$kubectl -n gone create deployment inside --image=image
$kubectl delete namespace gone --timeout=60s
$kubectl delete deployment web --cascade=foreground --timeout=60s
until_ sh -c "! $kubectl get pods -l app=web -o name | grep ."
$kubectl get all
if grep -E 'is forbidden|the server could not find the requested resource|failed to (list|watch)' \
  "$folder/manager.log" "$folder/scheduler.log"; then exit 1; fi
echo OK
