"""Glue crawlers: schemas really inferred from the objects, kept in the catalog.

A crawler is READY, RUNNING while it looks at objects, STOPPING while it writes down how that went, and READY again.
https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from botocore.exceptions import ClientError
from ministack.services import glue as store

from local import glue_catalog
from local.cloud import ApiError, Cloud
from local.glue_formats import UNKNOWN, CsvClassifier, FileSchema, combine, inspect_file, merge_columns, merge_serde

log = logging.getLogger("local.crawlers")

LOG_GROUP = "/aws-glue/crawlers"
FILES_SAMPLED = 20  # of a folder; a crawl must not take longer the more files a folder has
MESSAGES_READ = 10  # at a time, which is SQS's most
HELD_SECONDS = 3600  # longer than any crawl here
# https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html
CONFIGURATION = {"Version", "CrawlerOutput", "Grouping", "CreatePartitionIndex"}


class Stopped(Exception):
    """StopCrawler was called."""


def install(cloud: Cloud) -> None:
    """Answer the operations of the catalog and of crawlers."""
    glue_catalog.install(cloud)
    crawlers = Crawlers(cloud)
    operations = crawlers.operations()
    cloud.override_glue({name: glue_catalog.checked(name, operation) for name, operation in operations.items()})


class Crawlers:
    """The crawlers of one cloud: which of them run, and what they have seen."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        # Crawler name to what its last success covered: its creation time and targets. Then events suffice.
        self._covered = cloud.keep("glue-crawlers", {})
        # Not kept: after a restart nothing runs, whatever the crawler's record says.
        self._running: dict[str, Run] = {}

    def operations(self) -> dict[str, Callable[[dict], dict]]:
        """Glue operations by name."""
        return {
            "StartCrawler": self.start,
            "StopCrawler": self.stop,
            "GetCrawler": self.get,
            "GetCrawlers": self.get_all,
            "GetCrawlerMetrics": self.metrics,
        }

    def start(self, request: dict) -> dict:
        """Start a crawl; it goes on in the background."""
        crawler = self._crawler(request)
        name = crawler["Name"]
        if name in self._running:
            raise ApiError("CrawlerRunningException", f"Crawler with name {name} has already started")
        run = Run(self._cloud, dict(crawler), self._covered.get(name))
        self._running[name] = run
        # Taken back on success. Should this process be killed meanwhile, the events it holds are lost, and the next
        # crawl has to look at everything.
        self._covered.pop(name, None)
        self._cloud.background(lambda: self._crawl(run))
        return {}

    def stop(self, request: dict) -> dict:
        """Stop a crawl at the next folder."""
        name = self._crawler(request)["Name"]
        run = self._running.get(name)
        if run is None:
            raise ApiError("CrawlerNotRunningException", f"Crawler with name {name} is not running")
        if run.state == "STOPPING":
            raise ApiError("CrawlerStoppingException", f"Crawler with name {name} is stopping")
        run.state = "STOPPING"
        return {}

    def get(self, request: dict) -> dict:
        """The crawler with its state and its last crawl."""
        return {"Crawler": self._described(self._crawler(request))}

    def get_all(self, request: dict) -> dict:
        """All crawlers."""
        return {"Crawlers": [self._described(crawler) for crawler in store._crawlers.values()]}

    def metrics(self, request: dict) -> dict:
        """How long crawls took and what they changed."""
        names = request.get("CrawlerNameList") or list(store._crawlers.keys())
        return {"CrawlerMetricsList": [_metrics(store._crawlers[name]) for name in names if name in store._crawlers]}

    def _crawler(self, request: dict) -> dict:
        crawler = store._crawlers.get(request["Name"])
        if crawler is None:
            raise ApiError("EntityNotFoundException", f"Crawler with name {request['Name']} does not exist")
        return crawler

    def _described(self, crawler: dict) -> dict:
        run = self._running.get(crawler["Name"])
        shown = {key: value for key, value in crawler.items() if value not in (None, "") and key != "Metrics"}
        elapsed = run.elapsed() if run else 0
        return {**shown, "State": run.state if run else "READY", "CrawlElapsedTime": elapsed}

    def _crawl(self, run: Run) -> None:
        name = run.crawler["Name"]
        last: dict[str, Any] = {
            "LogGroup": LOG_GROUP,
            "LogStream": name,
            "MessagePrefix": run.prefix,
            "StartTime": run.started,
        }
        try:
            run.crawl()
            last["Status"] = "SUCCEEDED"
            self._covered[name] = run.covers()
        except Stopped:
            last["Status"] = "CANCELLED"
        except Exception as error:
            log.exception("crawler %s failed", name)
            last |= {"Status": "FAILED", "ErrorMessage": _message(error)}
            run.note("ERROR", last["ErrorMessage"])
        run.state = "STOPPING"
        try:
            if last["Status"] != "SUCCEEDED":
                self._take_back(run)
            run.write_log(last["Status"])
        except ClientError:
            log.exception("crawler %s: the end of a crawl", name)
        if crawler := store._crawlers.get(name):
            crawler["LastCrawl"] = last
            crawler["Metrics"] = {**run.changes, "Runtimes": [*_runtimes(crawler), run.elapsed() / 1000]}
        del self._running[name]

    def _take_back(self, run: Run) -> None:
        """Leave things as if the crawl had not been: the next one reads the same events."""
        run.release_events()
        if run.covered is not None:
            self._covered[run.crawler["Name"]] = run.covered


