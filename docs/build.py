"""Build the documentation: ``python docs/build.py`` writes build/docs/index.html; a warning is an error.

``python docs/build.py --links`` asks the network whether every external link leads somewhere.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


def assemble(folder: Path) -> None:
    """Write every page's source into a new folder."""
    import guide
    import reference

    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py", "gallery"))
    guide.write(folder)
    reference.write(folder / "api")


def main() -> int:
    """Build, and say where."""
    from sphinx.cmd.build import main as sphinx

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=HERE.parent / "build" / "docs", help="folder of the pages")
    parser.add_argument("--links", action="store_true", help="ask the network for every external link instead")
    chosen = parser.parse_args()
    sources = chosen.to.parent / f"{chosen.to.name}-sources"
    assemble(sources)
    builder = "linkcheck" if chosen.links else "html"
    target = sources.with_name(f"{chosen.to.name}-links") if chosen.links else chosen.to
    return sphinx(["-b", builder, "-c", str(HERE), "-W", "--keep-going", "-q", str(sources), str(target)])


if __name__ == "__main__":
    sys.exit(main())
