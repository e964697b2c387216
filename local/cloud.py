"""The frame that every service of the local cloud plugs into.

ministack has no plug-in interface, so this is the only place that reaches into its dispatch: services add
operations, CloudFormation types and stores through `Cloud` and stay free of its internals. The version is pinned
for that reason.
"""

from __future__ import annotations

import contextvars
import hashlib
import json
import logging
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from ministack import app
from ministack.core import iam_evaluator, persistence, router
from ministack.core.concurrency import run_reentrant
from ministack.services import glue
from ministack.services.cloudformation import provisioners, stacks

log = logging.getLogger("local")

Operation = Callable[[dict], dict]
Create = Callable[[str, dict, str], tuple[str, dict]]
Update = Callable[[str, dict, dict, str], tuple[str, dict]]
Delete = Callable[[str, dict], None]

ACCOUNT = "000000000000"
REGION = "us-east-1"
SAVE_EVERY_SECONDS = 3.0
# Large states save less often: at most one part in so many of the time goes into saving.
SAVE_SHARE = 20
READ_ONLY = re.compile(r"(Get|List|Describe|BatchGet|Search|Head|Receive|Poll|Query|Scan)")


SIGNED_FOR = re.compile(rb"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/")
# The services of ministack that the pipeline and its tools use; to others it often answers with an empty success.
SERVED = {
    "cloudformation",
    "dynamodb",
    "ec2",
    "ecr",
    "events",
    "glue",
    "iam",
    "kms",
    "lambda",
    "logs",
    "monitoring",
    "s3",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "states",
    "sts",
    "tagging",
}


# Whoever calls the operation that runs: the condition keys of an IAM user or an assumed role, such as
# aws:principaltag/team in lower case; None for the account itself, as whose key any other counts.
CALLER: contextvars.ContextVar[dict | None] = contextvars.ContextVar("caller", default=None)


