"""One ``do()`` under way: its attempts, its deadline, its trace. It dies with the call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import requests

from tracedclient import httptrace
from tracedclient._prepare import set_body
from tracedclient._value import Value
from tracedclient.errors import ClientClosed, DeadlineExceeded
from tracedclient.httptrace import current_client_trace
from tracedclient.inflight import current_call
from tracedclient.redaction import causes
from tracedclient.retry import ANSWERED, Attempted, AttemptFacts, Next, RetryLoop, RetryPolicy
from tracedclient.retry.body import ReplayableBody
from tracedclient.retry.policy import is_own_fault
from tracedclient.retry.sleeper import Sleeper, Woken
from tracedclient.transport import carry_on, value_of, wire_facts

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest, Response

    from tracedclient.httptrace import ClientTrace
    from tracedclient.inflight import OngoingCall
    from tracedclient.propagation import Outbound
    from tracedclient.retry import Breakers, Budgets
    from tracedclient.timeout import Timeout

# Less time than this cannot bring an answer; an attempt with it would only add load.
_MIN_ATTEMPT_SECONDS = 0.001

_UNAVAILABLE = (502, 503, 504)
_ANSWERED = Next(ANSWERED, 0.0)


class Rules(Value):
    """What does not change from one call of a client to the next."""

    policy: RetryPolicy
    budgets: Budgets
    breakers: Breakers
    sleeper: Sleeper
    deadline_header: str | None


class Call:
    """The attempts of one call. ``send`` is the session's, with all of its settings but the timeout."""

    def __init__(  # noqa: PLR0917 - called once, where all are at hand
        self,
        rules: Rules,
        ongoing: OngoingCall,
        request: PreparedRequest,
        send: Callable[..., Response],
        origin: str,
        outbound: Outbound,
        *,
        timeout: Timeout,
        stream: bool,
        keyed: bool,
        body_factory: Callable[[], Any] | None,
    ) -> None:
        self._trace = current_client_trace()
        self._rules = rules
        self._ongoing = ongoing
        self._request = request
        self._session_send = send
        self._origin = origin
        self._outbound = outbound
        self._timeout = timeout
        self._stream = stream
        self._keyed = keyed
        self._body_factory = body_factory
        self._body = ReplayableBody(request.body, body_factory)
        request.body = self._body.body
        carry_on(outbound, request)
        self._has_met_stale = False

    def run(self) -> Response:
        """Return the answer of the last attempt, or raise its error as it came."""
        outer = current_call.get()
        # Not by a context manager: an interrupt may come before its `__exit__` has begun, and all that
        # this thread sends later would then have this call's deadline.
        try:
            current_call.set(self._ongoing)
            return self._run()
        finally:
            current_call.set(outer)

    def _run(self) -> Response:
        started = time.monotonic()
        self._rules.budgets.deposit(self._origin)
        try:
            answer = self._exchange(1)
        except Exception as error:  # noqa: BLE001 - raised again when no attempt is left
            first: Attempted[Response] = Attempted(self._facts(error=error))
        else:
            if answer.status_code < 400 and value_of(answer.headers, "retry-after") is None:
                # No policy repeats this: there is nothing to decide.
                if self._trace is not None:
                    self._tell_done(self._trace, 1, answer.status_code, _ANSWERED)
                return self._handed_over(answer) if self._stream else answer
            first = self._answered(answer)
        last = self._loop().run(self._attempt, first, started)
        if last.answer is not None:
            return self._handed_over(last.answer) if self._stream else last.answer
        assert last.facts.error is not None
        raise self._final(last.facts.error)

    def _loop(self) -> RetryLoop[Response]:
        origin, budgets = self._origin, self._rules.budgets
        return RetryLoop(
            self._rules.policy,
            remaining=self._remaining,
            sleep=self._sleep,
            withdraw=lambda: budgets.withdraw(origin),
            done=self._attempt_done,
        )

    def _handed_over(self, answer: Response) -> Response:
        self._ongoing.is_handed_over()
        return answer

    def _remaining(self) -> float | None:
        deadline = self._ongoing.deadline
        return None if deadline is None else deadline - time.monotonic()

    def _attempt(self, number: int) -> Attempted[Response]:
        try:
            answer = self._exchange(number)
        except Exception as error:  # noqa: BLE001 - raised again when no attempt is left
            return Attempted(self._facts(error=error))
        return self._answered(answer)

    def _exchange(self, number: int) -> Response:
        self._ongoing.starts(number, fresh=self._has_met_stale)
        if self._trace is not None:
            self._trace.attempt_start(httptrace.AttemptStartInfo(number=number))
        if number > 1:
            self._rewind()
        timeouts = self._timeouts()
        if self._rules.deadline_header is not None:
            self._tell_deadline(self._rules.deadline_header)
        return self._send(timeouts)

    def _answered(self, answer: Response) -> Attempted[Response]:
        told = value_of(answer.headers, "retry-after")
        return Attempted(self._facts(answer.status_code, told_when=told is not None), answer, told)

    def _send(self, timeouts: tuple[float | None, float | None]) -> Response:
        permit = self._rules.breakers.ask(self._origin)
        try:
            # Not before the breaker's permit: what is not sent is no span.
            self._outbound.begin(self._request)
            answer = self._session_send(self._request, timeout=timeouts)
        except (requests.ConnectionError, requests.Timeout) as error:
            wire = wire_facts(error)
            if is_own_fault(error, wire.phase if wire else None):
                permit.ignored()
            else:
                permit.failed()
            raise
        except BaseException:
            permit.ignored()
            raise
        if answer.status_code in _UNAVAILABLE:
            permit.failed()
        elif answer.status_code == 429:
            permit.ignored()
        else:
            permit.succeeded()
        return answer

    def _rewind(self) -> None:
        self._body.rewind()
        if self._body_factory is None:
            self._request.body = self._body.body
        else:
            set_body(self._request, self._body.body)

    def _tell_deadline(self, header: str) -> None:
        """Offer the next service the time that is left: relative, since clocks differ."""
        remaining = self._remaining()
        if remaining is not None:
            self._request.headers[header] = str(int(remaining * 1000))

    def _sleep(self, seconds: float) -> None:
        try:
            self._rules.sleeper.sleep(seconds)
        except Woken:
            raise ClientClosed(
                "the client has been closed, and sleeps no more between two attempts",
                request=self._request,
            ) from None

    def _timeouts(self) -> tuple[float | None, float | None]:
        timeout, remaining = self._timeout, self._remaining()
        if remaining is None:
            return timeout.connect, timeout.read
        if remaining < _MIN_ATTEMPT_SECONDS:
            raise self._deadline_exceeded()
        connect, read = timeout.connect, timeout.read
        return (
            remaining if connect is None or connect > remaining else connect,
            remaining if read is None or read > remaining else read,
        )

    def _facts(
        self,
        status: int | None = None,
        *,
        error: Exception | None = None,
        told_when: bool = False,
    ) -> AttemptFacts:
        wire = None if error is None else wire_facts(error)
        return AttemptFacts(
            method=self._request.method or "",
            replayable=self._body.replayable,
            keyed=self._keyed,
            status=status,
            error=error,
            phase=wire.phase if wire else None,
            sent=wire.sent if wire else True,
            reused=wire.reused if wire else False,
            stale_before=self._has_met_stale,
            told_when=told_when,
        )

    def _attempt_done(self, number: int, attempted: Attempted[Response], then: Next) -> None:
        if then.decision.retry:
            self._has_met_stale = self._has_met_stale or then.decision.free
            self._ongoing.sleeps()
            if attempted.answer is not None:
                attempted.answer.close()
        if self._trace is not None:
            facts = attempted.facts
            self._tell_done(self._trace, number, facts.status, then, facts.error)

    @staticmethod
    def _tell_done(
        trace: ClientTrace,
        number: int,
        status: int | None,
        then: Next,
        error: BaseException | None = None,
    ) -> None:
        trace.attempt_done(
            httptrace.AttemptDoneInfo(
                number=number,
                status=status,
                error=error,
                retry=then.decision.retry,
                reason=then.decision.reason,
                sleep=then.sleep,
                retry_after=then.asked,
            )
        )

    def _final(self, error: BaseException) -> BaseException:
        """Say of a timeout that it was the call's, when it was: then no other limit is to blame."""
        remaining = self._remaining()
        if remaining is None or remaining > 0 or isinstance(error, DeadlineExceeded):
            return error
        if isinstance(error, requests.Timeout) or _is_timeout(error):
            exceeded = self._deadline_exceeded()
            exceeded.__cause__ = error
            return exceeded
        return error

    def _deadline_exceeded(self) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"the call's total timeout of {self._timeout.total} s has passed",
            request=self._request,
        )


def _is_timeout(error: BaseException) -> bool:
    # requests calls one in an upload or in the answer's body a ConnectionError.
    return any(isinstance(cause, TimeoutError) for cause in causes(error))
