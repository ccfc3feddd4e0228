# Sourced by controllers.sh and conformance.sh with PROGRAMS as the first argument: starts trikube, whose own controllers
# stand back, the real kube-controller-manager and kube-scheduler, and a kubelet that only says that pods run.
programs=$(realpath "${1:?the folder with kube-controller-manager and kube-scheduler}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=$(mktemp -d)
stop() { jobs -p | xargs -r kill 2>/dev/null || true; wait; rm -rf "$folder"; }
trap stop EXIT
fail() { echo "never: $*" >&2; tail -n 20 "$folder"/*.log >&2; exit 1; }
until_() { for _ in $(seq 300); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.2; done; fail "$@"; }
pki=$folder/data/pki kubectl=$PWD/.venv/bin/kubectl
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
