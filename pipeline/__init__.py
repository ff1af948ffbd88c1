"""What computes: sources, datasets, checks, features, training, evidence, gates and bundles."""
