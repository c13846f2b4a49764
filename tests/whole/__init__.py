"""The whole way, from a call in a program to an answer: real clients, a real server, nothing in between replaced."""
