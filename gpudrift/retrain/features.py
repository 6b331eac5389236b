"""Features: scaling, encoding and missing values, fitted once, then the same code in training and serving."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.errors import ConfigError, DataError
from gpudrift.frames import (
    Batch,
    Problem,
    Raw,
    categories_fit,
    column_kind,
    family,
    floats,
    numbers_fit,
    texts,
    type_name,
)
from gpudrift.nearest import hint

_log = logging.getLogger(__name__)

#: A category is known by name from so many rows on; the rest is "other", so that "other" is learned too.
MIN_ROWS: Final = 10
_MOST_TEXTS: Final = 65_536

#: Codes before the first category.
MISSING: Final = 0
OTHER: Final = 1


#: Beyond these a number is missing, as an infinite one is: squares of it overflow float64 and, once scaled, float32.
MOST: Final = 1e150
MOST_SCALED: Final = 1e15

#: Scales whose numbers, up to 1e15 times as large, float32 holds as they are.
_LEAST_PLAIN: Final = 1e-20
_MOST_PLAIN: Final = 1e20


@dataclass(frozen=True)
class Number:
    """A numeric feature: ``(value - mean) / scale``. ``gaps``: values were missing when it was fitted.

    Values beyond 1e150, or 1e15 scales from the mean, are missing, as infinite ones are.
    """

    name: str
    mean: float
    scale: float
    gaps: bool


@dataclass(frozen=True)
class Category:
    """A categorical feature: the code of a value is 2 + its place, 1 for any other, 0 for a missing one."""

    name: str
    holds: str
    vocabulary: tuple[str, ...]

    @property
    def n_codes(self) -> int:
        return len(self.vocabulary) + 2


@dataclass(frozen=True)
class Inputs:
    """Rows as a learner sees them: scaled numbers (n, p) float64 with NaN where missing, codes (n, c) int32."""

    numbers: NDArray[np.float64]
    codes: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, positions: NDArray[np.int64]) -> Inputs:
        """Rows at positions."""
        return Inputs(self.numbers[positions], self.codes[positions])


@dataclass(frozen=True)
class Features:
    """What a model sees of a row. Frozen in a warm start; a new scale or vocabulary means a full fit.

    Examples
    --------
    >>> features = Features((Number("age", 40.0, 10.0, False),), (Category("plan", "string", ("a", "b")),))
    >>> inputs = features.transform({"age": np.array([50.0]), "plan": pa.chunked_array([["b"]])})
    >>> inputs.numbers.tolist(), inputs.codes.tolist()
    ([[1.0]], [[3]])
    >>> features.dense(inputs).tolist()
    [[1.0, 0.0, 0.0, 1.0]]
    """

    numbers: tuple[Number, ...]
    categories: tuple[Category, ...]

    @property
    def names(self) -> list[str]:
        return [*(number.name for number in self.numbers), *(category.name for category in self.categories)]

    def check(self, types: Mapping[str, pa.DataType], role: str) -> None:
        """Raise DataError unless every feature is there in a type that it was fitted on. Other columns are not read."""
        features: list[Number | Category] = [*self.numbers, *self.categories]
        for feature in features:
            name = feature.name
            if name not in types:
                raise DataError(f"{role} have no column {name!r}, which the model needs: {hint(name, types)}")
            found = types[name]
            if isinstance(feature, Number):
                if not numbers_fit("number", found):
                    raise DataError(
                        f"{name!r} is {type_name(found)} in the {role}, and the model takes numbers; cast it"
                    )
            elif not categories_fit(feature.holds, found):
                raise DataError(
                    f"{name!r} is {type_name(found)} in the {role}, and the model knows {feature.holds}; cast it"
                )

    def transform(self, columns: Mapping[str, Raw]) -> Inputs:
        """Rows as inputs. A category without a code of its own is "other"; how many rows hold one is logged."""
        n_rows = len(next(iter(columns.values()))) if columns else 0
        numbers = np.empty((n_rows, len(self.numbers)))
        codes = np.empty((n_rows, len(self.categories)), np.int32)
        for f, number in enumerate(self.numbers):
            values = _within(floats(columns[number.name]), MOST)
            numbers[:, f] = _within((values - number.mean) / number.scale, MOST_SCALED)
        for f, category in enumerate(self.categories):
            codes[:, f] = _codes(texts(columns[category.name]), category)
            if n_other := int((codes[:, f] == OTHER).sum()):
                _log.info("%s: %d rows hold categories without a code of their own", category.name, n_other)
        return Inputs(numbers, codes)

    def dense(self, inputs: Inputs, dtype: type = np.float64) -> NDArray[Any]:
        """One matrix (n, width): numbers with 0 for a missing one, a 0/1 column for each that had gaps, 0/1 codes."""
        n_rows, p = inputs.numbers.shape
        gaps = [f for f, number in enumerate(self.numbers) if number.gaps]
        out: NDArray[Any] = np.zeros((n_rows, self.width), dtype)
        out[:, :p] = np.nan_to_num(inputs.numbers, nan=0.0)
        out[:, p : p + len(gaps)] = np.isnan(inputs.numbers[:, gaps])
        first = p + len(gaps)
        for f, category in enumerate(self.categories):
            known = np.flatnonzero(inputs.codes[:, f])
            out[known, first + inputs.codes[known, f] - 1] = 1
            first += category.n_codes - 1
        return out

    def ordinal(self, inputs: Inputs) -> NDArray[np.float64]:
        """One matrix (n, features) for trees: numbers with NaN for a missing one, codes as they are.

        Numbers are in their own units, and scaled only where their mean is far from 0: trees take float32, and where a
        few of 1e9 among ones make the scale, that has no digits left for the ones.
        """
        plain = [abs(n.mean) <= n.scale and _LEAST_PLAIN <= n.scale <= _MOST_PLAIN for n in self.numbers]
        scale = [n.scale if own else 1.0 for n, own in zip(self.numbers, plain, strict=True)]
        mean = [n.mean if own else 0.0 for n, own in zip(self.numbers, plain, strict=True)]
        return np.concatenate([inputs.numbers * scale + mean, inputs.codes], axis=1, dtype=np.float64)

    @property
    def width(self) -> int:
        """Columns of ``dense``."""
        gaps = sum(number.gaps for number in self.numbers)
        return len(self.numbers) + gaps + sum(category.n_codes - 1 for category in self.categories)

    def plain(self, columns: Mapping[str, Raw]) -> pa.Table:
        """The features as they came, in float64 and text: what a replay keeps, and ``transform`` reads alike."""
        numbers = {number.name: pa.array(floats(columns[number.name]), from_pandas=True) for number in self.numbers}
        return pa.table(numbers | {category.name: texts(columns[category.name]) for category in self.categories})

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Features:
        """What ``to_dict`` gave."""
        numbers = tuple(Number(**entry) for entry in values["numbers"])
        categories = tuple(
            Category(**{**entry, "vocabulary": tuple(entry["vocabulary"])}) for entry in values["categories"]
        )
        return cls(numbers, categories)


def fit_features(
    batches: Iterable[Batch],
    types: Mapping[str, pa.DataType],
    *,
    categorical: Sequence[str] = (),
    max_categories: int = 256,
) -> tuple[Features, list[Problem]]:
    """Mean and scale of each number, the most frequent categories of each text, in one pass.

    Times and dates are left out (a model cannot extrapolate on a clock), as are columns without values or with one
    value only, and texts that hardly repeat; each is named among the problems.

    Raises
    ------
    DataError
        No feature is left, or there is no row.
    """
    if max_categories < 1:
        raise ConfigError(f"max_categories must be >= 1, got {max_categories}")
    problems: list[Problem] = []
    moments: dict[str, _Moments] = {}
    counts: dict[str, Counter[str]] = {}
    for name, dtype in types.items():
        kind = "categorical" if name in categorical else column_kind(dtype)
        if kind == "categorical":
            counts[name] = Counter()
        elif kind == "numeric" and family(dtype) == "number":
            moments[name] = _Moments()
        elif pt.is_null(dtype):
            problems.append(Problem(name, "has no value", "it is left out"))
        else:
            what = f"is {dtype}, which no model can extrapolate" if pt.is_temporal(dtype) else f"is {dtype}"
            problems.append(Problem(name, what, "derive a number or a category from it to use it"))
    n_rows = 0
    for batch in batches:
        n_rows += batch.n_rows
        for name, seen in moments.items():
            seen.add(_within(floats(batch.columns[name]), MOST))
        for name, counter in counts.items():
            if len(counter) <= _MOST_TEXTS:
                for entry in texts(batch.columns[name]).value_counts().to_pylist():
                    if entry["values"] is not None:
                        counter[entry["values"]] += entry["counts"]
    if not n_rows:
        raise DataError("no row has a label; pass rows with one")
    numbers = []
    for name, seen in moments.items():
        if not seen.count or not seen.squares > 0:
            problems.append(Problem(name, "has one value" if seen.count else "has no value", "it is left out"))
        else:
            numbers.append(Number(name, seen.mean, math.sqrt(seen.squares / seen.count), seen.missing > 0))
    categories = []
    for name, counter in counts.items():
        often = [
            text for text, count in sorted(counter.items(), key=lambda item: (-item[1], item[0])) if count >= MIN_ROWS
        ]
        if len(counter) > _MOST_TEXTS or (counter and not often):
            problems.append(Problem(name, "hardly ever repeats a value", "it is left out; group its values to use it"))
        elif len(counter) < 2:
            problems.append(Problem(name, "has one value" if counter else "has no value", "it is left out"))
        else:
            categories.append(Category(name, type_name(types[name]), tuple(often[:max_categories])))
    if not numbers and not categories:
        shown = "; ".join(map(str, problems[:3])) or "there is no column but the target"
        raise DataError(f"no feature is left to learn from ({shown}); pass columns that vary")
    return Features(tuple(numbers), tuple(categories)), sorted(problems)


class _Moments:
    """Mean and sum of squares about it, batch by batch (Chan, Golub and LeVeque, 1983)."""

    def __init__(self) -> None:
        self.count = self.missing = 0
        self.mean = self.squares = 0.0

    def add(self, values: NDArray[np.float64]) -> None:
        present = values[~np.isnan(values)]
        self.missing += values.size - present.size
        if present.size:
            mean = float(present.mean())
            delta, total = mean - self.mean, self.count + present.size
            self.squares += float(np.square(present - mean).sum()) + delta * delta * self.count * present.size / total
            self.mean += delta * present.size / total
            self.count = total


def _within(values: NDArray[np.float64], most: float) -> NDArray[np.float64]:
    """The values, NaN where they are beyond the most; changed in place."""
    values[np.abs(values) > most] = np.nan
    return values


def _codes(values: pa.Array, category: Category) -> NDArray[np.int32]:
    place = pc.index_in(values, value_set=pa.array(category.vocabulary, pa.large_string()))
    codes = pc.if_else(values.is_null(), MISSING, pc.add(place, 2).fill_null(OTHER))
    return np.asarray(codes.to_numpy(zero_copy_only=False)).astype(np.int32)
