"""Checks of a destination that run before the first API request: its name, driver and credentials."""

from __future__ import annotations

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException, ConfigurationException
from dlt.common.destination import Destination
from dlt.common.destination.exceptions import DestinationException
from dlt.common.exceptions import DltException, MissingDependencyException

from sim_source.errors import ConfigurationError

EXTRAS = {name: f'pip install ".[{name}]"' for name in ("postgres", "ducklake")}


def known(name: str) -> str:
    """Returns the name if dlt has a destination of that name.

    Raises:
        ConfigurationError: dlt does not know the destination.
    """
    try:
        if not name.isidentifier():
            raise ValueError(name)  # dlt also accepts the path of a class, which is not supported here
        Destination.from_reference(name)
    except (DestinationException, DltException, ImportError, ValueError) as error:
        raise ConfigurationError(
            f"--destination {name!r}: dlt has no such destination; choose duckdb, postgres, filesystem or another one "
            "(dlthub.com/docs/dlt-ecosystem/destinations)"
        ) from error
    return name


def proven(pipeline: dlt.Pipeline) -> dlt.Pipeline:
    """Returns the pipeline if the driver, credentials and address of its destination are configured.

    Raises:
        ConfigurationError: One of them is missing. The message names it.
    """
    name = pipeline.destination.destination_name
    try:
        pipeline.destination_client()  # does not connect yet: that is done by the first query
    except MissingDependencyException as error:
        remedy = EXTRAS.get(name, f'pip install "dlt[{name}]"')
        raise ConfigurationError(f"--destination {name}: its driver is not installed; run: {remedy}") from error
    except ConfigFieldMissingException as error:
        prefix = f"DESTINATION__{name.upper()}__"
        fields = ", ".join(sorted(_setting(prefix, field) for field in error.fields))
        raise ConfigurationError(
            f"--destination {name}: {fields} is not set; set it in the environment, or in .dlt/secrets.toml under "
            f"[destination.{name}]"
        ) from error
    except ConfigurationException as error:
        raise ConfigurationError(
            f"--destination {name}: invalid settings ({type(error).__name__}); check "
            f"DESTINATION__{name.upper()}__* and [destination.{name}] in .dlt/secrets.toml"
        ) from None  # the message may quote credentials
    return pipeline


def _setting(prefix: str, field: str) -> str:
    """Returns the environment variable for a missing field; one variable stands for all credentials."""
    return prefix + ("BUCKET_URL" if field == "bucket_url" else "CREDENTIALS")