def _runtimes(crawler: dict) -> list[float]:
    return crawler.get("Metrics", {}).get("Runtimes", [])[-9:]


def _metrics(crawler: dict) -> dict:
    runtimes = _runtimes(crawler)
    changes = {name: count for name, count in crawler.get("Metrics", {}).items() if name != "Runtimes"}
    return {
        "CrawlerName": crawler["Name"],
        "TimeLeftSeconds": 0.0,
        "StillEstimating": False,
        "LastRuntimeSeconds": runtimes[-1] if runtimes else 0.0,
        "MedianRuntimeSeconds": sorted(runtimes)[len(runtimes) // 2] if runtimes else 0.0,
        "TablesCreated": 0,
        "TablesUpdated": 0,
        "TablesDeleted": 0,
        **changes,
    }


def _message(error: Exception) -> str:
    if isinstance(error, ClientError):
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    return str(error) or repr(error)


@dataclass(frozen=True)
class Object:
    """An object in S3."""

    bucket: str
    key: str
    size: int


@dataclass
class Folder:
    """A folder with files: a partition, or a whole table without partitions."""

    root: str  # the table's key prefix, with a slash at its end
    keys: tuple[str, ...]  # partition keys
    values: tuple[str, ...]
    prefix: str  # the folder's key prefix
    bucket: str
    files: list[Object] = field(default_factory=list)

    def location(self) -> str:
        """Where the folder lies."""
        return f"s3://{self.bucket}/{self.prefix}"


class Run:
    """One crawl."""

    def __init__(self, cloud: Cloud, crawler: dict, covered: dict | None) -> None:
        self.crawler = crawler
        self.state = "RUNNING"
        self.started = round(time.time(), 3)
        self.prefix = str(uuid.uuid4())
        self.changes = {"TablesCreated": 0, "TablesUpdated": 0, "TablesDeleted": 0}
        self._cloud = cloud
        self._glue = cloud.client("glue")
        self.covered = covered
        self._log: list[tuple[int, str]] = []
        self._queues: list[Events] = []
        self._configuration: dict = {}
        self._classifiers: list[CsvClassifier] = []
        self._policy = crawler.get("SchemaChangePolicy") or {}

    def covers(self) -> dict:
        """What a success of this crawl means: this very crawler has seen these targets."""
        return {"created": self.crawler.get("CreationTime"), "targets": self.crawler["Targets"]}

    def elapsed(self) -> int:
        """Milliseconds since the start."""
        return round((time.time() - self.started) * 1000)

    def note(self, level: str, message: str) -> None:
        """Remember a line for the crawler's log."""
        self._log.append((round(time.time() * 1000), f"[{self.prefix}] {level} : {message}"))

    def write_log(self, status: str) -> None:
        """Write the crawler's log to CloudWatch Logs."""
        self.note("BENCHMARK", f"Crawler has finished running and is in state READY, its crawl {status}")
        put_log(self._cloud, LOG_GROUP, self.crawler["Name"], self._log)

    def crawl(self) -> None:
        """Look at all targets."""
        self._configuration = _configuration(self.crawler)
        self._classifiers = [_classifier(name) for name in self.crawler.get("Classifiers") or []]
        targets = dict(self.crawler["Targets"])
        s3_targets = targets.pop("S3Targets", [])
        if others := sorted(name for name, given in targets.items() if given):
            raise NotImplementedError(f"the local cloud crawls S3 targets only, not {', '.join(others)}")
        for target in s3_targets:
            self._crawl_target(target)
        for queue in self._queues:
            queue.delete()

    def release_events(self) -> None:
        """Let the next crawl receive the events that this one has received."""
        for queue in self._queues:
            queue.release()

    def _crawl_target(self, target: dict) -> None:
        behavior = (self.crawler.get("RecrawlPolicy") or {}).get("RecrawlBehavior", "CRAWL_EVERYTHING")
        if behavior == "CRAWL_EVENT_MODE" and target.get("EventQueueArn"):
            queue = Events(self._cloud, target["EventQueueArn"])
            self._queues.append(queue)
            # Events first, the list after them: an object that arrives in between is seen twice, never missed.
            events = queue.receive()
            if self.covered == self.covers():
                self._crawl_changed(target, events)
                return
        folders = self._folders(target, self._list(target["Path"], target))
        if behavior == "CRAWL_NEW_FOLDERS_ONLY":
            folders = [folder for folder in folders if not self._known(folder)]
            self._update_tables(folders, everything=False)
        else:
            self._update_tables(folders, everything=True)
            self._handle_deleted(target, folders)

    def _crawl_changed(self, target: dict, events: list[tuple[str, str]]) -> None:
        """Look at the folders that events name, and at nothing else."""
        self.note("INFO", f"{len(events)} events since the last crawl of {target['Path']}")
        where = urlsplit(target["Path"])
        prefix = where.path.lstrip("/")
        mine = (key for bucket, key in events if bucket == where.netloc and key.startswith(prefix))
        named = sorted({key.rpartition("/")[0] for key in mine})
        objects = {item for folder in named for item in self._list(f"s3://{where.netloc}/{folder}/", target)}
        # Listing a folder lists those within it, too; only the named ones have changed.
        changed = [item for item in objects if item.key.rpartition("/")[0] in named]
        folders = self._folders(target, sorted(changed, key=lambda item: item.key))
        self._update_tables(folders, everything=False)
        filled = {folder.prefix.rstrip("/") for folder in folders}
        for folder in named:
            if folder not in filled:
                self._handle_emptied(target, where.netloc, f"{folder}/")

    def _update_tables(self, folders: list[Folder], everything: bool) -> None:
        for root in dict.fromkeys(folder.root for folder in folders):
            self._update_table([folder for folder in folders if folder.root == root], everything)

    def _list(self, path: str, target: dict) -> list[Object]:
        where = urlsplit(path)
        base = urlsplit(target["Path"]).path.lstrip("/")
        excluded = [re.compile(_glob(pattern)) for pattern in target.get("Exclusions") or []]
        pages = self._cloud.client("s3").get_paginator("list_objects_v2")
        found = []
        for page in pages.paginate(Bucket=where.netloc, Prefix=where.path.lstrip("/")):
            for item in page.get("Contents", []):
                key = item["Key"]
                hidden = any(part.startswith(("_", ".")) for part in key[len(base) :].split("/"))
                if item["Size"] and not hidden and not any(rule.fullmatch(key[len(base) :]) for rule in excluded):
                    found.append(Object(where.netloc, key, item["Size"]))
        return found

    def _folders(self, target: dict, objects: list[Object]) -> list[Folder]:
        folders: dict[str, Folder] = {}
        for item in objects:
            prefix = item.key.rpartition("/")[0]
            prefix = f"{prefix}/" if prefix else ""
            if prefix not in folders:
                folder = self._folder(target, item.bucket, prefix)
                if folder is None:
                    self.note("WARN", f"s3://{item.bucket}/{item.key} lies above the level of tables and is left out")
                    continue
                folders[prefix] = folder
            folders[prefix].files.append(item)
        return self._of_one_depth(list(folders.values()))

    def _folder(self, target: dict, bucket: str, prefix: str) -> Folder | None:
        level = self._configuration.get("Grouping", {}).get("TableLevelConfiguration")
        root = _table_root(urlsplit(target["Path"]).path.lstrip("/"), prefix, level)
        if root is None:
            return None
        keys, values = _partition(prefix[len(root) :])
        return Folder(root, keys, values, prefix, bucket)

    def _of_one_depth(self, folders: list[Folder]) -> list[Folder]:
        """A table has one set of partition keys: that of most of its folders; others are left out, and said so."""
        usual: dict[str, Counter] = {}
        for folder in folders:
            usual.setdefault(folder.root, Counter())[folder.keys] += 1
        kept = []
        for folder in folders:
            keys = usual[folder.root].most_common(1)[0][0]
            if folder.keys == keys:
                kept.append(folder)
            else:
                self.note("WARN", f"{folder.location()} has not the partition keys {list(keys)} and is left out")
        return kept

    def _inspect(self, folder: Folder) -> FileSchema:
        if self.state == "STOPPING":
            raise Stopped
        step = max(1, len(folder.files) // FILES_SAMPLED)
        schemas = [self._inspect_file(item) for item in folder.files[::step][:FILES_SAMPLED]]
        schema = combine(schemas)
        schema.files = len(folder.files)
        schema.size = sum(item.size for item in folder.files)
        if schema.classification == UNKNOWN:
            self.note("WARN", f"{folder.location()} is of no format that a classifier knows")
        return schema

    def _inspect_file(self, item: Object) -> FileSchema:
        s3 = self._cloud.client("s3")

        def read(start: int, length: int) -> bytes:
            part = f"bytes={start}-{start + length - 1}"
            return s3.get_object(Bucket=item.bucket, Key=item.key, Range=part)["Body"].read()

        return inspect_file(item.size, read, self._classifiers)

    def _update_table(self, folders: list[Folder], everything: bool) -> None:
        """Create or update one table, and its partitions `folders`; `everything` means that it has no others."""
        schemas = [self._inspect(folder) for folder in folders]
        first = folders[0]
        name = self._table_name(first)
        database = self.crawler["DatabaseName"]
        known = self._get_table(database, name)
        merged = _merged(None if everything or not first.keys else known, first.keys, schemas)
        table = _table_input(name, first, merged, self.crawler["Name"])
        if known is None:
            self._glue.create_table(DatabaseName=database, TableInput=table)
            self.changes["TablesCreated"] += 1
            self.note("INFO", f"Created table {name} in database {database}")
        elif self._policy.get("UpdateBehavior", "UPDATE_IN_DATABASE") == "LOG":
            self.note("INFO", f"Left table {name} in database {database} as it is, as the crawler's policy says")
        elif _differs(known, table):
            self._glue.update_table(DatabaseName=database, TableInput=table)
            self.changes["TablesUpdated"] += 1
            self.note("INFO", f"Updated table {name} in database {database}")
        if first.keys:
            self._update_partitions(database, name, table, list(zip(folders, schemas, strict=True)))

    def _table_name(self, folder: Folder) -> str:
        stem = folder.root.rstrip("/").rpartition("/")[2] or folder.bucket
        return (self.crawler.get("TablePrefix") or "") + re.sub(r"\W", "_", stem.lower())

    def _get_table(self, database: str, name: str) -> dict | None:
        try:
            return self._glue.get_table(DatabaseName=database, Name=name)["Table"]
        except self._glue.exceptions.EntityNotFoundException:
            return None

    def _update_partitions(self, database: str, name: str, table: dict, found: list[tuple[Folder, FileSchema]]) -> None:
        inherit = (
            self._configuration.get("CrawlerOutput", {}).get("Partitions", {}).get("AddOrUpdateBehavior")
            == "InheritFromTable"
        )
        given = [_partition_input(folder, schema, table, inherit) for folder, schema in found]
        for chunk in _chunks(given, 100):
            answer = self._glue.batch_create_partition(DatabaseName=database, TableName=name, PartitionInputList=chunk)
            taken = [tuple(error["PartitionValues"]) for error in answer.get("Errors", [])]
            again = [part for part in chunk if tuple(part["Values"]) in taken]
            entries = [{"PartitionValueList": part["Values"], "PartitionInput": part} for part in again]
            if entries:
                self._glue.batch_update_partition(DatabaseName=database, TableName=name, Entries=entries)
            added = len(chunk) - len(again)
            self.note("INFO", f"Table {name} in {database}: {added} partitions added, {len(again)} updated")

    def _known(self, folder: Folder) -> bool:
        try:
            self._glue.get_partition(
                DatabaseName=self.crawler["DatabaseName"],
                TableName=self._table_name(folder),
                PartitionValues=list(folder.values),
            )
        except self._glue.exceptions.EntityNotFoundException:
            return False
        return True

    def _handle_deleted(self, target: dict, folders: list[Folder]) -> None:
        """After a look at everything: what the catalog has of this target and S3 has no more."""
        seen = {folder.location().rstrip("/") for folder in folders}
        names = {self._table_name(folder) for folder in folders}
        for table in self._pages("get_tables", "TableList"):
            mine = table.get("Parameters", {}).get("UPDATED_BY_CRAWLER") == self.crawler["Name"]
            if not mine or not table["StorageDescriptor"]["Location"].startswith(target["Path"].rstrip("/") + "/"):
                continue
            if table["Name"] not in names:
                self._handle_deleted_table(table)
            elif table.get("PartitionKeys"):
                for part in self._pages("get_partitions", "Partitions", TableName=table["Name"]):
                    if part["StorageDescriptor"]["Location"].rstrip("/") not in seen:
                        self._handle_deleted_partition(table["Name"], part["Values"])

    def _pages(self, operation: str, member: str, **request: str) -> list[dict]:
        pages = self._glue.get_paginator(operation).paginate(DatabaseName=self.crawler["DatabaseName"], **request)
        return [item for page in pages for item in page[member]]

    def _handle_emptied(self, target: dict, bucket: str, prefix: str) -> None:
        """A folder that events name and that has no objects: a partition that is gone, if the catalog has it."""
        folder = self._folder(target, bucket, prefix)
        if folder is not None and folder.keys and self._known(folder):
            self._handle_deleted_partition(self._table_name(folder), list(folder.values))

    def _delete_behavior(self) -> str:
        return self._policy.get("DeleteBehavior", "DEPRECATE_IN_DATABASE")

    def _handle_deleted_table(self, table: dict) -> None:
        database, name, behavior = self.crawler["DatabaseName"], table["Name"], self._delete_behavior()
        self.note("INFO", f"Table {name} in database {database} has no objects any more ({behavior})")
        if behavior == "DELETE_FROM_DATABASE":
            self._glue.delete_table(DatabaseName=database, Name=name)
            self.changes["TablesDeleted"] += 1
        elif behavior == "DEPRECATE_IN_DATABASE":
            given = {key: table[key] for key in TABLE_INPUT if key in table}
            deprecated = {"DEPRECATED_BY_CRAWLER": str(round(time.time() * 1000))}
            given["Parameters"] = {**table.get("Parameters", {}), **deprecated}
            self._glue.update_table(DatabaseName=database, TableInput=given)

    def _handle_deleted_partition(self, table: str, values: list[str]) -> None:
        behavior = self._delete_behavior()
        self.note("INFO", f"Partition {values} of table {table} has no objects any more ({behavior})")
        if behavior == "DELETE_FROM_DATABASE":
            database = self.crawler["DatabaseName"]
            self._glue.delete_partition(DatabaseName=database, TableName=table, PartitionValues=values)


class Events:
    """The queue of a bucket's events that a crawler in event mode reads.

    https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html
    """

    def __init__(self, cloud: Cloud, arn: str) -> None:
        self._sqs = cloud.client("sqs")
        self._url = self._sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        self._receipts: list[str] = []

    def receive(self) -> list[tuple[str, str]]:
        """Bucket and key of each event in the queue; the messages stay until `delete`."""
        found = []
        while messages := self._receive_some():
            for message in messages:
                self._receipts.append(message["ReceiptHandle"])
                for record in json.loads(message["Body"]).get("Records", []):
                    found.append((record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])))
        return found

    def _receive_some(self) -> list[dict]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=MESSAGES_READ, VisibilityTimeout=HELD_SECONDS
        )
        return answer.get("Messages", [])

    def release(self) -> None:
        """Give back what was received: the crawl has failed."""
        for chunk in _chunks(self._receipts, MESSAGES_READ):
            entries = [
                {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for index, receipt in enumerate(chunk)
            ]
            self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
        self._receipts.clear()

    def delete(self) -> None:
        """Delete what was received: the crawl that it led to has succeeded."""
        for chunk in _chunks(self._receipts, MESSAGES_READ):
            entries = [{"Id": str(index), "ReceiptHandle": receipt} for index, receipt in enumerate(chunk)]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
        self._receipts.clear()


_LOGS = threading.Lock()


def put_log(cloud: Cloud, group: str, stream: str, lines: Iterable[tuple[int, str]]) -> None:
    """Append lines, each with its time in milliseconds since 1970, to a stream that is made if need be."""
    logs = cloud.client("logs")
    with _LOGS:
        for create in (
            lambda: logs.create_log_group(logGroupName=group),
            lambda: logs.create_log_stream(logGroupName=group, logStreamName=stream),
        ):
            try:
                create()
            except logs.exceptions.ResourceAlreadyExistsException:
                continue
    events = [{"timestamp": at, "message": text} for at, text in lines]
    for chunk in _chunks(events, 1000):
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=chunk)


