"""The request's context, its termination switch, and the trace."""

from generic.request import context
from generic.request.context import Termination
from generic.request.trace import Trace
from generic.request.user import UserInfo
from tests.support.asgi import scope


def test_context_is_made_once_a_request() -> None:
    request = scope("/api/v1/pods?watch=1")
    assert context.ensure(request) is context.ensure(request) is context.of(request)
    assert context.of(request).info.verb == "watch"


def test_websocket_scope_without_method_counts_as_get() -> None:
    request = scope("/api/v1/namespaces/a/pods/x/exec")
    del request["method"]
    assert context.ensure(request).info.verb == "get"


def test_warnings_are_kept_once_in_order() -> None:
    request = context.ensure(scope())
    for text in ("b", "a", "b"):
        request.warn(text)
    assert request.warnings == ["b", "a"]


def test_termination_calls_who_waits_and_who_comes_late() -> None:
    termination, called = Termination(), list[str]()
    termination.on_set(lambda: called.append("early"))
    forget = termination.on_set(lambda: called.append("gone"))
    forget()
    assert called == []
    termination.set()
    termination.on_set(lambda: called.append("late"))
    assert termination.is_set
    assert called == ["early", "late"]


def test_trace_keeps_steps_in_order_and_times_do_not_fall() -> None:
    trace = Trace()
    trace.add("aggregator", "delegate")
    trace.add("kubeapi", "serve")
    assert trace.hops() == [("aggregator", "delegate"), ("kubeapi", "serve")]
    assert trace.steps[0].at <= trace.steps[1].at
    first, second = trace.header().split(", ")
    assert first.startswith("aggregator=delegate;t=")
    assert second.startswith("kubeapi=serve;t=")


def test_user_joins_a_group_once() -> None:
    user = UserInfo("bob", ("dev",), "7", {"k": ("v",)})
    joined = user.with_group("system:authenticated")
    assert joined == UserInfo("bob", ("dev", "system:authenticated"), "7", {"k": ("v",)})
    assert joined.with_group("dev") is joined
