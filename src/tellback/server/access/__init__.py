"""Who may do what: tokens, sign-in links, browser sessions."""
