"""Configuration of Sphinx. Nothing in the built pages asks the network for anything."""

from __future__ import annotations

import sys
from pathlib import Path

from jupyter_client.manager import KernelManager

import kit

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "vmm-kit"
author = "the vmm-kit authors"
project_copyright = "2026, the vmm-kit authors"
release = version = kit.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "command_reference",
    "instruction_manual",
    "lemmas",
    "lessons",
    "pseudo_instructions",
]
exclude_patterns = ["_build", "jupyter_execute"]
default_role = "code"
nitpicky = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True

nb_execution_mode = "cache"
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_execution_raise_on_error = True
# Kernels that talk in plain text say so, loudly. Where Jupyter can encrypt, nothing needs saying.
if hasattr(KernelManager, "transport_encryption"):
    KernelManager.transport_encryption.default_value = "auto"
# A view comes as a piece of HTML with its own script (kit.widgets.page), so that it is alive here
# without Jupyter's widget manager, which would come from a content delivery network.
nb_mime_priority_overrides = [("html", "text/html", 0)]
nb_ipywidgets_js: dict[str, dict[str, str]] = {}

html_theme = "furo"
html_title = f"vmm-kit {release}"
html_static_path = ["_static"]
html_css_files = ["kit.css"]
html_js_files = [("kit.js", {"defer": "defer"})]
html_show_sphinx = False
html_copy_source = False
