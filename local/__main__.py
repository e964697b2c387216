"""Start the local cloud: `python -m local --state DIR [--port N]`.

Serves every service on one port of 127.0.0.1. When ready it writes DIR/endpoint.json: {"url": …, "pid": …}.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import os
import signal
import socket
import sys
import urllib.request
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.cloud import Cloud


def main() -> int:
    """Parse the command line, serve until SIGTERM or SIGINT, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local", description="An AWS stand-in on this machine.")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder of all state (default: .local)")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: the last one, or a free one)")
    arguments = parser.parse_args()
    state: Path = arguments.state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    lock = (state / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(_already_running(state), file=sys.stderr)
        return 1
    _log_to(state / "local.log")
    listener = _listen(state, arguments.port)
    port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    leave_the_shell(url)
    configure_ministack(state, port)
    cloud = build(url, state)
    try:
        asyncio.run(serve(cloud, listener))
    finally:
        (state / "endpoint.json").unlink(missing_ok=True)
    # Worker threads may still wait for work that nobody will fetch; ending the interpreter would wait for them.
    logging.shutdown()
    os._exit(0)


def _already_running(state: Path) -> str:
    try:
        endpoint = json.loads((state / "endpoint.json").read_text(encoding="utf-8"))
        where = f" at {endpoint['url']} (pid {endpoint['pid']})"
    except (OSError, ValueError, KeyError):
        where = " (still starting)"
    return f"a local cloud already runs with the state in {state}{where}; stop it first or give another --state"


def _log_to(path: Path) -> None:
    kept = RotatingFileHandler(path, maxBytes=20_000_000, backupCount=1, encoding="utf-8")
    form = "%(asctime)s %(levelname)s [%(name)s] %(message)s"
    logging.basicConfig(handlers=[kept], level=logging.INFO, format=form)
    logging.getLogger("botocore").setLevel(logging.WARNING)


def _listen(state: Path, port: int) -> socket.socket:
    """A listening socket: on `port`, else on the last start's port so that stored addresses stay true, else any."""
    remembered = state / "port"
    wanted = [port] if port else [int(remembered.read_text()) if remembered.exists() else 0, 0]
    for candidate in wanted:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", candidate))
        except OSError:
            listener.close()
            continue
        listener.listen(512)
        remembered.write_text(str(listener.getsockname()[1]))
        return listener
    raise SystemExit(f"port {port} of 127.0.0.1 is taken; give another --port or none")


def leave_the_shell(url: str) -> None:
    """Replace what the shell says of AWS and of another Spark: jobs and Lambda functions inherit the environment."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "SPARK_", "PYSPARK_"))]:
        del os.environ[name]
    os.environ["AWS_ENDPOINT_URL"] = url


def configure_ministack(state: Path, port: int) -> None:
    """Set ministack's environment; it is read when its modules are imported."""
    os.environ.update(
        GATEWAY_PORT=str(port),
        BIND_HOST="127.0.0.1",
        MINISTACK_HOST="127.0.0.1",
        MINISTACK_ACCOUNT_ID="000000000000",
        MINISTACK_REGION="us-east-1",
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
        PERSIST_STATE="1",
        STATE_DIR=str(state / "ministack"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(state / "s3"),
    )
    os.environ.setdefault("SFN_WAIT_SCALE", "0.05")


def build(url: str, state: Path) -> Cloud:
    """A cloud with every service of this package plugged in.

    A module that adds to what another one plugs in comes after it.
    """
    from local import (
        cloudformation,
        glue,
        glue_connections,
        glue_crawlers,
        glue_data_quality,
        glue_job_definitions,
        glue_jobs,
        redshift,
        s3,
        scheduler,
        stepfunctions,
    )
    from local.cloud import Cloud

    cloud = Cloud(url, state)
    services = (
        s3,
        cloudformation,
        stepfunctions,
        scheduler,
        glue,
        glue_connections,
        glue_crawlers,
        glue_job_definitions,
        glue_jobs,
        glue_data_quality,
        redshift,
    )
    for service in services:
        service.install(cloud)
    return cloud


async def serve(cloud: Cloud, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then stop the cloud and save its state."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    ready = asyncio.create_task(_announce(cloud))
    await hypercorn_serve(cloud.application(), config, shutdown_trigger=stopping.wait)  # type: ignore[arg-type]
    ready.cancel()
    await asyncio.to_thread(cloud.stop)


async def _announce(cloud: Cloud) -> None:
    """Write endpoint.json once the cloud answers; requests before that wait in the listening socket."""
    await asyncio.to_thread(lambda: urllib.request.urlopen(f"{cloud.url}/_ministack/health", timeout=60).read())
    cloud.save_in_background()
    partial = cloud.state_dir / "endpoint.partial"
    partial.write_text(json.dumps({"url": cloud.url, "pid": os.getpid()}), encoding="utf-8")
    partial.replace(cloud.state_dir / "endpoint.json")
    print(f"the local cloud is ready at {cloud.url}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
