"""The memo: what a key gave, so that it is never computed again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mediaml_assets.amber.keys import digest_of
from mediaml_assets.amber.ledger import Value


@dataclass(frozen=True)
class Memo:
    """What is remembered under a memo key: the value, and what was seen when it was made."""

    value: Value
    failed: Mapping[str, str]
    """Failed checks -> reason; the same rows fail the same checks, so a reuse reports them again."""
    code: str
    """Fingerprint of the code that made the value."""


def memo_from(key: str, document: Any) -> Memo:
    """A memo from its JSON form; raises ValueError, KeyError or TypeError when that is not what its digest says."""
    if digest_of({**document, "digest": None}) != document["digest"]:
        raise ValueError("its content is not what its digest says")
    value = Value(**{"key": key, "reads": document["material"].get("inputs"), **document["value"]})
    return Memo(value, document.get("failed", {}), document["code"])
