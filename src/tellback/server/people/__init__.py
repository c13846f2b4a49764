"""The directory of people and their teams."""
