"""What a client's call has taken outlives whatever becomes of the host. Nothing is replaced: real processes end,
real servers fork, real disks are full."""
