#!/usr/bin/env bash
# Runs the real kube-controller-manager and kube-scheduler against trikube, whose own controllers stand back, and uses
# both: `tools/real/controllers.sh PROGRAMS` with a folder that `build.sh` filled. Prints OK, leaves nothing running.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"

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
