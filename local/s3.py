"""S3 in stacks: buckets with every property applied, and the custom resources that CDK runs as Lambda functions.

ministack's own bucket type drops encryption, lifecycle, logging, ownership and tags, and deletes a bucket with all that
is in it. Here each property goes through the S3 API, one that is not known fails the stack, and a bucket with objects
does not delete, as on AWS.
"""

from __future__ import annotations

import fnmatch
import hashlib
import io
import json
import mimetypes
import re
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError
from ministack import app
from ministack.services import s3 as ministack
from ministack.services.cloudformation import provisioners

from local.cloud import Cloud, arn

KMS_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
AUTO_DELETE_TAG = "aws-cdk:auto-delete-objects"
# DeleteObjects takes no more.
MOST_KEYS = 1000
OWNED_TAG = "aws-cdk:cr-owned"
DEPLOYMENT_PROPERTIES = {
    "ServiceToken",
    "ServiceTimeout",
    "SourceBucketNames",
    "SourceObjectKeys",
    "SourceMarkers",
    "SourceMarkersConfig",
    "DestinationBucketName",
    "DestinationBucketKeyPrefix",
    "WaitForDistributionInvalidation",
    "RetainOnDelete",
    "Prune",
    "Exclude",
    "Include",
    "OutputObjectKeys",
    "DestinationBucketArn",
}


def install(cloud: Cloud) -> None:
    """Add the bucket type and CDK's two S3 custom resources."""
    use_the_accounts_key()
    keep_keys_from_hadoop()
    buckets = Buckets(cloud)
    cloud.resource("AWS::S3::Bucket", buckets.create, buckets.update, buckets.delete)
    cleaner = AutoDelete(cloud)
    cloud.resource("Custom::S3AutoDeleteObjects", cleaner.create, cleaner.update, cleaner.delete)
    deployments = Deployments(cloud)
    cloud.resource("Custom::CDKBucketDeployment", deployments.create, deployments.update, deployments.delete)


def use_the_accounts_key() -> None:
    """`aws:kms` without a key means the account's own key for S3 on AWS, where ministack refuses the request.

    CDK publishes assets that way into the bucket of `cdk bootstrap`.
    """
    resolve = ministack._resolve_sse_write_headers

    def with_key(headers: dict, bucket: str) -> tuple:
        if headers.get("x-amz-server-side-encryption") == "aws:kms" and not headers.get(KMS_KEY):
            headers = {**headers, KMS_KEY: arn("kms", "alias/aws/s3")}
        return resolve(headers, bucket)

    ministack._resolve_sse_write_headers = with_key


def keep_keys_from_hadoop() -> None:
    """Leave an object's KMS key out of answers to s3a.

    s3a names the source's key when it copies, which is how it renames, and version 1 of the AWS SDK for Java refuses
    to send the name of a key over plain HTTP. Can go with a Hadoop that uses version 2 (3.4).
    """
    handle = app.SERVICE_HANDLERS["s3"]

    async def without_key(method: str, path: str, headers: dict, body: bytes, query_params: dict) -> Any:
        status, answered, content = await handle(method, path, headers, body, query_params)
        if "Hadoop" in headers.get("user-agent", ""):
            answered = {name: value for name, value in answered.items() if name.lower() != KMS_KEY}
        return status, answered, content

    app.SERVICE_HANDLERS["s3"] = without_key


