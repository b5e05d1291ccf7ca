"""Whether a destination can be loaded into, found out before anything is asked of the API."""

from __future__ import annotations

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException, ConfigurationException
from dlt.common.destination import Destination
from dlt.common.destination.exceptions import DestinationException
from dlt.common.exceptions import DltException, MissingDependencyException

from sim_source.errors import ConfigurationError

EXTRAS = {"postgres": 'pip install "sim-sync[postgres]"'}


def known(name: str) -> str:
    """The name of a destination that dlt has.

    Raises:
        ConfigurationError: It has none of that name.
    """
    try:
        if not name.isidentifier():
            raise ValueError(name)  # dlt also takes the path of a class, for which nothing here is made
        Destination.from_reference(name)
    except (DestinationException, DltException, ImportError, ValueError) as error:
        raise ConfigurationError(
            f"--destination {name!r}: dlt knows no such destination; there are duckdb, postgres, filesystem and others "
            "(dlthub.com/docs/dlt-ecosystem/destinations)"
        ) from error
    return name


def proven(pipeline: dlt.Pipeline) -> dlt.Pipeline:
    """The same pipeline, once its destination is sure to have what it needs: driver, credentials, address.

    Raises:
        ConfigurationError: Something is missing; the message names it.
    """
    name = pipeline.destination.destination_name
    try:
        pipeline.destination_client()  # not entered: whether it answers is seen when it is asked
    except MissingDependencyException as error:
        remedy = EXTRAS.get(name, f'pip install "dlt[{name}]"')
        raise ConfigurationError(f"--destination {name}: its driver is not installed; {remedy}") from error
    except ConfigFieldMissingException as error:
        prefix = f"DESTINATION__{name.upper()}__"
        fields = ", ".join(sorted(_setting(prefix, field) for field in error.fields))
        raise ConfigurationError(
            f"--destination {name}: {fields} is not set; set it in the environment, or in .dlt/secrets.toml under "
            f"[destination.{name}]"
        ) from error
    except ConfigurationException as error:
        raise ConfigurationError(
            f"--destination {name}: its settings cannot be used ({type(error).__name__}); look at "
            f"DESTINATION__{name.upper()}__* and [destination.{name}] in .dlt/secrets.toml"
        ) from None  # the message may quote credentials
    return pipeline


def _setting(prefix: str, field: str) -> str:
    """The environment variable of a field that is missing; of credentials, all of them at once."""
    return prefix + ("BUCKET_URL" if field == "bucket_url" else "CREDENTIALS")
