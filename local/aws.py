"""The local AWS: MiniStack started bare, and the project's template built and deployed to it."""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from threading import Thread

import urllib3

from local.environment import (
    LOOPBACK,
    REGION,
    ROOT,
    Home,
    Wheels,
    for_aws_tools,
    free_port,
    program,
    without_aws,
)
from local.processes import Child, run, start, wait_until

PREFERRED_PORT = 4570
_START_SECONDS = 60
_BUILD_SECONDS = 300
_DEPLOY_SECONDS = 180


def start_ministack(home: Home) -> tuple[Child, str]:
    """Start the local AWS with nothing in it; returns it and its endpoint.

    Functions inherit its environment, so it gets only what it needs: a variable that the template
    forgot must be missing here too.

    Raises:
        StepFailed: it does not answer.
    """
    _discard(home.ministack)
    (home.ministack / "tmp").mkdir(parents=True)
    port = free_port(PREFERRED_PORT)
    child = start(
        "ministack",
        [program("ministack", "python"), "-m", "ministack"],
        environment=_bare(port, home),
        log=home.log("ministack"),
        notes=home.running,
    )
    endpoint = f"http://{LOOPBACK}:{port}"
    try:
        wait_until(child, lambda: _healthy(endpoint), seconds=_START_SECONDS)
    except BaseException:
        child.stop()
        raise
    return child, endpoint


def build(home: Home, wheels: Wheels = "host") -> Path:
    """Build the template, unless what went into it is unchanged; returns the layer's folder.

    Raises:
        StepFailed: with the build's log.
    """
    folder = home.build(wheels)
    digest, done = _digest(), folder / "built-from"
    if done.exists() and done.read_text() == digest:
        return folder / "CoreLayer"
    shutil.rmtree(folder, ignore_errors=True)
    path = f"{Path(program('sam', 'sam')).parent}:{without_aws().get('PATH', '')}"
    run(
        "sam build",
        [program("sam", "sam"), "build", "--config-env", "local", "--build-dir", str(folder)],
        environment={**_sam(home, "http://unused.invalid"), "PATH": path, "WHEELS": wheels},
        log=home.log(f"build-{wheels}"),
        seconds=_BUILD_SECONDS,
    )
    done.write_text(digest)
    return folder / "CoreLayer"


def deploy(home: Home, endpoint: str, parameters: Mapping[str, str]) -> None:
    """Deploy what was built.

    Args:
        parameters: the template's, beside Footprint=local.

    Raises:
        StepFailed: with the deployment's log.
    """
    overrides = [f"{name}={value}" for name, value in {"Footprint": "local", **parameters}.items()]
    command = [program("sam", "sam"), "deploy", "--config-env", "local"]
    command += ["--config-file", str(ROOT / "samconfig.toml")]
    command += ["--template-file", str(home.build("host") / "template.yaml")]
    command += ["--parameter-overrides", *overrides]
    run(
        "sam deploy",
        command,
        environment=_sam(home, endpoint),
        log=home.log("deploy"),
        seconds=_DEPLOY_SECONDS,
    )


def _discard(folder: Path) -> None:
    """Take a folder away at once, delete it meanwhile: it holds many copies of the layer."""
    if folder.exists():
        folder.rename(Path(tempfile.mkdtemp(prefix="discarded.", dir=folder.parent)) / folder.name)
    for discarded in folder.parent.glob("discarded.*"):
        Thread(target=shutil.rmtree, args=(discarded,), kwargs={"ignore_errors": True}).start()


def _bare(port: int, home: Home) -> Mapping[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home.ministack),
        "TMPDIR": str(home.ministack / "tmp"),
        "LANG": "C.UTF-8",
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "S3_DATA_DIR": str(home.ministack / "s3"),
        "STATE_DIR": str(home.ministack / "state"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def _sam(home: Home, endpoint: str) -> Mapping[str, str]:
    return {
        **for_aws_tools(endpoint),
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.3",
        "__SAM_CLI_APP_DIR": str(home.path / "sam"),
        "PYTHONWARNINGS": "ignore",
    }


def _healthy(endpoint: str) -> bool | None:
    try:
        answer = urllib3.request("GET", f"{endpoint}/_ministack/health", retries=False, timeout=1)
    except urllib3.exceptions.HTTPError:
        return None
    return True if answer.status == 200 else None


def _digest() -> str:
    """Of everything that `sam build` reads or depends on; the functions are packed by deploy."""
    files = [ROOT / "template.yaml", ROOT / "requirements" / "sam.txt"]
    files += sorted(
        path
        for path in (ROOT / "layers").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.relative_to(ROOT)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
