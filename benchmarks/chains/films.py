"""Small films of a seed: grey shots with hard cuts, and the same film in another container or with other tags."""

from pathlib import Path

import av
import numpy as np

SIZE, RATE = (96, 64), 25


def render(path: Path, seed: int, shots: int) -> None:
    """A film of that many shots: a cut changes the mean luma by 20 levels or more, within each shot it rises by 4."""
    random = np.random.default_rng(seed)
    level, number = int(random.integers(60, 120)), 0
    with av.open(str(path), "w") as out:
        picture = out.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "12", "bf": "0"})
        picture.width, picture.height, picture.pix_fmt = *SIZE, "yuv420p"
        picture.codec_context.thread_count = 1
        for shot in range(shots):
            level += int(random.integers(20, 30)) * (1 if level < 110 else -1)
            for n in range(int(random.integers(6, 14))):
                grain = random.integers(-6, 7, SIZE[::-1])
                grey = np.clip(level + 4 * (n >= 3 + shot % 2) + grain, 0, 255).astype(np.uint8)
                frame = av.VideoFrame.from_ndarray(grey, format="gray").reformat(format="yuv420p")
                frame.pts = number
                number += 1
                out.mux(picture.encode(frame))
        out.mux(picture.encode(None))


def remux(source: Path, target: Path, **tags: str) -> None:
    """The packets of a film in the container that the target's suffix names, with tags."""
    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        out.metadata.update(tags)
        (stream,) = given.streams
        copied = out.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.size:
                packet.stream = copied
                out.mux(packet)
