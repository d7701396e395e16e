"""Processes that write to a store of annotations, to be killed: real ones, at any moment or between any two objects."""

from pathlib import Path

from mediaml_assets.amber.objects.bucket import BucketObjects
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.marken.embedded.engine import EmbeddedEngine

PRELUDE = """
import os, random, signal, sys, time
from datetime import timedelta
from pathlib import Path
import pyarrow as pa
from mediaml_assets.amber.objects.bucket import BucketObjects
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.marken.embedded.engine import EmbeddedEngine
from mediaml_assets.marken.engine import Selection
from mediaml_assets_tests.marken.canonical import SPOT, VERDICT, spots, verdict

def opened(home):
    return EmbeddedEngine(BucketObjects(home) if home.startswith("s3://") else FolderObjects(Path(home)))

def load(engine, scope, count, mark):
    operation = engine.start(SPOT, scope, "tester", {"mark": str(mark)})
    half = count // 2
    engine.upsert(operation, spots(scope, half, mark))
    engine.upsert(operation, spots(scope, count - half, mark, first=half))
    return engine.finish(operation)

def marks(engine):
    found = {}
    selection = Selection(types=[SPOT], columns=["scope", "count"])
    for row in engine.snapshot().select(selection).to_pylist():
        found.setdefault(row["scope"], []).append(row["count"])
    return found
"""

DYING = """
create, remove = FolderObjects.create, FolderObjects.remove

def die_at(point):
    # killed in the middle of the write: half of the file lies there under its unfinished name
    left = [point]
    def dying(self, name, data):
        left[0] -= 1
        if left[0] < 0:
            path = self.path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / (path.name + "#1")).write_bytes(bytes(data)[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return create(self, name, data)
    def leaving(self, name):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return remove(self, name)
    FolderObjects.create, FolderObjects.remove = dying, leaving
"""
"""Kills the process at its so many-th write or removal."""


def opened(home: Path | str) -> EmbeddedEngine:
    """An engine on a folder or on the URL of a bucket, as another process has it."""
    return EmbeddedEngine(BucketObjects(home) if isinstance(home, str) else FolderObjects(home))
