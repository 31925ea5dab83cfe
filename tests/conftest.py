"""Runs trial's TestCases before the plain functions of C{tests/e2e}."""

from __future__ import annotations

from unittest import TestCase

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    pytest-twisted takes over the reactor at the first plain function and leaves it running, which breaks
    asynchronous TestCases that come later: they come first. Otherwise the order stays as it is.
    """
    items.sort(key=_is_plain)


def _is_plain(item: pytest.Item) -> bool:
    owner = getattr(item, "cls", None)
    return not (owner is not None and issubclass(owner, TestCase))
