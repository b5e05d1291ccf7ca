"""Output in a terminal, under cron and in a pipe.

Imports no other folder.
"""
