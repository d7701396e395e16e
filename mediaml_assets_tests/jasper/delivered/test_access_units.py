"""The same coded units from length prefixes and from start codes, with and without ADTS."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.jasper.delivered.access_units import reducer

AVCC = bytes([1, 66, 0, 30, 0xFF, 0xE0, 0])


def stream(codec: str, extradata: bytes | None) -> Any:
    context = SimpleNamespace(codec=SimpleNamespace(canonical_name=codec), extradata=extradata)
    return SimpleNamespace(codec_context=context)


# A NAL unit holds no start code, does not end in zeros, and bears a type: here slices, parameter sets and delimiters.
units = st.lists(
    st.builds(
        lambda kind, body: bytes([kind]) + body.replace(b"\x00", b"\x80") + b"\x80",
        st.sampled_from([1, 5, 6, 7, 8, 9]),
        st.binary(max_size=40),
    ),
    min_size=1,
    max_size=8,
)


@given(units, st.integers(1, 4), st.lists(st.booleans(), min_size=8, max_size=8))
def test_h264_is_the_same_in_both_forms(nals: list[bytes], length_size: int, long_code: list[bool]) -> None:
    extradata = AVCC[:4] + bytes([0xFC | length_size - 1]) + AVCC[5:]
    prefixed = b"".join(len(nal).to_bytes(length_size, "big") + nal for nal in nals)
    started = b"".join((b"\0\0\0\1" if long else b"\0\0\1") + nal for nal, long in zip(nals, long_code, strict=False))
    kept = [nal for nal in nals if nal[0] in (1, 5) or (nal[0] == 6 and nal[1] != 5)]
    assert list(reducer(stream("h264", extradata))(prefixed)) == kept
    assert list(reducer(stream("h264", None))(started)) == kept


def test_hevc_leaves_out_parameter_sets_delimiters_and_comments() -> None:
    nals = [bytes([kind << 1, 1, second, 0x80]) for kind, second in [(32, 0), (33, 0), (34, 0), (35, 0), (39, 5),
                                                                    (39, 1), (1, 9), (19, 9)]]  # fmt: skip
    packet = b"".join(b"\0\0\0\1" + nal for nal in nals)
    assert list(reducer(stream("hevc", None))(packet)) == nals[5:]


def test_adts_headers_go() -> None:
    reduce = reducer(stream("aac", None))
    payload = bytes(range(1, 40))
    assert list(reduce(bytes([0xFF, 0xF1, 0, 0, 0, 0, 0]) + payload)) == [payload]
    assert list(reduce(bytes([0xFF, 0xF0, 0, 0, 0, 0, 0, 0, 0]) + payload)) == [payload]
    assert list(reduce(payload)) == [payload]


def test_other_packets_are_whole() -> None:
    assert list(reducer(stream("vp9", None))(b"\0\0\1abc")) == [b"\0\0\1abc"]


@given(st.binary(max_size=60))
def test_damage_never_raises(packet: bytes) -> None:
    for extradata in (None, AVCC):
        assert b"".join(reducer(stream("h264", extradata))(packet)) is not None
