"""The landing bucket: which media files lie below s3://name/prefix, told by one listing.

What counts is what a listing says: keys and their ETags. A listing shows the newest version of a key and leaves out
keys under a delete marker, so a versioned bucket needs nothing else; an upload shows when it is complete, so nothing
has to settle. An ETag changes with the content, and also when the same content is uploaded in other parts: that costs
one look at the file (`essence`), and nothing below it. New metadata alone keep the ETag.

Event queues (S3 -> EventBridge or SNS -> SQS) tell of single keys, late, twice or out of order, and drop what is older
than their retention. So they would only say when to look, never what lies there: the sensor would read the queue at
each tick, list only when there was a message or the last listing is ten minutes old, and delete the messages after
its cursor is stored. A listing costs one request per 1,000 keys; below some 100,000 keys it is cheaper than a queue.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from mediaml_assets.errors import InputMoved, Unreachable
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.landing.files import (
    SIDECAR_BYTES,
    LandedFile,
    Landing,
    check_sidecar_size,
    is_hidden,
    is_media,
    sidecar_of,
)
from mediaml_assets.landing.folder import LandingFolder
from mediaml_assets.ranged import BLOCK, RangedFile

_GONE = frozenset({"404", "NoSuchKey", "NotFound"})
_CHANGED = frozenset({"412", "PreconditionFailed"})
_ATTEMPTS = 3

_SIDECARS: dict[tuple[str, str], bytes] = {}
"""What was read of small sidecars, by where and ETag: a tick reads only those that changed."""
_SMALL, _MANY = 4096, 20_000


def open_landing(where: Path | str, client: Any = None) -> Landing:
    """The landing place of an installation: a folder, or a bucket for s3://name/prefix.

    Args:
        where: the folder, or the URL.
        client: a boto3 S3 client; by default one made from the environment, as `S3Resource` does.
    """
    return LandingFolder(where) if isinstance(where, Path) else LandingBucket(where, client or _client())


def upload(folder: Path, where: str) -> None:
    """Put every file below a folder (hidden ones left out) at the same place below s3://name/prefix.

    Raises:
        Unreachable: the bucket does not take them; those that are there stay.
    """
    bucket = LandingBucket(where, _client())
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder).as_posix()
        if file.is_file() and not is_hidden(path):
            with _answering(f"write {bucket.where}{path}"), file.open("rb") as stream:
                bucket.client.upload_fileobj(stream, bucket.name, bucket.prefix + path)


@cache
def _client() -> Any:
    from dagster_aws.s3 import S3Resource

    return S3Resource().get_client()


class LandingBucket:
    """The landing place of one installation on a bucket.

    Args:
        url: s3://name/prefix; keys below the prefix are the files.
        client: a boto3 S3 client.
    """

    def __init__(self, url: str, client: Any) -> None:
        name, _, prefix = url.removeprefix("s3://").partition("/")
        self.name, self.prefix, self.client = name, f"{prefix.strip('/')}/" if prefix.strip("/") else "", client

    @property
    def where(self) -> str:
        """The URL of the prefix."""
        return f"s3://{self.name}/{self.prefix}"

    def files(self) -> list[LandedFile]:
        """Every media file below the prefix, sorted by path; folder markers and hidden keys are left out."""
        from dagster_aws.s3.sensor import get_objects

        with _answering(f"list {self.where}"):
            objects = get_objects(self.name, self.prefix, client=self.client)
        listed = {str(one["Key"])[len(self.prefix) :]: one for one in objects}
        media = [path for path in sorted(listed) if is_media(path) and not path.endswith("/")]
        return [self._landed(path, listed[path], listed.get(sidecar_of(path))) for path in media]

    @staticmethod
    def _landed(path: str, listed: Mapping[str, Any], sidecar: Mapping[str, Any] | None) -> LandedFile:
        return LandedFile(
            path=path,
            size=listed["Size"],
            stamp=_etag(listed),
            modified_ns=round(listed["LastModified"].timestamp() * 1e9),
            sidecar=_etag(sidecar) if sidecar else "",
        )

    def settled(self, files: list[LandedFile]) -> list[LandedFile]:
        """All of them: an object is there when it is complete."""
        return files

    def sidecar(self, file: LandedFile) -> bytes | None:
        """What a person wrote beside a file, at most 64 KiB; None when it has gone; raises TitleRefused."""
        path = sidecar_of(file.path)
        known = (self.where + path, file.sidecar)
        if known in _SIDECARS:
            return _SIDECARS[known]
        with _answering(f"read {self.where}{path}"):
            try:
                answer = self.client.get_object(Bucket=self.name, Key=self.prefix + path)
            except self.client.exceptions.NoSuchKey:
                return None
            with closing(answer["Body"]) as body:
                text: bytes = body.read(SIDECAR_BYTES + 1)
        check_sidecar_size(file.path, len(text))
        if len(_SIDECARS) >= _MANY:
            _SIDECARS.clear()
        if len(text) <= _SMALL and _etag(answer) == file.sidecar:
            _SIDECARS[known] = text
        return text

    def is_there(self) -> bool:
        """Always: a bucket that does not answer is an error of the listing."""
        return True

    def now(self, path: str) -> tuple[int, str] | None:
        """Size and ETag of a key at this moment; None when it is gone. Raises Unreachable."""
        from botocore.exceptions import ClientError

        with _answering(f"look at {self.where}{path}"):
            try:
                head = self.client.head_object(Bucket=self.name, Key=self.prefix + path)
            except ClientError as error:
                if _code(error) in _GONE:
                    return None
                raise
        return head["ContentLength"], _etag(head)

    def media(self, path: str, size: int, stamp: str) -> MediaFile:
        """The object, read in ranges that are pinned to the ETag."""
        return _Object(self, path, size, stamp)


@dataclass(frozen=True)
class _Object:
    """One object as it was when it had this ETag."""

    bucket: LandingBucket
    path: str
    size: int
    etag: str

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    def open(self) -> BinaryIO:
        return cast(BinaryIO, BufferedReader(RangedFile(self.size, self._range, self.name), BLOCK))

    def _range(self, start: int, length: int) -> bytes:
        """The bytes [start, start + length).

        Raises:
            InputMoved: the object is gone or another one.
            Unreachable: the bucket does not answer, or denies it.
        """
        from botocore.exceptions import ClientError

        where = f"{self.bucket.where}{self.path}"
        with _answering(f"read {where}"):
            try:
                return self._body(start, length)
            except ClientError as error:
                if _code(error) in _GONE | _CHANGED:
                    raise InputMoved(f"{where} changed while it was read; the next landing tick takes it up") from error
                raise

    def _body(self, start: int, length: int) -> bytes:
        """One range; the client tries requests again, and this a body that broke off."""
        from botocore.exceptions import HTTPClientError, IncompleteReadError

        place = {"Bucket": self.bucket.name, "Key": self.bucket.prefix + self.path}
        pinned = {"IfMatch": f'"{self.etag}"', "Range": f"bytes={start}-{start + length - 1}"}
        attempts = 0
        while True:
            attempts += 1
            try:
                with closing(self.bucket.client.get_object(**place, **pinned)["Body"]) as body:
                    found: bytes = body.read()
                    return found
            except (HTTPClientError, IncompleteReadError):
                if attempts == _ATTEMPTS:
                    raise


def _etag(answer: Mapping[str, Any]) -> str:
    return str(answer["ETag"]).strip('"')


def _code(error: Any) -> str:
    return str(error.response["Error"]["Code"])


@contextmanager
def _answering(what: str) -> Iterator[None]:
    """Turn what the client raises into Unreachable."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(
            f"could not {what} ({error}); check the bucket's name, the credentials and the network, and try again"
        ) from error
