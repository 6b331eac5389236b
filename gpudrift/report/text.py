"""How a name, a label and a reason are written, whatever characters they hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gpudrift.report.numerals import number, probability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpudrift.report.view import ReasonView

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")

_SHORT_NAMES = {
    "psi": "PSI",
    "ks": "KS",
    "js_distance": "JS",
    "wasserstein": "W1",
    "hellinger": "Hellinger",
    "cramers_v": "Cramér's V",
    "kl": "KL",
    "l_infinity": "L-infinity",
    "p_value": "p",
}


def printable(text: str) -> str:
    """Replace what a page cannot hold or show: control characters and lone surrogates.

    They become what Python writes for them, so that two names stay two. Escaping is left to the template.

    Examples
    --------
    >>> printable("two\\nlines"), printable("")
    ('two\\\\nlines', '(empty)')
    """
    if not text.strip():
        return "(blank)" if text else "(empty)"
    return _CONTROL.sub(_visible, text)


def shorten(text: str, *, length: int) -> str:
    """Cut a text in its middle to `length` characters, so that its unit and its sign survive.

    Examples
    --------
    >>> shorten("2013-01-01 00:00:00", length=11)
    '2013-…00:00'
    """
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}…{text[len(text) - tail :]}"


def isolated(text: str) -> str:
    """Keep the direction of a text to itself where no ``<bdi>`` can be put (inside SVG)."""
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def reasons_sentence(reasons: Sequence[ReasonView]) -> str:
    """Say in words what was compared with what.

    Examples
    --------
    >>> reasons_sentence([
    ...     {"statistic": "psi", "value": 0.312, "threshold": 0.1, "how": "default"},
    ...     {"statistic": "p_value", "value": 1e-30, "threshold": 0.05, "how": "after Benjamini-Hochberg"},
    ... ])
    'PSI 0.312 ≥ 0.1 (default) and p 1.0e-30 ≤ 0.05 (after Benjamini-Hochberg)'
    """
    written = [_reason(reason) for reason in reasons]
    return " and ".join(filter(None, (", ".join(written[:-1]), *written[-1:])))


def _reason(reason: ReasonView) -> str:
    statistic, value, threshold = reason["statistic"], reason["value"], reason["threshold"]
    name = _SHORT_NAMES.get(statistic) or printable(statistic).replace("_", " ")
    is_probability = statistic.startswith("p_") or statistic.endswith("p_value")
    written = probability(value) if is_probability else number(value)
    how = f" ({printable(reason['how'])})" if reason["how"].strip() else ""
    if value is None or threshold is None:
        return f"{name} {written}{how}"
    if not is_probability:
        return f"{name} {written} {'≥' if value >= threshold else '<'} {threshold:g}{how}"
    if value <= 0.0:
        return f"{name} below {written.removeprefix('<')}{how}"
    sign = "≤" if value <= threshold else ">"
    return f"{name} {written} {sign} {threshold:g}{how}"


def _visible(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")