# What UpdateTable takes of what GetTable gives.
TABLE_INPUT = (
    "Name",
    "Description",
    "Owner",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "TableType",
    "Parameters",
)


def _configuration(crawler: dict) -> dict:
    """The crawler's configuration; what it asks for and nothing here does fails the crawl."""
    configuration = json.loads(crawler.get("Configuration") or "{}")
    if unknown := sorted(set(configuration) - CONFIGURATION):
        raise ValueError(f"crawler configuration: unknown member {', '.join(unknown)}")
    return configuration


def _classifier(name: str) -> CsvClassifier:
    definition = store._classifiers.get(name)
    if definition is None:
        raise ValueError(f"classifier {name} does not exist")
    if "CsvClassifier" not in definition:
        raise NotImplementedError(f"classifier {name}: the local cloud has custom classifiers for CSV only")
    return CsvClassifier.of(definition["CsvClassifier"])


def _table_root(base: str, prefix: str, level: int | None) -> str | None:
    """The folder that is the table of the files in the folder `prefix`; None if they lie above `level`.

    Level 1 is the bucket. Without a level it is the folder above the first `key=value`, or the one below the target.
    """
    parts = prefix.rstrip("/").split("/") if prefix else []
    if level is not None:
        return None if len(parts) < level - 1 else "".join(f"{part}/" for part in parts[: level - 1])
    fixed = len(base.rstrip("/").split("/")) if base else 0
    for index in range(fixed, len(parts)):
        if "=" in parts[index]:
            return "".join(f"{part}/" for part in parts[:index])
    return "".join(f"{part}/" for part in parts[: fixed + 1])


