"""Windows and slices on the page."""

from __future__ import annotations

import re

import pytest

from gpudrift.report import render_report

from .test_html import HOSTILE, Page, assert_harmless


def test_the_page_says_how_many_windows_and_slices_drifted(report, feature, windows, slices):
    page = Page(render_report(report(feature("feature_1"), windows=windows(), slices=slices())))
    assert "Windows of 1 day, compared with the reference. 8 of 12 drifted." in page.text
    assert "Slices by origin, carrier" in page.text
    assert "1 of 3 drifted." in page.text
    assert "over all current rows together. 8 of 12 windows drifted. 1 of 3 slices drifted." in page.text


def test_a_strip_says_in_words_what_it_shows(report, feature, windows):
    page = Page(render_report(report(feature("feature_1"), windows=windows())))
    labels = [a["aria-label"] for a in page.all("svg") if str(a.get("class")) == "strip"]
    assert len(labels) == 3
    assert labels[1] == "\u2068feature_1\u2069: drifted in 8 of 12 windows, largest PSI 0.200 in day 5"


def test_each_feature_that_is_drawn_has_a_time_line(report, feature, windows):
    text = render_report(report(feature("feature_1"), feature("feature_2"), feature("alone"), windows=windows()))
    assert text.count('<svg class="timeline"') == 2
    assert "PSI over 12 windows from day 1 to day 12: largest 0.200 in day 5, newest 0.200; drifted in 8 of 12." in text


def test_a_name_leads_to_its_section_where_it_has_one(report, feature, windows):
    text = render_report(report(feature("feature_1"), windows=windows()))
    strips = text[text.index('<table class="strips"') :]
    assert re.findall(r'<th scope="row">(<a href="#f1">)?<bdi>(feature_\d)', strips)[:3] == [
        ("", "feature_0"),
        ('<a href="#f1">', "feature_1"),
        ("", "feature_2"),
    ]


def test_the_page_is_bounded_and_says_what_it_left_out(report, feature, windows, slices):
    view = report(*(feature(f"feature_{f}") for f in range(200)), windows=windows(500, 200), slices=slices(300))
    text = render_report(view)
    page = Page(text)
    assert "500" in page.text
    assert "The newest 400 are shown, 100 older ones are left out." in page.text
    assert "The 60 features that drifted in most windows are drawn, 140 more are left out." in page.text
    assert "The 200 worst are shown." in page.text
    assert "day 100 " not in page.text
    bare = render_report({**view, "windows": None, "slices": None})
    assert len(text) - len(bare) < 1_500_000


def test_no_window_and_no_slice_are_a_page(report, feature, windows, slices):
    none = {"windows": windows(windows=[], features=[]), "slices": slices(0)}
    text = Page(render_report(report(feature(), **none))).text
    assert "There is no window to show." in text
    assert "There is no slice to show." in text


def test_a_feature_without_any_value_has_an_empty_strip(report, feature, windows):
    view = windows(2, 1)
    view["features"][0].update(values=[None, None])
    text = render_report(report(feature("feature_0"), windows=view))
    assert 'data-values="– –"></svg>' in text
    assert "timeline" not in text[text.index("</style>") :]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(report, feature, windows, slices, name):
    view, parts = windows(2, 1), slices(1, columns=[name])
    view["features"][0]["name"] = name
    view["windows"][1]["drifted"] = parts["slices"][0]["drifted"] = [{"name": name, "psi": None}]
    view["windows"][0]["label"] = parts["slices"][0]["label"] = view["title"] = name
    assert_harmless(render_report(report(feature(name), windows=view, slices=parts)))


def test_a_feature_with_too_few_windows_is_refused(report, windows):
    view = windows(3)
    view["features"][0]["drifted"].pop()
    with pytest.raises(ValueError, match=r"feature 'feature_0' needs 3 values and verdicts, .* got 3 and 2"):
        render_report(report(windows=view))
