"""A process that reads while another one writes: `python -m benchmarks.annotations.watcher <folder>`.

For each line "title count" it says "looking", and then when it counts so many faces of that title.
"""

import sys
import time
from pathlib import Path

from benchmarks.annotations.catalogue import TYPES
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.marken.embedded.engine import EmbeddedEngine


def main(folder: Path) -> None:
    """Look as long as there is something to look for."""
    engine = EmbeddedEngine(FolderObjects(folder))
    for line in sys.stdin:
        title, wanted = line.split()
        engine.snapshot()  # what was there before is not what is waited for
        print("looking", flush=True)
        while engine.snapshot().count([TYPES["FACE"]], None, [title]) != int(wanted):
            time.sleep(0.002)
        print(time.monotonic(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