def _partition(path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Partition keys and values of the path from the table to the folder; unnamed ones are partition_0 and on."""
    pairs = [part.split("=", 1) if "=" in part else (f"partition_{n}", part) for n, part in enumerate(_split(path))]
    return tuple(name.lower() for name, _ in pairs), tuple(value for _, value in pairs)


def _split(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _glob(pattern: str) -> str:
    """A regular expression for an exclude pattern of Glue: `*` stays in a folder, `**` crosses them."""
    special = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(special.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*|\?)", pattern))


def _columns(columns: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Type": kind or "string"} for name, kind in columns.items()]


def _columns_of(storage: dict) -> dict[str, str]:
    return {column["Name"]: column["Type"] for column in storage.get("Columns", [])}


def _merged(known: dict | None, keys: tuple[str, ...], schemas: list[FileSchema]) -> FileSchema:
    """A table's schema over the partitions looked at and, in `known`, those that were not."""
    merged = combine(schemas)
    if known is not None:
        classification = known.get("Parameters", {}).get("classification", UNKNOWN)
        if classification not in (UNKNOWN, merged.classification):
            # Odd files in one partition do not change what the table is.
            return _schema_of(known, merged)
        storage = known["StorageDescriptor"]
        merged.columns = merge_columns(_columns_of(storage), merged.columns)
        old = storage.get("SerdeInfo", {}).get("Parameters", {})
        merged.serde_parameters = merge_serde(merged.serde_parameters, old)
    merged.columns = {name: kind for name, kind in merged.columns.items() if name not in keys}
    return merged


def _parameters(schema: FileSchema) -> dict[str, str]:
    return {
        "classification": schema.classification,
        "compressionType": schema.compression,
        "typeOfData": "file",
        "recordCount": str(schema.rows),
        "averageRecordSize": str(round(schema.size / schema.rows) if schema.rows else 0),
        "objectCount": str(schema.files),
        "sizeKey": str(schema.size),
        **schema.parameters,
    }


def _storage(schema: FileSchema, location: str) -> dict[str, Any]:
    input_format, output_format = schema.formats
    return {
        "Columns": _columns(schema.columns),
        "Location": location,
        "InputFormat": input_format,
        "OutputFormat": output_format,
        "Compressed": schema.compression != "none",
        "NumberOfBuckets": -1,
        "SerdeInfo": _serde(schema),
        "Parameters": _parameters(schema),
        "StoredAsSubDirectories": False,
    }


def _serde(schema: FileSchema) -> dict[str, Any]:
    if not schema.serde:
        return {}
    return {"SerializationLibrary": schema.serde, "Parameters": schema.serde_parameters}


def _table_input(name: str, folder: Folder, schema: FileSchema, crawler: str) -> dict[str, Any]:
    storage = _storage(schema, f"s3://{folder.bucket}/{folder.root}")
    return {
        "Name": name,
        "Owner": "owner",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in folder.keys],
        "Parameters": {**storage["Parameters"], "UPDATED_BY_CRAWLER": crawler},
        "StorageDescriptor": storage,
    }


