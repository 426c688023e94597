"""Adapters to open PDKs: each returns a frozen ``flow.model.pdk.Pdk``.

One module serves one process family (``osu``, ``sky130``, ``gf180``, ``ihp``,
``orfs`` for nangate45 and asap7); ``registry`` finds them, and those that
others ship under the entry-point group ``suzuri.pdks``. ``liberty``,
``boolean``, ``lef`` and ``cell_models`` read the views; ``conformance``
checks that an adapter tells the truth about them.
"""
