"""A user's program that `mypy --strict` must refuse: proof that the types are seen at all. It is checked, never run."""

import tellback

tellback.event(12)
