"""Sphinx: furo, MyST, the API from the docstrings; built with warnings as errors."""

from __future__ import annotations

import mlconnector

project = "mlconnector"
author = "the authors of mlconnector"
version = release = mlconnector.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = f"mlconnector {release}"
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
html_show_copyright = False
toc_object_entries_show_parents = "hide"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]
add_module_names = False
autodoc_typehints = "none"
# Extras that a build of the site need not install.
autodoc_mock_imports = ["pyspark", "pyarrow"]
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": False}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
suppress_warnings = ["ref.python"]
