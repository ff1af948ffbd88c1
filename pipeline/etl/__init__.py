"""`etl:DATASET`: from a source, or from other datasets, to a new version in the lake."""
