# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx, for the pages that antsibull-docs writes. Nothing is looked up elsewhere while they are built."""

project = "apiary.bhyve"
copyright = "The apiary.bhyve developers"
title = html_short_title = "apiary.bhyve"
extensions = ["sphinx_antsibull_ext"]
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
html_theme = "alabaster"
html_theme_options = {"page_width": "70em", "sidebar_width": "16em", "fixed_sidebar": False}
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
nitpicky = False
# Modules of Ansible itself are named but not linked.
suppress_warnings = ["ref.ref"]
