# ruff: noqa: N802, N815 -- Twisted's names
"""A program on Twisted's reactor: python twisted_program.py SPOOL. Prints its port, ends when its input does."""

import sys

from twisted.internet import defer, reactor, stdio, task
from twisted.internet.protocol import Protocol
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

import tellback
from tellback.adapters import twisted

log = Logger("farm.jobs")


class Shot(Resource):
    isLeaf = True

    def render_GET(self, request):
        tellback.event("shot_opened")
        self.later(request).addErrback(request.processingFailed)
        return NOT_DONE_YET

    @defer.inlineCallbacks
    def later(self, request):
        yield task.deferLater(reactor, 0.01, lambda: None)
        tellback.event("shot_loaded")
        request.write(b"sq10")
        request.finish()


class Fail(Resource):
    isLeaf = True

    def render_GET(self, request):
        raise ValueError("no sq10")


class Lost(Resource):
    isLeaf = True

    def render_GET(self, request):
        log.warn("{count} jobs left, password=hunter2", count=3)
        defer.fail(KeyError("nobody waits"))
        return b"lost"


class End(Protocol):
    def connectionLost(self, reason):
        reactor.stop()


root = Resource()
for name, resource in ((b"shot", Shot()), (b"fail", Fail()), (b"lost", Lost())):
    root.putChild(name, resource)
tellback.init(spool=sys.argv[1])
twisted.observe()
site = Site(root)
twisted.instrument(site, user=lambda request: request.getHeader("x-user"))
port = reactor.listenTCP(0, site, interface="127.0.0.1")
stdio.StandardIO(End())
reactor.callWhenRunning(lambda: print(port.getHost().port, flush=True))
reactor.run()
