"""The destination: its dlt pipeline, its DuckDB file and lock, names, SQL, and words for its faults."""
