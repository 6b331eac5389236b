"""Settings: out of range or unknown is named with its path, its value and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gpudrift as gd


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"alpha": 2}, "alpha must be between 0 and 1, got 2"),
        ({"alpha": True}, "alpha must be between 0 and 1, got True"),
        ({"alpha": "0.05"}, "alpha must be between 0 and 1, got '0.05'"),
        ({"alpha": float("nan")}, "alpha must be between 0 and 1, got nan"),
        ({"correction": "bonferoni"}, "correction.bonferoni is unknown: did you mean 'bonferroni'?"),
        ({"thresholds": {"psy": 1}}, "thresholds.psy is unknown: did you mean 'psi'?"),
        ({"thresholds": {"kl": 1}}, "thresholds.kl is unknown: "),
        ({"thresholds": {"psi": 0}}, "thresholds.psi must be above 0, got 0"),
        ({"thresholds": 3}, "thresholds must be a table of statistic = value, got 3"),
        ({"drift_share": 0}, "drift_share must be above 0 and at most 1, got 0"),
        ({"columns": "age"}, "columns must be a list of column names, got 'age'"),
        ({"columns": [1]}, r"columns must be a list of column names, got \[1\]"),
        ({"categorical": ["a"], "numeric": ["a"]}, "'a' is named under categorical and numeric; keep one"),
        ({"exact": "yes"}, "exact must be true or false, got 'yes'"),
    ],
)
def test_a_setting_out_of_range_is_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(gd.ConfigError, match=message):
        gd.Settings(**setting)


def write(folder: Path, text: str) -> Path:
    path = folder / "drift.toml"
    path.write_text(text)
    return path


def test_toml_is_read_and_overridden(tmp_path: Path) -> None:
    path = write(tmp_path, '[check]\nalpha = 0.01\ncolumns = ["a"]\n[check.thresholds]\npsi = 0.2\n')
    settings = gd.load_settings(path, alpha=0.1, exact=None)
    assert settings.alpha == 0.1
    assert settings.columns == ("a",)
    assert settings.threshold("psi") == 0.2
    assert settings.threshold("ks") == 0.1
    assert settings.exact is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[check]\nalpa = 0.1\n", r"drift\.toml: check\.alpa is unknown: did you mean 'alpha'\?"),
        ("[chek]\n", r"drift\.toml: chek is unknown: did you mean 'check'\?"),
        ("check = 3\n", r"drift\.toml: check must be a table, got 3"),
        ("[check]\nalpha = 7\n", r"drift\.toml: check\.alpha must be between 0 and 1, got 7"),
        ("[check\n", r"drift\.toml is not TOML: "),
        ("[check]\ncolumns = 3\n", r"drift\.toml: check\.columns must be a list of column names, got 3"),
    ],
)
def test_a_mistake_in_toml_is_named_with_its_path(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(gd.ConfigError, match=message):
        gd.load_settings(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(gd.ConfigError, match=r"none\.toml cannot be read: No such file or directory; check the path"):
        gd.load_settings(tmp_path / "none.toml")
