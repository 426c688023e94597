"""Runs in a process of its own: imports a performance model and calls it.

Started as ``python -m flow.stages.performance_child REQUEST``, as
:mod:`flow.stages.elaborate_child` is.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flow.stages.elaborate_child import Reads, place_of, said_of

__all__ = ["main"]


def _call(request: Mapping[str, Any], root: Path) -> dict[str, Any]:
    name = str(request["model"])
    module, _, attribute = name.partition(":")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        return {"error": {"what": f"the performance model {name!r} was not found: {error}", "where": None,
                          "remedy": "Give model as package.module:function, below python_root."}}  # fmt: skip
    except BaseException as error:
        return {"error": {"what": f"importing {module!r} failed: {said_of(error, root)}",
                          "where": place_of(error, root), "remedy": "Mend the module."}}  # fmt: skip
    files = {workload: [Path(f) for f in paths] for workload, paths in request["workloads"].items()}
    try:
        found = dict(function(dict(request["parameters"]), files))
    except ValueError as error:
        return {"error": {"what": f"the performance model refuses these parameters: {error}", "where": None,
                          "remedy": None}}  # fmt: skip
    except BaseException as error:
        return {"error": {"what": f"the performance model failed: {said_of(error, root)}",
                          "where": place_of(error, root), "remedy": "Mend the model."}}  # fmt: skip
    return {"metrics": {str(k): None if v is None else float(v) for k, v in found.items()}}


def main(request_path: str) -> int:
    """Do what the request says; the exit code is 0 unless this program itself is wrong."""
    request = json.loads(Path(request_path).read_text())
    root = Path(request["root"])
    sys.path.insert(0, str(root))
    reads = Reads(root)
    answer = _call(request, root)
    answer["reads"] = reads.result()
    Path(request["answer"]).write_text(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
