"""Parts of the application that need packages which a plain installation leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sim_source.errors import ConfigurationError


@contextmanager
def needed(extra: str, what: str) -> Iterator[None]:
    """Imports what only an extra installs.

    Args:
        extra: Its name in ``pyproject.toml``.
        what: What cannot be done without.

    Raises:
        ConfigurationError: It is not installed; the message says how to.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        raise ConfigurationError(
            f'{what} needs {missing.name}, which is not installed; pip install "sim-sync[{extra}]"'
        ) from missing
