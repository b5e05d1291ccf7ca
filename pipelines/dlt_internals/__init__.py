"""All uses of undocumented parts of dlt. One switch turns them off; a sync then does the same, but slower.

Imports ``sim_source`` only. docs/dlt-internals.md lists each use.
"""
