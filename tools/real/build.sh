#!/usr/bin/env bash
# Builds the real kube-apiserver and its like from the Go modules: `tools/real/build.sh FOLDER [VERSION]`. PROGRAMS says
# which, e2e.test among them: Kubernetes' end-to-end tests.
# Kubernetes' own go.mod points at its staging folders, which the module has not: each gets the version that goes with it.
set -euo pipefail
folder=${1:?where to put the programs} version=${2:-v1.37.2}
mkdir -p "$folder" && folder=$(realpath "$folder")
staging=v0.${version#v1.}
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT

module=$(go mod download -json "k8s.io/kubernetes@$version" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
cp -r "$module/." "$source" && chmod -R u+w "$source" && rm -f "$source/go.work" "$source/go.work.sum"
cd "$source"
sed -n 's#.*\(k8s.io/[a-z-]*\) => ./staging/.*#\1#p' go.mod | while read -r name; do
  go mod edit -replace "$name=$name@$staging"
done
number=${version#v} major=${number%%.*} rest=${number#*.}
stamp=k8s.io/component-base/version
export GOFLAGS=-mod=mod
for program in ${PROGRAMS:-kube-apiserver kube-controller-manager kube-scheduler}; do
  if [ "$program" = e2e.test ]; then
    go test -c -trimpath -o "$folder/e2e.test" ./test/e2e
    continue
  fi
  go build -trimpath -ldflags "-s -w -X $stamp.gitVersion=$version -X $stamp.gitMajor=$major \
    -X $stamp.gitMinor=${rest%%.*}" -o "$folder/" "./cmd/$program"
done
