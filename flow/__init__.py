"""Suzuri's orchestrator: a library, and a thin command line on top of it.

Layers, each importing only those before it:

``flow.model``
    Pure data: designs, steps, views, metrics, checks, errors. No I/O.
``flow.engine``
    Plans a graph, hashes it, runs it, stores it.
``flow.tools``
    One adapter for each external tool: plans a command, reads its log.
``flow.stages``
    The steps of a chip flow in terms of model and tools.
``flow.report``
    What people look at.
``flow.cli``
    The ``suzuri`` command.
"""
