"""The kinds of certificates.k8s.io/v1. Mirrors `pkg/registry/certificates/rest/storage_certificates.go`."""

from functools import partial

from generic.meta.gvk import GroupVersion
from kubeapi.resources.columns import policy as columns
from kubeapi.resources.kinds import STATUS, BuiltinKind, text_at
from kubeapi.resources.strategies import certificates, platform

_kind = partial(BuiltinKind, GroupVersion("certificates.k8s.io", "v1"))
_SIGNER = {"spec.signerName": text_at("spec", "signerName")}

KINDS: tuple[BuiltinKind, ...] = (
    _kind(
        "CertificateSigningRequest",
        "certificatesigningrequests",
        namespaced=False,
        short_names=("csr",),
        strategy=certificates.CERTIFICATE_REQUEST,
        columns=columns.CERTIFICATE_SIGNING_REQUEST,
        selectable_fields=_SIGNER,
        subresources=STATUS | {"approval"},
    ),
    _kind(
        "ClusterTrustBundle",
        "clustertrustbundles",
        namespaced=False,
        strategy=platform.CLUSTER_TRUST_BUNDLE,
        columns=columns.CLUSTER_TRUST_BUNDLE,
        selectable_fields=_SIGNER,
    ),
    _kind(
        "PodCertificateRequest",
        "podcertificaterequests",
        namespaced=True,
        strategy=platform.STATUS,
        selectable_fields={**_SIGNER, "spec.nodeName": text_at("spec", "nodeName")},
        subresources=STATUS,
    ),
)
