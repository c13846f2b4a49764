"""The wires: one file each. Bytes and peer in; canonical records, rejects and an answer out."""
