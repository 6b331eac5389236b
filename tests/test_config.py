"""Settings: out of range or unknown is named with its path, its value and what is allowed."""

from __future__ import annotations

import math
import os
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpudrift as gd
from gpudrift.stats import STATISTICS


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"alpha": 2}, "alpha must be between 0 and 1, got 2"),
        ({"alpha": True}, "alpha must be between 0 and 1, got True"),
        ({"alpha": "0.05"}, "alpha must be between 0 and 1, got '0.05'"),
        ({"alpha": float("nan")}, "alpha must be between 0 and 1, got nan"),
        ({"correction": "bonferoni"}, "correction.bonferoni is unknown: did you mean 'bonferroni'?"),
        ({"thresholds": {"psy": 1}}, "thresholds.psy is unknown: did you mean 'psi'?"),
        ({"thresholds": {"kl": 0}}, "thresholds.kl must be above 0 and finite, got 0"),
        ({"thresholds": {"psi": 0}}, "thresholds.psi must be above 0 and finite, got 0"),
        ({"thresholds": {"psi": math.inf}}, "thresholds.psi must be above 0 and finite, got inf"),
        ({"thresholds": {"psi": math.nan}}, "thresholds.psi must be above 0 and finite, got nan"),
        ({"thresholds": 3}, "thresholds must be a table of statistic = value, got 3"),
        ({"feature_thresholds": 3}, "feature_thresholds must be a table of features, got 3"),
        ({"feature_thresholds": {"a": 3}}, "feature_thresholds.a must be a table of statistic = value, got 3"),
        (
            {"feature_thresholds": {"a": {"psy": 1}}},
            r"feature_thresholds\.a\.psy is unknown: did you mean 'psi'\?",
        ),
        ({"feature_thresholds": {"a": {"psi": 0}}}, "feature_thresholds.a.psi must be above 0 and finite, got 0"),
        ({"drift_share": 0}, "drift_share must be above 0 and at most 1, got 0"),
        ({"columns": "age"}, "columns must be a list of column names, got 'age'"),
        ({"columns": [1]}, r"columns must be a list of column names, got \[1\]"),
        (
            {"columns": ["a"], "numeric": ["b"]},
            "'b' is named under numeric but not under columns; name it in both",
        ),
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
    assert settings.threshold("kl") == math.inf
    assert settings.exact is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[check]\ncolumns = []\n", r"check\.columns is empty; leave it out to compare all columns"),
        ("[check.thresholds]\npsi = inf\n", r"check\.thresholds\.psi must be above 0 and finite, got inf"),
        ("[check]\nbackend = 'cpu'\n", r"check\.backend is unknown: there is 'alpha', .*' and \d+ more$"),
        ("[check]\ncorrection = ['none']\n", r"check\.correction\.\['none'\] is unknown: "),
        ("[check]\nalpa = 0.1\n", r"drift\.toml: check\.alpa is unknown: did you mean 'alpha'\?"),
        ("[chek]\n", r"drift\.toml: chek is unknown: did you mean 'check'\?"),
        ("check = 3\n", r"drift\.toml: check must be a table, got 3"),
        ("[check]\nalpha = 7\n", r"drift\.toml: check\.alpha must be between 0 and 1, got 7"),
        ("[check\n", r"drift\.toml is not TOML: "),
        ("[check]\ncolumns = 3\n", r"drift\.toml: check\.columns must be a list of column names, got 3"),
        ("[check]\ncalibrate = 3\n", r"drift\.toml: check\.calibrate must be the path of a file, got 3"),
        ("[check]\ncalibrate = 'a.json'\n", r"drift\.toml: check\.calibrate: .*a\.json cannot be read: No such file"),
    ],
)
def test_a_mistake_in_toml_is_named_with_its_path(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(gd.ConfigError, match=message):
        gd.load_settings(write(tmp_path, text))


def test_the_calibration_of_a_file_wins_over_its_thresholds_and_one_that_overrides_over_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    profile = gd.profile({"x": rng.normal(size=500)})
    windows = {k: profile.count({"x": rng.normal(size=100)}) for k in range(30)}
    for name, rate in (("strict", 0.3), ("quiet", 0.01)):
        gd.calibrate(profile, windows, false_alarms=rate, how="multinomial").save(tmp_path / f"{name}.json")
    path = write(tmp_path, '[check]\ncalibrate = "strict.json"\n[check.feature_thresholds.x]\npsi = 9.0\n')
    strict, quiet = (
        gd.Calibration.load(tmp_path / f"{name}.json").thresholds["x"]["psi"] for name in ("strict", "quiet")
    )
    assert strict < quiet
    assert gd.load_settings(path).threshold("psi", "x") == strict
    assert gd.load_settings(path, calibrate=tmp_path / "quiet.json").threshold("psi", "x") == quiet


def test_the_threshold_of_a_feature_wins_and_says_where_it_comes_from(tmp_path: Path) -> None:
    path = write(tmp_path, '[check.thresholds]\nks = 0.2\n[check.feature_thresholds."a b"]\npsi = 0.03\n')
    settings = gd.load_settings(path)
    assert [settings.threshold("psi", name) for name in ("a b", "c")] == [0.03, 0.1]
    assert settings.threshold("psi") == 0.1
    assert settings.threshold("ks", "a b") == 0.2
    found = [settings.threshold_source(name, "a b") for name in ("psi", "ks", "hellinger")]
    assert found == ["calibrated", "set by user", "default"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(gd.ConfigError, match=r"none\.toml cannot be read: No such file or directory; check the path"):
        gd.load_settings(tmp_path / "none.toml")


def test_columns_that_override_a_file_narrow_its_kinds(tmp_path: Path) -> None:
    path = write(tmp_path, '[check]\ncolumns = ["a", "b"]\ncategorical = ["a"]\nnumeric = ["b"]\n')
    assert gd.load_settings(path, columns=["b"]) == gd.Settings(columns=("b",), numeric=("b",))


def test_a_mistake_in_the_overrides_does_not_blame_the_file(tmp_path: Path) -> None:
    with pytest.raises(gd.ConfigError, match=r"^alpha must be between 0 and 1, got 7$"):
        gd.load_settings(write(tmp_path, "[check]\nalpha = 0.1\n"), alpha=7)


def test_what_is_not_a_file_of_a_sensible_size_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large.toml").write_bytes(b"#" * ((1 << 20) + 1))
    for path in ("/dev/zero", tmp_path, tmp_path / "pipe"):
        with pytest.raises(gd.ConfigError, match=f"^{path} is not a regular file; write the settings to one$"):
            gd.load_settings(path)
    with pytest.raises(
        gd.ConfigError, match=r"large\.toml is larger than 1 MiB, which settings never are; check the path$"
    ):
        gd.load_settings(tmp_path / "large.toml")


def test_a_file_that_is_closed_to_the_reader_gets_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def closed(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", closed)
    path = tmp_path / "drift.toml"
    path.touch()
    with pytest.raises(gd.ConfigError, match=r"drift\.toml cannot be read: Permission denied; check its permissions$"):
        gd.load_settings(path)


def test_the_example_of_the_readme_names_every_setting_and_threshold(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    path = write(tmp_path, readme.partition("```toml\n")[2].partition("```")[0])
    age = np.random.default_rng(0).normal(size=400)
    profile = gd.profile({"age": age})
    windows = [profile.count({"age": age[k::10]}) for k in range(10)]
    gd.calibrate(profile, windows, false_alarms=0.1, replicates=200).save(tmp_path / "quiet.json")
    settings = gd.load_settings(path)
    assert settings.feature_thresholds.keys() == {"age"}
    assert set(settings.thresholds) == {name for name, s in STATISTICS.items() if s.threshold is not None}
    assert {f.name for f in fields(settings)} - tomllib.loads(path.read_text())["check"].keys() == {"numeric"}
