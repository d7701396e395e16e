# mypy: ignore-errors
# datachain lives in an environment of its own
"""DataChain: map the three functions over the files of the folder, and save.

With `--delta` only new and changed files are processed (`delta=True`, told by path and ETag); without, its
checkpoints find what an earlier run of this script has done.
"""

import json
import sys
from pathlib import Path

import datachain as dc
from chain import features

delta = {"delta": True, "delta_on": "file.path", "delta_compare": "file.etag"} if sys.argv[1:] == ["--delta"] else {}
(
    dc.read_storage(Path("landing").resolve().as_uri(), update=True, **delta)
    .map(levels=features.levels)
    .map(cuts=features.cuts)
    .map(label=features.label)
    .save("films")
)
columns = ("file.path", "levels", "cuts", "label")
rows = dc.read_dataset("films").to_iter(*columns)
served = {Path(path).stem: {"levels": levels, "cuts": cuts, "label": label} for path, levels, cuts, label in rows}
print(json.dumps({"served": served}))
