"""The forms an OpenAPI document is served in, and which of them a client accepts.

Called by `v3.py` and `v2.py`. Mirrors the negotiation of `kube-openapi/pkg/{handler,handler3}`,
which looks at types alone: parameters of theirs do not count.
"""

from functools import lru_cache

from generic.meta import negotiation

V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
V3_PROTOBUF = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"


@lru_cache(maxsize=256)
def chosen(accept: str, protobuf: str) -> str | None:
    """The content type to answer in: JSON or `protobuf`, which has an older name as well. None: neither is wanted."""
    older = protobuf.replace(".v1.0+", "@v1.0+")
    types = ",".join(_without_parameters(clause) for clause in accept.split(","))
    accepted = negotiation.negotiate(types, negotiation.NO_TRANSFORMS, supported=(negotiation.JSON, older, protobuf))
    if accepted is None:
        return None
    return negotiation.JSON if accepted.media_type == negotiation.JSON else protobuf


def _without_parameters(clause: str) -> str:
    media_type, *parameters = clause.split(";")
    return ";".join((media_type, *(one for one in parameters if one.strip().startswith("q="))))
