"""The flags of priority and fairness, and of max-in-flight without it.

Part of a server's options. Mirrors `apiserver/pkg/server/options/{server_run_options,feature}.go`.
"""

import argparse
from dataclasses import dataclass

from generic import flags


@dataclass(frozen=True, slots=True)
class FlowControlOptions:
    """How many requests at once, and whether those beyond queue."""

    max_requests_in_flight: int = 400
    max_mutating_requests_in_flight: int = 200
    enable_priority_and_fairness: bool = True

    @property
    def seats(self) -> int:
        """Of the whole server, under priority and fairness."""
        return self.max_requests_in_flight + self.max_mutating_requests_in_flight

    def check(self) -> None:
        """Raises ValueError, in one line for the user."""
        if self.max_requests_in_flight < 0:
            raise ValueError("--max-requests-inflight can not be negative value")
        if self.max_mutating_requests_in_flight < 0:
            raise ValueError("--max-mutating-requests-inflight can not be negative value")
        if self.enable_priority_and_fairness and not self.seats:
            raise ValueError(
                "--max-requests-inflight and --max-mutating-requests-inflight must add up to something positive"
            )


def add_flags(parser: argparse.ArgumentParser) -> None:
    """With kube-apiserver's names."""
    flags.add_boolean(
        parser,
        "--enable-priority-and-fairness",
        default=True,
        help="queue and dispatch requests by FlowSchemas and PriorityLevelConfigurations; else only count them",
    )
    parser.add_argument(
        "--max-requests-inflight",
        type=int,
        default=400,
        metavar="N",
        help="with the next, the seats shared by all requests; without priority and fairness, reads at once (0: any)",
    )
    parser.add_argument(
        "--max-mutating-requests-inflight",
        type=int,
        default=200,
        metavar="N",
        help="added to the former; without priority and fairness, writes at once (0: any number)",
    )


def from_arguments(parsed: argparse.Namespace) -> FlowControlOptions:
    """What was given. Not checked yet."""
    return FlowControlOptions(
        max_requests_in_flight=parsed.max_requests_inflight,
        max_mutating_requests_in_flight=parsed.max_mutating_requests_inflight,
        enable_priority_and_fairness=parsed.enable_priority_and_fairness,
    )
