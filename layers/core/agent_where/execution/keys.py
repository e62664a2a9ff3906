"""Making the keys that trade. What signs with them is in signers.py."""

from collections.abc import Mapping

from agent_where.execution._kms import KmsKeys, Service, kms
from agent_where.execution.signers import Signers

MADE_BY: Mapping[str, str] = {"agent-where:use": "trading"}
"""The tag that policies look for: what signs orders may sign with these keys and no others."""


class Keys:
    """Makes keys in KMS, and tells the address of any key.

    Args:
        allow_env: whether a key of the environment may be used, as `Signers` says.
        only: the reference of a key that is used instead of a new one; None: none.
        service: KMS; None is AWS's own.
        environment: where `env:` looks; None is the process's.
    """

    def __init__(
        self,
        *,
        allow_env: bool,
        only: str | None = None,
        service: Service | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        asked = service or kms()
        self._only = only
        self._kms = KmsKeys(asked)
        self._signers = Signers(allow_env=allow_env, service=asked, environment=environment)

    def make(self, tags: Mapping[str, str]) -> str:
        """The reference of a key for one account. It costs money, and is made once a call.

        Args:
            tags: whose it is.

        Raises:
            SignerUnavailable: KMS gave no answer; it may have made one.
            BadSetting: this process may not make keys.
        """
        return self._only or f"kms:{self._kms.create({**MADE_BY, **tags})}"

    def address(self, key_ref: str) -> str:
        """What the key signs as, in lower case. Raises SignerUnavailable, BadSetting."""
        return self._signers.signer(key_ref).address
