"""The order of a sync: account, audit logs, then lists, open runs, details and snapshots of each workspace.

Imports every other package of ``sim_source``; only ``source`` imports this one.
"""
