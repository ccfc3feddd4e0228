#!/usr/bin/env bash
# Plugs the sample aggregated API server of the Go libraries, unchanged, into trikube, and uses it with kubectl.
# Needs Go beside `make install`; the first run builds for some minutes. Prints OK at the end, leaves nothing running.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=${1:-v0.37.0}
folder=$(mktemp -d)
data=$folder/data
stop() { jobs -p | xargs -r kill 2>/dev/null || true; wait; rm -rf "$folder"; }
trap stop EXIT
port() { .venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
until_() { for _ in $(seq 150); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.2; done; echo "never: $*" >&2; exit 1; }

GOBIN=$folder GOFLAGS=-mod=mod go install "k8s.io/sample-apiserver@$version"

etcd_port=$(port) peer_port=$(port) aa_port=$(port)
.venv/bin/etcd --data-dir "$folder/etcd" --listen-client-urls "http://127.0.0.1:$etcd_port" \
  --advertise-client-urls "http://127.0.0.1:$etcd_port" --listen-peer-urls "http://127.0.0.1:$peer_port" \
  >"$folder/etcd.log" 2>&1 &
.venv/bin/trikube up --data-dir "$data" --secure-port 0 >"$folder/trikube.log" 2>&1 &
export KUBECONFIG=$data/admin.kubeconfig HOME=$folder
kubectl=.venv/bin/kubectl
until_ test -f "$KUBECONFIG"
until_ $kubectl get serviceaccounts default
server=$($kubectl config view --raw -o 'jsonpath={.clusters[0].cluster.server}')

.venv/bin/python - "$folder" <<'PY'
import sys
from pathlib import Path

from trikube.pki import files, issue

folder = Path(sys.argv[1])
authority = issue.new_authority("go-aa-ca")
serving = authority.issue_serving(["wardle.wardle.svc"])
for name, data in (("ca.crt", authority.pem), ("tls.crt", serving.cert), ("tls.key", serving.key)):
    files.write(folder / name, data)
PY

# What its published manifests grant.
$kubectl create namespace wardle
$kubectl -n wardle create serviceaccount apiserver
$kubectl create clusterrolebinding wardle-auth-delegator --clusterrole=system:auth-delegator \
  --serviceaccount=wardle:apiserver
$kubectl -n kube-system create rolebinding wardle-auth-reader --role=extension-apiserver-authentication-reader \
  --serviceaccount=wardle:apiserver
$kubectl apply -f tools/go-aa/role.yaml
$kubectl create clusterrolebinding wardle-apiserver --clusterrole=wardle-apiserver --serviceaccount=wardle:apiserver

cat >"$folder/kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: main, cluster: {server: $server, certificate-authority: $data/pki/ca.crt}}]
users: [{name: apiserver, user: {token: $($kubectl -n wardle create token apiserver)}}]
contexts: [{name: main, context: {cluster: main, user: apiserver}}]
current-context: main
YAML
"$folder/sample-apiserver" --secure-port "$aa_port" --bind-address 127.0.0.1 \
  --etcd-servers "http://127.0.0.1:$etcd_port" --kubeconfig "$folder/kubeconfig" \
  --authentication-kubeconfig "$folder/kubeconfig" --authorization-kubeconfig "$folder/kubeconfig" \
  --tls-cert-file "$folder/tls.crt" --tls-private-key-file "$folder/tls.key" >"$folder/aa.log" 2>&1 &

.venv/bin/python -m examples.wardle registration --address 127.0.0.1 --port "$aa_port" --ca-file "$folder/ca.crt" |
  $kubectl apply -f - >/dev/null
# It stores both versions, and names the same Service.
until_ sh -c "$kubectl get apiservice v1alpha1.wardle.example.com | grep True"
until_ sh -c "$kubectl get apiservice v1beta1.wardle.example.com | grep True"

$kubectl apply -f tools/go-aa/flunder.yaml
$kubectl label flunder first seen=yes
$kubectl patch flunders.v1alpha1.wardle.example.com first --type=merge -p '{"spec":{"reference":"other"}}'
$kubectl get flunders -o wide
$kubectl explain flunder.spec >/dev/null
$kubectl create -f tools/go-aa/fischer.yaml
until_ sh -c "$kubectl create --dry-run=server -f tools/go-aa/banned.yaml 2>&1 | grep 'this name may not be used'"
if $kubectl --as=nobody get flunders 2>"$folder/refused"; then exit 1; fi
grep -q 'cannot list resource "flunders"' "$folder/refused"
echo OK
