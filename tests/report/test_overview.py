"""The heat map of windows and features."""

from __future__ import annotations

import re

import pytest

from gpudrift.report import render_overview


def test_each_cell_holds_its_number_and_its_class(overview):
    drifted = [False, False, True, False]
    series = {"name": "temp", "values": [0.05, 0.1, 0.3, None], "drifted": drifted, "counted": True}
    page = render_overview(overview(n_windows=4, features=[series]))
    assert re.findall(r'<td class="(l[0-2x](?: d)?)">([^<]*)</td>', page) == [
        ("l0", "0.0500"),
        ("l1", "0.100"),
        ("l2 d", "0.300"),
        ("lx", "–"),
    ]


def test_windows_link_to_their_reports(overview):
    assert re.findall(r'<th scope="col"><a href="([^"]+)">', render_overview(overview(n_windows=2))) == [
        "report-04.html",
        "report-05.html",
    ]


@pytest.mark.parametrize("href", ["javascript:alert(1)", " java\nscript:alert(1)", "data:text/html,x", "//[", None])
def test_a_link_that_is_not_a_place_is_text(overview, href):
    window = {"label": "w", "href": href, "dataset_drift": False, "share_drifted": None, "n": None}
    page = render_overview(overview(windows=[window], features=[]))
    assert "<a " not in page


def test_hostile_names_stay_text(overview):
    name = "<script>alert(1)</script>"
    view = overview(title=name, subtitle=[name], problems=[{"feature": name, "what": name, "remedy": name}])
    view["windows"][0]["label"] = name
    view["features"][0]["name"] = name
    page = render_overview(view)
    assert name not in page
    assert page.count("<script>") == 1


def test_the_first_200_features_are_shown_and_the_page_says_so(overview):
    page = render_overview(overview(n_windows=2, n_features=201))
    assert "The first 200 of 201 features are shown." in page
    assert "feature_200" not in page


def test_a_feature_with_too_few_windows_is_refused(overview):
    view = overview(n_windows=3)
    view["features"][0]["values"].pop()
    with pytest.raises(ValueError, match=r"feature 'feature_0' needs 3 values and verdicts, .* got 2 and 3"):
        render_overview(view)


def test_no_window_is_a_page(overview):
    assert "There is no window to show." in render_overview(overview(n_windows=0, n_features=0))
