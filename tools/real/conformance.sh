#!/usr/bin/env bash
# Kubernetes' own end-to-end tests against trikube: `tools/real/conformance.sh PROGRAMS [FOCUS] [SKIP]` with a folder that
# `PROGRAMS="kube-controller-manager kube-scheduler e2e.test" build.sh` filled. By default: what is asked of the API
# machinery for conformance, but for the tests whose webhook or API server is a pod (nothing runs in pods here).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"

focus=${2:-'\[sig-api-machinery\].*\[Conformance\]'}
skip=${3:-'AdmissionWebhook|ConversionWebhook|CustomResourceFieldSelectors|Aggregator Should'}
"$programs/e2e.test" --kubeconfig "$KUBECONFIG" --kubectl-path "$kubectl" --provider skeleton \
  --ginkgo.focus "$focus" --ginkgo.skip "$skip" --ginkgo.silence-skips \
  --ginkgo.no-color --disable-log-dump
