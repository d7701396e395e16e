"""Answering "what is the value of this feature for this scope?": memo first, the function only when it must run.

    outcome = evaluate(store, ask)      recalled, or computed under a claim; rows not yet stored
    commit(store, outcome)              value, memo, ledger row; the claim ends here

Two steps, because the orchestrator's IO manager does the second one.
"""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.calls import call
from mediaml_assets.amber.claims import Claim
from mediaml_assets.amber.code import parts as code_parts
from mediaml_assets.amber.code.drift import Change, changes, in_short
from mediaml_assets.amber.commits import append
from mediaml_assets.amber.feature import DRIFT, AmberFeature
from mediaml_assets.amber.keys import column_digests, rows_digest, schema_digest
from mediaml_assets.amber.ledger import Commit, Event, Value
from mediaml_assets.amber.memo import Memo
from mediaml_assets.amber.names import memo_name
from mediaml_assets.amber.objects import is_stored
from mediaml_assets.amber.profile import cost, profile
from mediaml_assets.amber.store import Store, encode
from mediaml_assets.errors import BadInput, Damaged, InputMoved

log = logging.getLogger("mediaml")

LARGE = 512 * 1024
"""Bytes of rows from which on it pays to look at them in a thread while they are encoded, which needs no GIL."""


@dataclass(frozen=True)
class Outcome:
    """An answer: recalled from the memo, freshly computed, or nothing because the title is withdrawn."""

    ask: Ask
    memo: Memo | None
    """What the memo knows; None when computed just now or withdrawn."""
    rows: pa.Table | None = None
    """Freshly computed rows, not yet stored."""
    encoded: memoryview | None = None
    """Those rows as Parquet."""
    columns: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    """Failed checks -> reason."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    claim: Claim | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    """Name of each stored file that the rows name -> the file as the function made it."""
    scratch: Path | None = None
    """The temporary folder that they may be in, until the end of the claim."""
    drift: Sequence[Change] = ()
    """What changed in the code since a recalled value was made, under the same version."""

    @property
    def digest(self) -> str:
        """Digest of the value, or "withdrawn"."""
        if self.memo is not None:
            return self.memo.value.digest
        return "withdrawn" if self.rows is None else rows_digest(self.columns)

    def abandon(self) -> None:
        """Let somebody else compute it: this outcome is committed, or will never be."""
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)
        if self.claim is not None:
            self.claim.release()

    @property
    def held_back(self) -> bool:
        """Whether a failed blocking check keeps the value from becoming current."""
        return self.ask.feature.blocks(self.failed)


def evaluate(store: Store, ask: Ask, look_again: Callable[[], None] = lambda: None) -> Outcome:
    """Recall the value, or compute it while nobody else does.

    Args:
        store: where it is remembered.
        ask: what is wanted.
        look_again: called before it is computed, once nobody else does so any more: it may raise why that is needless.

    A file that cannot be used is written to the ledger as refused before the error goes on; whatever else the
    function raises leaves no trace but its claim, which ends.

    Raises:
        BadInput: the title's file cannot be used.
        FeatureError: the function returned rows that are not its schema.
        InputMoved: an input was made from another state of a second one.
    """
    known = recalled(store, ask)
    if known is not None:
        return known
    return computed(store, ask, store.claim(ask.feature.name, ask.key), look_again)


def recalled(store: Store, ask: Ask) -> Outcome | None:
    """The answer that needs no computing: what the memo knows, or that the title is withdrawn; None when there is none.

    Raises:
        InputMoved: an input was made from another state of a second one.
    """
    if ask.withdrawn:
        return Outcome(ask, None)
    ask.check_congruent()
    memo = _remembered(store, ask)
    return _recalled(store, ask, memo) if memo is not None else None


def computed(
    store: Store,
    ask: Ask,
    claim: Claim,
    look_again: Callable[[], None] = lambda: None,
    given: Mapping[str, Any] | None = None,
) -> Outcome:
    """Compute under a claim that is held, unless somebody else did before; whatever is raised ends the claim.

    Args:
        store: where it is remembered.
        ask: what is wanted.
        claim: goes on in the outcome while that is not stored.
        look_again: as for `evaluate`.
        given: arguments of the function that are there already, by parameter; others are computed beside it then.
    """
    try:
        memo = _remembered(store, ask)
        if memo is None:
            look_again()
            return _computed(store, ask, claim, given or {})
    except BaseException:
        claim.release()
        raise
    claim.release()
    return _recalled(store, ask, memo)


def commit(store: Store, outcome: Outcome, run: str = "") -> Commit:
    """Store an outcome: value, memo, then the ledger row that makes it current; returns the newest commit.

    A value stays out of `current` when a blocking check failed, or when a newer landing of its title is already
    there. A recalled value that is already current writes nothing.

    Raises:
        InputMoved: a recalled value was forgotten meanwhile: ask again, it will be computed.
        Damaged: another process stored other rows under the same key, and they are gone.
    """
    ask = outcome.ask
    if outcome.rows is None:
        event: Event = "reused" if outcome.memo else "withdrawn"
        row = append(store, ask, event, outcome.memo, outcome.held_back, run, outcome.metrics)
        if outcome.memo:
            _make_sure_recalled(store, ask, outcome.memo)
        return row
    try:
        value = store.write_rows(ask.feature.name, outcome.rows, ask.key, outcome.columns, ask.reads, outcome.encoded)
        code_parts.keep(store.objects, ask.feature)
        fresh = Memo(value, outcome.failed, ask.feature.code)
        memo = store.remember(ask.feature.name, ask.key, fresh, ask.material)
        _make_sure(store, outcome, outcome.rows, memo)
        if memo is fresh:
            row = append(store, ask, "computed", memo, outcome.held_back, run, outcome.metrics)
            code_parts.keep(store.objects, ask.feature, referred=True)
            return row
        # somebody else was first: what counts from now on are their rows, and the checks of those
        if memo.value.digest != value.digest:
            _log_other_rows(ask)
        return append(store, ask, "reused", memo, ask.feature.blocks(memo.failed), run)
    finally:
        outcome.abandon()


def _remembered(store: Store, ask: Ask) -> Memo | None:
    """What is remembered, unless some of it is gone: its writer may have been killed before he made sure of it."""
    memo = store.recall(ask.feature.name, ask.key)
    return memo if memo and _is_whole(store, ask.feature, memo.value) else None


def _is_whole(store: Store, feature: AmberFeature, value: Value) -> bool:
    """Whether a value is there, with the files that it names."""
    if not store.holds(feature.name, value):
        return False
    # a value that was made by older code under the same version may lack some
    columns = [name for name in feature.blobs if name in value.columns]
    if not columns:
        return True
    rows = store.read_rows(feature.name, value, columns)
    names = {name for column in rows.columns for name in column.to_pylist() if name is not None}
    return all(store.holds_blob(name) for name in names)


def _make_sure_recalled(store: Store, ask: Ask, memo: Memo) -> None:
    """See that all of a recalled value is there, now that a row refers to it: `forget` may have taken it away before.

    Where some of it is gone the memo went first, and stays away: whoever asks next computes it.
    """
    name = ask.feature.name
    if not _is_whole(store, ask.feature, memo.value):
        raise InputMoved(f"the value of {name} of {ask.scope} was forgotten just now; ask for it again")
    if not is_stored(store.objects, memo_name(name, ask.key)):
        store.remember(name, ask.key, memo, ask.material)


def _make_sure(store: Store, outcome: Outcome, rows: pa.Table, memo: Memo) -> None:
    """See that what the memo refers to is there: `gc` may have taken it away before (see trash.py)."""
    ask = outcome.ask
    if memo.value.digest == outcome.digest:
        store.make_sure(ask.feature.name, memo.value, rows)
        for name, file in outcome.files.items():
            if not store.holds_blob(name):
                store.objects.add_file(file)
    elif not store.holds(ask.feature.name, memo.value):
        raise Damaged(
            f"{ask.feature.name} of {ask.scope} gave other rows than before, and those are gone; run `mediaml repair "
            f"{ask.feature.name}`"
        )


def _recalled(store: Store, ask: Ask, memo: Memo) -> Outcome:
    _log(ask, "recalled", "recalled")
    if ask.feature.version is None or memo.code == ask.feature.code:
        return Outcome(ask, memo, failed=memo.failed)
    drift = changed_code(store, ask.feature, memo.code)
    what = in_short(drift) or "what changed is not known, as the older code was not kept"
    reason = (
        f"the code of {ask.feature.name} changed, but its version is still {ask.feature.version!r}: this value was "
        f"made by the older code. Raise the version to compute it again. {what}"
    )
    failed = memo.failed
    # its checks may be others than those that the value was asked when it was made; rows of other columns cannot be
    if ask.feature.checks and memo.value.schema == schema_digest(ask.feature.schema):
        failed = _failed(ask.feature, store.read_rows(ask.feature.name, memo.value))
    return Outcome(ask, memo, failed={**failed, DRIFT: reason}, drift=drift)


def changed_code(store: Store, feature: AmberFeature, before: str) -> list[Change]:
    """What changed in a feature's code since it had this fingerprint; empty when that code was not kept."""
    kept = code_parts.kept(store.objects, feature.name, before)
    return changes(kept, code_parts.code_of(feature)) if kept else []


