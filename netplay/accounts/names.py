"""What accounts may be called."""

from __future__ import annotations

import re

from netplay.errors import Refused
from netplay.text import clean_name, same_name

_NUMBERED = re.compile(r".*_\d+", re.DOTALL)


def account_name(name: str, field: str = "$.name") -> str:
    """
    The name of an account as it is shown: what L{clean_name} takes, but for those that look like a guest's number.

    @param field: the JSON path of where it was given.
    @raise Refused: C{bad_message}.
    """
    name = clean_name(name, field)
    if _NUMBERED.fullmatch(same_name(name)):
        raise Refused("bad_message", "names that end in _ and a number are for guests", field)
    return name
