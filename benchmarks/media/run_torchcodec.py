# mypy: ignore-errors
# torchcodec lives in an environment of its own
"""torchcodec: exact seek mode, which its documentation asks for where frames must be the right ones; one thread.

Frames in batches, as the performance tips advise: ranges of 64 one after the other, the random ones in one call.
"""

import torch
from task import run
from torchcodec.decoders import VideoDecoder

torch.set_num_threads(1)
BATCH = 64


def opened(path):
    """A decoder of one thread."""
    return VideoDecoder(path, dimension_order="NHWC", num_ffmpeg_threads=1, seek_mode="exact")


def sequential(path, order):
    """All frames, batch by batch."""
    decoder = opened(path)
    for start in range(0, len(decoder), BATCH):
        yield from decoder.get_frames_in_range(start, min(start + BATCH, len(decoder))).data.numpy()


def first_four(path, order):
    """The first four."""
    yield from opened(path).get_frames_in_range(0, 4).data.numpy()


def random(path, order):
    """Frame after frame."""
    decoder = opened(path)
    for index in order:
        yield decoder.get_frame_at(index).data.numpy()


def random_batch(path, order):
    """In one call."""
    yield from opened(path).get_frames_at(order).data.numpy()


run({"sequential": sequential, "first_four": first_four, "random": random, "random_batch": random_batch})
