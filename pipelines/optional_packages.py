"""Imports of packages that only an extra installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sim_source.errors import ConfigurationError


@contextmanager
def needed(extra: str, what: str) -> Iterator[None]:
    """Context for imports that need an extra.

    Args:
        extra: Name of the extra in ``pyproject.toml``.
        what: The feature that needs it, for the error message.

    Raises:
        ConfigurationError: A package is not installed. The message says how to install it.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        raise ConfigurationError(
            f'{what} needs the package {missing.name}, which is not installed; run: pip install ".[{extra}]"'
        ) from missing
