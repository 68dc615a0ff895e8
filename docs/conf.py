# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx, for the pages that antsibull-docs writes. Nothing is looked up elsewhere while they are built."""

project = "apiary.bhyve"
copyright = "The apiary.bhyve developers"
title = html_short_title = "apiary.bhyve"
extensions = ["sphinx_antsibull_ext"]
highlight_language = "YAML+Jinja"
html_theme = "apiary"
html_theme_path = ["theme"]
html_permalinks_icon = "#"
html_copy_source = html_show_sourcelink = False
nitpicky = False
# Modules of Ansible itself are named but not linked.
# The guides stand on the first page, for the list beside every page, and on that of the collection.
suppress_warnings = ["ref.ref", "toc.multiple_toctrees"]
