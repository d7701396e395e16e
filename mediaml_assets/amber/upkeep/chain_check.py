"""Whether a chain of the ledger is what its writers wrote: each row against its witness and against the row after it.

    row n       its text has the digest that the witness of n begins with and that row n + 1 carries as `before`
    witness n   empty; says which row n was, also where nothing follows yet
    gone        a later row may say that row n was lost: then the gap is known, and a note

Who is believed: a witness before a row, and two that agree before one. A row that nothing speaks for (its writer was
killed before the witness) is a note until a row follows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mediaml_assets.amber.ledger import Chain, Commit, Row, row_name, witness_name
from mediaml_assets.errors import Damaged


@dataclass(frozen=True)
class Finding:
    """One object of the store that is not what it should be, or is not there."""

    name: str
    """The object."""
    feature: str
    """Empty when no feature is known to use it."""
    titles: tuple[str, ...]
    """Scopes whose history refers to it; empty when none does."""
    what: str
    digest: str = ""
    """What is known of the digest of a ledger row that is lost (hex, whole or its first 16 characters)."""

    def __str__(self) -> str:
        of = f" of {', '.join(self.titles)}" if self.titles else ""
        place = f" ({self.feature}{of})" if self.feature else ""
        return f"{self.name}{place}: {self.what}"


@dataclass
class Checked:
    """What a check of one chain found."""

    commits: list[Commit] = field(default_factory=list)
    """The rows that can be believed, the oldest first."""
    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)


def check_chain(feature: str, scope: str, chain: Chain) -> Checked:
    """Compare every row of a chain with its witness, with the row before it and with the row after it."""
    rows = {row.seq: row for row in chain.rows}
    checked = Checked()
    good: dict[int, Commit] = {}
    bad: dict[int, str] = {}
    for seq, row in rows.items():
        try:
            good[seq] = _believed(row, chain.witnesses.get(seq, ()))
        except Damaged as damage:
            bad[seq] = str(damage)
    for seq in _disagreeing(good, {seq: row.digest for seq, row in rows.items()}, chain.witnesses):
        bad[seq] = "this row of the ledger was changed: the row after it carries another digest"
        del good[seq]
    gone: dict[str, str] = {}
    for commit in good.values():
        gone |= {name: f"{gone.get(name, '')} {digest}" for name, digest in commit.gone.items()}
    for seq in range(max((*rows, *chain.witnesses), default=-1) + 1):
        name, witnesses = row_name(feature, scope, seq), chain.witnesses.get(seq, ())
        if seq in bad:
            checked.findings.append(Finding(name, feature, (scope,), bad[seq], _known(seq, good, witnesses)))
        elif seq in good:
            checked.commits.append(good[seq])
            # compaction takes the witnesses of what it folds away
            expected = seq > chain.folded
            _check_witnesses(checked, name, good[seq], witnesses, gone.get(name, ""), expected)
        elif name not in gone:
            known = _known(seq, good, witnesses)
            checked.findings.append(Finding(name, feature, (scope,), "this row of the ledger was removed", known))
    for commit in checked.commits:
        if commit.gone:
            what = f"{commit.event}, as this row says; gone: {', '.join(sorted(commit.gone))}"
            checked.notes.append(Finding(row_name(feature, scope, commit.seq), feature, (scope,), what))
    return checked


def row_of_witness(name: str) -> str | None:
    """The row that an object vouches for; None when it is no witness."""
    row, _, digest = name.rpartition(".")
    return f"{row}.json" if name.startswith("ledger/") and digest != "json" else None


def _believed(row: Row, witnesses: tuple[str, ...]) -> Commit:
    """What a row says; raises Damaged with the reason why it cannot be believed."""
    if witnesses and row.digest[:16] not in witnesses:
        raise Damaged("this row of the ledger was changed: its witness is of another content")
    try:
        commit = row.commit
    except Damaged as damage:
        raise Damaged("this row of the ledger cannot be read") from damage
    if commit.text != row.text:
        raise Damaged("this row of the ledger was changed: its text is not as the store writes it")
    return commit


def _disagreeing(
    good: Mapping[int, Commit], digests: Mapping[int, str], witnesses: Mapping[int, tuple[str, ...]]
) -> set[int]:
    """Rows that must be wrong although they can be read: a neighbour carries another digest."""
    wrong = set()
    for seq, commit in good.items():
        if seq == 0:
            wrong |= {0} if commit.before else set()
        elif seq - 1 in good and commit.before != digests[seq - 1]:
            # a row that somebody speaks for is believed in what it says of the one before it
            spoken_for = seq in witnesses or (seq + 1 in good and good[seq + 1].before == digests[seq])
            wrong.add(seq - 1 if spoken_for else seq)
    return wrong


def _check_witnesses(
    checked: Checked, name: str, commit: Commit, witnesses: tuple[str, ...], lost: str, expected: bool
) -> None:
    """Look for the witness of a row, and for witnesses of a row that was there before it and is not known as lost."""
    digest = commit.digest
    place = (commit.feature, (commit.scope,))
    if expected and digest[:16] not in witnesses:
        note = "this witness is not there: its writer was killed just then, or somebody removed it"
        checked.notes.append(Finding(witness_name(name, digest), *place, note, digest))
    for other in witnesses:
        if other != digest[:16] and other not in lost:
            what = "a witness of another row than the one that lies there: that one was removed or replaced"
            checked.findings.append(Finding(witness_name(name, other), *place, what, other))


def _known(seq: int, good: dict[int, Commit], witnesses: tuple[str, ...]) -> str:
    """What the neighbours know of the digest of a row."""
    return good[seq + 1].before if seq + 1 in good else witnesses[0] if witnesses else ""
