"""A store, a landing folder and a toy mesh without any orchestrator."""

import os
import time
from pathlib import Path

from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.store import Store
from mediaml_assets.landing.arrivals import Known, look
from mediaml_assets.landing.folder import LandingFolder
from mediaml_assets_tests.amber.toy import toy_mesh


class Installation:
    """What a test lands, computes and looks at."""

    def __init__(self, home: Path, store: Store | None = None) -> None:
        self.home = home
        self.landing = home / "landing"
        self.landing.mkdir(exist_ok=True)
        self.store = store or Store(home / "store")
        self.mesh: Mesh = toy_mesh()
        self.known: Known = {}

    def deliver(self, **texts: str) -> None:
        """Write `<title>.mp4` files and land them."""
        for title, text in texts.items():
            file = self.landing / f"{title}.mp4"
            file.write_text(text)
            # two deliveries within one clock tick of the file system would look like one
            stamp = time.time_ns()
            os.utime(file, ns=(stamp, stamp))
        self.land()

    def land(self) -> None:
        """One look at the landing folder."""
        self.known = look(LandingFolder(self.landing, settle_seconds=0), self.store, self.known).known

    def titles(self) -> list[str]:
        return self.store.ledger.scopes("source")

    def compute(self, name: str, *titles: str, **settings: object) -> Commit:
        return self.mesh.compute(self.store, name, list(titles), settings)

    def settle(self) -> None:
        """Compute whatever is stale until nothing is."""
        for _ in range(10):
            stale = list(self.mesh.stale(self.store, self.titles()))
            for name, title in stale:
                self.compute(name, title)
            shows = [] if stale else list(self.mesh.stale_shows(self.store, self.mesh.shows(self.store)))
            for name, show in shows:
                self.compute(name, show)
            ends = [] if stale or shows else self.mesh.stale_over_catalogue(self.store, self.titles())
            for name in ends:
                self.compute(name, *self.titles())
            if not stale and not shows and not ends:
                return
        raise AssertionError("the mesh does not come to rest")

    def stale(self) -> list[tuple[str, str]]:
        return list(self.mesh.stale(self.store, self.titles()))

    def ends(self) -> list[str]:
        return self.mesh.stale_over_catalogue(self.store, self.titles())

    def totals(self) -> dict[str, int]:
        rows = self.store.view("total", CATALOGUE).table().to_pylist()
        return {row["title"]: row["n"] for row in rows}
