"""Make an installation ready to run: its folders, its Dagster instance, its environment."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mediaml_assets.errors import SettingsError
from mediaml_assets.settings import Home, home

if TYPE_CHECKING:
    from mediaml_assets.amber.store import Store


def prepare() -> Home:
    """The installation that the environment names, ready: folders exist and DAGSTER_HOME is set, absolute.

    Models are never fetched from a hub; a configured model is read from its folder.

    Raises:
        SettingsError: MEDIAML_LANDING is no folder. It is never made: a disk that is not mounted is no empty folder.
    """
    here = home()
    landing = [here.landing] if isinstance(here.landing, Path) else []
    if os.environ.get("MEDIAML_LANDING") and not all(folder.is_dir() for folder in landing):
        raise SettingsError(
            f"there is no folder {here.landing}, which MEDIAML_LANDING (LANDING of make) names as the landing folder; "
            "correct it, or mount the disk or make the folder"
        )
    for folder in (*landing, here.local, here.dagster, here.out):
        if not folder.exists():
            folder.mkdir(parents=True)
    settings = here.dagster / "dagster.yaml"
    if not settings.exists():
        shutil.copyfile(Path(__file__).with_name("dagster.yaml"), settings)
    os.environ["MEDIAML_HOME"] = str(here.root)
    os.environ["DAGSTER_HOME"] = str(here.dagster)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    return here


def installed_store() -> "Store":
    """The feature store of the installation that the environment names."""
    from mediaml_assets.amber.store import open_store

    here = home()
    return open_store(here.store, here.local, here.durable)