def _computed(store: Store, ask: Ask, claim: Claim, given: Mapping[str, Any]) -> Outcome:
    feature = ask.feature
    _log(ask, "computing", "computing")
    spent: dict[str, float] = {}
    scratch = _scratch(store, ask)
    cache = Cache(store.objects, feature.name)
    own: dict[str, Any] = {"scratch": scratch} if scratch is not None else {}
    if feature.wants_cache:
        own["cache"] = cache
    try:
        with cost(spent, of_thread=bool(given)):
            rows, files = _keep_blobs(store, feature, call(ask, {**given, **own}))
        failed = _failed(feature, rows)
    except BaseException as error:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
        if isinstance(error, BadInput):
            append(store, ask, "refused", None, reason=str(error))
        raise
    encoded, columns, seen = _described(rows)
    _log(ask, "computed", f"computed in {spent['seconds']:.1f} s", **spent)
    metrics = {**spent, **{f"cache.{name}": count for name, count in sorted(cache.counts.items())}, **seen}
    return Outcome(ask, None, rows, encoded, columns, failed, metrics, claim, files, scratch)


def _described(rows: pa.Table) -> tuple[memoryview, dict[str, str], dict[str, float]]:
    """Rows as Parquet, their digests, and what they are like."""
    if rows.get_total_buffer_size() < LARGE:
        return encode(rows), column_digests(rows), profile(rows)
    with ThreadPoolExecutor(1) as beside:
        seen = beside.submit(lambda: (column_digests(rows), profile(rows)))
        encoded = encode(rows)
    return encoded, *seen.result()


