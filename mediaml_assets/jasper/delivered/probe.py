"""What a delivered file holds, checked by decoding its first picture and its first sound.

The container's claims are read, but nothing below depends on one that can be checked: a file whose first picture
cannot be decoded is refused here, whatever its header says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from mediaml_assets.errors import MediaRefused, TimecodeRefused
from mediaml_assets.jasper.delivered.container import decode, opened, tags_of, use_one_thread
from mediaml_assets.jasper.delivered.orientation import Orientation, orientation_of
from mediaml_assets.jasper.delivered.timing import nearest_rate
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.limits import LIMITS
from mediaml_assets.jasper.timecode import Timecode

# ITU-T H.273 code points, with the names FFmpeg gives them.
_PRIMARIES = {1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 11: "smpte431",
              12: "smpte432"}  # fmt: skip
_TRANSFERS = {1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear", 13: "iec61966-2-1",
              14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084", 18: "arib-std-b67"}  # fmt: skip
_MATRICES = {0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc",
             10: "bt2020c"}  # fmt: skip
_RANGES = {1: "tv", 2: "pc"}
_FIELD_ORDERS = {1: "progressive", 2: "tt", 3: "bb", 4: "tb", 5: "bt"}
_UNSAID = (0, 2, 3)
_STILL = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
_DEFAULT = av.stream.Disposition.default


@dataclass(frozen=True)
class VideoFacts:
    """The chosen video stream.

    Attributes:
        index: stream number in the container.
        codec: FFmpeg's codec name, as ``h264``.
        width: stored pixels across, before rotation.
        height: stored pixels down, before rotation.
        sample_aspect: width over height of one stored pixel; 1 when unsaid.
        orientation: how the stored picture is turned before it is shown.
        pixel_format: of the first decoded picture, as ``yuv420p10le``.
        color_range: ``tv``, ``pc`` or ``unspecified``; the other colour facts carry FFmpeg's names alike.
        field_order: ``progressive``, ``tt``, ``bb``, ``tb``, ``bt`` or ``unspecified``, as the container says.
        interlaced: whether the first decoded picture is.
        time_base: seconds of one tick of the stream's time stamps.
        average_rate: pictures a second that the container counts; None when it does not know.
        nominal_rate: pictures a second that the stream is said to be made for; None when unsaid.
        first_pts: time stamp of the first decodable picture; None in a raw stream without time stamps.
        duration: seconds that the container claims; None when unsaid.
    """

    index: int
    codec: str
    width: int
    height: int
    sample_aspect: Fraction
    orientation: Orientation
    pixel_format: str
    color_range: str
    color_primaries: str
    color_transfer: str
    color_space: str
    field_order: str
    interlaced: bool
    time_base: Fraction
    average_rate: Fraction | None
    nominal_rate: Fraction | None
    first_pts: int | None
    duration: Fraction | None


@dataclass(frozen=True)
class AudioFacts:
    """The chosen audio stream: one whose first frame could be decoded.

    Attributes:
        index: stream number in the container.
        codec: FFmpeg's codec name, as ``aac``.
        rate: samples a second.
        channels: number of channels.
        layout: FFmpeg's name of the channel layout, as ``5.1``.
        time_base: seconds of one tick of the stream's time stamps.
    """

    index: int
    codec: str
    rate: int
    channels: int
    layout: str
    time_base: Fraction


@dataclass(frozen=True)
class SubtitleFacts:
    """One subtitle stream: its number, codec name and language (ISO 639, None when unsaid)."""

    index: int
    codec: str
    language: str | None


@dataclass(frozen=True)
class Probe:
    """What a delivered file holds.

    Attributes:
        container: FFmpeg's name of the format, as ``mov,mp4,m4a,3gp,3g2,mj2``.
        video: the video stream that is the title's picture: of the streams that are no still pictures the one
            flagged default, else the one with the most pixels, else the first.
        audio: the audio stream that is its sound: flagged default, else with the most channels, else the first;
            None when no stream has sound that can be decoded.
        audio_streams: how many audio streams there are, decodable or not.
        subtitles: its subtitle streams.
        timecode: timecode of the first shown picture, as a timecode track, an MXF package, a DV block or a tag says;
            None when nothing says it, or what is said does not exist at the picture's rate.
        tags: the container's own tags, keys in lower case.
        duration: seconds that the container claims; None when unsaid.
    """

    container: str
    video: VideoFacts
    audio: AudioFacts | None
    audio_streams: int
    subtitles: tuple[SubtitleFacts, ...]
    timecode: Timecode | None
    tags: Mapping[str, str]
    duration: Fraction | None


def probe(file: MediaFile) -> Probe:
    """Read what `file` holds, decoding one picture and one frame of sound.

    Raises:
        MediaRefused: the file is no film: missing, empty, not media, not allowed, too large, without a picture,
            encrypted or too damaged to show its first one.
    """
    with opened(file) as container:
        stream = choose_video(file, container)
        first = _first_picture(file, container, stream)
        video = _video_facts(file, stream, first)
        subtitles = tuple(
            SubtitleFacts(s.index, codec_name(s), tags_of(s.metadata).get("language"))
            for s in container.streams
            if s.type == "subtitle"
        )
        tags = tags_of(container.metadata)
        timecode = _timecode(container, video)
        audio_streams = len(container.streams.audio)
        duration = None if container.duration is None else Fraction(container.duration, av.time_base)
        name = container.format.name
    return Probe(name, video, _audio_facts(file), audio_streams, subtitles, timecode, tags, duration)


def choose_video(file: MediaFile, container: Any) -> Any:
    """The video stream of an open container that is the title's picture; see `Probe`.

    Raises:
        MediaRefused: there is none, or none that can be decoded.
    """
    films = [s for s in container.streams.video if not s.disposition & _STILL]
    if not films:
        held = "only still pictures and sound" if container.streams.video else "no video stream"
        raise MediaRefused(f"{file.name} has {held}; deliver the film itself")
    known = [s for s in films if s.codec_context is not None]
    if not known:
        raise MediaRefused(f"{file.name} has a picture in a codec that this FFmpeg cannot decode; transcode it first")
    return max(known, key=lambda s: (s.frames != 1, bool(s.disposition & _DEFAULT), s.width * s.height, -s.index))


def _first_picture(file: MediaFile, container: Any, stream: Any) -> Any:
    size = (stream.codec_context.width, stream.codec_context.height)
    if size[0] * size[1] > LIMITS.pixels:
        raise MediaRefused(f"{file.name} is {size[0]}x{size[1]}, beyond {LIMITS.pixels} pixels; deliver it smaller")
    use_one_thread(stream)
    encrypted = False
    for count, packet in enumerate(container.demux(stream)):
        if count > LIMITS.lead_packets:
            break
        encrypted |= bool(packet.has_sidedata("encryption_info"))
        try:
            frames = decode(stream, packet)
        except av.FFmpegError:
            continue
        if frames:
            return frames[0]
    state = "encrypted: deliver it without DRM" if encrypted else "damaged, cut short or encrypted: deliver it again"
    raise MediaRefused(f"{file.name} has no picture that can be decoded; it is {state}")


def _video_facts(file: MediaFile, stream: Any, first: Any) -> VideoFacts:
    orientation = orientation_of(first)
    if orientation is None:
        raise MediaRefused(f"{file.name} is turned by an angle that is not a right one; deliver it upright")
    context = stream.codec_context
    aspect = stream.sample_aspect_ratio or Fraction(1)
    duration = None if stream.duration is None else stream.duration * stream.time_base
    return VideoFacts(
        index=stream.index,
        codec=codec_name(stream),
        width=first.width,
        height=first.height,
        sample_aspect=aspect if aspect > 0 else Fraction(1),
        orientation=orientation,
        pixel_format=first.format.name,
        color_range="pc" if first.format.name.startswith("yuvj") else _named(_RANGES, context.color_range),
        color_primaries=_named(_PRIMARIES, context.color_primaries),
        color_transfer=_named(_TRANSFERS, context.color_trc),
        color_space=_named(_MATRICES, context.colorspace),
        field_order=_named(_FIELD_ORDERS, context.field_order),
        interlaced=bool(first.interlaced_frame),
        time_base=stream.time_base,
        average_rate=stream.average_rate or None,
        nominal_rate=stream.base_rate or None,
        first_pts=first.pts,
        duration=duration,
    )


def _audio_facts(file: MediaFile) -> AudioFacts | None:
    with opened(file) as container:
        known = [s for s in container.streams.audio if s.codec_context is not None]
        order = sorted(known, key=lambda s: (not s.disposition & _DEFAULT, -s.codec_context.channels, s.index))
        for stream in order:
            if (first := _first_sound(container, stream)) is not None:
                layout = first.layout
                return AudioFacts(
                    stream.index, codec_name(stream), first.sample_rate, layout.nb_channels, layout.name,
                    stream.time_base,
                )  # fmt: skip
    return None


def _first_sound(container: Any, stream: Any) -> Any | None:
    container.seek(0)
    for count, packet in enumerate(container.demux(stream)):
        if count > LIMITS.lead_packets:
            break
        try:
            frames = decode(stream, packet)
        except av.FFmpegError:
            continue
        if frames and can_be_heard(frames[0]):
            return frames[0]
    return None


def can_be_heard(frame: Any) -> bool:
    """Whether a decoded sound frame is within the bounds."""
    return bool(0 < frame.sample_rate <= LIMITS.sound_rate and 0 < frame.layout.nb_channels <= LIMITS.channels)


def _timecode(container: Any, video: VideoFacts) -> Timecode | None:
    sources = [container.metadata, *(s.metadata for s in container.streams)]
    said = [value for tags in map(tags_of, sources) for key, value in tags.items() if key == "timecode"]
    claim = video.average_rate or video.nominal_rate
    if not said or claim is None:
        return None
    pictures = round(nearest_rate(claim))
    found = [code for label in said if (code := _parsed(label, pictures)) is not None]
    # a timecode may count pairs of pictures: then a track's number of frames tells what its label counts in
    pairs = [code for label in said if (code := _parsed(label, pictures // 2)) is not None] if pictures > 30 else []
    if pairs and _counted_frames(container) == pairs[0].frames:
        return pairs[0]
    return next(iter(found), None)


def _parsed(label: str, rate: int) -> Timecode | None:
    try:
        return Timecode.parse(label, rate)
    except TimecodeRefused:
        return None


def _counted_frames(container: Any) -> int | None:
    """What a QuickTime timecode track says: frames since midnight, 4 bytes, big-endian."""
    tracks = [s for s in container.streams if s.type == "data" and "timecode" in s.metadata]
    if not tracks:
        return None
    container.seek(0)
    first = next(iter(container.demux(tracks[0])))
    return int.from_bytes(bytes(first), "big") if first.size == 4 else None


def codec_name(stream: Any) -> str:
    """FFmpeg's name of a stream's codec; ``unknown`` when it cannot decode it."""
    context = stream.codec_context
    return "unknown" if context is None else str(context.codec.canonical_name)


def _named(names: Mapping[int, str], code: int) -> str:
    return names.get(code, "unspecified" if code in _UNSAID else str(code))
