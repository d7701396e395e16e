"""Operations: how the annotations of one type and scope are replaced, all or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """Where an operation stands."""

    STARTED = "started"
    """Takes batches; no reader sees them."""
    FINISHED = "finished"
    """Its annotations are, or were, what readers see."""
    CANCELED = "canceled"
    """Given up before it finished; nobody ever saw it."""
    ROLLED_BACK = "rolled_back"
    """Withdrawn after it had finished: the finished operation before it is what readers see again."""


@dataclass(frozen=True)
class Operation:
    """One load of annotations. The newest finished one of (type, type version, scope) is active: what readers see."""

    type: str
    type_version: int
    scope: str
    """What it loads: mostly a title; for pairs over titles the name of a catalogue."""
    number: int
    """Of this type, type version and scope, from 1."""
    state: State
    by: str
    """Who started it: a service or a person."""
    started: datetime
    """UTC."""
    ended: datetime | None = None
    """When it reached its state, UTC; None while it is started."""
    rows: int = 0
    """Annotations that it holds; 0 until it is finished."""
    source: Mapping[str, str] = field(default_factory=dict)
    """Where its annotations come from, as the writer stated it at the start: feature, digest, rows."""

    @property
    def key(self) -> tuple[str, int, str]:
        """Type, type version and scope."""
        return self.type, self.type_version, self.scope
