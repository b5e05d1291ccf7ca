"""What runs cost, which model and workflow spent it, what failed: in the terminal, and as a page.

Imports ``destination`` and ``views``; only ``commands`` imports this package.
"""
