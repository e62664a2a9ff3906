"""Where the database is and how patient to be with it: what one connection needs to know."""

import ipaddress
from pathlib import Path
from typing import Any, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from agent_where.errors import BadSetting

_VERIFIED = frozenset({"require", "verify-ca", "verify-full"})
_FORM = "postgresql://user:password@host:port/name, with / : # ? @ in a password percent-encoded"


class DatabaseSettings(BaseModel):
    """One database, as one role.

    Attributes:
        password: for a laptop; elsewhere `Database` is given a callable that fetches one.
        tls: True demands verified TLS, False forbids it (loopback only), None decides by the host:
            verified TLS everywhere but on loopback.
        ca_file: the certificates to trust, PEM; None trusts what the system trusts.
        round_trip_seconds: how long all statements of one round trip may take together; None: each
            of them its own time-out.
        script_timeout_seconds: how long a whole script (a migration) may take.
        read_only: the server refuses whatever would write.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field(min_length=1)
    port: int = Field(default=5432, ge=1, le=65535)
    name: str = Field(min_length=1)
    user: str = Field(min_length=1)
    password: SecretStr | None = None
    tls: bool | None = None
    ca_file: Path | None = None
    connect_timeout_seconds: int = Field(default=3, ge=1)
    statement_timeout_ms: int = Field(default=5_000, ge=1)
    lock_timeout_ms: int = Field(default=1_000, ge=1)
    idle_in_transaction_ms: int = Field(default=10_000, ge=1)
    round_trip_seconds: int | None = Field(default=None, ge=1)
    script_timeout_seconds: int = Field(default=120, ge=1)
    read_only: bool = False
    application_name: str = "agent-where"

    @property
    def on_loopback(self) -> bool:
        """Whether the host is this machine."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def encrypted(self) -> bool:
        """Whether the connection is verified TLS; anything else is for loopback alone."""
        return not self.on_loopback if self.tls is None else self.tls

    @model_validator(mode="after")
    def _plain_text_stays_on_loopback(self) -> Self:
        if not (self.encrypted or self.on_loopback):
            raise ValueError("a connection without TLS is for loopback only")
        return self

    @classmethod
    def from_url(
        cls, url: str | SecretStr, *, setting: str = "DATABASE_URL", **more: object
    ) -> Self:
        """Read `postgresql://user:password@host:port/name?sslmode=...&sslrootcert=...`.

        sslmode is disable (loopback only) or require, verify-ca, verify-full, which all mean that
        the certificate and the host's name are verified.

        Args:
            url: user, password and name may be percent-encoded.
            setting: the name of the setting that the URL came from, for the error.
            more: any other field, such as `statement_timeout_ms`.

        Raises:
            BadSetting: names the setting, and never holds the password.
        """
        text = url.get_secret_value() if isinstance(url, SecretStr) else url
        try:
            parts = urlsplit(text)
            fields: dict[str, Any] = {**_address(parts), **_options(parts), **more}
            return cls(**fields)
        except ValidationError as fault:
            first = fault.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise BadSetting(f"{setting}: {where}: {first['msg']}") from None
        except BadSetting as fault:
            raise BadSetting(f"{setting}: {fault}") from None
        except ValueError:
            # urlsplit's own words may quote a password that holds an unencoded '/' or ':'.
            raise BadSetting(f"{setting} is not of the form {_FORM}") from None


def as_compared(host: str) -> str:
    """A host's name as it is told from another: names know no capitals, and may end in a dot."""
    return host.lower().rstrip(".")


def _address(parts: SplitResult) -> dict[str, Any]:
    if parts.scheme not in {"postgresql", "postgres"}:
        raise BadSetting("must begin with postgresql://")
    fields: dict[str, Any] = {
        "host": parts.hostname,
        "user": unquote(parts.username or ""),
        "name": unquote(parts.path.removeprefix("/")),
    }
    for field, found in fields.items():
        if not found:
            raise BadSetting(f"must hold a {field}: {_FORM}")
    if parts.port is not None:
        fields["port"] = parts.port
    if parts.password is not None:
        fields["password"] = SecretStr(unquote(parts.password))
    return fields


def _options(parts: SplitResult) -> dict[str, Any]:
    if parts.fragment:
        raise BadSetting("must not hold '#': encode it as %23")
    fields: dict[str, Any] = {}
    for option, value in parse_qsl(parts.query, keep_blank_values=True):
        match option, value:
            case "sslmode", "disable":
                fields["tls"] = False
            case "sslmode", mode if mode in _VERIFIED:
                fields["tls"] = True
            case "sslmode", _:
                raise BadSetting("sslmode must be disable or verify-full")
            case "sslrootcert", path if path:
                fields["ca_file"] = Path(path)
            case _:
                raise BadSetting("only the options sslmode and sslrootcert are known")
    return fields
