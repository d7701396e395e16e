"""The settings of an installation, each with its one place.

MEDIAML_HOME      where everything lives (default: data/)
MEDIAML_SHARED    where development media are read by tests and benchmarks (default: ../shared)
MEDIAML_BUCKET    s3://name/prefix: films land at <bucket>/landing and the store is <bucket>/store; the home keeps what
                  concerns this machine alone. The S3 client reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION
                  and AWS_ENDPOINT_URL
MEDIAML_LANDING   the landing folder (or s3://name/prefix), when it is neither <bucket>/landing nor <home>/landing
MEDIAML_MARKEN    servers of annotations, postgresql://..., with blanks between; without any, annotations are files in
                  <bucket>/marken or <home>/marken
MEDIAML_COMPUTE   where the many small computations of one feature run (see compute.py): here by default, or on Ray
MEDIAML_TOKEN     what `mediaml serve` asks of every request; without it, it serves this machine alone
MEDIAML_DAGSTER   where the UI of the running Dagster answers (default: http://127.0.0.1:3000)
<home>/mediaml.toml
    bucket = "s3://name/prefix"     the same as MEDIAML_BUCKET, which comes first
    [store]
    durable = true      what is stored in a folder survives a power cut (default: false)
    [features.<name>]   default configuration of a feature, e.g.
    [features.shot_embedding]
    model = "hf:/models/dinov2-small"
    [marken]            the same as MEDIAML_MARKEN, which comes first, e.g.
    servers = ["postgresql://marken@one/marken", "postgresql://marken@two/marken"]
    read_servers = [...]            replicas of them, in the same order, where searches read
    [replicas]          kinds of replica of a feature, beside those that it declares, e.g.
    shot_embedding = ["delta", "iceberg"]
"""

import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediaml_assets.errors import SettingsError

_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\s?#*/]+)*")


@dataclass(frozen=True)
class Home:
    """Where the parts of one installation are."""

    root: Path
    landing: Path | str
    """A folder, or s3://name/prefix."""
    bucket: str | None = None
    """s3://name or s3://name/prefix, without a slash at its end; None for an installation in a folder."""

    @property
    def store(self) -> str:
        """Where feature values, memo, ledger and blobs are: the path of a folder, or s3://name/prefix."""
        return f"{self.bucket}/store" if self.bucket else str(self.root / "store")

    @property
    def local(self) -> Path:
        """What concerns this machine alone: scratch files, caches, which runs are alive."""
        return self.root / "local"

    @property
    def durable(self) -> bool:
        """Whether what is stored in a folder must survive a power cut; raises SettingsError."""
        return self._table("store").get("durable", False) is True

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME: runs, events, partitions."""
        return self.root / "dagster"

    @property
    def dagster_address(self) -> str:
        """Where the UI of the running Dagster answers."""
        return os.environ.get("MEDIAML_DAGSTER") or "http://127.0.0.1:3000"

    @property
    def token(self) -> str | None:
        """What the service of annotations asks of every request; None for none."""
        return os.environ.get("MEDIAML_TOKEN") or None

    @property
    def out(self) -> Path:
        """What people look at: contact sheets, pages, preview clips."""
        return self.root / "out"

    @property
    def replicas(self) -> Path:
        """Copies of feature values for other ways of reading: `<feature>/<kind>/`; can always be made again."""
        return self.root / "replicas"

    @property
    def marken(self) -> str:
        """Where annotations are kept without servers: the path of a folder, or s3://name/prefix."""
        return f"{self.bucket}/marken" if self.bucket else str(self.root / "marken")

    def marken_servers(self, which: str = "servers") -> tuple[str, ...]:
        """Addresses of the servers of annotations, in order; none where they are files. Raises SettingsError.

        Args:
            which: "servers", or "read_servers", where searches read.
        """
        if which == "servers" and (named := os.environ.get("MEDIAML_MARKEN", "").split()):
            return _servers(named, "MEDIAML_MARKEN")
        table = self._table("marken")
        unknown = sorted(set(table) - {"servers", "read_servers"})
        if unknown:
            raise SettingsError(f"{_file(self.root)}: [marken] has no {unknown[0]}; it has servers and read_servers")
        servers = table.get(which, [])
        if not isinstance(servers, list) or not all(isinstance(one, str) for one in servers):
            raise SettingsError(
                f'{_file(self.root)}: {which} in [marken] is no list; write {which} = ["postgresql://host/name"]'
            )
        return _servers(servers, f"{which} in [marken] of {_file(self.root)}")

    def replica_kinds(self) -> dict[str, tuple[str, ...]]:
        """The `[replicas]` table of mediaml.toml: feature -> kinds of replica; raises SettingsError."""
        table = self._table("replicas")
        for name, kinds in table.items():
            if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
                raise SettingsError(f'{_file(self.root)}: {name} in [replicas] is no list; write {name} = ["shards"]')
        return {name: tuple(kinds) for name, kinds in table.items()}

    def feature_configs(self) -> dict[str, dict[str, Any]]:
        """The `[features.<name>]` tables of mediaml.toml, empty when there is no such file; raises SettingsError."""
        tables = self._table("features")
        wrong = [name for name, table in tables.items() if not isinstance(table, dict)]
        if wrong:
            raise SettingsError(f"{_file(self.root)}: write [features.{wrong[0]}] above the settings of {wrong[0]}")
        return tables

    def _table(self, name: str) -> dict[str, Any]:
        """A table of mediaml.toml, empty when there is none."""
        table = _settings(self.root).get(name, {})
        if not isinstance(table, dict):
            raise SettingsError(f"{_file(self.root)}: {name} is no table; write [{name}] above its settings")
        return table


def home() -> Home:
    """The installation that the environment names; read at each call, never at import. Raises SettingsError."""
    root = Path(os.environ.get("MEDIAML_HOME") or "data").resolve()
    bucket, landing = os.environ.get("MEDIAML_BUCKET"), os.environ.get("MEDIAML_LANDING")
    if bucket:
        bucket = _url(bucket, "MEDIAML_BUCKET")
    elif (named := _settings(root).get("bucket")) is not None:
        bucket = _url(str(named), f"bucket in {_file(root)}")
    if landing and landing.startswith("s3:"):
        return Home(root, _url(landing, "MEDIAML_LANDING"), bucket)
    if landing:
        return Home(root, Path(landing).resolve(), bucket)
    return Home(root, f"{bucket}/landing" if bucket else root / "landing", bucket)


def _url(text: str, setting: str) -> str:
    url = text.rstrip("/")
    if not _BUCKET.fullmatch(url):
        raise SettingsError(
            f"{setting} is {text!r}, which names no bucket; write it like s3://studio or s3://studio/films, without "
            "blanks and any of ?#*"
        )
    return url


def _servers(addresses: Sequence[str], setting: str) -> tuple[str, ...]:
    for place, one in enumerate(addresses, start=1):
        # the address itself may hold a password
        if not one.startswith(("postgresql://", "postgres://")):
            raise SettingsError(f"server {place} of {setting} is no address; write it like postgresql://user@host/name")
    if len(set(addresses)) != len(addresses):
        raise SettingsError(f"{setting} names a server twice; name each once")
    return tuple(addresses)


def _file(root: Path) -> Path:
    return root / "mediaml.toml"


def _settings(root: Path) -> dict[str, Any]:
    """All of mediaml.toml, empty when there is no such file; raises SettingsError."""
    file = _file(root)
    if not file.exists():
        return {}
    try:
        return tomllib.loads(file.read_text())
    except (ValueError, OSError) as error:
        raise SettingsError(f"{file} cannot be read ({error}); it holds tables like [features.match_cuts]") from error
