"""Code that runs inside the simulator's Python.

This folder, not the package, is put on ``PYTHONPATH`` there, so that nothing
else of Suzuri can be imported by accident or stand in the way of a bench's
own modules. It uses the standard library only, and cocotb once that is up.
"""
