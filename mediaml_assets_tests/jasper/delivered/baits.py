"""Files that make a careless reader open another file or call an address: one for each way that FFmpeg knows.

`BAITS` has, for each, what writes it and the options with which bare FFmpeg takes it (None where FFmpeg knows no way).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import av

OPEN_ALL = {
    "protocol_whitelist": "file,http,tcp,udp,rtp,crypto,data,subfile,concat,async,cache,httpproxy",
    "allowed_extensions": "ALL",
    "allowed_segment_extensions": "ALL",
    "extension_picky": "0",
    "safe": "0",
    "enable_drefs": "1",
    "use_absolute_path": "1",
    "rw_timeout": "300000",
}


@dataclass(frozen=True)
class Place:
    """Where a bait is laid: a folder, the film in it that nobody may open, and a port that nobody may call."""

    folder: Path
    marker: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/secret.ts"


@dataclass(frozen=True)
class Bait:
    lay: Callable[[Place], Path]
    """Writes the file to be read, and returns it."""
    careless: dict[str, str] | None = field(default_factory=lambda: OPEN_ALL)
    """Options with which bare FFmpeg takes the bait."""
    format: str | None = None
    """The demuxer that is then named, where FFmpeg would not find it by itself."""


def written(name: str, text: Callable[[Place], str]) -> Callable[[Place], Path]:
    def lay(place: Place) -> Path:
        path = place.folder / name
        path.write_text(text(place))
        return path

    return lay


def playlist(target: str, before: str = "") -> str:
    return f"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:9\n{before}#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n"


def master(target: str) -> str:
    return f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{target}\n"


def manifest(target: str) -> str:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT9S" minBufferTime="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
        '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1" codecs="avc1.42c00d" '
        f'width="320" height="180"><BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>'
    )


def session(place: Place) -> str:
    return (
        f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\na=control:{place.url}\r\n"
        "m=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    )


def vobsub(place: Place) -> Path:
    """A subtitle index, whose demuxer opens the .sub beside it."""
    (place.folder / "film.sub").symlink_to(place.marker)
    path = place.folder / "film.mp4"
    path.write_text("# VobSub index file, v7\nsize: 720x576\nid: en, index: 0\ntimestamp: 00:00:01:000, filepos: 0\n")
    return path


def package(place: Place) -> str:
    """A composition playlist (IMF), whose demuxer opens the asset map beside it."""
    (place.folder / "ASSETMAP.xml").symlink_to(place.marker)
    return (
        '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">'
        "<Id>urn:uuid:00000000-0000-0000-0000-000000000000</Id><ContentTitle>x</ContentTitle><EditRate>25 1</EditRate>"
        "<SegmentList/></CompositionPlaylist>"
    )


def sequence(place: Place) -> Path:
    """A name that is a pattern of an image sequence, beside a file that it means."""
    (place.folder / "film001.mp4").symlink_to(place.marker)
    path = place.folder / "film%03d.mp4"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    return path


def data_reference(kind: bytes) -> Callable[[Place], Path]:
    """A QuickTime film whose samples lie in another file, named by an alias record or a URL."""

    def lay(place: Place) -> Path:
        whole = bytearray(place.marker.read_bytes())
        path = _boxes(whole, [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"])
        entries = path[-1] + 16
        assert whole[entries + 4 : entries + 8] == b"url "
        body = _alias(place.marker) if kind == b"alis" else f"file://{place.marker}".encode() + b"\0"
        entry = struct.pack(">I4sI", 12 + len(body), kind, 0) + body
        old = struct.unpack(">I", whole[entries : entries + 4])[0]
        whole[entries : entries + old] = entry
        for at in path:
            size = struct.unpack(">I", whole[at : at + 4])[0]
            whole[at : at + 4] = struct.pack(">I", size + len(entry) - old)
        film = place.folder / "film.mov"
        film.write_bytes(whole)
        return film

    return lay


def _boxes(data: bytearray, names: list[bytes]) -> list[int]:
    """Places of the first box of each name, one inside the other."""
    found, at, end = [], 0, len(data)
    for name in names:
        while data[at + 4 : at + 8] != name:
            at += struct.unpack(">I", data[at : at + 4])[0]
            assert at < end, name
        found.append(at)
        end, at = at + struct.unpack(">I", data[at : at + 4])[0], at + 8
    return found


def _alias(target: Path) -> bytes:
    """A Macintosh alias record that names an absolute path."""
    path = str(target).encode()
    return (
        bytes(10) + bytes([1]) + b"x".ljust(27, b"\0") + bytes(12)
        + bytes([len(target.name)]) + target.name.encode().ljust(63, b"\0")
        + bytes(16) + struct.pack(">HH", 0, 0) + bytes(16)
        + struct.pack(">HH", 2, len(path)) + path + bytes(len(path) % 2) + struct.pack(">hH", -1, 0)
    )  # fmt: skip


def linked_segment(place: Place) -> Path:
    """A Matroska film that names the file before it and the one after it."""
    source = place.folder / "plain.mkv"
    with av.open(str(place.marker)) as given, av.open(str(source), "w") as out:
        copy = out.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.size:
                packet.stream = copy
                out.mux(packet)
    data = bytearray(source.read_bytes())
    at = data.index(b"\x15\x49\xa9\x66")
    assert data[at + 4] & 0x80 or data[at + 4] & 0x40 or data[at + 4] == 0x01
    width = 8 if data[at + 4] == 0x01 else 2 if data[at + 4] & 0x40 and not data[at + 4] & 0x80 else 1
    size = int.from_bytes(data[at + 4 : at + 4 + width], "big") & ((1 << 7 * width) - 1)
    name = str(place.marker).encode()
    names = b"".join(
        key + bytes([0x40 | len(name) >> 8, len(name) & 0xFF]) + name for key in (b"\x3c\x83\xab", b"\x3e\x83\xbb")
    )
    body = bytes(data[at + 4 + width : at + 4 + width + size]) + names
    data[at : at + 4 + width + size] = b"\x15\x49\xa9\x66" + b"\x01" + len(body).to_bytes(7, "big") + body
    film = place.folder / "film.mkv"
    film.write_bytes(data)
    return film


BAITS: dict[str, Bait] = {
    "hls_path": Bait(written("film.mp4", lambda p: playlist(str(p.marker))), format="hls"),
    "hls_named": Bait(written("film.m3u8", lambda p: playlist(str(p.marker)))),
    "hls_relative": Bait(written("film.m3u8.mp4", lambda p: playlist(p.marker.name)), format="hls"),
    "hls_file": Bait(written("film.ts", lambda p: playlist(f"file://{p.marker}")), format="hls"),
    "hls_http": Bait(written("film.mp4", lambda p: playlist(p.url)), format="hls"),
    "hls_master": Bait(written("film.mp4", lambda p: master(p.url)), format="hls"),
    "hls_key": Bait(
        written("film.mp4", lambda p: playlist(str(p.marker), f'#EXT-X-KEY:METHOD=AES-128,URI="{p.url}"\n')),
        format="hls",
    ),
    "hls_map": Bait(written("film.mp4", lambda p: playlist(p.url, f'#EXT-X-MAP:URI="{p.marker}"\n')), format="hls"),
    "hls_subfile": Bait(written("film.mp4", lambda p: playlist(f"subfile,,start,0,end,0,,:{p.marker}")), careless=None),
    "hls_concat": Bait(written("film.mp4", lambda p: playlist(f"concat:{p.marker}|{p.marker}")), careless=None),
    "concat_path": Bait(written("film.mp4", lambda p: f"ffconcat version 1.0\nfile '{p.marker}'\n")),
    "concat_relative": Bait(written("film.mkv", lambda p: f"ffconcat version 1.0\nfile '{p.marker.name}'\n")),
    "concat_file": Bait(written("film.mov", lambda p: f"ffconcat version 1.0\nfile 'file:{p.marker}'\n")),
    "concat_http": Bait(written("film.mp4", lambda p: f"ffconcat version 1.0\nfile '{p.url}'\n")),
    "concat_subfile": Bait(
        written("film.mp4", lambda p: f"ffconcat version 1.0\nfile 'subfile,,start,0,end,0,,:{p.marker}'\n")
    ),
    "dash_file": Bait(written("film.mp4", lambda p: manifest(str(p.marker))), careless=None),
    "dash_http": Bait(written("film.mp4", lambda p: manifest(p.url)), careless=None),
    "sdp": Bait(written("film.mp4", session), careless=None),
    "vobsub": Bait(vobsub),
    "imf": Bait(written("film.mxf", package), careless=None),
    "image_sequence": Bait(sequence, format="image2"),
    "quicktime_alias": Bait(data_reference(b"alis")),
    "quicktime_url": Bait(data_reference(b"url "), careless=None),
    "matroska_linked": Bait(linked_segment, careless=None),
    "ass": Bait(
        written(
            "film.mp4", lambda p: f"[Script Info]\nScriptType: v4.00+\nAudio File: {p.marker}\nVideo File: {p.url}\n"
        ),
        careless=None,
    ),
    "ttml": Bait(
        written(
            "film.mp4",
            lambda p: (
                f'<?xml version="1.0"?><!DOCTYPE tt [<!ENTITY x SYSTEM "file://{p.marker}">]>'
                f'<tt xmlns="http://www.w3.org/ns/ttml"><head><metadata src="{p.url}"/></head><body>&x;</body></tt>'
            ),
        ),
        careless=None,
    ),
}
