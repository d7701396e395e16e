"""The client of a bucket: where it connects to, how it tries again, and what its errors mean.

Credentials, region and endpoint come from the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL (plain http when it says http), AWS_SKIP_SIGNATURE, and the roles of
web identity, containers and instances.
"""

import os
import random
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from obstore.exceptions import BaseError
from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

Answer = TypeVar("Answer")

FIRST_WAIT, LONGEST_WAIT = 0.1, 10.0
"""Seconds before a request is sent again: twice as long each time, with jitter."""

ANSWER_SECONDS = 60.0
"""Seconds without a byte from the server after which a request counts as cut off."""


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


def again(attempt: Callable[[], Answer], seconds: float) -> Answer:
    """Call what may be done twice until it answers, while another attempt may go better, for so many seconds.

    The client tries again by itself where it knows that it may: not after a cut in the body of a listing, nor where a
    request is a POST (removing, uploads of many parts).
    """
    give_up = time.monotonic() + seconds
    wait = FIRST_WAIT
    while True:
        try:
            return attempt()
        except BaseError as error:
            missing = isinstance(error, FileNotFoundError)
            if missing or not is_transient(error) or time.monotonic() + wait > give_up:
                raise
        time.sleep(wait * random.uniform(0.5, 1))
        wait = min(2 * wait, LONGEST_WAIT)


def said(error: BaseException) -> str:
    """What the client says, without the dump of its state."""
    return " ".join(str(error).split("\n\nDebug source")[0].split())[:500]


def _options() -> "ClientConfig":
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return {
        "allow_http": endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=5),
        "read_timeout": timedelta(seconds=ANSWER_SECONDS),
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
