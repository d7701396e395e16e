# mypy: ignore-errors
# datachain lives in an environment of its own
"""DataChain: the frames of a `VideoFile`, as its guide reads them; without a dataset, which would only add to it."""

from datachain.lib.file import VideoFile
from task import run


def sequential(path, order):
    """All frames."""
    for frame in VideoFile.at(path).get_frames():
        yield frame.get_np()


def first_four(path, order):
    """The first four."""
    for frame in VideoFile.at(path).get_frames(0, 4):
        yield frame.get_np()


def random(path, order):
    """Frame after frame."""
    film = VideoFile.at(path)
    for index in order:
        yield film.get_frame(index).get_np()


run({"sequential": sequential, "first_four": first_four, "random": random})