class Buckets:
    """AWS::S3::Bucket.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._create_empty = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]["create"]

    def create(self, logical_id: str, properties: dict, stack: str) -> tuple[str, dict]:
        """Create the bucket, then apply its properties one by one."""
        named = {key: properties[key] for key in ("BucketName",) if key in properties}
        name, attributes = self._create_empty(logical_id, named, stack)
        try:
            self._apply(name, {}, properties)
        except Exception:
            self.delete(name, {})
            raise
        return name, attributes

    def update(self, name: str, old: dict, new: dict, _stack: str) -> tuple[str, dict]:
        """Apply what changed; what was dropped goes back to a new bucket's setting."""
        if new.get("BucketName", name) != name:
            raise ValueError(f"the local cloud cannot rename the bucket {name}; delete the stack and deploy anew")
        self._apply(name, old, new)
        return name, provisioners._s3_attrs(name)

    def delete(self, name: str, _properties: dict) -> None:
        """Delete the bucket; fails while it holds an object or an old version of one."""
        try:
            self.cloud.client("s3").delete_bucket(Bucket=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise

    def _apply(self, name: str, old: dict, new: dict) -> None:
        if unknown := new.keys() - APPLY.keys() - {"BucketName"}:
            raise ValueError(f"the local cloud does not implement AWS::S3::Bucket {', '.join(sorted(unknown))}")
        s3 = self.cloud.client("s3")
        for field, apply in APPLY.items():
            if field in new and old.get(field) != new[field]:
                apply(s3, name, new[field])
            elif field in old and field not in new:
                RESET[field](s3, name)


def _encryption(s3: Any, name: str, value: dict) -> None:
    rules = []
    for rule in value["ServerSideEncryptionConfiguration"]:
        rest = {key: member for key, member in rule.items() if key != "ServerSideEncryptionByDefault"}
        rules.append({"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"], **booleans(rest)})
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})


def _lifecycle(s3: Any, name: str, value: dict) -> None:
    rules = [_lifecycle_rule(rule) for rule in value["Rules"]]
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})


def _lifecycle_rule(rule: dict) -> dict:
    rule = dict(rule)
    result: dict[str, Any] = {"ID": rule.pop("Id", uuid.uuid4().hex), "Status": rule.pop("Status")}
    result["Filter"] = {"Prefix": rule.pop("Prefix", "")}
    expiration = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = int(rule.pop("ExpirationInDays"))
    if "ExpiredObjectDeleteMarker" in rule:
        expiration["ExpiredObjectDeleteMarker"] = truth(rule.pop("ExpiredObjectDeleteMarker"))
    if expiration:
        result["Expiration"] = expiration
    if "NoncurrentVersionExpiration" in rule:
        result["NoncurrentVersionExpiration"] = integers(rule.pop("NoncurrentVersionExpiration"))
    if "AbortIncompleteMultipartUpload" in rule:
        result["AbortIncompleteMultipartUpload"] = integers(rule.pop("AbortIncompleteMultipartUpload"))
    if "Transitions" in rule:
        result["Transitions"] = [
            {"StorageClass": transition["StorageClass"], "Days": int(transition["TransitionInDays"])}
            for transition in rule.pop("Transitions")
        ]
    if "NoncurrentVersionTransitions" in rule:
        result["NoncurrentVersionTransitions"] = [
            {"StorageClass": transition["StorageClass"], "NoncurrentDays": int(transition["TransitionInDays"])}
            for transition in rule.pop("NoncurrentVersionTransitions")
        ]
    if rule:
        raise ValueError(f"the local cloud does not implement {', '.join(sorted(rule))} of a lifecycle rule")
    return result


def _logging(s3: Any, name: str, value: dict) -> None:
    target = {"TargetBucket": value.get("DestinationBucketName", name), "TargetPrefix": value.get("LogFilePrefix", "")}
    s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": target})


def _notifications(s3: Any, name: str, value: dict) -> None:
    configuration: dict[str, Any] = {
        f"{kind}Configurations": [_notification(kind, entry) for entry in value[f"{kind}Configurations"]]
        for kind in ("Queue", "Topic")
        if value.get(f"{kind}Configurations")
    }
    if truth((value.get("EventBridgeConfiguration") or {}).get("EventBridgeEnabled", False)):
        configuration["EventBridgeConfiguration"] = {}
    if value.get("LambdaConfigurations"):
        raise ValueError("the local cloud does not run Lambda functions on S3 events")
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=configuration)


def _notification(kind: str, entry: dict) -> dict:
    result: dict[str, Any] = {f"{kind}Arn": entry[kind], "Events": [entry["Event"]]}
    if "Filter" in entry:
        result["Filter"] = {"Key": {"FilterRules": entry["Filter"]["S3Key"]["Rules"]}}
    return result


def _tags(s3: Any, name: str, value: list) -> None:
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": value})


def _versioning(s3: Any, name: str, value: dict) -> None:
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=value)


