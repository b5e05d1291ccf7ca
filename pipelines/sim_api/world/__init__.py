"""The truth that the embedded Sim API tells: accounts, workflows, runs and what they cost. Knows nothing of HTTP."""
