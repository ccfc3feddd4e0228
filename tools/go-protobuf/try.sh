#!/usr/bin/env bash
# Starts trikube, and has Go's typed client speak with it in protobuf alone.
# Needs Go beside `make install`; the first run builds for some minutes. Prints OK at the end, leaves nothing running.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=$(mktemp -d)
stop() { jobs -p | xargs -r kill 2>/dev/null || true; wait; rm -rf "$folder"; }
trap stop EXIT
until_() { for _ in $(seq 150); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.2; done; echo "never: $*" >&2; exit 1; }

(cd tools/go-protobuf && go build -o "$folder/client" .)
.venv/bin/trikube up --data-dir "$folder/data" --secure-port 0 >"$folder/trikube.log" 2>&1 &
kubeconfig=$folder/data/admin.kubeconfig
until_ test -f "$kubeconfig"
until_ .venv/bin/kubectl --kubeconfig "$kubeconfig" get serviceaccounts default
"$folder/client" "$kubeconfig"
echo OK
