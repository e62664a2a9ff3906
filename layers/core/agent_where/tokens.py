"""Whether a bearer token is to be believed, and whom it stands for. Pure: keys and time come in.

The library does what concerns the signature; the claims are checked here, where the clock can be
told. Only RS256 and ES256 exist for it: neither `none` nor an HMAC, so that no public key can ever
serve as a secret. The key is the one that `kid` names in the issuer's set; a token without `kid` is
refused even if the set has one key only, and whatever a token says about keys itself (`jwk`, `jku`,
`x5c`, `x5u`) is not looked at. What a caller may do is not decided here.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from jwt import PyJWS
from jwt.exceptions import DecodeError, InvalidTokenError, PyJWTError

from agent_where.callers import Scope
from agent_where.errors import Unauthorized
from agent_where.jwks import VerifyingKey

ALGORITHMS = ("RS256", "ES256")
LEEWAY_SECONDS = 10
MAX_TOKEN_CHARACTERS = 8 * 1024
MAX_SUBJECT_CHARACTERS = 255  # as OpenID Connect has it
_LAST_SECOND = 253_402_300_799  # of the year 9999

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_SIGNATURES = PyJWS(algorithms=ALGORITHMS)

Claims = Mapping[str, Any]


class Refusal(StrEnum):
    """Why a token is not believed."""

    NO_BEARER = "NO_BEARER"
    TOO_LONG = "TOO_LONG"
    MALFORMED = "MALFORMED"
    ALGORITHM = "ALGORITHM"
    HEADER = "HEADER"
    NO_KEY_ID = "NO_KEY_ID"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    SIGNATURE = "SIGNATURE"
    ISSUER = "ISSUER"
    AUDIENCE = "AUDIENCE"
    TIMES = "TIMES"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    SUBJECT = "SUBJECT"
    SCOPES = "SCOPES"
    WALLET = "WALLET"


class TokenRefused(Unauthorized):
    """The token is not to be believed. It holds nothing of the token but the reason."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(f"the token is refused: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Rules:
    """What a token must say, and where it says it.

    Attributes:
        scope_prefix: scopes count only with it, and are told without it.
    """

    issuer: str
    audience: str
    scope_claim: str = "scope"
    scope_prefix: str = ""
    wallet_claim: str = "wallet"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token stands for.

    Attributes:
        wallet: an address in lower case, empty if the token names none.
        expires: seconds since 1970.
    """

    subject: str
    scopes: tuple[Scope, ...]
    wallet: str
    expires: int

    def context(self) -> dict[str, str]:
        """As the authorizer hands it on; `callers.caller_of` reads it."""
        return {
            "scopes": " ".join(self.scopes),
            "wallet": self.wallet,
            "subject": self.subject,
            "expires": str(self.expires),
        }


def bearer_token(header: object) -> str:
    """The token of an Authorization header. Raises TokenRefused where there is none."""
    scheme, _, token = header.partition(" ") if isinstance(header, str) else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        _refuse(Refusal.NO_BEARER)
    return token.lstrip(" ")


def verify(
    token: str, rules: Rules, find_key: Callable[[str], VerifyingKey | None], now: float
) -> Identity:
    """Whom a token stands for, if all of it holds.

    Args:
        token: in compact form; anything may stand in it.
        find_key: the issuer's key of that id, None if it has none. What it raises passes through.
        now: seconds since 1970.

    Raises:
        TokenRefused: it does not hold.
    """
    claims = _signed_claims(token, find_key)
    if claims.get("iss") != rules.issuer:
        _refuse(Refusal.ISSUER)
    if not _is_for(rules.audience, claims):
        _refuse(Refusal.AUDIENCE)
    return Identity(
        expires=_expiry(claims, now),
        subject=_subject(claims),
        scopes=_scopes(claims, rules),
        wallet=_wallet(claims, rules),
    )


def _signed_claims(token: str, find_key: Callable[[str], VerifyingKey | None]) -> Claims:
    if len(token) > MAX_TOKEN_CHARACTERS:
        _refuse(Refusal.TOO_LONG)
    if not _COMPACT.fullmatch(token):
        _refuse(Refusal.MALFORMED)
    key = _key(_header(token), find_key)
    try:
        signed = _SIGNATURES.decode(token, key.public, algorithms=[key.algorithm])
    except PyJWTError:
        _refuse(Refusal.SIGNATURE)
    try:
        claims = json.loads(signed)
    except (ValueError, RecursionError):
        _refuse(Refusal.MALFORMED)
    return claims if isinstance(claims, dict) else _refuse(Refusal.MALFORMED)


def _header(token: str) -> Mapping[str, Any]:
    try:
        header = _SIGNATURES.get_unverified_header(token)
    except DecodeError:
        _refuse(Refusal.MALFORMED)
    except InvalidTokenError:
        _refuse(Refusal.HEADER)
    if header.get("alg") not in ALGORITHMS:
        _refuse(Refusal.ALGORITHM)
    if "crit" in header or "b64" in header:
        _refuse(Refusal.HEADER)
    return header


def _key(header: Mapping[str, Any], find_key: Callable[[str], VerifyingKey | None]) -> VerifyingKey:
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        _refuse(Refusal.NO_KEY_ID)
    key = find_key(key_id)
    if key is None:
        _refuse(Refusal.UNKNOWN_KEY)
    if header["alg"] != key.algorithm:
        _refuse(Refusal.ALGORITHM)
    return key


def _is_for(audience: str, claims: Claims) -> bool:
    match claims:
        case {"aud": list(several)}:
            return audience in several
        case {"aud": one}:
            return bool(one == audience)
        case _:
            return bool(claims.get("client_id") == audience)


def _expiry(claims: Claims, now: float) -> int:
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if "exp" not in times or not all(map(_is_time, times.values())):
        _refuse(Refusal.TIMES)
    expiry = times.pop("exp")
    if expiry <= now:
        _refuse(Refusal.EXPIRED)
    if any(time > now + LEEWAY_SECONDS for time in times.values()):
        _refuse(Refusal.NOT_YET_VALID)
    return int(expiry)


def _is_time(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 <= value <= _LAST_SECOND
    )


def _subject(claims: Claims) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject.strip():
        _refuse(Refusal.SUBJECT)
    if len(subject) > MAX_SUBJECT_CHARACTERS or not subject.isprintable():
        _refuse(Refusal.SUBJECT)
    return subject


def _scopes(claims: Claims, rules: Rules) -> tuple[Scope, ...]:
    told = claims.get(rules.scope_claim, "")
    named = told.split(" ") if isinstance(told, str) else told
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        _refuse(Refusal.SCOPES)
    return tuple(scope for scope in Scope if f"{rules.scope_prefix}{scope}" in named)


def _wallet(claims: Claims, rules: Rules) -> str:
    if rules.wallet_claim not in claims:
        return ""
    wallet = claims[rules.wallet_claim]
    if not isinstance(wallet, str) or not _ADDRESS.fullmatch(wallet):
        _refuse(Refusal.WALLET)
    return wallet.lower()


def _refuse(reason: Refusal) -> NoReturn:
    raise TokenRefused(reason) from None
