"""Files of a title that cannot be used beside others that can: each is one row that says why and holds nothing else."""

import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import Check

ORIGIN = "origin"
REFUSED = "refused"

ORIGIN_COLUMN = column(ORIGIN, pa.string(), "The file, or the stream of the film, that it came from.")
REFUSED_COLUMN = column(REFUSED, pa.string(), "Why the file cannot be used; such a row holds nothing.", nullable=True)


def refusals(rows: pa.Table) -> dict[str, str]:
    """Origin -> reason, of every file that could not be used."""
    bad = rows.filter(pc.is_valid(rows.column(REFUSED)))
    return dict(zip(bad.column(ORIGIN).to_pylist(), bad.column(REFUSED).to_pylist(), strict=True))


def _some_refused(rows: pa.Table) -> str | None:
    return "; ".join(f"{origin}: {reason}" for origin, reason in refusals(rows).items()) or None


EVERY_FILE_USED = Check(
    "every_file_used",
    _some_refused,
    "Every file can be used. Those that cannot are named with the reason, and stop none of the others.",
    blocking=False,
    columns=(ORIGIN, REFUSED),
)
