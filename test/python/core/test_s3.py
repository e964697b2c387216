"""S3 as Spark's s3a, boto3 and the workflow use it."""

from __future__ import annotations

import hashlib
import random
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from running_cloud import RunningCloud

BUCKET = "s3-semantics"
MIB = 1 << 20


@pytest.fixture(scope="module")
def s3(cloud: RunningCloud) -> Iterator[Any]:
    client = cloud.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client


@pytest.fixture(scope="module")
def large(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """12 MiB, uploaded in parts as `large`."""
    content = random.Random(1).randbytes(12 * MIB)
    path: Path = tmp_path_factory.mktemp("s3") / "large"
    path.write_bytes(content)
    parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_file(str(path), BUCKET, "large", Config=parts)
    return content


def body(s3: Any, key: str, **arguments: Any) -> bytes:
    return s3.get_object(Bucket=BUCKET, Key=key, **arguments)["Body"].read()


def test_a_multipart_upload_becomes_one_object(s3: Any, large: bytes) -> None:
    head = s3.head_object(Bucket=BUCKET, Key="large")
    assert head["ContentLength"] == len(large)
    assert head["ETag"].endswith('-3"')
    assert hashlib.md5(body(s3, "large")).digest() == hashlib.md5(large).digest()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("bytes=100-199", slice(100, 200)), ("bytes=-50", slice(-50, None)), ("bytes=12582900-", slice(12582900, None))],
)
def test_ranges(s3: Any, large: bytes, asked: str, expected: slice) -> None:
    answer = s3.get_object(Bucket=BUCKET, Key="large", Range=asked)
    assert answer["Body"].read() == large[expected]
    assert answer["ContentRange"].endswith(f"/{len(large)}")


def test_a_range_behind_the_end_is_an_error(s3: Any, large: bytes) -> None:
    with pytest.raises(ClientError, match="InvalidRange"):
        body(s3, "large", Range=f"bytes={len(large)}-")


def test_an_aborted_upload_leaves_nothing(s3: Any) -> None:
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="aborted")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="aborted", UploadId=upload, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(Bucket=BUCKET, Key="aborted", UploadId=upload)
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="aborted")


def test_lists_are_sorted_paged_and_grouped(s3: Any) -> None:
    for number in range(25):
        s3.put_object(Bucket=BUCKET, Key=f"list/{number % 5}/{number:02}", Body=b"x")
    pages = list(
        s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="list/", PaginationConfig={"PageSize": 10})
    )
    keys = [entry["Key"] for page in pages for entry in page["Contents"]]
    assert (len(pages), len(keys), keys) == (3, 25, sorted(keys))
    grouped = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/", Delimiter="/")
    assert [entry["Prefix"] for entry in grouped["CommonPrefixes"]] == [f"list/{number}/" for number in range(5)]
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="list/", StartAfter="list/4/")["KeyCount"] == 5
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="list/nothing")


def test_keys_of_partitions_and_folders(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="p/ingest_date=2024-01-01/a b+c.csv", Body=b"1")
    s3.put_object(Bucket=BUCKET, Key="p/ingest_date=2024-01-01/", Body=b"")
    assert body(s3, "p/ingest_date=2024-01-01/a b+c.csv") == b"1"
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="p/ingest_date=2024-01-01/")["Contents"]
    assert [(entry["Key"][-9:], entry["Size"]) for entry in listed] == [("24-01-01/", 0), ("a b+c.csv", 1)]


def test_a_key_and_a_folder_of_one_name(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="both", Body=b"object")
    s3.put_object(Bucket=BUCKET, Key="both/inside", Body=b"inside")
    assert (body(s3, "both"), body(s3, "both/inside")) == (b"object", b"inside")


def test_copy_keeps_content_and_metadata(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="from/d=1/x", Body=b"1", Metadata={"m": "v"}, ContentType="text/csv")
    s3.copy_object(Bucket=BUCKET, Key="to", CopySource=f"{BUCKET}/from/d=1/x")
    copied = s3.get_object(Bucket=BUCKET, Key="to")
    assert (copied["Body"].read(), copied["Metadata"], copied["ContentType"]) == (b"1", {"m": "v"}, "text/csv")


def test_deleting_many_tells_nothing_of_what_was_absent(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="gone", Body=b"1")
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "gone"}, {"Key": "never there"}]})
    assert sorted(entry["Key"] for entry in answer["Deleted"]) == ["gone", "never there"]
    with pytest.raises(ClientError, match="NoSuchKey"):
        body(s3, "gone")


def test_versions_keep_what_was_replaced(s3: Any) -> None:
    s3.create_bucket(Bucket="s3-versions")
    s3.put_bucket_versioning(Bucket="s3-versions", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="s3-versions", Key="k", Body=b"1")["VersionId"]
    s3.put_object(Bucket="s3-versions", Key="k", Body=b"2")
    s3.delete_object(Bucket="s3-versions", Key="k")
    assert "Contents" not in s3.list_objects_v2(Bucket="s3-versions")
    assert s3.get_object(Bucket="s3-versions", Key="k", VersionId=first)["Body"].read() == b"1"


def test_a_conditional_put_does_not_replace(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="once", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=BUCKET, Key="once", Body=b"2", IfNoneMatch="*")


def test_missing_things_have_their_errors(s3: Any) -> None:
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=BUCKET, Key="absent")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.list_objects_v2(Bucket="no-such-bucket")


@pytest.mark.parametrize(("agent", "told"), [("Boto3/1", True), ("Hadoop 3.3.4, aws-sdk-java/1.12.262", False)])
def test_a_kms_key_is_named_but_not_to_hadoop(cloud: RunningCloud, s3: Any, agent: str, told: bool) -> None:
    s3.put_object(Bucket=BUCKET, Key="encrypted", Body=b"1", ServerSideEncryption="aws:kms", SSEKMSKeyId="key")
    request = urllib.request.Request(f"{cloud.url}/{BUCKET}/encrypted", method="HEAD", headers={"User-Agent": agent})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.headers["x-amz-server-side-encryption"] == "aws:kms"
        assert ("x-amz-server-side-encryption-aws-kms-key-id" in answer.headers) == told
