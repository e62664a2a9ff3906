"""Which API is called and as whom: the URL and the token, checked before anything is sent.

The token comes from a file or the environment, never from an argument, which every user of the
machine could read. It is sent over TLS, or to this machine itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from agent_where_cli.faults import Usage

URL_SETTING = "AGENT_WHERE_URL"
TOKEN_SETTING = "AGENT_WHERE_TOKEN"  # noqa: S105 - the variable's name

_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")


@dataclass(frozen=True, slots=True)
class Target:
    """The API's base URL without a slash at its end, and a token that is never shown."""

    url: str
    scheme: str
    host: str
    token: str | None = field(default=None, repr=False)

    def authorization(self) -> str:
        """The header's value.

        Raises:
            Usage: there is no token, or it would travel in the clear.
        """
        if self.token is None:
            raise Usage(f"This needs a token: set {TOKEN_SETTING}, or give --token-file.")
        if self.scheme != "https" and not _is_loopback(self.host):
            raise Usage(f"The token is not sent to {self.host} over plain http; use an https URL.")
        return f"Bearer {self.token}"


def target(url: str | None, token_file: Path | None, environment: Mapping[str, str]) -> Target:
    """Where the options and the environment point.

    Raises:
        Usage: the URL is missing or unusable, or the token cannot be read.
    """
    if not url:
        raise Usage(f"No API is named: set {URL_SETTING}, or give --url.")
    try:
        parts = parse_url(url)
    except LocationParseError as error:
        raise Usage("The API's URL cannot be read; it is like https://host/api.") from error
    if parts.scheme not in ("http", "https") or not parts.host:
        raise Usage("The API's URL begins with https:// and a host (http:// on this machine).")
    if parts.auth or parts.query or parts.fragment:
        raise Usage("The API's URL ends with its path: no login, no query, no fragment.")
    return Target(
        url=parts.url.rstrip("/"),
        scheme=parts.scheme,
        host=parts.host.strip("[]"),
        token=_token(token_file, environment),
    )


def _token(token_file: Path | None, environment: Mapping[str, str]) -> str | None:
    if token_file is None:
        told, source = environment.get(TOKEN_SETTING, "").strip(), TOKEN_SETTING
        if not told:
            return None
    else:
        told, source = _read(token_file), str(token_file)
    if not _TOKEN.fullmatch(told):
        raise Usage(f"{source} does not hold a token: one word of plain ASCII, without `Bearer`.")
    return told


def _read(token_file: Path) -> str:
    try:
        return token_file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise Usage(f"{token_file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Usage(f"{token_file} does not hold a token: it is no plain ASCII.") from error


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
