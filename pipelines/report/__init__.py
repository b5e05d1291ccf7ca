"""The report on cost, models, workflows and failures, in the terminal and as an HTML page.

Imports ``destination`` and ``views``.
"""
