"""How a model is read from the environment. What there is to read is in settings.py."""

import os
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from agent_where.errors import BadSetting


class Settings(BaseModel):
    """Base of all: each field is the environment variable of its name in upper case."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read what this function needs.

        Raises:
            BadSetting: a variable is missing or unusable; the message names every one.
        """
        known = os.environ if environment is None else environment
        told = {name: known[name.upper()] for name in cls.model_fields if known.get(name.upper())}
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            faults = [
                f"{'.'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}".lstrip(
                    ": "
                )
                for fault in error.errors(include_url=False, include_input=False)
            ]
            raise BadSetting(f"bad settings: {'; '.join(faults)}") from None
