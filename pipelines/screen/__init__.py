"""Output in a terminal, under cron and in a pipe.

Imports ``sim_source`` only.
"""
