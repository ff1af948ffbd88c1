"""What a screen needs from the daemon, put together from several answers, now or as of a time. Called in threads."""
