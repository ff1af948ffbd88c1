"""What remembers: the record in SQLite, the lake, and the words everybody shares."""
