"""Packets reduced to what they code, the same bytes whatever container carried them.

H.264 and HEVC come as NAL units with length prefixes (MP4, Matroska) or start codes (MPEG-TS, raw); parameter sets and
access-unit delimiters come and go with the container, and so do the encoder's comments (user data SEI), which some
containers keep beside the parameter sets. AAC comes with or without an ADTS header before each frame.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

_LONG_START_CODE = b"\x00\x00\x00\x01"
_START_CODE = re.compile(rb"\x00\x00\x01")
_H264_LEFT_OUT, _H264_SEI = frozenset({7, 8, 9}), 6
_HEVC_LEFT_OUT, _HEVC_SEI = frozenset({32, 33, 34, 35}), 39
_USER_DATA_UNREGISTERED = 5
_ADTS_PROTECTED, _ADTS_PLAIN = 9, 7

Reducer = Callable[[bytes], Iterator[bytes]]


def reducer(stream: Any) -> Reducer:
    """What turns a packet of this PyAV stream into its coded units, in order."""
    codec = stream.codec_context.codec.canonical_name
    extradata = stream.codec_context.extradata or b""
    if codec == "h264":
        return _nal_reducer(extradata, 4, _left_out_of_h264)
    if codec == "hevc":
        return _nal_reducer(extradata, 21, _left_out_of_hevc)
    return _without_adts if codec == "aac" else _whole


def _nal_reducer(extradata: bytes, length_at: int, left_out: Callable[[bytes], bool]) -> Reducer:
    # A configuration record (ISO/IEC 14496-15) starts with version 1; start codes begin with zeros.
    prefixed = len(extradata) > length_at and extradata[0] == 1
    prefix = (extradata[length_at] & 3) + 1 if prefixed else 0

    def reduce(packet: bytes) -> Iterator[bytes]:
        by_length = prefixed and not packet.startswith(_LONG_START_CODE)
        for unit in _by_length(packet, prefix) if by_length else _by_start_code(packet):
            if unit and not left_out(unit):
                yield unit

    return reduce


def _left_out_of_h264(unit: bytes) -> bool:
    kind = unit[0] & 0x1F
    return kind in _H264_LEFT_OUT or (kind == _H264_SEI and unit[1:2] == bytes([_USER_DATA_UNREGISTERED]))


def _left_out_of_hevc(unit: bytes) -> bool:
    kind = unit[0] >> 1 & 0x3F
    return kind in _HEVC_LEFT_OUT or (kind == _HEVC_SEI and unit[2:3] == bytes([_USER_DATA_UNREGISTERED]))


def _by_length(packet: bytes, prefix: int) -> Iterator[bytes]:
    at = 0
    while at + prefix <= len(packet):
        size = int.from_bytes(packet[at : at + prefix], "big")
        at += prefix
        yield packet[at : at + size]
        at += size


def _by_start_code(packet: bytes) -> Iterator[bytes]:
    for unit in _START_CODE.split(packet)[1:]:
        yield unit.rstrip(b"\x00")


def _without_adts(packet: bytes) -> Iterator[bytes]:
    if len(packet) > _ADTS_PROTECTED and packet[0] == 0xFF and packet[1] & 0xF6 == 0xF0:
        yield packet[_ADTS_PLAIN if packet[1] & 1 else _ADTS_PROTECTED :]
    else:
        yield packet


def _whole(packet: bytes) -> Iterator[bytes]:
    yield packet
