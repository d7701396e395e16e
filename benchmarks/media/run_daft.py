# mypy: ignore-errors
# daft lives in an environment of its own
"""Daft: `read_video_frames`, the frames as rows; what is wanted of them is asked for by `limit` and `where`.

There is no access by number: a frame is a row of a scan from the start. Rows come in the order of the film.
"""

import os

os.environ["DAFT_PROGRESS_BAR"] = "0"

import daft
import numpy as np
from daft import col
from task import run


def frames(path):
    """All frames as rows."""
    return daft.read_video_frames(path, image_height=360, image_width=640)


def pictures(rows):
    """The pictures of rows, as they come."""
    for row in rows.select("frame_index", "data").iter_rows():
        yield row["frame_index"], np.asarray(row["data"])


def sequential(path, order):
    """All frames."""
    for _, picture in pictures(frames(path)):
        yield picture


def first_four(path, order):
    """The first four."""
    for _, picture in pictures(frames(path).limit(4)):
        yield picture


def random_batch(path, order):
    """In one query."""
    found = dict(pictures(frames(path).where(col("frame_index").is_in(order))))
    for index in order:
        yield found[index]


run({"sequential": sequential, "first_four": first_four, "random_batch": random_batch})
