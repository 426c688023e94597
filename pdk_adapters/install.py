"""How to install a PDK, as data: commands, what they do, and what their failures mean.

Nothing is started here.

Source
------
ciel 3.2.0: ``ciel enable --pdk-family FAMILY --pdk-root ROOT VERSION``, and
``ciel ls-remote --pdk-family FAMILY``. The pinned versions are those that
LibreLane 3.0.17 was released with (``pdk_hashes.yaml``).
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from flow.model.errors import ConfigError, FlowError, InfraError, ToolError
from pdk_adapters.discovery import home
from pdk_adapters.registry import offer

__all__ = ["InstallPlan", "describe", "plan_install", "read_failure"]

_ORFS = "https://github.com/The-OpenROAD-Project/OpenROAD-flow-scripts"
# ciel's selector, and the version that is known to work.
_CIEL = {
    "sky130": ("sky130", "8afc8346a57fe1ab7934ba5a6056ea8b43078e71"),
    "gf180": ("gf180mcu", "54435919abffb937387ec956209f9cf5fd2dfbee"),
    "ihp": ("ihp-sg13g2", "c4b8b4e5e7a05f375cca3815d51b3a37721fbf5c"),
}
_VERSION = re.compile(r"^[0-9a-f]{7,64}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallPlan:
    """What to run to install a PDK.

    Attributes
    ----------
    name
        The PDK.
    commands
        Exact arguments, one tuple a command, to be run in this order.
    explanation
        What they do, in a sentence or two.
    destination
        Where the PDK ends up.
    size
        How much is downloaded and kept.
    version
        What is installed.
    needs_root, needs_network
        What they ask for.
    requires
        Programs that must be on ``PATH``, and how to get each.
    after
        What to set afterwards; empty if nothing.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    explanation: str
    destination: Path
    size: str
    version: str
    needs_root: bool
    needs_network: bool
    requires: tuple[tuple[str, str], ...]
    after: str = ""


def plan_install(name: str, version: str | None = None) -> InstallPlan:
    """Plan the installation of the PDK called `name`.

    Parameters
    ----------
    version
        A commit for ciel, a branch or tag for OpenROAD-flow-scripts, a Debian
        version for the OSU libraries; the pinned or newest one unless given.

    Raises
    ------
    ConfigError
        There is no such PDK, it cannot be installed by command, or `version`
        cannot be one.
    """
    one = offer(name)
    if version is not None and (not version or version.startswith("-") or any(c.isspace() for c in version)):
        raise ConfigError(f"{version!r} is not a version", None, "Give a commit, a tag or a package version")
    if one.family == "osu":
        return _apt(name, version)
    if one.family in _CIEL:
        return _ciel(name, one.family, version)
    if one.family in ("nangate45", "asap7"):
        return _orfs(name, version)
    raise ConfigError(f"PDK {name} has no installer here", None, f"Its own instructions: {one.install}")


def _apt(name: str, version: str | None) -> InstallPlan:
    package = f"qflow-tech-{name}"
    return InstallPlan(
        name=name,
        commands=(("apt-get", "install", "-y", f"{package}={version}" if version else package),),
        explanation=f"installs Debian's package {package}: Liberty, LEF, SPICE and Verilog of the cells",
        destination=Path("/usr/share/qflow/tech") / name,
        size="65 kB to download, 0.6 MB on disk",
        version=version or "newest of the distribution",
        needs_root=True,
        needs_network=True,
        requires=(("apt-get", "this needs Debian or Ubuntu"),),
    )


def _ciel(name: str, family: str, version: str | None) -> InstallPlan:
    selector, pinned = _CIEL[family]
    wanted = version or pinned
    if not _VERSION.match(wanted):
        raise ConfigError(
            f"{wanted!r} is not a version of {selector}: ciel's versions are commits",
            None,
            f"List them: ciel ls-remote --pdk-family {selector}",
        )
    root = _ciel_root()
    return InstallPlan(
        name=name,
        commands=(("ciel", "enable", "--pdk-family", selector, "--pdk-root", str(root), wanted),),
        explanation=(
            f"has ciel download the open_pdks build {wanted[:12]} of {selector} and link it in {root}; "
            "another version that is enabled there stays on disk, but is linked no more"
        ),
        destination=root / _variant(name),
        size="several hundred MB to download, some GB on disk; ciel shows the progress",
        version=wanted,
        needs_root=False,
        needs_network=True,
        requires=(("ciel", "python3 -m pip install ciel"),),
        after="" if root == home() / ".ciel" or _named(root) else f"export PDK_ROOT={shlex.quote(str(root))}",
    )


def _variant(name: str) -> str:
    """Return the folder that a PDK's name stands for: ``gf180mcuD`` of ``gf180mcuD-9t``."""
    return name.removesuffix("-9t")


