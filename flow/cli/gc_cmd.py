"""``suzuri gc``."""

from __future__ import annotations

import re
from dataclasses import asdict

import click

from flow.model.errors import ConfigError

__all__ = ["gc"]

_SIZES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_AGES = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


@click.command()
@click.option("--max-size", metavar="SIZE", help="Keep at most this much, for example 5G.")
@click.option("--older-than", metavar="AGE", help="Drop what was not used for this long, for example 30d.")
@click.option("--all", "everything", is_flag=True, help="Drop everything.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def gc(max_size: str | None, older_than: str | None, everything: bool, as_json: bool) -> None:
    """Free the cache: what was not used for longest goes first.

    Without an option it only says how large the cache is. What a run needs
    again is made again.
    """
    from flow.engine.cache import default_root
    from flow.engine.gc import collect, usage

    root = default_root()
    if not (max_size or older_than or everything):
        size = usage(root)
        if as_json:
            from flow.cli.main import echo_json

            echo_json({"cache": str(root), "bytes": size})
        else:
            click.echo(f"{root}: {_human(size)}. Free some with: suzuri gc --max-size 1G")
        return
    keep = 0 if everything else _amount(max_size, _SIZES, "--max-size", "5G")
    age = _amount(older_than, _AGES, "--older-than", "30d")
    freed = collect(root, keep_bytes=None if keep is None else int(keep), older_s=age)
    if as_json:
        from flow.cli.main import echo_json

        echo_json(asdict(freed))
        return
    click.echo(
        f"Removed {freed.results} results and {_human(freed.freed_bytes)}; "
        f"kept {freed.left_results} results and {_human(freed.left_bytes)} in {root}"
    )


def _amount(text: str | None, units: dict[str, int], option: str, example: str) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]?)[Bb]?", text.strip())
    unit = match[2] if match else "?"
    found = next((v for k, v in units.items() if k.lower() == unit.lower()), None)
    if match is None or found is None:
        raise ConfigError(f"{text!r} cannot be understood", option, f"For example: {option} {example}")
    return float(match[1]) * found


def _human(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
