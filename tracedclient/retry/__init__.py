"""May this be tried again, when, and at whose expense. The only owner of retries.

policy       ``RetryPolicy``, and the decision as a pure function
body         can the request's body be sent again
retry_after  the server's word on when
loop         the attempts of one call, turned by tenacity
sleeper      the sleep between two of them, and its end
testmode     what the tests of users switch
budget       how many retries an origin is worth
breaker      when an origin is left alone
"""

from tracedclient.retry.breaker import Breakers, BreakerState, CircuitBreaker
from tracedclient.retry.budget import Budgets, RetryBudget
from tracedclient.retry.loop import Attempted, Next, RetryLoop
from tracedclient.retry.policy import ANSWERED, AttemptFacts, Decision, RetryPolicy, decide

__all__ = [
    "ANSWERED",
    "AttemptFacts",
    "Attempted",
    "BreakerState",
    "Breakers",
    "Budgets",
    "CircuitBreaker",
    "Decision",
    "Next",
    "RetryBudget",
    "RetryLoop",
    "RetryPolicy",
    "decide",
]
