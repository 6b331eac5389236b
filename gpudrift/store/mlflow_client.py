"""MLflow as this project uses it: quiet, offline where it is embedded, and one error when it does not answer."""

from __future__ import annotations

import http.client
import importlib
import logging
import os
import re
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from gpudrift.errors import DependencyMissing, GpudriftError, RegistryError

#: The file that an embedded registry lives in.
DATABASE: Final = "registry.db"
_TIMEOUT_S: Final = 5.0


def open_client(url: str) -> Any:
    """An MlflowClient for a database or a server.

    Raises
    ------
    DependencyMissing
        MLflow is not installed.
    """
    if find_spec("mlflow") is None:
        raise DependencyMissing('the registry needs mlflow: pip install "gpudrift[train]"')
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # a library that is asked for a model makes no other call
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # or a server that stops is waited for for minutes
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # nor prints
    with answering(url):
        mlflow = importlib.import_module("mlflow")
        for noisy in ("alembic", "mlflow.store"):  # they tell of tables made on first use
            logging.getLogger(noisy).setLevel(logging.WARNING)
        # what SQLAlchemy raises is logged there with all its frames, and raised again: ``answering`` tells it in a line
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
        return mlflow.MlflowClient(tracking_uri=url, registry_uri=url)


def embedded_url(folder: Path) -> str:
    """The SQLite database of a folder, which is made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RegistryError(f"registry {folder} cannot be made: {error.strerror}; choose another place") from error
    return f"sqlite:///{folder.absolute() / DATABASE}"


def shown(url: str) -> str:
    """An address without the name and the password that it may hold."""
    return re.sub(r"//[^/@]*@", "//", url)


@contextmanager
def answering(url: str) -> Iterator[None]:
    """Calls to MLflow: a server is asked first whether it is there, since MLflow would retry for minutes.

    Raises
    ------
    RegistryError
        It does not answer, or refuses, or has no room left; the message is one line.
    DependencyMissing
        The driver of its database is not installed.
    """
    if url.startswith(("http://", "https://")):
        _ask(url)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own dependencies
        try:
            yield
        except ModuleNotFoundError as error:  # the driver of a database
            raise DependencyMissing(f"registry {shown(url)} needs {error.name}: pip install {error.name}") from error
        except OSError as error:
            if isinstance(error, GpudriftError):
                raise
            reason = error.strerror or str(error).splitlines()[0]
            raise RegistryError(f"registry {shown(url)} failed: {reason}; check it and try again") from error
        except Exception as error:
            if not type(error).__module__.startswith(("mlflow", "sqlalchemy", "requests", "urllib3", "alembic")):
                raise
            lines = [line for line in str(error).splitlines() if not line.startswith("(raised as a result of Query")]
            line = (lines or [type(error).__name__])[0]
            raise RegistryError(f"registry {shown(url)} failed: {shown(line)}; check it and try again") from error


def _ask(url: str) -> None:
    """Any answer will do, also one that wants a password; a gateway with nothing behind it is none."""
    try:
        with urllib.request.urlopen(f"{shown(url).rstrip('/')}/health", timeout=_TIMEOUT_S):
            return
    except urllib.error.HTTPError as error:
        error.close()
        if error.code < 500:
            return
        reason: object = error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = (error.reason if isinstance(error, urllib.error.URLError) else error) or type(error).__name__
    raise RegistryError(f"registry {shown(url)} does not answer ({reason}); check its address, or that it runs")
