"""What lies in the landing bucket, and what an upload, a version or a failure there means."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mediaml_assets.errors import InputMoved, Unreachable
from mediaml_assets.jasper.files import open_binary
from mediaml_assets.landing.bucket import LandingBucket
from mediaml_assets.landing.files import SIDECAR_BYTES
from mediaml_assets.ranged import BLOCK
from mediaml_assets_tests.landing.conftest import Bucket

PART = 5 * 1024 * 1024


def paths(bucket: Bucket) -> list[str]:
    return [one.path for one in bucket.place().files()]


def multipart(bucket: Bucket, path: str, parts: list[bytes]) -> None:
    at = bucket.at(path)
    upload = {**at, "UploadId": bucket.client.create_multipart_upload(**at)["UploadId"]}
    done = [
        {"PartNumber": n, "ETag": bucket.client.upload_part(**upload, PartNumber=n, Body=part)["ETag"]}
        for n, part in enumerate(parts, start=1)
    ]
    bucket.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": done})


def test_films_are_found_at_any_depth_sorted_by_path(bucket: Bucket) -> None:
    for path in ("b.mp4", "a.MKV", "show/s01/e02.mov", "show/s01/e01.webm", "a b/é.mp4"):
        bucket.put(path)
    assert paths(bucket) == ["a b/é.mp4", "a.MKV", "b.mp4", "show/s01/e01.webm", "show/s01/e02.mov"]


def test_what_is_no_media_is_left_out(bucket: Bucket) -> None:
    for path in ("a.mp4", "a.txt", "a.mp4.title.json", "mp4", "a.mp4.part", ".hidden.mp4", ".cache/b.mp4"):
        bucket.put(path)
    for marker in ("", "show/", "folder.mp4/"):
        bucket.put(marker, "")
    assert paths(bucket) == ["a.mp4"]


def test_only_keys_below_the_prefix_are_seen(bucket: Bucket) -> None:
    bucket.put("a.mp4")
    for key in ("b.mp4", "studio a/b.mp4", "studio a/landing-2/b.mp4", "studio a/landingb.mp4", "studio a/landing"):
        bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b"film")
    assert paths(bucket) == ["a.mp4"]
    everything = LandingBucket(f"s3://{bucket.name}", bucket.client)
    assert everything.where == f"s3://{bucket.name}/"
    assert len(everything.files()) == 5


@pytest.mark.slow
def test_more_keys_than_one_page_holds(bucket: Bucket) -> None:
    names = [f"film-{number:04}" for number in range(1003)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: bucket.put(f"{name}.mp4", "film"), names))
    assert paths(bucket) == [f"{name}.mp4" for name in names]
    bucket.limit = 3
    tick = bucket.look()
    assert len(tick.arrivals) == 3 and len(tick.later) == 1000
    landed = tick.arrivals[0].title
    bucket.remove(f"{landed}.mp4")
    assert bucket.arrivals()[landed] == "withdrawn"


def test_a_film_is_known_by_its_etag(bucket: Bucket) -> None:
    bucket.put("a.mp4", "film")
    [film] = bucket.place().files()
    assert (film.size, film.stamp, film.sidecar, film.refusal) == (4, bucket.stamp("a.mp4"), "", None)
    bucket.look()
    assert bucket.known == {"a.mp4": [4, bucket.stamp("a.mp4"), ""]}


def test_new_metadata_and_the_same_bytes_again_are_no_news(bucket: Bucket) -> None:
    bucket.put("a.mp4", "film")
    bucket.look()
    at = bucket.at("a.mp4")
    bucket.client.copy_object(**at, CopySource=at, Metadata={"reel": "7"}, MetadataDirective="REPLACE")
    assert bucket.client.head_object(**at)["Metadata"] == {"reel": "7"}
    assert bucket.arrivals() == {}
    bucket.put("a.mp4", "film")
    assert bucket.arrivals() == {} and bucket.generation("a") == 1


def test_the_same_bytes_in_other_parts_are_a_delivery(bucket: Bucket) -> None:
    film = bytes(2 * PART)
    multipart(bucket, "a.mp4", [film[:PART], film[PART:]])
    assert bucket.arrivals() == {"a": "computed"}
    first = bucket.stamp("a.mp4")
    assert first.endswith("-2") and bucket.arrivals() == {}
    bucket.client.put_object(**bucket.at("a.mp4"), Body=film)
    assert bucket.arrivals() == {"a": "computed"}
    assert bucket.generation("a") == 2 and bucket.source("a")["stamp"] != first


def test_an_upload_that_is_not_complete_is_not_there(bucket: Bucket) -> None:
    bucket.client.create_multipart_upload(**bucket.at("a.mp4"))
    assert bucket.arrivals() == {}


def test_the_newest_version_counts_and_a_delete_marker_withdraws(bucket: Bucket) -> None:
    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    for text in ("first cut", "second"):
        bucket.put("a.mp4", text)
    assert bucket.arrivals() == {"a": "computed"}
    assert bucket.source("a")["size"] == len("second")
    bucket.remove("a.mp4")
    assert bucket.arrivals() == {"a": "withdrawn"}
    marker = bucket.client.list_object_versions(Bucket=bucket.name)["DeleteMarkers"][0]["VersionId"]
    bucket.client.delete_object(**bucket.at("a.mp4"), VersionId=marker)
    assert bucket.arrivals() == {"a": "computed"}
    newest = bucket.client.head_object(**bucket.at("a.mp4"))["VersionId"]
    bucket.client.delete_object(**bucket.at("a.mp4"), VersionId=newest)
    assert bucket.arrivals() == {"a": "computed"} and bucket.source("a")["size"] == len("first cut")


def test_a_sidecar_is_read_once_and_up_to_its_bound(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put("any name.mp4")
    bucket.put("any name.mp4.title.json", '{"title": "rain"}')
    read = []
    get_object = bucket.client.get_object
    monkeypatch.setattr(bucket.client, "get_object", lambda **words: read.append(words) or get_object(**words))
    assert bucket.arrivals() == {"rain": "computed"}
    assert bucket.arrivals() == {} and len(read) == 1
    bucket.put("any name.mp4.title.json", '{"title": "snow"}' + " " * (SIDECAR_BYTES - 17))
    assert bucket.arrivals() == {"snow": "computed", "rain": "withdrawn"}
    bucket.put("any name.mp4.title.json", '{"title": "hail"}' + " " * (SIDECAR_BYTES - 16))
    tick = bucket.look()
    assert "the sidecar of 'any name.mp4' is larger than 64 KiB" in tick.quarantine["any name.mp4"]


def test_a_sidecar_that_goes_meanwhile_is_none(bucket: Bucket) -> None:
    bucket.put("a.mp4")
    bucket.put("a.mp4.title.json", '{"title": "gone"}')
    place = bucket.place()
    [film] = place.files()
    bucket.remove("a.mp4.title.json")
    assert place.sidecar(film) is None
    bucket.put("a.mp4.title.json", "")
    [film] = place.files()
    assert place.sidecar(film) == b""


def test_a_film_is_read_in_ranges_of_the_version_that_landed(bucket: Bucket) -> None:
    film = bytes(range(256)) * 4096
    bucket.client.put_object(**bucket.at("night.mp4"), Body=film)
    place = bucket.place()
    [landed] = place.files()
    media = place.media(landed.path, landed.size, landed.stamp)
    reader = open_binary(media)
    assert reader.read(10) == film[:10]
    reader.seek(-5, 2)
    assert reader.read() == film[-5:]
    bucket.client.put_object(**bucket.at("night.mp4"), Body=film[::-1])
    reader.seek(BLOCK)
    with pytest.raises(InputMoved, match=r"night\.mp4 changed while it was read"):
        reader.read(10)
    bucket.remove("night.mp4")
    with pytest.raises(InputMoved, match=r"night\.mp4 changed while it was read"):
        open_binary(media).read(10)


def test_an_empty_object_is_an_empty_file(bucket: Bucket) -> None:
    bucket.put("a.mp4", "")
    place = bucket.place()
    [landed] = place.files()
    assert open_binary(place.media(landed.path, landed.size, landed.stamp)).read() == b""


def test_a_body_that_breaks_off_is_asked_for_again(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ResponseStreamingError

    source = bucket.source_file()
    get_object, left = bucket.client.get_object, [2]

    class Broken:
        def read(self) -> bytes:
            raise ResponseStreamingError(error="connection broken")

        def close(self) -> None: ...

    def flaky(**words: Any) -> Any:
        left[0] -= 1
        return get_object(**words) if left[0] < 0 else {"Body": Broken()}

    monkeypatch.setattr(bucket.client, "get_object", flaky)
    assert open_binary(source.file).read() == b"a long night"
    left[0] = 3
    with pytest.raises(Unreachable, match=r"could not read s3://.*/night\.mp4 \(.*connection broken.*try again"):
        open_binary(source.file).read()


def closed_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("failure", ["no such bucket", "nobody listens", "denied"])
def test_a_bucket_that_cannot_be_listed_withdraws_nothing(
    bucket: Bucket, failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3
    from botocore.config import Config

    bucket.put("a.mp4")
    bucket.look()
    before = bucket.known
    with monkeypatch.context() as patch:
        if failure == "no such bucket":
            patch.setattr(bucket, "url", "s3://nobodys-films/landing")
        elif failure == "nobody listens":
            url = f"http://127.0.0.1:{closed_port()}"
            alone = Config(retries={"max_attempts": 0})
            keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
            patch.setattr(bucket, "client", boto3.client("s3", endpoint_url=url, config=alone, **keys))
        else:
            patch.setattr(bucket, "client", Denied(bucket.client))
        with pytest.raises(Unreachable, match=r"could not list s3://.*check the bucket's name, the credentials"):
            bucket.look()
    assert bucket.known == before
    assert bucket.arrivals() == {} and bucket.generation("a") == 1


class Denied:
    """A client whose second page of a listing is denied."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def get_paginator(self, name: str) -> Any:
        from botocore.exceptions import ClientError

        pages = self.client.get_paginator(name)

        class Pages:
            def paginate(self, **words: Any) -> Any:
                yield next(iter(pages.paginate(**words)))
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, "ListObjectsV2")

        return Pages()


def test_a_reader_whose_bucket_went_away_stores_nothing(bucket: Bucket) -> None:
    source = bucket.source_file()
    bucket.remove("night.mp4")
    bucket.client.delete_bucket(Bucket=bucket.name)
    with pytest.raises(InputMoved, match="went away while it was read"):
        source.check_unmoved()


def test_a_reader_that_is_denied_may_try_again(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError

    source = bucket.source_file()

    def denied(**words: Any) -> Any:
        raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")

    monkeypatch.setattr(bucket.client, "head_object", denied)
    with pytest.raises(Unreachable, match=r"could not look at s3://.*/night\.mp4 \(.*Forbidden.*try again"):
        source.check_unmoved()
