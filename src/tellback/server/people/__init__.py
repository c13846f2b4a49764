"""The directory of people: who is in which team."""
