"""The made-up firm that `tellback demo` fills a server with.

`firm` says who is there and what they use, `calendar` which days are worked, `history` who did what when, `faults` what
goes wrong, `play` speaks it all through the public client API, one process for each tool and release. `fill` runs those
processes against a server that `serving` started. The same seed and the same day give the same history.
"""
