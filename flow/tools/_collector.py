"""Keep Python's garbage collector out of functions that build large structures."""

from __future__ import annotations

import functools
import gc
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

__all__ = ["without_collector"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_lock = threading.Lock()
_inside = 0
_was_on = False


def without_collector(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let `function` run without the cyclic garbage collector.

    A netlist is hundreds of thousands of small objects that all stay: the
    collector would walk them over and over while they are built, which is
    half of the time. It comes back when the last such function has returned,
    in whatever thread.
    """

    @functools.wraps(function)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        global _inside, _was_on  # noqa: PLW0603 - the collector is global too
        with _lock:
            if _inside == 0:
                _was_on = gc.isenabled()
                gc.disable()
            _inside += 1
        try:
            return function(*args, **kwargs)
        finally:
            with _lock:
                _inside -= 1
                if _inside == 0 and _was_on:
                    gc.enable()

    return wrapped
