"""Measurements: ``make bench`` runs them and prints one table.

Every figure is taken in the same run as the alternative that it is compared
with, on the same machine; tests never assert a time.
"""
