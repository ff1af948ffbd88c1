"""The verbs of `trainshed`, a file for each group. What a verb needs beyond typer it imports when it runs."""
