#!/usr/bin/env bash
# Starts the real kube-apiserver on an etcd of its own, and trikube beside it, for the differ to compare.
# `tools/real/up.sh KUBE_APISERVER FOLDER` leaves FOLDER/{real,ours}.kubeconfig and runs until it is interrupted.
# Both trust the same authorities, which trikube makes.
set -euo pipefail
program=${1:?the kube-apiserver} folder=${2:?a folder for data and logs}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
real_port=${REAL_PORT:-7443} ours_port=${OURS_PORT:-7444} etcd_port=${ETCD_PORT:-7479}
# Not a loopback address: those may not be endpoints.
advertised=192.0.2.10
mkdir -p "$folder"
stop() { jobs -p | xargs -r kill 2>/dev/null || true; wait; }
trap stop EXIT
until_() { for _ in $(seq 300); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.2; done; echo "never: $*" >&2; exit 1; }

rm -rf "$folder/etcd" "$folder/data"/*.db*
.venv/bin/python -c 'import sys; from pathlib import Path; from trikube.pki import layout; layout.ensure(Path(sys.argv[1]))' \
  "$folder/data/pki"
pki=$folder/data/pki
.venv/bin/etcd --data-dir "$folder/etcd" --listen-client-urls "http://127.0.0.1:$etcd_port" \
  --advertise-client-urls "http://127.0.0.1:$etcd_port" --listen-peer-urls "http://127.0.0.1:$((etcd_port + 1))" \
  >"$folder/etcd.log" 2>&1 &

"$program" --etcd-servers "http://127.0.0.1:$etcd_port" --bind-address 127.0.0.1 --secure-port "$real_port" \
  --advertise-address "$advertised" --service-cluster-ip-range 10.96.0.0/12 --authorization-mode RBAC \
  --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" --client-ca-file "$pki/ca.crt" \
  --requestheader-client-ca-file "$pki/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client \
  --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
  --requestheader-extra-headers-prefix X-Remote-Extra- --requestheader-uid-headers X-Remote-Uid \
  --proxy-client-cert-file "$pki/front-proxy-client.crt" --proxy-client-key-file "$pki/front-proxy-client.key" \
  --service-account-issuer https://kubernetes.default.svc.cluster.local \
  --service-account-key-file "$pki/sa.pub" --service-account-signing-key-file "$pki/sa.key" \
  --enable-aggregator-routing --profiling=false --allow-privileged \
  >"$folder/real.log" 2>&1 &
.venv/bin/trikube up --data-dir "$folder/data" --secure-port "$ours_port" --advertise-address "$advertised" \
  ${OURS_ARGS:-} >"$folder/ours.log" 2>&1 &

for server in real ours; do
  port=${server}_port
  cat >"$folder/$server.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: main, cluster: {server: "https://127.0.0.1:${!port}", certificate-authority: $pki/ca.crt}}]
users: [{name: admin, user: {client-certificate: $pki/admin.crt, client-key: $pki/admin.key}}]
contexts: [{name: main, context: {cluster: main, user: admin}}]
current-context: main
YAML
  until_ .venv/bin/kubectl --kubeconfig "$folder/$server.kubeconfig" get --raw /readyz
done
echo "real at $real_port, ours at $ours_port, kubeconfigs in $folder"
wait
