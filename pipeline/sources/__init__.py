"""Where raw data comes from: one file a kind, each yielding Arrow record batches."""
