"""Evidence, gates and plans: what speaks for a version, and what that allows."""
