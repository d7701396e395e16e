"""What a search gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """One page."""

    hits: Sequence[Json]
    """Annotations in their JSON form, with `score` where the search had `nearest`.

    With `collapse` the best one of each group, with `group` (the value that its hits share) and `inner_hits`. With
    `within` ranges: `title`, `start`, `end` (seconds, half-open), `members` (ids, a list for each part) and, where a
    part had `nearest`, `score`.
    """
    moment: str
    """What was searched; give it as `as_of` to search the same again."""
    cursor: str | None = None
    """Asks for the next page; None when this is the last."""
    explain: Sequence[Json] | None = None
    """How it was found, where that was asked for."""
    missing: Sequence[str] | None = None
    """Titles whose server did not answer, where a partial answer was asked for."""

    def to_json(self) -> dict[str, Any]:
        """What it says, without what it has not."""
        form: dict[str, Any] = {
            "hits": self.hits,
            "moment": self.moment,
            "cursor": self.cursor,
            "explain": self.explain,
        }
        form["missing"] = None if self.missing is None else list(self.missing)
        return {name: value for name, value in form.items() if value is not None}
