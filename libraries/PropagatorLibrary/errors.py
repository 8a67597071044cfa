"""What can go wrong with the propagator, in one tree. Nothing of requests' or urllib3's reaches the user raw.

OperationFailed
└── PropagatorError   names the operation, and what the server said
    ├── Unauthorized    401 or 403
    ├── Refused         any other 4xx
    ├── ServiceFailed   5xx
    │   └── TooMany       429
    ├── Unreachable     no answer
    ├── NotUnderstood   an answer that makes no sense
    ├── AnswerLost      it cannot be known whether the work was done
    └── ActionFailed    a checkpoint or restore ended in an error
"""

from __future__ import annotations

from harness.failures import OperationFailed


class PropagatorError(OperationFailed):
    """Base of the propagator's failures.

    Attributes:
        operation: what was asked, as in `POST /v2/checkpoint/pod`.
        status: HTTP status of the answer; None when there was none.
        message: the server's own words.
        request_id: the server's id of the request, where it gives one.
        retry_after: seconds that the server wants to be left alone.
    """

    default_cause = "propagator-error"

    def __init__(
        self,
        operation: str,
        seen: str,
        *,
        expected: str = "",
        look: str = "",
        cause: str = "",
        status: int | None = None,
        message: str = "",
        request_id: str | None = None,
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(expected or f"{operation} to succeed", seen, look, cause=cause or self.default_cause)
        self.operation, self.status, self.message = operation, status, message
        self.request_id, self.retry_after = request_id, retry_after

    @property
    def transient(self) -> bool:
        """Whether the same GET may well succeed a little later."""
        return self.status in (429, 502, 503, 504)


class Unauthorized(PropagatorError):
    """The token was not accepted."""

    default_cause = "auth"


class Refused(PropagatorError):
    """The request was understood and declined, or found wrong."""

    default_cause = "propagator-refused"


class ServiceFailed(PropagatorError):
    """The service, or a gateway before it, failed or is overloaded."""


class TooMany(ServiceFailed):
    """Too many requests."""

    default_cause = "rate-limited"


class Unreachable(PropagatorError):
    """No answer came.

    Attributes:
        sent: whether the request may have reached the server all the same.
        in_time: False when it was waited for an answer until the time ran out.
    """

    default_cause = "propagator-unreachable"

    def __init__(self, operation: str, seen: str, *, sent: bool, in_time: bool = True, final: bool = False) -> None:
        super().__init__(operation, seen, look="the URL, proxies and the service's status")
        self.sent, self.in_time, self.final = sent, in_time, final

    @property
    def transient(self) -> bool:
        """TLS trouble does not go away by itself; anything else may."""
        return not self.final


class NotUnderstood(PropagatorError):
    """The answer is not what the API gives."""

    default_cause = "propagator-answer"


class AnswerLost(PropagatorError):
    """The answer to a request that changes something was lost, and asking did not tell what became of it."""

    default_cause = "answer-lost"


class ActionFailed(PropagatorError):
    """A checkpoint or restore ended in an error."""
