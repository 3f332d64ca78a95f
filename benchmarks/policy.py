"""What the retry policy costs a call that succeeds at once: ``python -m benchmarks.policy``.

That is all between ``do()`` and the session: the budget's deposit, the loop, the breaker's leave, the
body's wrapper, the timeouts, the facts, the decision. It is measured in turns with a call of the
same function without any of it; nothing is sent.
"""

from __future__ import annotations

import time
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

import requests

from tracedclient import CircuitBreaker, RetryBudget, RetryPolicy, Timeout, TracedResponse
from tracedclient._call import Call, Rules
from tracedclient.inflight import OngoingCall
from tracedclient.propagation import Propagation
from tracedclient.retry import Breakers, Budgets
from tracedclient.retry.sleeper import Sleeper
from tracedclient.trace.context import TraceContext

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

URL = "http://orders.internal/orders/4711"
ORIGIN = "http://orders.internal"


class PolicyCost(NamedTuple):
    """Microseconds of CPU for each call, the least disturbed round of each."""

    direct: float
    """``send`` alone."""
    default: float
    """With the policy on top, as an ``HTTPClient`` has it by default: a breaker that is off."""
    with_breaker: float
    """The same with a breaker that is on."""

    @property
    def policy(self) -> float:
        """What the policy adds."""
        return self.default - self.direct

    @property
    def policy_with_breaker(self) -> float:
        """What policy and breaker add."""
        return self.with_breaker - self.direct


def measure_policy(rounds: int = 15, calls: int = 5_000) -> PolicyCost:
    """Return what ``calls`` calls cost on average in the best of ``rounds`` rounds."""
    response = TracedResponse()
    response.status_code = 200
    request = requests.Request("GET", URL).prepare()

    def send(_: requests.PreparedRequest, **__: Any) -> requests.Response:
        return response

    def direct() -> object:
        OngoingCall("4bf92f35", "GET", URL, 10.0)
        return send(request, timeout=(1.0, 5.0))

    ways: list[Callable[[], object]] = [
        direct,
        _way(request, send, None),
        _way(request, send, CircuitBreaker()),
    ]
    costs = [[_cost(way, calls) for way in ways] for _ in range(rounds)]
    return PolicyCost(*(min(of_one) * 1e6 for of_one in zip(*costs, strict=True)))


def _way(
    request: requests.PreparedRequest, send: Any, breaker: CircuitBreaker | None
) -> Callable[[], object]:
    timeout = Timeout()
    rules = Rules(RetryPolicy(), Budgets(RetryBudget()), Breakers(breaker), Sleeper(), None)
    outbound = Propagation(formats=()).outbound(TraceContext("4bf92f35"), request, sampled=None)

    def call() -> object:
        ongoing = OngoingCall("4bf92f35", "GET", URL, timeout.total)
        return Call(
            *(rules, ongoing, request, send, ORIGIN, outbound),
            timeout=timeout,
            stream=False,
            keyed=False,
            body_factory=None,
        ).run()

    return call


def _cost(way: Callable[[], object], calls: int) -> float:
    way()
    began = time.process_time()
    for _ in repeat(None, calls):
        way()
    return (time.process_time() - began) / calls


def main() -> None:
    """Print one line for each."""
    costs = measure_policy()
    print(f"direct call            {costs.direct:6.2f} µs")
    print(f"policy                +{costs.policy:6.2f} µs")
    print(f"policy, breaker on    +{costs.policy_with_breaker:6.2f} µs")


if __name__ == "__main__":
    main()
