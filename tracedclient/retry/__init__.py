"""May this be tried again, when, and at whose expense. The only owner of retries.

policy       ``RetryPolicy``, and the decision as a pure function
retry_after  the server's word on when
loop         the attempts of one call, turned by tenacity
"""

from tracedclient.retry.loop import Attempted, Next, RetryLoop
from tracedclient.retry.policy import AttemptFacts, Decision, RetryPolicy, decide

__all__ = [
    "AttemptFacts",
    "Attempted",
    "Decision",
    "Next",
    "RetryLoop",
    "RetryPolicy",
    "decide",
]
