"""Reports as self-contained HTML pages: plain dictionaries in, text out."""

from __future__ import annotations

from gpudrift.report.html import render_report
from gpudrift.report.overview import render_overview
from gpudrift.report.view import OverviewView, ReportView

__all__ = ["OverviewView", "ReportView", "render_overview", "render_report"]
