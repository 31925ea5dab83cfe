"""Runs trial's TestCases before the plain functions of C{tests/e2e}, and tests beside each other where they may be."""

from __future__ import annotations

from unittest import TestCase

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    pytest-twisted takes over the reactor at the first plain function and leaves it running, which breaks
    asynchronous TestCases that come later: they come first. Otherwise the order stays as it is.
    """
    items.sort(key=_is_plain)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    """Tests of a group run one after the other: those of a file, and all with a browser, which is a load by itself."""
    folder = item.path.parent.name
    return folder if folder == "browser" else str(item.path)


def _is_plain(item: pytest.Item) -> bool:
    owner = getattr(item, "cls", None)
    return not (owner is not None and issubclass(owner, TestCase))