def _public_access(s3: Any, name: str, value: dict) -> None:
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=booleans(value))


def _ownership(s3: Any, name: str, value: dict) -> None:
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=value)


def _acl(s3: Any, name: str, value: str) -> None:
    if value == "Private":
        return  # What a bucket is anyway; setting it fails where ownership controls have switched ACLs off.
    s3.put_bucket_acl(Bucket=name, ACL=re.sub(r"(?<=[a-z])(?=[A-Z])", "-", value).lower())


APPLY: dict[str, Callable[[Any, str, Any], None]] = {
    "Tags": _tags,
    "VersioningConfiguration": _versioning,
    "BucketEncryption": _encryption,
    "PublicAccessBlockConfiguration": _public_access,
    "OwnershipControls": _ownership,
    "AccessControl": _acl,
    "LifecycleConfiguration": _lifecycle,
    "LoggingConfiguration": _logging,
    "NotificationConfiguration": _notifications,
}
RESET: dict[str, Callable[[Any, str], Any]] = {
    "Tags": lambda s3, name: s3.delete_bucket_tagging(Bucket=name),
    "VersioningConfiguration": lambda s3, name: _versioning(s3, name, {"Status": "Suspended"}),
    "BucketEncryption": lambda s3, name: s3.delete_bucket_encryption(Bucket=name),
    "PublicAccessBlockConfiguration": lambda s3, name: s3.delete_public_access_block(Bucket=name),
    "OwnershipControls": lambda s3, name: s3.delete_bucket_ownership_controls(Bucket=name),
    "AccessControl": lambda s3, name: s3.put_bucket_acl(Bucket=name, ACL="private"),
    "LifecycleConfiguration": lambda s3, name: s3.delete_bucket_lifecycle(Bucket=name),
    "LoggingConfiguration": lambda s3, name: s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={}),
    "NotificationConfiguration": lambda s3, name: _notifications(s3, name, {}),
}