def _failed(feature: AmberFeature, rows: pa.Table) -> dict[str, str]:
    """Failed checks -> reason."""
    failures = {check.name: check.failure(rows) for check in feature.checks}
    return {name: reason for name, reason in failures.items() if reason is not None}


def _log_other_rows(ask: Ask) -> None:
    log.warning(
        "%s of %s gave other rows in two processes for the same input: the first ones stay. Make the function give "
        "the same rows each time (a fixed seed, no clock), and raise its version",
        ask.feature.name,
        ask.scope,
        extra={"feature": ask.feature.name, "title": ask.scope, "event": "other rows"},
    )


def _log(ask: Ask, event: str, text: str, **metrics: float) -> None:
    """Say what happens; who counts or draws it reads the record's `feature`, `title` and `event`."""
    named = {"feature": ask.feature.name, "title": ask.scope, "event": event}
    log.info("%s of %s: %s", ask.feature.name, ask.scope, text, extra={**named, **metrics})


def _scratch(store: Store, ask: Ask) -> Path | None:
    """An empty temporary folder for a feature that wants one; only the holder of the claim may ask.

    It is named by the memo key, so that what a killed computation left there is removed by the next one.
    """
    if not ask.feature.wants_scratch:
        return None
    folder = store.scratch(ask.feature.name, ask.key)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _keep_blobs(store: Store, feature: AmberFeature, rows: pa.Table) -> tuple[pa.Table, dict[str, Path]]:
    """Replace the paths in blob columns by the names of stored files; the rows, and name -> file."""
    files: dict[str, Path] = {}
    for name in feature.blobs:
        paths = [None if path is None else Path(path) for path in rows.column(name).to_pylist()]
        kept = [None if path is None else store.objects.add_file(path) for path in paths]
        files.update((one, path) for one, path in zip(kept, paths, strict=True) if one is not None and path is not None)
        column = pa.array(kept, pa.string())
        rows = rows.set_column(rows.schema.get_field_index(name), feature.schema.field(name), column)
    return rows, files
