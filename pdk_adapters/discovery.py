"""Where PDKs are on this machine, and which version they are.

Places, in order: ``PDK_ROOT`` (several folders, separated as in ``PATH``),
ciel's ``~/.ciel``, our own ``~/.suzuri/pdks``; for OpenROAD-flow-scripts also
``FLOW_HOME`` and ``ORFS``; for the OSU libraries ``QFLOW_TECH``, then Debian's folder.

Source
------
ciel 3.2.0, ``common.py``: ``<root>/<variant>`` is a link into
``<root>/ciel/<family>/versions/<version>/<variant>``, and
``<root>/ciel/<family>/current`` names the enabled version.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = [
    "debian_version", "files", "find_open_pdk", "find_platform", "find_qflow", "git_version",
    "home", "open_pdk_version", "pdk_roots",
]  # fmt: skip

QFLOW_FOLDERS = (Path("/usr/share/qflow/tech"), Path("/usr/local/share/qflow/tech"))
_PLATFORMS = (
    "orfs/platforms", "flow/platforms", "platforms", "orfs/flow/platforms",
    "OpenROAD-flow-scripts/flow/platforms", "",
)  # fmt: skip
_HEX = re.compile(r"^[0-9a-f]{7,64}$")


def pdk_roots() -> tuple[Path, ...]:
    """Return the folders that may hold PDKs, in order, whether they exist or not."""
    named = [_expand(p) for p in os.environ.get("PDK_ROOT", "").split(os.pathsep) if p.strip()]
    return tuple(dict.fromkeys([*named, home() / ".ciel", home() / ".suzuri" / "pdks"]))


def home() -> Path:
    """Return the user's home folder."""
    return _expand(os.environ.get("HOME") or "~")


def _expand(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # no such user, or no home: then nothing is there
        return Path(text)


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # no permission, or a loop of links
        return False


def find_open_pdk(variant: str, family: str, library: str) -> Path | None:
    """Return the folder of an open_pdks installation that has `library`, or ``None``.

    Parameters
    ----------
    variant
        For example ``sky130A``.
    family
        ciel's name of the family, for example ``sky130``.
    library
        Folder that must be below ``libs.ref``.
    """
    for root in pdk_roots():
        for place in _open_pdk_places(root, variant, family):
            if _is_dir(place / "libs.ref" / library):
                return place
    return None


def _open_pdk_places(root: Path, variant: str, family: str) -> Iterator[Path]:
    yield root / variant
    yield root / "share" / "pdk" / variant
    if root.name == variant:
        yield root
    # ciel 2 called the family of ihp-sg13g2 by its variant.
    for store in (root / "ciel" / family, root / "ciel" / variant):
        try:
            current = (store / "current").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            current = ""
        if _HEX.match(current):
            yield store / "versions" / current / variant
        try:
            installed = sorted(p.name for p in (store / "versions").iterdir())
        except OSError:
            installed = []
        for version in installed:
            yield store / "versions" / version / variant


def find_platform(name: str) -> Path | None:
    """Return the folder of an OpenROAD-flow-scripts platform, or ``None``."""
    roots = list(pdk_roots())
    for variable in ("FLOW_HOME", "ORFS"):
        if os.environ.get(variable, "").strip():
            roots.append(_expand(os.environ[variable]))
    for root in roots:
        for below in _PLATFORMS:
            place = root / below / name
            if _is_dir(place / "lib") and _is_dir(place / "lef"):
                return place
        if root.name == name and _is_dir(root / "lib") and _is_dir(root / "lef"):
            return root
    return None


def find_qflow(name: str) -> Path | None:
    """Return the folder of one of qflow's technologies, or ``None``."""
    override = os.environ.get("QFLOW_TECH", "").strip()
    places = (_expand(override),) if override else QFLOW_FOLDERS
    return next((place / name for place in places if _is_dir(place / name)), None)


def files(folder: Path, pattern: str) -> tuple[Path, ...]:
    """Return the files of `folder` that match, sorted; none where there is no such folder."""
    try:
        return tuple(sorted(p for p in folder.glob(pattern) if p.is_file()))
    except OSError:
        return ()


def open_pdk_version(place: Path) -> str:
    """Return the version of an open_pdks installation: a commit, or ``unknown``."""
    for name in ("SOURCES", "COMMIT"):
        try:
            words = (place / name).read_text(encoding="utf-8", errors="replace").split()
        except OSError:
            continue
        commits = [w for w in words if _HEX.match(w)]
        if commits:
            return commits[0]
    try:
        parts = place.resolve().parts
    except (OSError, RuntimeError):
        return "unknown"
    if "versions" in parts[:-1]:
        return parts[len(parts) - 2 - parts[-2::-1].index("versions") + 1]
    return git_version(place.parent)  # IHP's own repository holds the PDK as a folder


def git_version(clone: Path) -> str:
    """Return the commit of the git clone `clone`, or ``unknown`` if it is none.

    Read from git's own files: a PDK is described on every start, and a
    process would cost more than all the rest. Only the folder given counts:
    a repository further up may be the user's own design.
    """
    try:
        head = (clone / ".git" / "HEAD").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return "unknown"
    if not head.startswith("ref: "):
        return head if _HEX.match(head) else "unknown"
    return _git_ref(clone / ".git", head.removeprefix("ref: "))


def _git_ref(git: Path, ref: str) -> str:
    try:
        commit = (git / ref).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        commit = ""
    if not commit:
        try:
            lines = (git / "packed-refs").read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
        commit = next((line.split()[0] for line in lines if line.endswith(f" {ref}")), "")
    return commit if _HEX.match(commit) else "unknown"


def debian_version(package: str) -> str:
    """Return the version of an installed Debian package, or ``unknown``.

    From its changelog: dpkg's own database takes far longer to search.
    """
    import gzip  # noqa: PLC0415 - only one family needs it

    try:
        with gzip.open(f"/usr/share/doc/{package}/changelog.Debian.gz", "rt", encoding="utf-8") as stream:
            match = re.match(r"\S+ \(([^)\s]+)\)", stream.readline())
    except (OSError, EOFError, UnicodeDecodeError):
        return "unknown"
    return match.group(1) if match else "unknown"
