"""scikit-learn estimators as skops files: data that is audited before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from gpudrift.errors import ModelError
from gpudrift.retrain.extras import library

#: Not trusted by skops since its node numbers are not checked when read; ``_check_trees`` checks them here.
_TREE: Final = "sklearn.tree._tree.Tree"


def dump_estimator(estimator: Any) -> bytes:
    """A skops file that ``load_estimator`` reads.

    Raises
    ------
    ModelError
        It holds a type that skops does not trust: it could be written, and never read.
    """
    skops = library("skops.io")
    content: bytes = skops.dumps(estimator)
    _refuse_untrusted(skops.get_untrusted_types(data=content))
    return content


def load_estimator(content: bytes) -> Any:
    """What ``dump_estimator`` wrote, of types that skops trusts.

    Raises
    ------
    ModelError
        It holds another type, or a tree that points outside itself.
    """
    skops = library("skops.io")
    found = skops.get_untrusted_types(data=content)
    _refuse_untrusted(found)
    estimator = skops.loads(content, trusted=[_TREE])
    if _TREE in found:
        _check_trees(estimator)
    return estimator


def _refuse_untrusted(found: list[str]) -> None:
    for name in found:
        if name != _TREE:
            raise ModelError(f"the model holds {name}, which skops does not trust; use an estimator without it")


def _check_trees(estimator: Any) -> None:
    for tree in _trees(estimator):
        inner = tree.children_left >= 0
        for children in (tree.children_left, tree.children_right):
            below = children[inner]
            if (
                np.any(below <= np.flatnonzero(inner))
                or np.any(below >= tree.node_count)
                or np.any(children[~inner] >= 0)
            ):
                raise ModelError("the model holds a tree that points outside itself; fetch it again")
        if np.any(tree.feature[inner] < 0) or np.any(tree.feature[inner] >= tree.n_features):
            raise ModelError("the model holds a tree of features that it does not have; fetch it again")


def _trees(held: Any) -> Iterator[Any]:
    """Every tree, however deep it lies in pipelines and ensembles: none goes unchecked."""
    waiting, seen = [held], set[int]()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if type(value).__name__ == "Tree" and type(value).__module__ == "sklearn.tree._tree":
            yield value
        elif isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list | tuple | set | frozenset) or (
            isinstance(value, np.ndarray) and value.dtype == object
        ):
            waiting += np.ravel(value).tolist() if isinstance(value, np.ndarray) else value
        elif hasattr(value, "__dict__") and not isinstance(value, type):
            waiting += vars(value).values()
