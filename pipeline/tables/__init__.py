"""What all steps need for tables: types, SQL text, shaping, description, faults of the disk."""