class AutoDelete:
    """Custom::S3AutoDeleteObjects: empties a bucket before its stack deletes it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def create(self, _logical_id: str, properties: dict, _stack: str) -> tuple[str, dict]:
        """Remember the bucket."""
        return properties["BucketName"], {}

    def update(self, name: str, _old: dict, new: dict, _stack: str) -> tuple[str, dict]:
        """A replaced bucket is emptied when its own resource goes."""
        return new.get("BucketName", name), {}

    def delete(self, name: str, properties: dict) -> None:
        """Delete every version of every object, if the bucket still says that it may be emptied."""
        s3 = self.cloud.client("s3")
        if AUTO_DELETE_TAG in bucket_tags(s3, properties.get("BucketName", name)):
            empty(s3, properties.get("BucketName", name))


class Deployments:
    """Custom::CDKBucketDeployment: copies asset archives into a bucket, as CDK's own function does.

    https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_s3_deployment-readme.html
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def create(self, _logical_id: str, properties: dict, _stack: str) -> tuple[str, dict]:
        """Unpack the sources into the destination."""
        return f"aws.cdk.s3deployment.{uuid.uuid4()}", self._deploy(properties)

    def update(self, physical_id: str, old: dict, new: dict, _stack: str) -> tuple[str, dict]:
        """Deploy again; a destination that was left is emptied unless it is retained."""
        if _destination(old) != _destination(new):
            self.delete(physical_id, old)
        return physical_id, self._deploy(new)

    def delete(self, _physical_id: str, properties: dict) -> None:
        """Delete what stands under the destination, unless it is retained or tagged as another's."""
        if truth(properties.get("RetainOnDelete", True)):
            return
        s3 = self.cloud.client("s3")
        bucket, prefix = _destination(properties)
        if not any(tag.startswith(f"{OWNED_TAG}:{prefix}:") for tag in bucket_tags(s3, bucket)):
            delete_keys(s3, bucket, [entry["Key"] for entry in objects(s3, bucket, _under(prefix))])

    def _deploy(self, properties: dict) -> dict:
        if unknown := properties.keys() - DEPLOYMENT_PROPERTIES:
            raise ValueError(f"the local cloud does not implement {', '.join(sorted(unknown))} of a bucket deployment")
        s3 = self.cloud.client("s3")
        bucket, prefix = _destination(properties)
        wanted = {
            _under(prefix) + name: body for name, body in self._files(s3, properties) if _included(name, properties)
        }
        present = {entry["Key"]: entry["ETag"].strip('"') for entry in objects(s3, bucket, _under(prefix))}
        for key, body in wanted.items():
            if present.get(key) != hashlib.md5(body).hexdigest():
                kind = mimetypes.guess_type(key)[0] or "binary/octet-stream"
                s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind)
        if truth(properties.get("Prune", True)):
            left = [key for key in present if key not in wanted]
            skip = len(_under(prefix))
            delete_keys(s3, bucket, [key for key in left if _included(key[skip:], properties)])
        return {"DestinationBucketArn": f"arn:aws:s3:::{bucket}", "SourceObjectKeys": properties["SourceObjectKeys"]}

    def _files(self, s3: Any, properties: dict) -> Iterator[tuple[str, bytes]]:
        """Every file of every source with its markers replaced by deploy-time values."""
        sources = list(zip(properties["SourceBucketNames"], properties["SourceObjectKeys"], strict=True))
        markers = properties.get("SourceMarkers") or [{}] * len(sources)
        configurations = properties.get("SourceMarkersConfig") or [{}] * len(sources)
        for (bucket, key), values, configuration in zip(sources, markers, configurations, strict=True):
            archive = zipfile.ZipFile(io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
            for name in archive.namelist():
                if not name.endswith("/"):
                    yield name, _replace(archive.read(name), values, truth(configuration.get("jsonEscape", False)))


def _replace(body: bytes, markers: dict, json_escape: bool) -> bytes:
    for marker, value in markers.items():
        text = json.dumps(value)[1:-1] if json_escape else str(value)
        body = body.replace(marker.encode(), text.encode())
    return body


def _destination(properties: dict) -> tuple[str, str]:
    return properties["DestinationBucketName"], properties.get("DestinationBucketKeyPrefix", "").strip("/")


def _under(prefix: str) -> str:
    return f"{prefix}/" if prefix else ""


def _included(name: str, properties: dict) -> bool:
    """Excluded patterns first, then included ones bring files back, as `aws s3 sync` is called."""
    excluded = any(fnmatch.fnmatch(name, pattern) for pattern in properties.get("Exclude", []))
    return not excluded or any(fnmatch.fnmatch(name, pattern) for pattern in properties.get("Include", []))


def objects(s3: Any, bucket: str, prefix: str = "") -> list[dict]:
    """Every present object under a prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [entry for page in pages for entry in page.get("Contents", [])]


def empty(s3: Any, bucket: str) -> None:
    """Delete all versions and delete markers in a bucket; a bucket that is gone is empty."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    # All are listed before any goes: ministack loses its place when the version that ended a page is gone.
    entries = [
        {"Key": entry["Key"], "VersionId": entry["VersionId"]}
        for page in pages
        for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    ]
    _delete(s3, bucket, entries)


def delete_keys(s3: Any, bucket: str, keys: list[str]) -> None:
    """Delete present objects."""
    _delete(s3, bucket, [{"Key": key} for key in keys])


def _delete(s3: Any, bucket: str, entries: list[dict]) -> None:
    for start in range(0, len(entries), MOST_KEYS):
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": entries[start : start + MOST_KEYS], "Quiet": True})
        if errors := answer.get("Errors"):
            raise ValueError(f"could not delete {errors[0]['Key']} of {bucket}: {errors[0].get('Message')}")


def bucket_tags(s3: Any, bucket: str) -> set[str]:
    """The keys of a bucket's tags; none when there are no tags or there is no bucket."""
    try:
        return {tag["Key"] for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchTagSet", "NoSuchBucket"):
            return set()
        raise


def truth(value: Any) -> bool:
    """A boolean of a template; custom resources get them as text."""
    return str(value).lower() == "true"


def booleans(values: dict) -> dict:
    """A structure whose members are all booleans."""
    return {key: truth(value) for key, value in values.items()}


def integers(values: dict) -> dict:
    """A structure whose members are all whole numbers."""
    return {key: int(value) for key, value in values.items()}