class ApiError(Exception):
    """An error that an AWS operation answers with.

    `code` is the error's name in the service's API, `status` the HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class Cloud:
    """One running local cloud: its address, its state folder and the places where services plug in."""

    def __init__(self, url: str, state_dir: Path) -> None:
        self.url = url
        self.state_dir = state_dir
        self._stores: dict[str, dict] = {}
        self._saved: dict[Path, bytes] = {}
        self._clients: dict[str, Any] = {}
        self._clients_lock = threading.Lock()
        self._save_lock = threading.Lock()
        self._changed = threading.Event()
        self._on_stop: list[Callable[[], None]] = []
        self._glue_operations: dict[str, Operation] = {}
        self._worker_types: set[str] = set()
        self._served = set(SERVED)
        self._install_glue_dispatch()
        self._run_own_types_on_worker_threads()

    # Services -----------------------------------------------------------------------------------------------------

    def serve(self, service: str, target_prefix: str, operations: dict[str, Operation]) -> None:
        """Serve a service that speaks the AWS JSON protocol (`X-Amz-Target: <target_prefix>.<Operation>`).

        An operation takes the request's members and returns the answer's; it may block and may call the cloud
        itself. An operation that is not in the table is answered with an error that names it.
        """

        async def handle(method: str, path: str, headers: dict, body: bytes, query_params: dict) -> Any:
            name = headers.get("x-amz-target", "").rpartition(".")[2]
            caller = _principal(headers)

            def answer() -> tuple:
                CALLER.set(caller)
                return _answer(service, name, operations.get(name), body)

            return await run_reentrant(answer)

        self._served.add(service)
        app.SERVICE_HANDLERS[service] = handle
        router.SERVICE_PATTERNS[service] = {
            "target_prefixes": [target_prefix],
            "host_patterns": [re.escape(service) + r"\."],
        }

    def override_glue(self, operations: dict[str, Operation]) -> None:
        """Answer these Glue operations here instead of in ministack."""
        self._glue_operations.update(operations)

    def _install_glue_dispatch(self) -> None:
        theirs = glue._handle_request_sync

        def handle(method: str, path: str, headers: dict, body: bytes, query: dict) -> tuple:
            name = headers.get("x-amz-target", "").rpartition(".")[2]
            ours = self._glue_operations.get(name)
            return _answer("glue", name, ours, body) if ours else theirs(method, path, headers, body, query)

        glue._handle_request_sync = handle

    # CloudFormation -----------------------------------------------------------------------------------------------

    def resource(
        self, type_name: str, create: Create, update: Update | None = None, delete: Delete | None = None
    ) -> None:
        """Add or replace a CloudFormation type.

        `create(logical_id, properties, stack_name)` and `update(physical_id, old_properties, new_properties,
        stack_name)` return the physical id and the attributes of Fn::GetAtt; `delete(physical_id, properties)`
        removes the thing and passes over what is already gone. An exception fails the resource with its text.
        They run on a thread of their own and may call the cloud. Without `update`, a changed resource fails its stack.
        """

        def cannot_update(physical_id: str, _old: dict, _new: dict, _stack: str) -> tuple[str, dict]:
            raise ValueError(
                f"the local cloud cannot update {type_name} ({physical_id}); delete the stack and deploy anew"
            )

        def nothing_to_delete(_physical_id: str, _properties: dict) -> None:
            return None

        provisioners._RESOURCE_HANDLERS[type_name] = {
            "create": create,
            "update": update or cannot_update,
            "delete": delete or nothing_to_delete,
        }
        self._worker_types.add(type_name)

    def owns(self, type_name: str) -> bool:
        """Whether a CloudFormation type is one of this package's."""
        return type_name in self._worker_types

    def _run_own_types_on_worker_threads(self) -> None:
        """ministack provisions on its event loop, where a call back into the cloud would wait for itself forever."""
        theirs = stacks._runs_on_worker_thread
        stacks._runs_on_worker_thread = lambda type_name: type_name in self._worker_types or theirs(type_name)

    def application(self) -> Callable:
        """The ASGI application to serve: refuses what is not served, notes which requests may have changed state."""

        async def application(scope: dict, receive: Callable, send: Callable) -> None:
            signed = SIGNED_FOR.search(dict(scope.get("headers", [])).get(b"authorization", b""))
            if signed and signed[1].decode() not in self._served:
                await _refuse(signed[1].decode(), send)
                return
            await app.app(scope, receive, send)
            if scope["type"] == "http" and not _reads_only(scope):
                self.changed()

        return application

    # State --------------------------------------------------------------------------------------------------------

    def keep(self, name: str, store: dict) -> dict:
        """Keep `store` (JSON-able values, string keys) under the state folder; gives it filled with what was saved."""
        path = self._store_path(name)
        if path.exists():
            store.update(json.loads(path.read_text(encoding="utf-8")))
        self._stores[name] = store
        return store

    def _store_path(self, name: str) -> Path:
        return self.state_dir / "stores" / f"{name}.json"

    def changed(self) -> None:
        """Note that state worth saving has changed; it is saved within a few seconds."""
        self._changed.set()

    def save(self) -> None:
        """Write all state that differs from what is on disk."""
        with self._save_lock:
            self._changed.clear()
            for name, store in list(self._stores.items()):
                self._write(self._store_path(name), lambda store=store: json.dumps(store))
            for name, get_state in app._build_persistence_save_dict().items():
                self._write(
                    Path(persistence.STATE_DIR) / f"{name}.json", lambda n=name, g=get_state: _ministack_state(n, g)
                )

    def _write(self, path: Path, text_of: Callable[[], str | None]) -> None:
        text = _retry_while_changing(text_of)
        if text is None:
            return
        digest = hashlib.blake2b(text.encode()).digest()
        if self._saved.get(path) == digest:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
        self._saved[path] = digest

    def save_now(self) -> None:
        """Save on a thread of its own, right away."""
        threading.Thread(target=self.save, name="save now", daemon=True).start()

    def save_in_background(self) -> None:
        """Start the thread that saves soon after each change, so that a killed process loses little."""

        def loop() -> None:
            took = 0.0
            while True:
                self._changed.wait()
                time.sleep(max(SAVE_EVERY_SECONDS, SAVE_SHARE * took))
                try:
                    began = time.monotonic()
                    self.save()
                    took = time.monotonic() - began
                except Exception:
                    log.exception("saving the state failed; trying again after the next change")

        threading.Thread(target=loop, name="save", daemon=True).start()

    def on_stop(self, fn: Callable[[], None]) -> None:
        """Call `fn` when the cloud stops, last added first."""
        self._on_stop.append(fn)

    def stop(self) -> None:
        """Run what `on_stop` was given, then save."""
        for fn in reversed(self._on_stop):
            try:
                fn()
            except Exception:
                log.exception("%s failed while stopping", getattr(fn, "__qualname__", fn))
        self.save()

    # Helpers ------------------------------------------------------------------------------------------------------

    def background(self, fn: Callable[[], None]) -> None:
        """Run `fn` on a thread that keeps the account and region of the present request."""
        context = contextvars.copy_context()

        def run() -> None:
            try:
                context.run(fn)
            except Exception:
                log.exception("background work failed")
            finally:
                self.changed()

        threading.Thread(target=run, daemon=True).start()

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud. Shared between threads."""
        with self._clients_lock:
            if service not in self._clients:
                self._clients[service] = boto3.client(
                    service,
                    endpoint_url=self.url,
                    region_name=REGION,
                    aws_access_key_id="test",
                    aws_secret_access_key="test",
                    config=Config(
                        retries={"total_max_attempts": 1},
                        s3={"addressing_style": "path"},
                        inject_host_prefix=False,
                        max_pool_connections=50,
                        read_timeout=600,
                    ),
                )
            return self._clients[service]


def arn(service: str, resource: str) -> str:
    """The ARN of a resource in the local cloud's one account and region."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _reads_only(scope: dict) -> bool:
    if scope["method"] in ("GET", "HEAD"):
        return True
    target = dict(scope["headers"]).get(b"x-amz-target", b"").decode("latin-1")
    return bool(READ_ONLY.match(target.rpartition(".")[2]))


