"""Benchmarks: the same load on Pyrite, Prosody and ejabberd in one run.

Run as ``python -m bench``. Figures compare only within one run.
"""
