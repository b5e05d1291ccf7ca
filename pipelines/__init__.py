"""The sim-sync application: command line, runs, views, report, demo."""
