"""Settings of Sphinx; `build.py` writes the pages that are made from the package and from the README."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from sphinx.addnodes import pending_xref

import dyn_explorer

project = "dyn_explorer"
author = "The dyn_explorer authors"
copyright = author  # noqa: A001 - Sphinx reads this name
version = release = dyn_explorer.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
# A name in single backticks is a link where it can be one, and code where it cannot.
default_role = "py:obj"
smartquotes_action = "D"  # dashes alone: a quotation mark is often part of Python
add_module_names = False
# Types stand in the docstrings, with shapes and units; signatures with both are unreadable.
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True, "member-order": "bysource"}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Traits", "params_style")]
# Only names spelled in full can be told from parameters and from other people's names.
nitpicky = True
nitpick_ignore_regex = [(r".*", r"(?!dyn_explorer\.).*")]
myst_heading_anchors = 3
# Publishers answer a program with 403 where a person gets the paper.
linkcheck_allowed_redirects = {r"https://doi\.org/.*": r".*", r"https://mybinder\.org/.*": r".*"}
linkcheck_ignore = [r"https://mybinder\.org/.*OWNER.*"]
linkcheck_timeout = 20

html_theme = "furo"
html_title = f"dyn_explorer {version}"
html_static_path = ["static"]
html_css_files = ["style.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0072b2", "color-brand-content": "#0072b2"},
    "dark_css_variables": {"color-brand-primary": "#56b4e9", "color-brand-content": "#56b4e9"},
}
pygments_style, pygments_dark_style = "friendly", "github-dark"

DOI = re.compile(r"\bdoi:(10\.\d{4,9}/[^\s,;]*[^\s,;.)])")
ARXIV = re.compile(r"\barXiv:((?:[a-z-]+/\d{7})|(?:\d{4}\.\d{4,5}))")
CODE = re.compile(r"(``.+?``|`[^`]+`)")


def prose(text: str) -> str:
    """One line of prose: papers become links, and a bar is a bar."""
    parts = CODE.split(text)
    for place in range(0, len(parts), 2):
        part = re.sub(r"(?<!\\)\|", r"\|", parts[place])  # some docstrings pass here twice
        part = DOI.sub(r"`doi:\1 <https://doi.org/\1>`__", part)
        parts[place] = ARXIV.sub(r"`arXiv:\1 <https://arxiv.org/abs/\1>`__", part)
    return "".join(parts)


def mend_docstring(app, what, name, thing, options, lines):
    """Docstrings are written for people who read them in a notebook; this makes them what Sphinx reads as the same."""
    in_example = False
    for place, line in enumerate(lines):
        in_example = line.lstrip().startswith(">>>") or (in_example and bool(line.strip()))
        if not in_example:
            lines[place] = prose(line)


def unlink_words(app, doctree):
    """In the type ``Tensor (n_snapshots,)`` only the first word is a type."""
    for link in list(doctree.findall(pending_xref)):
        if link.get("reftype") == "class" and not link["reftarget"].rpartition(".")[2][:1].isupper():
            link.replace_self(link.children)


def setup(app):
    """Called by Sphinx."""
    app.connect("doctree-read", unlink_words)
    app.connect("autodoc-process-docstring", mend_docstring, priority=100)
    return {"parallel_read_safe": True}
