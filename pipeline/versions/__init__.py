"""What a version is on disk: bundle, signature, digests."""
