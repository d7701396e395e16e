"""The real Dagster UI over a home with two described titles, and a real browser to look at it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mediaml_assets_tests.end_to_end.films import film

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1600,1000",
)  # fmt: skip
PATIENCE = 90
MEDIAML = Path(sys.executable).with_name("mediaml")


@dataclass(frozen=True)
class Ui:
    """A running `mediaml ui`."""

    address: str

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """One GraphQL request."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.address}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            data: dict[str, Any] = json.load(answer)["data"]
            return data


def wait(condition: Callable[[], bool], wanted: str) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f"waited {PATIENCE} s for {wanted}"
        time.sleep(0.5)


@pytest.fixture(scope="session")
def chromium() -> tuple[str, str]:
    """Paths of the browser and of its driver."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if found[0] is None or found[1] is None:
        pytest.skip("needs Chromium and its driver; `make system` prints the packages")
    return found[0], found[1]


@pytest.fixture(scope="session")
def ui(chromium: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """`mediaml ui` over a home with the titles `one` and `two`, and a file that cannot be taken."""
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, "MEDIAML_HOME": str(home)}
    film(home / "landing" / "one.mp4", 1)
    film(home / "landing" / "two.mp4", 2)
    (home / "landing" / "two words.mp4").write_text("no film")
    subprocess.run([MEDIAML, "ingest"], env=environment, check=True, capture_output=True, timeout=PATIENCE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [MEDIAML, "ui", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait(lambda: _answers(port), "the Dagster UI")
        yield Ui(f"http://127.0.0.1:{port}")
    finally:
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture
def browser(chromium: tuple[str, str], tmp_path: Path) -> Iterator[Any]:
    """A Selenium driver with a profile of its own."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium[0]
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(chromium[1]))
    yield driver
    driver.quit()