def _ciel_root() -> Path:
    named = [p for p in os.environ.get("PDK_ROOT", "").split(os.pathsep) if p.strip()]
    return Path(named[0]).expanduser() if named else home() / ".ciel"


def _named(root: Path) -> bool:
    return str(root) in os.environ.get("PDK_ROOT", "").split(os.pathsep)


def _orfs(name: str, version: str | None) -> InstallPlan:
    clone = home() / ".suzuri" / "pdks" / "OpenROAD-flow-scripts"
    below = f"flow/platforms/{name}"
    if clone.is_dir():
        commands = [("git", "-C", str(clone), "sparse-checkout", "add", below)]
    else:
        branch = ("--branch", version) if version else ()
        commands = [
            ("git", "clone", "--depth", "1", "--filter=blob:none", "--sparse", *branch, _ORFS, str(clone)),
            ("git", "-C", str(clone), "sparse-checkout", "set", below),
        ]
    return InstallPlan(
        name=name,
        commands=tuple(commands),
        explanation=f"clones only {below} of OpenROAD-flow-scripts, without its history",
        destination=clone / below,
        size="100 to 200 MB to download and on disk",
        version=version or "newest",
        needs_root=False,
        needs_network=True,
        requires=(("git", "apt-get install git"),),
        after=f"a clone that already holds flow/platforms/{name} serves too: export FLOW_HOME=<clone>/flow",
    )


def describe(plan: InstallPlan) -> str:
    """Return `plan` as text for a person to agree to."""
    lines = [
        f"{plan.name}: {plan.explanation}.",
        *(f"  $ {shlex.join(command)}" for command in plan.commands),
        f"  where:   {plan.destination}",
        f"  size:    {plan.size}",
        f"  version: {plan.version}",
        f"  needs:   {', '.join(_needs(plan))}",
    ]
    if plan.after:
        lines.append(f"  note:    {plan.after}")
    return "\n".join(lines)


def _needs(plan: InstallPlan) -> list[str]:
    needs = [program for program, _ in plan.requires]
    if plan.needs_root:
        needs.append("root (or sudo)")
    if plan.needs_network:
        needs.append("the network")
    return needs


# What is printed, what it means, what to do; the first that matches counts.
_FAILURES = (
    (
        r"could not resolve|temporary failure (in name resolution|resolving)|name or service not known|"
        r"network is unreachable|connection (refused|timed out|reset)|don't appear to be connected|"
        r"failed to establish a new connection|connecterror|connecttimeout|(unable to|could not) connect",
        "network",
        "the network cannot be reached",
        "Check the connection and a proxy (https_proxy), or copy the PDK from another machine "
        "and set PDK_ROOT to it",
    ),
    (
        r"no space left on device|disk quota exceeded",
        "disk",
        "the disk is full",
        "Free some space, or set PDK_ROOT to a folder on another disk",
    ),
    (
        r"file ?exists|exists, and is not a symlink|already exists and is not an empty directory",
        "user",
        "something that the installer did not make is in its place",
        "Move the folder that the message names away, or set PDK_ROOT to another one",
    ),
    (
        r"are you root|permission denied|could not open lock file|a password is required|not in the sudoers",
        "user",
        "permission was denied",
        "Ask an administrator to run the command, or run it with sudo",
    ),
    (
        r"unable to locate package|has no installation candidate|version .* was not found",
        "user",
        "the package manager does not know this package or version",
        "Run 'apt-get update' first; the packages are in Debian's and Ubuntu's main archive",
    ),
    (
        r"not found remotely|no versions found|remote branch .* not found|couldn't find remote ref",
        "user",
        "this version does not exist",
        "List versions with 'ciel ls-remote', or leave the version out",
    ),
    (
        r"rate limit|\b403\b",
        "network",
        "the server refuses more requests for now",
        "Wait, or set GITHUB_TOKEN to a token of yours",
    ),
)


def read_failure(
    plan: InstallPlan, command: tuple[str, ...], returncode: int, output: str
) -> FlowError | None:
    """Return the error that a command of `plan` ended with, or ``None`` if it succeeded.

    Parameters
    ----------
    returncode
        127 when the program is not there, as from a shell.
    output
        What it printed.
    """
    if returncode == 0:
        return None
    program = command[0]
    if returncode == 127:
        remedy = dict(plan.requires).get(program, "install it")
        return ConfigError(
            f"{program} is not installed, which installs {plan.name}", None, f"Get it: {remedy}"
        )
    for pattern, kind, what, remedy in _FAILURES:
        if re.search(pattern, output, re.IGNORECASE):
            error = ConfigError if kind == "user" else InfraError
            return error(f"{plan.name} was not installed: {what}", shlex.join(command), remedy)
    last = [line.strip() for line in output.splitlines() if line.strip()][-1:]
    said = f": {last[0][:200]}" if last else ""
    return ToolError(
        program, f"exit code {returncode}{said}", None, f"Run it yourself: {shlex.join(command)}"
    )
