"""What each dangerous action would do, as a plan: a file a noun."""
