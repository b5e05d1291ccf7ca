"""All uses of undocumented parts of dlt. One switch turns them off; a sync then does the same, but slower.

Imports no other folder. docs/dlt-internals.md lists each use.
"""
