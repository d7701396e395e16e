"""Ceph's S3 gateway on loopback, where its programs are installed: one monitor, one OSD in memory, one gateway."""

import itertools
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import which
from typing import Any

import pytest

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "monmaptool")
_COUNT = itertools.count(1)


@pytest.fixture(scope="session")
def radosgw_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the gateway; skips where a program of Ceph is missing."""
    missing = [program for program in PROGRAMS if which(program) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} here; install ceph-mon, ceph-osd, ceph-common and radosgw")
    with _cluster(tmp_path_factory.mktemp("ceph")) as url:
        yield url


@pytest.fixture
def radosgw_bucket(radosgw_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket of the gateway, which the environment names."""
    import boto3

    environment = {
        "AWS_ENDPOINT_URL": radosgw_server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    bucket = f"bucket-{next(_COUNT)}"
    boto3.client("s3").create_bucket(Bucket=bucket)
    return bucket


@contextmanager
def _cluster(folder: Path) -> Iterator[str]:
    with ExitStack() as stack:
        yield _start(folder, stack)


def _start(folder: Path, stack: ExitStack) -> str:
    port, gateway = _free_port(), _free_port()
    cluster = str(uuid.uuid4())
    (folder / "osd").mkdir()
    conf = folder / "ceph.conf"
    conf.write_text(f"""
[global]
fsid = {cluster}
mon_initial_members = a
mon_host = v1:127.0.0.1:{port}
ms_bind_msgr2 = false
public_network = 127.0.0.0/8
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
mon_allow_pool_size_one = true
osd_crush_chooseleaf_type = 0
osd_objectstore = memstore
memstore_device_bytes = 2147483648
run_dir = {folder}
admin_socket = {folder}/$name.asok
log_file = {folder}/$name.log
mon_data = {folder}/mon
mon_data_avail_crit = 1
mon_data_avail_warn = 1
osd_data = {folder}/osd
rgw_data = {folder}/rgw
rgw_frontends = beast endpoint=127.0.0.1:{gateway}
rgw_s3_auth_use_keystone = false
rgw_gc_obj_min_wait = 60
""")

    def call(*command: str) -> str:
        done = subprocess.run(
            [command[0], "-c", str(conf), *command[1:]], capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    def serve(*command: str) -> "subprocess.Popen[bytes]":
        log = stack.enter_context((folder / f"{command[0]}.out").open("ab"))
        process = subprocess.Popen([command[0], "-c", str(conf), "-f", *command[1:]], stdout=log, stderr=log)
        stack.callback(_end, process)
        return process

    def up() -> bool:
        return "1 up" in call("ceph", "--connect-timeout", "5", "osd", "stat")

    monmap = str(folder / "monmap")
    subprocess.run(
        ["monmaptool", "--create", "--clobber", "--fsid", cluster, "--addv", "a", f"[v1:127.0.0.1:{port}]", monmap],
        capture_output=True,
        check=True,
    )
    call("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
    serve("ceph-mon", "-i", "a")
    _until(lambda: "quorum" in call("ceph", "--connect-timeout", "5", "quorum_status"))
    osd = str(uuid.uuid4())
    call("ceph", "osd", "new", osd)
    call("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
    for left in (2, 1, 0):
        osd_process = serve("ceph-osd", "-i", "0")
        try:
            _until(up, seconds=20)
            break
        except TimeoutError:
            # on a busy machine it may ask the monitor before it knows the cluster's id, and then waits for ever
            if not left:
                raise
            _end(osd_process)
    call("radosgw-admin", "user", "create", "--uid=test", "--display-name=test", "--access-key=key", "--secret=secret")
    serve("radosgw", "-n", "client.rgw")
    _until(lambda: _answers(gateway))
    return f"http://127.0.0.1:{gateway}"


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


def _until(done: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if done():
                return
        except (OSError, subprocess.SubprocessError):
            pass
        if time.monotonic() > deadline:
            raise TimeoutError("Ceph does not start")
        time.sleep(0.2)


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
