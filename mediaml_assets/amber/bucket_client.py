"""The client of a bucket: where it connects to, how it tries again, and what its errors mean.

Credentials, region and endpoint come from the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL (plain http when it says http), AWS_SKIP_SIGNATURE, and the roles of
web identity, containers and instances.
"""

import os
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

FIRST_WAIT, LONGEST_WAIT = 0.1, 10.0
"""Seconds before a request is sent again: twice as long each time, with jitter."""


def connect(bucket: str, prefix: str, retry_seconds: float | None) -> S3Store:
    """A client of the objects below a prefix, which may be empty.

    Args:
        bucket: its name.
        prefix: without slashes around it.
        retry_seconds: how long requests that are throttled, answered by 5xx or cut off are sent again; None: never.
    """
    return S3Store(bucket, prefix=prefix or None, client_options=_options(), retry_config=_retry(retry_seconds))


def status(error: BaseException) -> int | None:
    """The HTTP status that the server answered with, if it did."""
    found = re.search(r"non-2xx status code: (\d{3})", str(error))
    return int(found[1]) if found else None


def is_transient(error: BaseException) -> bool:
    """Whether another attempt may go better: throttled, a conflict, the server's fault, or no answer at all."""
    code = status(error)
    if code is None:
        return "builder error" not in str(error)
    return code in (408, 409, 429) or (code >= 500 and code != 501)


def said(error: BaseException) -> str:
    """What the client says, without the dump of its state."""
    return " ".join(str(error).split("\n\nDebug source")[0].split())[:500]


def _options() -> "ClientConfig":
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return {
        "allow_http": endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=5),
        "read_timeout": timedelta(seconds=60),
        # of one request, with its body
        "timeout": timedelta(minutes=15),
    }


def _retry(seconds: float | None) -> "RetryConfig":
    if seconds is None:
        return {"max_retries": 0}
    return {
        "max_retries": 1000,
        "retry_timeout": timedelta(seconds=seconds),
        "backoff": {
            "init_backoff": timedelta(seconds=FIRST_WAIT),
            "max_backoff": timedelta(seconds=LONGEST_WAIT),
            "base": 2,
        },
    }
