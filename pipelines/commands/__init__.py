"""The commands of ``sim-sync``. ``cli`` parses their arguments and calls them.

Imports every other package of ``pipelines``; only ``cli`` imports this one.
"""
