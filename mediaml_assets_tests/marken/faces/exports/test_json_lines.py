import json
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.marken.faces.exports.json_lines import write_json_lines

from .forms import HOSTILE, TEXTS, form


@given(st.lists(TEXTS, max_size=5))
def test_each_line_is_one_annotation_for_readers_that_split_at_any_line_break(labels: list[str]) -> None:
    forms, out = [form(number, label=label) for number, label in enumerate(labels)], BytesIO()
    assert write_json_lines([forms[:2], [], forms[2:]], out) == len(forms)
    assert [json.loads(line) for line in out.getvalue().decode().splitlines()] == forms


def test_hostile_labels_stay_what_they_are() -> None:
    out = BytesIO()
    write_json_lines([[form(label=label) for label in HOSTILE]], out)
    assert [json.loads(line)["properties"]["label"] for line in out.getvalue().split(b"\n")[:-1]] == HOSTILE
