"""Every use of what dlt does not document: behind one switch, without which a sync does the same, slower."""
