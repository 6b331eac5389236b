"""The frame around every page: templates, style, script and a policy that allows no network."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gpudrift.report.numerals import integer, number, percent
from gpudrift.report.text import isolated, printable


def render(template: str, **context: object) -> str:
    """Fill a template of this package; every value is escaped, a missing one raises.

    Parameters
    ----------
    template
        File name under ``templates``.
    **context
        What the template names.

    Returns
    -------
    str
        A whole HTML document that can be written as UTF-8.

    Raises
    ------
    jinja2.UndefinedError
        The template names something that `context` does not have.
    """
    return _environment().get_template(template).render(context)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gpudrift.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    script = _template_text("page.js")
    environment.globals.update(
        style=Markup(_template_text("page.css")),  # noqa: S704 - our own files, and not escapable in these elements
        script=Markup(script),  # noqa: S704
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    environment.filters.update(integer=integer, number=number, percent=percent, printable=printable, isolated=isolated)
    return environment


def _template_text(name: str) -> str:
    return files("gpudrift.report").joinpath("templates", name).read_text(encoding="utf-8")
