"""What kubelets and signers may say in a status."""

from base64 import b64encode

from generic.registry.strategy import HasStatusRules, StatusStrategy
from generic.types import JSONObject
from tests.support.builtin import created, kind, pod_spec, request


def _written(old: JSONObject, status: JSONObject) -> tuple[JSONObject, list[str]]:
    """The status that a write of it leaves, and what is wrong with it."""
    main = kind(old["apiVersion"], old["kind"]).strategy
    assert isinstance(main, HasStatusRules)
    strategy, obj = StatusStrategy(main), {**old, "status": status}
    strategy.default(obj)
    strategy.prepare_for_update(request(), obj, old)
    return obj["status"], [str(found) for found in strategy.validate_update(request(), obj, old)]


def _pod(**spec: object) -> JSONObject:
    return created({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod_spec(**spec)})


def _request(**status: object) -> JSONObject:
    spec = {"request": "", "signerName": "a.io/b", "usages": ["client auth"]}
    api = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest"}
    return {**created({**api, "metadata": {"name": "c"}, "spec": spec}), "status": status}


def test_the_quality_of_service_of_a_pod_stays_though_a_kubelet_leaves_it_out() -> None:
    assert _written(_pod(), {"phase": "Running"}) == ({"phase": "Running", "qosClass": "BestEffort"}, [])
    assert _written(_pod(), {"qosClass": "Guaranteed"})[1] == [
        'status.qosClass: Invalid value: "Guaranteed": field is immutable'
    ]


def test_the_one_address_of_a_pod_is_the_first_of_all() -> None:
    assert _written(_pod(), {"podIP": "10.0.0.1"})[0]["podIPs"] == [{"ip": "10.0.0.1"}]
    assert _written(_pod(), {"podIPs": [{"ip": "10.0.0.1"}]})[0]["podIP"] == "10.0.0.1"


def test_a_pod_has_one_address_of_a_family() -> None:
    given = [{"ip": "10.0.0.1"}, {"ip": "x"}]
    assert _written(_pod(), {"podIPs": given})[1] == [
        'status.podIPs[1]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        "status.podIPs: Internal error: failed to check for dual stack with error:invalid IP[1]: x",
        'status.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":"x"}]: '
        "may specify no more than one IP for each IP family",
    ]
    assert _written(_pod(), {"podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]})[1] == []


def test_no_node_is_meant_for_a_pod_that_has_one() -> None:
    assert _written(_pod(), {"nominatedNodeName": "n"})[1] == []
    assert _written(_pod(nodeName="m"), {"nominatedNodeName": "n"})[1] == [
        "status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node"
    ]


def test_a_certificate_is_signed_once_and_is_one() -> None:
    assert _written(_request(), {"certificate": b64encode(b"nope").decode()})[1] == [
        'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block'
    ]
    pem = b64encode(b"-----BEGIN X-----\n-----END X-----\n").decode()
    assert _written(_request(certificate="AAAA"), {"certificate": pem})[1] == [
        'status.certificate: Invalid value: "<certificate data>": only CERTIFICATE PEM blocks are allowed, found "X"',
        "status.certificate: Forbidden: updates may not modify existing certificate content",
    ]
    assert _written(_request(certificate="AAAA"), {"certificate": "AAAA"})[1] == []


def test_a_signer_says_that_it_failed_but_decides_nothing() -> None:
    approved = {"type": "Approved", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z", "reason": "r"}
    failed = {"type": "Failed", "status": "True"}
    status, wrong = _written(_request(conditions=[approved]), {"conditions": [{**approved, "reason": "other"}, failed]})
    assert wrong == []
    assert status["conditions"][0] == approved | {"lastUpdateTime": status["conditions"][0]["lastUpdateTime"]}
    assert status["conditions"][1]["lastTransitionTime"] == status["conditions"][1]["lastUpdateTime"] != ""
    assert _written(_request(), {"conditions": [approved]})[1] == [
        'status.conditions: Forbidden: updates may not add a condition of type "Approved"'
    ]
    assert _written(_request(conditions=[approved]), {"conditions": []})[1] == [
        'status.conditions: Forbidden: updates may not remove a condition of type "Approved"'
    ]
