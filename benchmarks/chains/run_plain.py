"""Compute everything from the files that lie there now; nothing is kept."""

import importlib
import json
from pathlib import Path

chain = importlib.import_module("chain.features")
served = {}
for film in sorted(Path("landing").iterdir()):
    levels = chain.levels(str(film))
    cuts = chain.cuts(levels)
    served[film.stem] = {"levels": levels, "cuts": cuts, "label": chain.label(cuts)}
print(json.dumps({"served": served}))