def _partition_input(folder: Folder, schema: FileSchema, table: dict, inherit: bool) -> dict[str, Any]:
    storage = _storage(schema, folder.location())
    if inherit:
        own = ("Columns", "InputFormat", "OutputFormat", "SerdeInfo")
        storage |= {name: table["StorageDescriptor"][name] for name in own}
    return {"Values": list(folder.values), "StorageDescriptor": storage, "Parameters": storage["Parameters"]}


def _schema_of(table: dict, seen: FileSchema) -> FileSchema:
    """The schema that a table has; only the counts are those seen now."""
    storage = table["StorageDescriptor"]
    serde = storage.get("SerdeInfo", {})
    parameters = storage.get("Parameters", {})
    counted = set(_parameters(seen))
    return FileSchema(
        parameters.get("classification", UNKNOWN),
        _columns_of(storage),
        serde.get("SerializationLibrary", ""),
        serde.get("Parameters", {}),
        {name: value for name, value in parameters.items() if name not in counted},
        parameters.get("compressionType", "none"),
        seen.rows,
        seen.size,
        seen.files,
    )


def _differs(known: dict, given: dict) -> bool:
    """Whether an update would change more than counts."""
    counts = {"recordCount", "averageRecordSize", "objectCount", "sizeKey", "compressionType"}

    def essence(table: dict) -> Any:
        storage = table["StorageDescriptor"]
        parameters = {name: value for name, value in table.get("Parameters", {}).items() if name not in counts}
        return storage["Columns"], storage["Location"], storage["SerdeInfo"], table.get("PartitionKeys"), parameters

    return essence(known) != essence(given)


def _chunks(items: list, size: int) -> Iterable[list]:
    return (items[start : start + size] for start in range(0, len(items), size))
