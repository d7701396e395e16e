"""Siblings: features of a title that read the same inputs, computed at once from one reading of what all of them read.

A reading type that can be shared has

    @classmethod
    def together(cls, view, readers: int) -> Sequence[Self]     one for each reader, with a method `close()`

Each reader is used in a thread of its own and closed when its function has ended; one that is closed raises at once
when it is used again. Siblings read the same inputs, so none of them can be made from another.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.claims import Claim
from mediaml_assets.amber.evaluation import Outcome, computed, evaluate, recalled
from mediaml_assets.amber.feature import AmberFeature, Input, Scope
from mediaml_assets.amber.store import Store

Answer = tuple[Ask, Outcome | Exception]
"""What was asked, and what came of it."""


def siblings(features: Iterable[AmberFeature]) -> list[list[AmberFeature]]:
    """The features in their order, each together with those that can be computed at once with it."""
    groups: dict[tuple[Any, ...], list[AmberFeature]] = {}
    for one in features:
        shared = shared_input(one)
        key = (one.name,) if shared is None else (shared.name, shared.reads, *sorted(each.name for each in one.inputs))
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def shared_input(feature: AmberFeature) -> Input | None:
    """The input of a feature of a title that siblings read through one decoder; None when there is none."""
    if feature.scope is not Scope.TITLE:
        return None
    able = (one for one in feature.inputs if not one.each and hasattr(one.reads, "together"))
    return min(able, key=lambda one: one.name, default=None)


def evaluate_together(
    store: Store, asks: Sequence[Ask], look_again: Callable[[Ask], None] = lambda ask: None
) -> Iterator[Answer]:
    """Recall the values of siblings, and compute at once those that must be and that nobody else computes.

    An answer that was computed holds its claim until it is stored or abandoned: do that before the next one is asked
    for. What another process computes is waited for at the end, while no claim is held here. So two processes never
    wait for each other, whatever the order in which they take their claims.

    Args:
        store: where values are remembered.
        asks: of siblings, for one title.
        look_again: called before one is computed, as by `evaluate`.

    Yields:
        Each ask with its outcome, or with the error that it ended with: the others go on.
    """
    if len(asks) == 1:
        yield asks[0], _answer(evaluate, store, asks[0], partial(look_again, asks[0]))
        return
    claimed: list[tuple[Ask, Claim]] = []
    left: list[Ask] = []
    with ExitStack() as claims:
        # all from the views of the first, lest a title that changes just now is read in two states
        for ask in [replace(ask, inputs=asks[0].inputs) for ask in asks]:
            try:
                known = recalled(store, ask)
            except Exception as error:
                yield ask, error
                continue
            if known is not None:
                yield ask, known
            elif (claim := store.try_claim(ask.feature.name, ask.key)) is None:
                left.append(ask)
            else:
                claims.callback(claim.release)
                claimed.append((ask, claim))
        yield from _computed(store, claimed, look_again)
    for ask in left:
        yield ask, _answer(evaluate, store, ask, partial(look_again, ask))


def _computed(
    store: Store, claimed: Sequence[tuple[Ask, Claim]], look_again: Callable[[Ask], None]
) -> Iterator[Answer]:
    """Compute under claims that are held, each in a thread of its own when there are several."""
    if len(claimed) < 2:
        for ask, claim in claimed:
            yield ask, _answer(computed, store, ask, claim, partial(look_again, ask))
        return
    shared = shared_input(claimed[0][0].feature)
    assert shared is not None
    try:
        readers = shared.reads.together(claimed[0][0].present[shared.name], len(claimed))
    except Exception as error:
        yield from ((ask, error) for ask, _ in claimed)
        return

    def read(ask: Ask, claim: Claim, reader: Any) -> Outcome:
        try:
            return computed(store, ask, claim, partial(look_again, ask), {shared.name: reader})
        finally:
            reader.close()

    waiting: set[Future[Outcome]] = set()
    with ThreadPoolExecutor(len(claimed), "siblings") as threads:
        try:
            asked = {
                threads.submit(read, ask, claim, reader): ask
                for (ask, claim), reader in zip(claimed, readers, strict=True)
            }
            waiting = set(asked)
            for done in as_completed(asked):
                waiting.remove(done)
                yield asked[done], _answer(done.result)
        finally:
            # where the caller is interrupted or does not go on, the functions end at the next thing they read
            for reader in readers:
                reader.close()
            for one in waiting:
                one.add_done_callback(_abandon)


def _answer(call: Callable[..., Outcome], *arguments: Any) -> Outcome | Exception:
    try:
        return call(*arguments)
    except Exception as error:
        return error


def _abandon(done: "Future[Outcome]") -> None:
    if not done.cancelled() and done.exception() is None:
        done.result().abandon()
