"""One file per question: parameters in, rows out."""
