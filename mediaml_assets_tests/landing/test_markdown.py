"""Names and reasons are shown in Dagster as they are, whatever Markdown would make of them."""

import pytest

from mediaml_assets.landing.arrivals import Tick
from mediaml_assets.landing.sensors import events


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b.mp4", r"a\|b.mp4"),
        ("a`b`.mp4", r"a\`b\`.mp4"),
        ("the first\n| the second", r"the first \| the second"),
        ("__bold__ *a* [b](c) <img>", r"\_\_bold\_\_ \*a\* \[b\](c) \<img\>"),
        ("back\\|slash", r"back\\\|slash"),
        ("plain name.mp4", "plain name.mp4"),
    ],
)
def test_a_row_of_the_quarantine_is_one_line_of_two_cells(text: str, shown: str) -> None:
    (event,) = events(Tick([], {text: text}, quarantine_changed=True, known={}, later=[]))
    table = event.metadata["quarantine"].value
    assert isinstance(table, str)
    assert table.splitlines()[2:] == [f"| {shown} | {shown} |"]
