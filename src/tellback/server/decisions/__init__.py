"""What people decided (accounts, tokens, people): a small relational database beside the records."""
