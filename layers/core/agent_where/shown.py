"""What a person was shown, as a short token: what they say with it, they say of that and no more.

It guards against what changed meanwhile, and is no secret: whoever may decide may look.
"""

import hashlib
import json

_CHARACTERS = 12


def token_of(*shown: str) -> str:
    """The digest of all of it, in this order: twelve hexadecimal characters."""
    told = json.dumps(shown).encode()
    return hashlib.sha256(told).hexdigest()[:_CHARACTERS]
