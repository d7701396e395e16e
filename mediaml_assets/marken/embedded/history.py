"""Every version of one annotation that readers ever saw."""

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.amber.objects import Objects
from mediaml_assets.marken.embedded import files
from mediaml_assets.marken.embedded.state import Part
from mediaml_assets.marken.embedded.tables import READERS


def versions(objects: Objects, parts: list[Part], id: str) -> pa.Table:
    """The rows of an id in some parts, by version, with all columns that their types have.

    Parts hold rows of finished operations and appended rows alone, so all of them were seen. The ids of every part are
    looked at: the price of an index-free store, paid by this question alone.
    """

    def of_part(part: Part) -> pa.Table | None:
        found = pc.indices_nonzero(pc.equal(files.read(objects, part, ["id"])["id"], id))
        return files.read(objects, part).take(found) if len(found) else None

    with ThreadPoolExecutor(READERS) as pool:
        found = [one for one in pool.map(of_part, parts) if one is not None]
    if not found:
        return pa.table({})
    rows = pa.concat_tables(found, promote_options="default")
    if files.SEQ in rows.column_names:
        rows = rows.drop_columns(files.SEQ)
    keys = [(name, "ascending") for name in ("version", "type", "type_version", "scope")]
    return rows.take(pc.sort_indices(rows, sort_keys=keys))
