"""From decoded pictures of any shape to the recipe's canvas: deinterlaced, square pixels, upright, centred."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.probe import VideoFacts
from mediaml_assets.jasper.placement import Placement, place

# ITU-T H.273 matrix coefficients, and those that FFmpeg's fast colorspace filter converts.
_BT709, _UNSAID_MATRIX = 1, 2
_FAST_MATRICES = {4, 5, 6, 7, 9}


class CanvasFilter:
    """A libavfilter graph that turns decoded pictures into canvas pictures, and keeps each one's number.

    The graph is rebuilt when the decoded pictures change shape or turn out to be interlaced. Colours are converted to
    BT.709 in the limited range where the stream says that they are not; an untagged stream counts as BT.709.
    """

    def __init__(self, facts: VideoFacts, canvas: tuple[int, int]) -> None:
        """Args: the probed stream, and the canvas as (width, height)."""
        self._facts = facts
        self._canvas = canvas
        self._interlaced = facts.interlaced
        self._key: tuple[object, ...] | None = None
        self._graph: Any = None
        self.placement = self._place(facts.width, facts.height)

    def push(self, frame: Any, number: int) -> Iterator[tuple[int, Any]]:
        """Give in source picture `number`; yields (number, canvas picture) of those that are ready.

        Raises:
            MediaRefused: pictures of this format or shape cannot be converted.
        """
        self._interlaced |= bool(frame.interlaced_frame)
        key = (frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range, self._interlaced)
        if key != self._key:
            yield from self.flush()
            self._key, self._graph = key, self._build(frame)
        frame.pts, frame.time_base = number, Fraction(1)
        self._graph.push(frame)
        yield from self._pull()

    def flush(self) -> Iterator[tuple[int, Any]]:
        """Yield what the graph still holds."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._pull()
            self._graph = self._key = None

    def _pull(self) -> Iterator[tuple[int, Any]]:
        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, EOFError):
                return
            yield round(frame.pts * frame.time_base), frame

    def _place(self, width: int, height: int) -> Placement:
        aspect = self._facts.sample_aspect
        if self._facts.orientation.swaps_sides:
            width, height, aspect = height, width, 1 / aspect
        return place(width, height, aspect, self._canvas)

    def _build(self, frame: Any) -> Any:
        try:
            return self._linked(frame)
        except av.FFmpegError as error:
            shape = f"{frame.width}x{frame.height} {frame.format.name}"
            raise MediaRefused(f"pictures of {shape} cannot be converted ({error.strerror}); transcode it") from error

    def _linked(self, frame: Any) -> Any:
        graph = av.filter.Graph()
        graph.threads = 1
        source = graph.add(
            "buffer", video_size=f"{frame.width}x{frame.height}", pix_fmt=frame.format.name, time_base="1/1",
            pixel_aspect="1/1", colorspace=str(int(frame.colorspace)), range=str(int(frame.color_range)),
        )  # fmt: skip
        chain = [graph.add(*step.partition("=")[::2]) for step in self._steps(frame)]
        graph.link_nodes(source, *chain, graph.add("buffersink")).configure()
        return graph

    def _steps(self, frame: Any) -> list[str]:
        put = self._place(frame.width, frame.height)
        turned = self._facts.orientation
        wide, high = (put.height, put.width) if turned.swaps_sides else (put.width, put.height)
        shrinks = frame.width * frame.height > wide * high
        deinterlace = ["bwdif=mode=send_frame:parity=auto:deint=interlaced"] if self._interlaced else []
        scale = f"scale={wide}:{high}:flags={'area' if shrinks else 'bicubic'}:out_range=tv"
        matrix, convert = _to_bt709(frame)
        pad = f"pad={self._canvas[0]}:{self._canvas[1]}:{put.x}:{put.y}:black"
        return [*deinterlace, scale + matrix, "format=yuv420p", *convert, *turned.filters, pad]


def _to_bt709(frame: Any) -> tuple[str, list[str]]:
    """What the scaler must be told, and the filters after it, so that the colours are BT.709's."""
    if frame.format.is_rgb or frame.colorspace not in {_BT709, _UNSAID_MATRIX, *_FAST_MATRICES}:
        return ":out_color_matrix=bt709", []
    if frame.colorspace not in _FAST_MATRICES:
        return "", []
    # Only the matrix changes: naming the same primaries and transfer on both sides keeps the filter from both.
    same = ":".join(f"{side}{fact}=bt709" for fact in ("trc", "primaries") for side in ("i", ""))
    return "", [f"colorspace=space=bt709:{same}:format=yuv420p:fast=1"]
