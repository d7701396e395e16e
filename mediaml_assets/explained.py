"""An explanation as lines of plain text: what stands, what made it differ from the value before, what would run now."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mediaml_assets.amber.code.drift import as_text
from mediaml_assets.amber.explain import Explanation, Standing
from mediaml_assets.amber.explain.key_changes import EXPANDED, Difference
from mediaml_assets.amber.explain.verdict import Outcome, Verdict
from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.names import CATALOGUE

LONGEST = 10_000
"""Characters of one feature's changed code that are shown."""

TOLD: Mapping[Outcome, str] = {
    "up to date": "nothing would run",
    "recalled": "recalled without a call",
    "computed": "would be computed",
    "being computed": "is being computed by another process",
    "to be withdrawn": "its withdrawal would be written down, without a call",
    "waits": "waits",
    "held back": "nothing would run, a check holds the value back",
    "refused": "nothing would run, it was refused",
    "withdrawn": "nothing would run, it is withdrawn",
}


def lines(found: Explanation) -> Iterator[str]:
    """The whole explanation, one line each, without markup."""
    yield _named(found.feature, found.scope)
    yield from _current(found)
    if found.since and found.before is not None:
        yield f"The value before it ({_short(found.before.digest)}) had another key, because"
        yield from _indented(_differences(found.since))
    yield f"Now: {_told(found.now)}"
    yield from _indented(_details(found.now))
    if found.recorded:
        yield "Changed since it was computed, but recorded only, not part of the key:"
        yield from _indented(_differences(found.recorded))


def _current(found: Explanation) -> Iterator[str]:
    standing, head = found.standing, found.head
    if standing is not None:
        value = standing.value
        yield f"Current value: {_short(value.digest)}, {value.rows:,} rows, {value.bytes:,} bytes"
        yield from _indented(_standing(standing))
    elif head is None:
        yield "Current value: none, it was never computed"
    else:
        yield f"Current value: none. Last commit: {_event(head)}"
    if head is not None and standing is not None and head.seq != standing.commit.seq:
        yield f"Last commit: {_event(head)}; the current value stayed"


def _standing(standing: Standing) -> Iterator[str]:
    commit, maker = standing.commit, standing.maker
    took = "" if standing.seconds is None else f", in {standing.seconds:,.1f} s"
    yield _event(commit) + (took if maker is commit else "")
    if maker is None:
        yield f"first computed by nobody whom the ledger still knows{took}"
    elif maker is not commit:
        where = f"{_named(maker.feature, maker.scope)}, commit {maker.seq}"
        yield f"first computed for {where}: {_event(maker)}{took}"
    yield f"memo key {_short(standing.value.key)}"
    for name, read in commit.inputs.items():
        yield f"made from {name} of {_read(read, commit.scope)}"
    yield f"version {commit.version or 'none: its code is in the key'}, code {_short(standing.code)}"
    if commit.config:
        yield f"configuration: {_pairs(commit.config)}"
    if standing.libraries:
        yield f"libraries in the key: {_pairs(standing.libraries)}"
    yield f"environment: {_pairs(standing.environment) or 'not known'}"


def _event(commit: Commit) -> str:
    """What a commit did, when and by whom."""
    run = f", run {commit.run}" if commit.run else ""
    held = commit.event in ("computed", "reused") and commit.value != commit.current
    event = f"{commit.event}, and not made current" if held else commit.event
    reason = f" ({commit.reason})" if commit.reason else ""
    gone = f"; gone: {', '.join(commit.gone)}" if commit.gone else ""
    return f"{event} {commit.made_at[:19].replace('T', ' ')} UTC by {commit.who}{run}{reason}{gone}"


def _read(read: str | Mapping[str, str], scope: str) -> str:
    digests = {scope: read} if isinstance(read, str) else read
    few = [f"{title} {_short(digest)}" for title, digest in list(digests.items())[:EXPANDED]]
    return (", ".join(few) or "nobody") + _more(len(digests))


def _told(verdict: Verdict) -> str:
    key = f" (memo key {_short(verdict.key)})" if verdict.key else ""
    return f"{TOLD[verdict.outcome]}: {verdict.why}{key}"


def _details(verdict: Verdict) -> Iterator[str]:
    if verdict.changed:
        yield "its key differs from that of the current value, because"
        yield from _indented(_differences(verdict.changed))
    if verdict.causes:
        yield "of what it is made from, not up to date, the topmost first:"
    for cause in verdict.causes[:EXPANDED]:
        yield f"  {_named(cause.feature, cause.scope)}: {_told(cause)}"
        yield from _indented(_differences(cause.changed), 2)
    if len(verdict.causes) > EXPANDED:
        yield f" {_more(len(verdict.causes))}"
    if verdict.left_out:
        yield "left out:"
    for title, why in list(verdict.left_out.items())[:EXPANDED]:
        yield f"  {title}: {why}"
    if len(verdict.left_out) > EXPANDED:
        yield f" {_more(len(verdict.left_out))}"


def _differences(found: Sequence[Difference]) -> Iterator[str]:
    for one in found[:EXPANDED]:
        yield f"- {_difference(one)}"
        if one.code:
            yield from _indented(as_text(one.code, LONGEST).splitlines(), 2)
        elif one.kind == "code":
            yield "    what changed is not known, as one of the two was not kept"
        yield from _indented(_differences(one.because), 2)
    if len(found) > EXPANDED:
        yield _more(len(found)).lstrip()


def _difference(one: Difference) -> str:
    change = f"{one.before or 'none'} -> {one.after or 'none'}"
    digests = f"{_short(one.before) or 'none'} -> {_short(one.after) or 'none'}"
    match one.kind:
        case "input" if one.before and one.after:
            return f"{_named(one.name, one.scope)} differs in {', '.join(one.columns)} ({digests})"
        case "input":
            return f"{_named(one.name, one.scope)} {'came' if one.after else 'went'} ({digests})"
        case "landed":
            return f"landed {one.name}: {change}"
        case "config":
            return f"configuration {one.name}: {change}"
        case "code":
            return f"the code of {one.name} changed ({digests})"
        case "unknown":
            return f"what the key {_short(one.before)} was made of is no longer stored"
        case _:
            return f"{one.kind} {'' if one.kind == 'version' else f'{one.name} '}{change}"


def _named(feature: str, scope: str) -> str:
    return f"{feature} of the catalogue" if scope == CATALOGUE else f"{feature} of {scope}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _short(digest: str) -> str:
    return digest[:12]


def _more(count: int) -> str:
    return f" and {count - EXPANDED:,} more" if count > EXPANDED else ""


def _indented(found: Iterator[str] | Sequence[str], steps: int = 1) -> Iterator[str]:
    return ("  " * steps + line for line in found)
