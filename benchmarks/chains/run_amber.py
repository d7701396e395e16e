"""mediaml: look at the landing folder, compute what is stale until nothing is, read the current values."""

import importlib
import json
from pathlib import Path
from typing import Any

from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.store import Store
from mediaml_assets.features.essence import essence
from mediaml_assets.landing.arrivals import SOURCE, look
from mediaml_assets.landing.folder import LandingFolder

chain = importlib.import_module("chain.features")
mesh = Mesh([essence, chain.levels, chain.cuts, chain.label], sources=[SOURCE])
store = Store(Path("state"))
look(LandingFolder(Path("landing"), settle_seconds=0), store, {})
titles = store.ledger.scopes(SOURCE)
files_read = 0
while stale := list(mesh.stale(store, titles)):
    files_read += sum(name == "essence" and not store.view(SOURCE, title).withdrawn for name, title in stale)
    for name, title in stale:
        mesh.compute(store, name, [title])

served: dict[str, dict[str, Any]] = {}
for name in ("levels", "cuts", "label"):
    for title, view in store.views(name, titles).items():
        if not view.withdrawn:
            rows = view.table().column(0).to_pylist()
            served.setdefault(title, {})[name] = rows if name == "levels" else rows[0]
print(json.dumps({"served": served, "files_read": files_read}))
