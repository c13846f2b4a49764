"""Pushes what this process counts to a Graphite or a StatsD that is there already. Nothing is pushed unless asked for.

    pusher = tellback.push.graphite("graphite.example", prefix="studio.rigtools", period=60)
    pusher.allow("*")              # nothing is allowed before
    pusher.forbid("*.p98")         # of the rules that match the newest holds
    pusher.prune("cpython*")       # and everything below it

The records go to Tellback's own server all the same. A thread of its own pushes; what cannot be delivered is said once
and tried again a period later. A fork must ask for its own pusher.

rules       allow, forbid, prune
pusher      the thread
to_graphite, to_statsd   the two wires
"""

from tellback.client.push.pusher import Pusher
from tellback.client.push.to_graphite import graphite
from tellback.client.push.to_statsd import statsd

__all__ = ["Pusher", "graphite", "statsd"]
