#!/usr/bin/env bash
# Plugs aggregated API servers made with trikube.aa into a real kube-apiserver, and uses them with kubectl.
# `tools/real/try-aa.sh KUBECONFIG [ADDRESS]`: of its administrator, such as tools/real/up.sh leaves; ADDRESS is where it
# reaches this machine, not loopback. With EXEC_CLIENT, what `go build` makes of tools/go-exec, client-go's exec too.
# Prints OK at the end, leaves nothing running and nothing behind.
set -euo pipefail
export KUBECONFIG=$(realpath "${1:?a kubeconfig}")
address=${2:-$(hostname -I | cut -d' ' -f1)}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=$(mktemp -d)
export HOME=$folder
kubectl=.venv/bin/kubectl
stop() {
  jobs -p | xargs -r kill 2>/dev/null || true
  wait
  $kubectl delete clusterrolebinding,clusterrole workshop-maps --ignore-not-found >/dev/null
  for name in wardle podlogs workshop; do
    $kubectl -n "$name" delete serviceaccount server --ignore-not-found >/dev/null
    test ! -f "$folder/$name.yaml" || $kubectl delete -f "$folder/$name.yaml" --ignore-not-found --wait=false >/dev/null
    gone "$name"
  done
  $kubectl -n try-aa delete configmap permit --ignore-not-found >/dev/null
  $kubectl delete namespace try-aa --ignore-not-found --wait=false >/dev/null
  gone try-aa
  rm -rf "$folder"
}
gone() { # NAMESPACE: where no controller manager empties namespaces, there is nothing left in this one anyway
  $kubectl wait --for=delete "namespace/$1" --timeout=3s >/dev/null 2>&1 || $kubectl get namespace "$1" -o json |
    .venv/bin/python -c 'import json, sys; o = json.load(sys.stdin); o["spec"] = {}; json.dump(o, sys.stdout)' |
    $kubectl replace --raw "/api/v1/namespaces/$1/finalize" -f - >/dev/null || true
}
trap stop EXIT
port() { .venv/bin/python -c 'from trikube.background.ports import free_port; print(free_port())'; }
until_() { for _ in $(seq 150); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.2; done; echo "never: $*" >&2; exit 1; }
says() { # TEXT COMMAND...: whatever its exit code
  local wanted=$1 said
  shift
  said=$("$@" 2>&1) || true
  grep -q -- "$wanted" <<<"$said" || { echo "$* did not say $wanted: $said" >&2; exit 1; }
}
server=$($kubectl config view --raw --flatten --minify -o 'jsonpath={.clusters[0].cluster.server}')
$kubectl config view --raw --flatten --minify -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}' |
  base64 -d >"$folder/ca.crt"

serve() { # NAME: register it, with the rights of a service account of its own, and start it as that
  local name=$1 at
  at=$(port)
  .venv/bin/python -m "examples.$name" registration --address "$address" --port "$at" --data-dir "$folder/$name" \
    --user "system:serviceaccount:$name:server" >"$folder/$name.yaml"
  $kubectl apply -f "$folder/$name.yaml" >/dev/null
  $kubectl -n "$name" create serviceaccount server
  cat >"$folder/$name.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: main, cluster: {server: "$server", certificate-authority: $folder/ca.crt}}]
users: [{name: server, user: {token: $($kubectl -n "$name" create token server)}}]
contexts: [{name: main, context: {cluster: main, user: server}}]
current-context: main
YAML
  .venv/bin/python -m "examples.$name" --kubeconfig "$folder/$name.kubeconfig" --data-dir "$folder/$name" \
    --secure-port "$at" >"$folder/$name.log" 2>&1 &
}
serve wardle
serve podlogs
# What a plugin follows at the main server needs a right of its own.
$kubectl create clusterrole workshop-maps --verb=get,list,watch --resource=configmaps >/dev/null
$kubectl create clusterrolebinding workshop-maps --clusterrole=workshop-maps --serviceaccount=workshop:server >/dev/null
serve workshop
for service in v1alpha1.wardle.example.com v1beta1.wardle.example.com v1.podlogs.demo.io v1.workshop.demo.io; do
  until_ sh -c "$kubectl get apiservice $service | grep True"
done
until_ sh -c "$kubectl api-resources | grep flunders && $kubectl api-resources | grep presses"
$kubectl create namespace try-aa >/dev/null
k="$kubectl -n try-aa"

# wardle: two versions, defaults, validation, apply of both kinds, watch, explain, RBAC of the main server.
says created $k apply -f tools/go-aa/flunder.yaml
says unchanged $k apply -f tools/go-aa/flunder.yaml
says serverside-applied $k apply --server-side --force-conflicts --field-manager=try -f tools/go-aa/flunder.yaml
says labeled $k label flunder first seen=yes
says patched $k patch flunders.v1alpha1.wardle.example.com first --type=merge -p '{"spec":{"reference":"other"}}'
says Flunder/other $k get flunders -o wide
says 'mutually exclusive' $k explain flunder.spec
says 'VERSION: *v1alpha1' $k explain flunder --api-version=wardle.example.com/v1alpha1
# The one document for older clients: the main server asks for ours now and then.
until_ sh -c "$k explain flunder --output=plaintext-openapiv2 | grep wardle.example.com"
says created $k create -f tools/go-aa/fischer.yaml
until_ sh -c "$k create --dry-run=server -f tools/go-aa/banned.yaml 2>&1 | grep 'this name may not be used'"
says 'must be Flunder or Fischer' $k patch flunder first --type=merge -p '{"spec":{"referenceType":"Fish"}}'
says 'cannot list resource "flunders"' $k --as=nobody get flunders
says yes $k auth can-i create flunders
says 'deleted' $k delete fischer --all
says 'deleted' $k delete flunder first

# podlogs: subresources of the author's own, a stream, a WebSocket.
path=/apis/podlogs.demo.io/v1/namespaces/try-aa/programs/one
echo '{"apiVersion":"podlogs.demo.io/v1","kind":"Program","metadata":{"name":"one"},"spec":{"lines":["first"]}}' |
  says created $k apply -f -
echo '{"text":"second"}' | says '"kind":"Program"' $k create --raw "$path/say" -f -
says second $k get --raw "$path/log?tailLines=1"
says 'ProgramSpec is what' $k explain program.spec
if [ -n "${EXEC_CLIENT:-}" ]; then
  says 'hello' "$EXEC_CLIENT" "$KUBECONFIG" "$path/exec" echo hello </dev/null
  says 'a WebSocket with one of' "$EXEC_CLIENT" -spdy "$KUBECONFIG" "$path/exec" echo hello </dev/null
fi
# workshop: a plugin that follows ConfigMaps of the main server, scale, storage of its own.
press='{"apiVersion":"workshop.demo.io/v1","kind":"Press","metadata":{"name":"big"}}'
echo "$press" | says 'no ConfigMap permit in its namespace' $k create -f -
$k create configmap permit >/dev/null
until_ sh -c "echo '$press' | $k create -f -"
says scaled $k scale press big --replicas=3
says 3 $k get press big -o 'jsonpath={.spec.replicas}'
says load $k get gauges
says 'method not allowed\|MethodNotAllowed' $k delete gauge load
says deleted $k delete press big

says deleted $k delete program one
says 'not found' $k get program one
echo OK
