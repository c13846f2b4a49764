"""The made-up firm that `tellback demo` fills a server with."""