def _principal(headers: dict) -> dict | None:
    credential = iam_evaluator.resolve_credential(router.extract_access_key_id(headers, {}) or "")
    if isinstance(credential, iam_evaluator.CredentialResolutionError) or credential.principal_type == "Root":
        return None
    return iam_evaluator._principal_keys(credential)


def _answer(service: str, name: str, operation: Operation | None, body: bytes) -> tuple:
    if operation is None:
        return _error(ApiError("UnknownOperationException", f"the local cloud does not implement {service}:{name}"))
    try:
        return _json(200, operation(json.loads(body or b"{}")))
    except ApiError as error:
        return _error(error)
    except Exception as error:
        log.exception("%s:%s failed", service, name)
        return _error(ApiError("InternalServiceException", f"{service}:{name}: {error!r}", 500))


async def _refuse(service: str, send: Callable) -> None:
    """An error that names the service; ministack would take the request for one to S3."""
    status, headers, body = _error(
        ApiError("UnknownOperationException", f"the local cloud does not serve {service}", 501)
    )
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


def _error(error: ApiError) -> tuple:
    # Services differ in the case of the message's member.
    return _json(error.status, {"__type": error.code, "message": error.message, "Message": error.message})


def _json(status: int, value: dict) -> tuple:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(value, default=str).encode()


def _ministack_state(name: str, get_state: Callable[[], dict | None]) -> str | None:
    state = get_state()
    if state is None:
        return None
    return json.dumps(
        {"__ministack_format__": persistence._state_format_version(name), "payload": state},
        default=persistence._json_default,
    )


def _retry_while_changing(read: Callable[[], str | None], attempts: int = 20) -> str | None:
    """Read a store that other threads write: Python raises when a dict grows while it is read."""
    for attempt in range(attempts):
        try:
            return read()
        except RuntimeError:
            if attempt == attempts - 1:
                raise
            time.sleep(0.05)
    return None
