"""How each noun looks: columns of its lists and the facts of one, pure. A record in, cells and tones out."""
