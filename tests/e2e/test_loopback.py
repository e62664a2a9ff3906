"""Whatever the local deployment starts listens on loopback alone."""

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.environment import Home
from local.stack import Stack

pytestmark = pytest.mark.e2e

LISTEN = "0A"
PROC = Path("/proc")


def test_nothing_listens_beyond_loopback(stack: Stack, home: Home) -> None:
    if not PROC.joinpath("net/tcp").exists():
        pytest.skip("sockets are read from /proc, which only Linux has")
    owned = {inode for pid in _processes(home) for inode in _sockets(pid)}

    addresses = [address for inode, address in _listening() if inode in owned]

    assert len(addresses) >= 5, "database, local AWS, two venues and the issuer's keys"
    assert {address for address in addresses if not _is_loopback(address)} == set()


def _processes(home: Home) -> set[int]:
    """This process and all below it, and the database, which is nobody's child."""
    found = {os.getpid(), int((home.postgres / "postmaster.pid").read_text().split()[0])}
    parents = dict(_parents())
    grown = True
    while grown:
        below = {pid for pid, parent in parents.items() if parent in found}
        grown = not below <= found
        found |= below
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for folder in PROC.glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        yield int(folder.name), int(after_name[1])


def _sockets(pid: int) -> Iterator[str]:
    """The inodes of a process's sockets; none if it has ended meanwhile."""
    try:
        for descriptor in (PROC / str(pid) / "fd").iterdir():
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                yield target.removeprefix("socket:[").removesuffix("]")
    except OSError:
        return


def _listening() -> Iterator[tuple[str, str]]:
    """Inode and address of every listening TCP socket."""
    for table in ("tcp", "tcp6"):
        for line in (PROC / "net" / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN:
                yield fields[9], _address(fields[1].split(":")[0])


def _address(words: str) -> str:
    """From hexadecimal words of 32 bits in this machine's byte order."""
    packed = b"".join(
        struct.pack("=I", int(words[at : at + 8], 16)) for at in range(0, len(words), 8)
    )
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address in ("::1", "::ffff:127.0.0.1")
