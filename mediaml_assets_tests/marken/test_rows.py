"""What engines do alike to canonical rows."""

import pyarrow as pa

from mediaml_assets.marken.rows import last_of_each_id
from mediaml_assets_tests.marken.canonical import spots


def test_the_last_of_each_id_stays() -> None:
    rows = pa.concat_tables([spots("alpha", 3, mark=1), spots("alpha", 2, mark=2)])
    assert last_of_each_id(rows)["count"].to_pylist() == [1, 2, 2]
    assert last_of_each_id(spots("alpha", 3)).num_rows == 3
