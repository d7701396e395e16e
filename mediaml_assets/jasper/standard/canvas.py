"""From decoded pictures of any kind to the recipe's canvas: deinterlaced, opaque, square pixels, BT.709, upright."""

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.probe import VideoFacts
from mediaml_assets.jasper.placement import Placement, place
from mediaml_assets.jasper.standard.tone_mapping import cube, needs_mapping

# ITU-T H.273 matrix coefficients, and those that FFmpeg's fast colorspace filter converts.
_BT709, _UNSAID_MATRIX = 1, 2
_FAST_MATRICES = {4, 5, 6, 7, 9}
_UNREADABLE_MATRICES = {13: "chromaticity-derived colour", 14: "ICtCp", 15: "Dolby Vision's IPT-C2"}

# Codecs whose pictures say themselves whether they are fields; of others only the container can know.
_MARK_FIELDS = {
    "h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "vc1", "wmv3", "vvc", "prores", "dnxhd", "dvvideo", "ffv1",
}  # fmt: skip
_TOP_FIRST, _BOTTOM_FIRST = ("tt", "bt"), ("bb", "tb")
_WITH_ALPHA = "|".join(f"{planes}{bits}" for planes in ("yuva444p", "gbrap") for bits in ("", "10le", "12le", "16le"))


class CanvasFilter:
    """A libavfilter graph that turns decoded pictures into canvas pictures, and keeps each one's number.

    The graph is rebuilt when the decoded pictures change shape or turn out to be interlaced. Colours are converted to
    BT.709 in the limited range where the stream says that they are not; an untagged stream counts as BT.709. High
    dynamic range and wide gamut go through the table of `tone_mapping`. What is transparent shows black.
    """

    def __init__(self, facts: VideoFacts, canvas: tuple[int, int]) -> None:
        """Args: the probed stream, and the canvas as (width, height)."""
        self._facts = facts
        self._canvas = canvas
        self._interlaced = facts.interlaced or self._fields_by_container() is not None
        self._key: tuple[object, ...] | None = None
        self._graph: Any = None
        self._inside = 0
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
        self._inside += 1
        yield from self._pull()

    def deinterlaces(self, frame: Any) -> bool:
        """Whether a decoded picture would be deinterlaced: it is flagged so, or one before it was."""
        return self._interlaced or bool(frame.interlaced_frame)

    def flush(self) -> Iterator[tuple[int, Any]]:
        """Yield what the graph still holds."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._pull()
            self._graph = self._key = None
            self._inside = 0

    def _pull(self) -> Iterator[tuple[int, Any]]:
        # every picture comes out once, so that an empty graph need not be asked: its answer is an exception
        while self._inside:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, EOFError):
                return
            self._inside -= 1
            yield round(frame.pts * frame.time_base), frame

    def _place(self, width: int, height: int) -> Placement:
        aspect = self._facts.sample_aspect
        if self._facts.orientation.swaps_sides:
            width, height, aspect = height, width, 1 / aspect
        return place(width, height, aspect, self._canvas)

    def _fields_by_container(self) -> str | None:
        """Which field the container shows first, where the codec cannot say; None for whole pictures."""
        if self._facts.codec in _MARK_FIELDS:
            return None
        order = self._facts.field_order
        return "tff" if order in _TOP_FIRST else "bff" if order in _BOTTOM_FIRST else None

    def _build(self, frame: Any) -> Any:
        if frame.colorspace in _UNREADABLE_MATRICES:
            raise MediaRefused(
                f"its colours are coded as {_UNREADABLE_MATRICES[frame.colorspace]}, which is not read; deliver it as "
                "HDR10, HLG or BT.709"
            )
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
        before, after = self._steps(frame)
        chain = [graph.add(*step.partition("=")[::2]) for step in before]
        with tempfile.NamedTemporaryFile("w", suffix=".cube") as table:
            # the filter reads its table from a file, once
            if self._maps_colours:
                table.write(cube(self._facts.color_transfer, self._facts.color_primaries))
                table.flush()
                chain.append(graph.add("lut3d", file=table.name, interp="tetrahedral"))
            chain += [graph.add(*step.partition("=")[::2]) for step in after]
            graph.link_nodes(source, *chain, graph.add("buffersink")).configure()
        return graph

    @property
    def _maps_colours(self) -> bool:
        return needs_mapping(self._facts.color_transfer, self._facts.color_primaries)

    def _steps(self, frame: Any) -> tuple[list[str], list[str]]:
        """The filters before and after the colour table."""
        put = self._place(frame.width, frame.height)
        turned = self._facts.orientation
        wide, high = (put.height, put.width) if turned.swaps_sides else (put.width, put.height)
        shrinks = frame.width * frame.height > wide * high
        scale = f"scale={wide}:{high}:flags={'area' if shrinks else 'bicubic'}"
        before, after = [*self._deinterlace(), *_opaque(frame)], [*turned.filters, self._pad(put)]
        if self._maps_colours:
            matrix = ":in_color_matrix=bt2020" if frame.colorspace == _UNSAID_MATRIX else ""
            to_video = ["scale=out_color_matrix=bt709:out_range=tv", "format=yuv420p"]
            return [*before, scale + matrix, "format=gbrp16le"], [*to_video, *after]
        matrix, convert = _to_bt709(frame)
        return [*before, f"{scale}:out_range=tv{matrix}", "format=yuv420p", *convert], after

    def _deinterlace(self) -> list[str]:
        if not self._interlaced:
            return []
        first = self._fields_by_container()
        # every picture of such a stream, and only the marked ones of others
        marked = [f"setfield={first}"] if first else []
        return [*marked, "bwdif=mode=send_frame:parity=auto:deint=interlaced"]

    def _pad(self, put: Placement) -> str:
        return f"pad={self._canvas[0]}:{self._canvas[1]}:{put.x}:{put.y}:black"


def _opaque(frame: Any) -> list[str]:
    """Straight alpha is laid over black, at full size: what lies under transparent pixels must not bleed in."""
    has_alpha = any(component.is_alpha for component in frame.format.components)
    return [f"format={_WITH_ALPHA}", "premultiply=inplace=1"] if has_alpha else []


def _to_bt709(frame: Any) -> tuple[str, list[str]]:
    """What the scaler must be told, and the filters after it, so that the colours are BT.709's."""
    if frame.format.is_rgb or frame.colorspace not in {_BT709, _UNSAID_MATRIX, *_FAST_MATRICES}:
        return ":out_color_matrix=bt709", []
    if frame.colorspace not in _FAST_MATRICES:
        return "", []
    # Only the matrix changes: naming the same primaries and transfer on both sides keeps the filter from both.
    same = ":".join(f"{side}{fact}=bt709" for fact in ("trc", "primaries") for side in ("i", ""))
    return "", [f"colorspace=space=bt709:{same}:format=yuv420p:fast=1"]
