"""The lines around every screen: where one is, what happened, what can be done, and where one types."""
