"""Where the parts of an installation are, by environment and mediaml.toml."""

from pathlib import Path

import pytest

from mediaml_assets.errors import SettingsError
from mediaml_assets.settings import home


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    for name in ("MEDIAML_BUCKET", "MEDIAML_LANDING"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_everything_is_in_the_home(root: Path) -> None:
    here = home()
    assert (here.landing, here.store, here.bucket) == (root / "landing", str(root / "store"), None)


@pytest.mark.parametrize("bucket", ["s3://studio", "s3://studio/", "s3://studio/films/2026", "s3://my.studio-7"])
def test_one_setting_moves_landing_and_store_to_a_bucket(
    root: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "mediaml.toml").write_text(f'bucket = "{bucket}"\n[features.motion]\nseconds = 2\n')
    here, url = home(), bucket.rstrip("/")
    assert (here.landing, here.store, here.bucket) == (f"{url}/landing", f"{url}/store", url)
    assert (here.local, here.dagster, here.out) == (root / "local", root / "dagster", root / "out")
    assert here.feature_configs() == {"motion": {"seconds": 2}}
    (root / "mediaml.toml").unlink()
    monkeypatch.setenv("MEDIAML_BUCKET", bucket)
    assert home() == here


def test_the_environment_comes_before_the_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "mediaml.toml").write_text('bucket = "s3://archive"')
    monkeypatch.setenv("MEDIAML_BUCKET", "s3://studio")
    assert home().store == "s3://studio/store"


def test_films_may_land_elsewhere(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIAML_BUCKET", "s3://studio")
    monkeypatch.setenv("MEDIAML_LANDING", str(root / "disk"))
    assert (home().landing, home().store) == (root / "disk", "s3://studio/store")
    monkeypatch.setenv("MEDIAML_LANDING", "s3://deliveries/new/")
    assert home().landing == "s3://deliveries/new"
    monkeypatch.delenv("MEDIAML_BUCKET")
    assert (home().landing, home().store) == ("s3://deliveries/new", str(root / "store"))


@pytest.mark.parametrize(
    "wrong", ["studio", "gs://studio", "s3://", "s3:studio", "s3://Studio", "s3://a", "s3://studio//films",
              "s3://studio/a b", "s3://studio/*", "s3://studio/a?b", "s3://studio/\n"],
)  # fmt: skip
def test_what_names_no_bucket_is_said_at_once(root: Path, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIAML_BUCKET", wrong)
    with pytest.raises(SettingsError, match=r"MEDIAML_BUCKET is .*, which names no bucket; write it like s3://studio"):
        home()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bucket = 7", r"bucket in .*mediaml\.toml is '7', which names no bucket"),
        ("bucket = ", r"mediaml\.toml cannot be read"),
        ("features = 7", r"mediaml\.toml: features is no table; write \[features\]"),
        ("[features]\nmotion = 7", r"write \[features\.motion\] above the settings of motion"),
        ("store = 7", r"mediaml\.toml: store is no table"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(root: Path, text: str, says: str) -> None:
    (root / "mediaml.toml").write_text(text)
    with pytest.raises(SettingsError, match=says):
        home().feature_configs()
        home().durable  # noqa: B018
