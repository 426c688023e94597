"""What people look at after a run: an HTML page, ``metrics.json``, a terminal summary.

Everything here is a pure function of ``run.json``, so a report can be made
again at any time, on any machine, without the tools or the PDKs.
"""
