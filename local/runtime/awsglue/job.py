"""`Job`: the begin and end of a job run. Bookmarks, its purpose on AWS, are not kept."""

from typing import Any


class Job:
    """One job run; `init` and `commit` frame it as on AWS."""

    def __init__(self, glue_context_or_spark_session: Any) -> None:
        self._context = glue_context_or_spark_session
        self._name: str | None = None

    @classmethod
    def continuation_options(cls) -> list[str]:
        """The old name of the bookmark option, and its values."""
        return ["--continuation-option", "continuation-enabled", "continuation-readonly", "continuation-ignore"]

    @classmethod
    def job_bookmark_options(cls) -> list[str]:
        """The bookmark option and its values."""
        return ["--job-bookmark-option", "job-bookmark-enable", "job-bookmark-pause", "job-bookmark-disable"]

    @classmethod
    def job_bookmark_range_options(cls) -> list[str]:
        """The options of a paused bookmark."""
        return ["--job-bookmark-from", "--job-bookmark-to"]

    @classmethod
    def id_params(cls) -> list[str]:
        """The arguments by which Glue tells a script what it runs as."""
        return ["--JOB_NAME", "--JOB_ID", "--JOB_RUN_ID", "--SECURITY_CONFIGURATION"]

    @classmethod
    def encryption_type_options(cls) -> list[str]:
        """The encryption option and its value."""
        return ["--encryption-type", "sse-s3"]

    @classmethod
    def data_lineage_options(cls) -> list[str]:
        """The lineage option."""
        return ["--enable-data-lineage"]

    def init(self, job_name: str, args: dict[str, Any] = {}) -> None:  # noqa: B006 - the signature of awsglue
        """Begin the run. Raises NotImplementedError if a bookmark is asked for."""
        if args.get("job_bookmark_option") in ("job-bookmark-enable", "job-bookmark-pause"):
            raise NotImplementedError(f"the local cloud keeps no job bookmarks ({args['job_bookmark_option']})")
        self._name = job_name

    def isInitialized(self) -> bool:
        """Whether `init` was called."""
        return self._name is not None

    def commit(self) -> None:
        """End the run."""
