"""The data behind the embedded Sim API: accounts, workflows, runs and their costs. Knows nothing of HTTP."""
