from collections.abc import Iterator

import pytest

from mediaml_assets_tests.amber.processes import kill_all


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    yield
    kill_all()
