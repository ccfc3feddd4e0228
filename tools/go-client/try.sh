#!/usr/bin/env bash
# Has client-go and controller-runtime, as operators use them, judge a trikube. Needs Go beside `make install`; the
# first run builds for some minutes. Prints OK at the end, leaves nothing running. With a word: only the checks whose
# names begin so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd tools/go-client && CGO_ENABLED=0 go build -o "$folder/go-client" .)
mkdir "$folder/data"
"$folder/go-client" -trikube "$PWD/.venv/bin/trikube" -data "$folder/data" -only "${1:-}" 2>"$folder/log" ||
  { cat "$folder/log" >&2; exit 1; }
