"""What the Glue tests share: a bucket, a database and crawlers of their own on the shared local cloud."""

from __future__ import annotations

import json
import uuid
from typing import Any

from running_cloud import RunningCloud, wait_for

ROLE = "arn:aws:iam::000000000000:role/test"
ONE_TABLE_A_FOLDER = {
    "Version": 1.0,
    "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": 3},
}
TEXT_FORMATS = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
}


class Lake:
    """A bucket, a Glue database of the same name, and what tests do with them."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.cloud = cloud
        self.name = f"lake-{uuid.uuid4().hex[:8]}"
        self.glue = cloud.client("glue")
        self.s3 = cloud.client("s3")
        self.s3.create_bucket(Bucket=self.name)
        self.glue.create_database(DatabaseInput={"Name": self.name})

    def put(self, key: str, body: bytes | str) -> None:
        """Put an object."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=body.encode() if isinstance(body, str) else body)

    def keys(self, prefix: str = "") -> list[str]:
        """The keys under a prefix."""
        return [o["Key"] for o in self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])]

    def crawler(self, configuration: dict | None = None, **members: Any) -> str:
        """Create a crawler of raw/ and return its name."""
        name = f"crawler-{uuid.uuid4().hex[:8]}"
        target = {"Path": f"s3://{self.name}/raw/", **members.pop("target", {})}
        self.glue.create_crawler(
            Name=name,
            Role=ROLE,
            DatabaseName=self.name,
            Targets={"S3Targets": [target]},
            SchemaChangePolicy=members.pop("policy", {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"}),
            Configuration=json.dumps(ONE_TABLE_A_FOLDER if configuration is None else configuration),
            **members,
        )
        return name

    def csv_classifier(self, **members: Any) -> str:
        """Create the classifier that the pipeline has: a header, commas, quotes."""
        name = f"csv-{uuid.uuid4().hex[:8]}"
        given = {"Name": name, "ContainsHeader": "PRESENT", "Delimiter": ",", "QuoteSymbol": '"', **members}
        self.glue.create_classifier(CsvClassifier=given)
        return name

    def crawl(self, crawler: str) -> dict:
        """Run a crawler and return its last crawl."""
        self.glue.start_crawler(Name=crawler)
        wait_for(lambda: self.state(crawler) == "READY", 30, f"crawler {crawler}")
        return self.glue.get_crawler(Name=crawler)["Crawler"]["LastCrawl"]

    def state(self, crawler: str) -> str:
        """The crawler's state."""
        return self.glue.get_crawler(Name=crawler)["Crawler"]["State"]

    def columns(self, table: str) -> dict[str, str]:
        """A table's columns and their types, in order."""
        return _columns(self.table(table))

    def table(self, table: str) -> dict:
        """A table of the catalog."""
        return self.glue.get_table(DatabaseName=self.name, Name=table)["Table"]

    def partition_columns(self, table: str, *values: str) -> dict[str, str]:
        """A partition's own columns and their types, in order."""
        return _columns(self.partition(table, *values))

    def partition(self, table: str, *values: str) -> dict:
        """A partition of the catalog."""
        answer = self.glue.get_partition(DatabaseName=self.name, TableName=table, PartitionValues=list(values))
        return answer["Partition"]

    def csv_table(self, name: str, columns: list[str], files: dict[str, bytes | str], **serde: str) -> None:
        """A table as the workflow makes one for a batch: text columns, OpenCSVSerDe, one partition, header lines."""
        for file, body in files.items():
            self.put(f"raw/{name}/ingest_date=2024-01-01/{file}", body)
        parameters = {"separatorChar": ",", "quoteChar": '"', "escapeChar": "\\", **serde}
        library = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
        storage = {
            **TEXT_FORMATS,
            "Columns": [{"Name": column, "Type": "string"} for column in columns],
            "SerdeInfo": {"SerializationLibrary": library, "Parameters": parameters},
            "Location": f"s3://{self.name}/raw/{name}/",
        }
        self.glue.create_table(
            DatabaseName=self.name,
            TableInput={
                "Name": name,
                "StorageDescriptor": storage,
                "PartitionKeys": [{"Name": "ingest_date", "Type": "string"}],
                "Parameters": {"classification": "csv", "skip.header.line.count": "1"},
            },
        )
        location = f"s3://{self.name}/raw/{name}/ingest_date=2024-01-01/"
        part = {"Values": ["2024-01-01"], "StorageDescriptor": {**storage, "Location": location}}
        self.glue.create_partition(DatabaseName=self.name, TableName=name, PartitionInput=part)


def _columns(described: dict) -> dict[str, str]:
    return {column["Name"]: column["Type"] for column in described["StorageDescriptor"]["Columns"]}
