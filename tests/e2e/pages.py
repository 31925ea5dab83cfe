"""What pages of the documentation show."""

from __future__ import annotations

import re
from pathlib import Path


def write_the_code(page: Path, directory: Path) -> None:
    """Each block of Python, in the file that its first line names."""
    for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        path = directory / code.split("\n")[0].removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
