"""Marken over HTTP from Python, with the verbs, the answers and the errors of `Marken` itself.

with MarkenClient("https://annotations.example", token) as marken:
    with marken.operation("SHOT", "harbour-film", by="shot-detector") as operation:
        operation.upsert([{"time": {"start": 0, "end": 1.5}, "label": "a red car"}])
    for hit in marken.hits({"types": ["SHOT"], "filter": "MATCH(label, 'car')"}):
        print(hit["title"], hit["properties"]["time"])
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import httpx
import pyarrow as pa

from mediaml_assets.errors import NotStored, RequestRefused, Unreachable
from mediaml_assets.marken.annotation import Annotation
from mediaml_assets.marken.faces.annotation_json import read_annotation
from mediaml_assets.marken.faces.operation_json import operation_json, operation_of
from mediaml_assets.marken.faces.paging import pages
from mediaml_assets.marken.faces.refusals import from_json
from mediaml_assets.marken.faces.types_json import type_of
from mediaml_assets.marken.operation import Operation
from mediaml_assets.marken.search.answer import Answer
from mediaml_assets.marken.search.envelope import Query
from mediaml_assets.marken.types import Types

ADDRESS = "http://127.0.0.1:8420"
"""Where `mediaml serve` listens."""
Batch: TypeAlias = pa.Table | Sequence[Mapping[str, Any]]
Json = dict[str, Any]


class MarkenClient:
    """A service of annotations; several threads may use one."""

    def __init__(
        self, address: str = ADDRESS, token: str | None = None, timeout: float = 60.0, http: httpx.Client | None = None
    ) -> None:
        """Connect when first asked.

        Args:
            address: of the service, without path.
            token: that it asks for.
            timeout: seconds for each answer.
            http: connections to use instead, with their own address and timeout.
        """
        self._http = http or httpx.Client(base_url=address, timeout=timeout)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def types(self) -> Types:
        """The types that the service knows; inherited properties are there as their own."""
        return Types(type_of(one) for one in self._get("types")["types"])

    def search(self, query: Query | Mapping[str, Any]) -> Answer:
        """One page of a search. Raises QueryRefused, TitlesUnreachable, Unreachable."""
        asked = query.model_dump(mode="json", exclude_unset=True) if isinstance(query, Query) else dict(query)
        found = self._post("search", asked)
        return Answer(found["hits"], found["moment"], found.get("cursor"), found.get("explain"), found.get("missing"))

    def hits(self, query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The hits of all pages, of one moment; a page is asked for when its first hit is wanted."""
        for answer in pages(self, query):
            yield from answer.hits

    def get(self, id: str, version: int | None = None) -> Annotation | None:
        """An annotation, None when there is none; the newest version by default."""
        try:
            return read_annotation(self._get("annotations", id=id, version=version))
        except NotStored:
            return None

    def append(self, type: str, batch: Batch, by: str) -> Sequence[Annotation]:
        """Add to a log, all or nothing; returns the annotations with their versions. Raises AnnotationRefused."""
        found = self._post("annotations", {"type": type, "by": by, "annotations": _rows(batch)})
        return [read_annotation(one) for one in found["annotations"]]

    @contextmanager
    def operation(self, type: str, scope: str, by: str, source: Mapping[str, str] | None = None) -> Iterator["Load"]:
        """An operation that finishes with the block, and is canceled when an error leaves it."""
        load = Load(self, self.start(type, scope, by, source))
        try:
            yield load
        except BaseException:
            self.cancel(load.operation)
            raise
        load.operation = self.finish(load.operation)

    def start(self, type: str, scope: str, by: str, source: Mapping[str, str] | None = None) -> Operation:
        """Begin an operation."""
        return operation_of(
            self._post("operations", {"type": type, "scope": scope, "by": by, "source": dict(source or {})})
        )

    def upsert(self, operation: Operation, batch: Batch) -> None:
        """Add at most 10,000 annotations to it. Raises AnnotationRefused, OperationRefused."""
        self._post("operations/upsert", _key(operation) | {"annotations": _rows(batch)})

    def finish(self, operation: Operation) -> Operation:
        """Show its annotations. Raises OperationRefused."""
        return operation_of(self._post("operations/finish", _key(operation)))

    def cancel(self, operation: Operation) -> Operation:
        """Give it up. Raises OperationRefused."""
        return operation_of(self._post("operations/cancel", _key(operation)))

    def roll_back(self, operation: Operation) -> Operation:
        """Withdraw a finished one. Raises OperationRefused."""
        return operation_of(self._post("operations/roll-back", _key(operation)))

    def operations(self, type: str | None = None, scope: str | None = None) -> Sequence[Operation]:
        """Operations of a type, of a scope, of both, or all."""
        return [operation_of(one) for one in self._get("operations", type=type, scope=scope)["operations"]]

    def active(self, type: str) -> Mapping[str, Operation]:
        """Scope -> the operation whose annotations are seen. Raises SchemaRefused for no such type."""
        found = [operation_of(one) for one in self._get("operations/active", type=type)["operations"]]
        return {one.scope: one for one in found}

    def _get(self, path: str, **query: str | int | None) -> Json:
        return self._sent("GET", path, params={name: value for name, value in query.items() if value is not None})

    def _post(self, path: str, body: Json) -> Json:
        try:
            content = json.dumps(body, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise RequestRefused(f"this cannot be sent as JSON: {error}", "body") from error
        return self._sent("POST", path, content=content, headers={"Content-Type": "application/json"})

    def _sent(self, method: str, path: str, headers: Mapping[str, str] | None = None, **what: Any) -> Json:
        try:
            answer = self._http.request(method, f"/v1/{path}", headers={**self._headers, **(headers or {})}, **what)
        except httpx.HTTPError as error:
            raise Unreachable(
                f"the annotation service at {self._http.base_url} does not answer ({error!r}); try again"
            ) from error
        try:
            found = answer.json()
        except ValueError:
            found = answer.text
        if not answer.is_success or not isinstance(found, dict):
            raise from_json(found)
        return found


@dataclass
class Load:
    """An operation that a `with` is filling; afterwards `operation` is the finished one."""

    client: MarkenClient
    operation: Operation

    def upsert(self, batch: Batch) -> None:
        """Add annotations to it. Raises AnnotationRefused, OperationRefused."""
        self.client.upsert(self.operation, batch)


def _key(operation: Operation) -> Json:
    form = operation_json(operation)
    return {"operation": {name: form[name] for name in ("type", "type_version", "scope", "number")}}


def _rows(batch: Batch) -> list[Json]:
    if isinstance(batch, pa.Table):
        return [{name: value for name, value in row.items() if value is not None} for row in batch.to_pylist()]
    return [dict(one) for one in batch]
