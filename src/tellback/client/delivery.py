"""What becomes of one slice: sent, split, set aside, or kept for later. Holds the policy towards the server."""

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tellback.client import notice
from tellback.client.folder import REJECTED
from tellback.client.lost import Lost
from tellback.client.slices import compressor, halves
from tellback.client.transport import Answer, Transport
from tellback.order import PATH
from tellback.record import HEADER_OFFSET, HEADER_PROCESS, HEADER_SEGMENT

if TYPE_CHECKING:
    from tellback.client.orders import Orders

BASE: Final = 0.5
CAP: Final = 60.0
DENIED: Final = 300.0
"""Seconds: the first and the longest wait after an outage, and the wait after a refusal that only a person can end."""

_LONGEST_WISH: Final = 3600.0


class Delivery:
    """Sends slices and remembers how the server took the last ones."""

    def __init__(self, transport: Transport, root: Path, lost: Lost, orders: "Orders | None" = None) -> None:
        """`orders` obeys what the server's answers say about what may be recorded."""
        self._transport = transport
        self._orders = orders
        self._root = root
        self._lost = lost
        self._encoding, self._compress = compressor()
        self._failures = 0
        self.wait = 0.0
        """Seconds to wait before the next try; 0 after a success."""
        self.binding = False
        """That wait was asked for by the server, or waits for a person: a flush does not cut it short."""
        self.reached = False
        """The server took the last slice."""
        self.records = 0
        """Accepted by the server, without duplicates."""
        self.trouble = ""
        """Why the last try failed, in words."""
        self.status = 0
        """Of the last answer; 0 if there was none."""

    def send(self, segment: str, header: bytes, offset: int, data: bytes) -> bool:
        """True if these lines need not be sent again: taken, or set aside. False: wait `wait` seconds and try again."""
        todo = [(offset, data)]
        while todo:
            at, part = todo.pop()
            answer = self._post(segment, header, at, part)
            verdict = _body(answer)
            self.status = answer.status
            if answer.status == 202 and "accepted" in verdict:
                self._well(verdict)
                notice.detail(f"The server took {verdict['accepted']} records ({len(part):,} bytes).")
            elif answer.status == 413:
                first, second = halves(part)
                if second:
                    todo += [(at + len(first), second), (at, first)]
                else:
                    self._set_aside(segment, header, at, part, "too_large")
            elif answer.status == 400:
                # In the server's own words it has these lines in quarantine; anyone else's 400 means nobody has them.
                self._set_aside(segment, header, at, part, None if "rejected" in verdict else "refused")
                self.reached = True
            elif answer.status == 415 and self._encoding != "identity":
                self._encoding, self._compress = compressor("gzip" if self._encoding == "zstd" else "identity")
                todo.append((at, part))
            else:
                self._badly(answer)
                return False
        return True

    def ask_control(self) -> None:
        """Ask what may be recorded, if the server has an order in force."""
        if self._orders is not None and self._orders.in_force:
            self._heed(self._transport.get(PATH))

    def _heed(self, answer: Answer) -> Answer:
        if answer.control and self._orders is not None:
            self._orders.obey(answer.control)
        return answer

    def close(self) -> None:
        """Let the connection go."""
        self._transport.close()

    def _post(self, segment: str, header: bytes, offset: int, data: bytes) -> Answer:
        headers = {HEADER_SEGMENT: segment, HEADER_OFFSET: str(offset)}
        if header:
            headers[HEADER_PROCESS] = base64.urlsafe_b64encode(header).decode()
        if self._encoding != "identity":
            headers["Content-Encoding"] = self._encoding
        return self._heed(self._transport.post(self._compress(data), headers))

    def _well(self, verdict: dict[str, Any]) -> None:
        self._failures, self.wait, self.binding, self.reached, self.trouble = 0, 0.0, False, True, ""
        accepted = verdict["accepted"]
        self.records += accepted if isinstance(accepted, int) else 0
        notice.forget("refused")

    def _badly(self, answer: Answer) -> None:
        self.reached = False
        status = answer.status
        self.trouble = f"{status} {answer.reason}".strip() if status else answer.reason
        if status in (401, 403):
            self.wait, self.binding = DENIED, True
            notice.once(
                "refused",
                f"The server refuses the token ({status}). Records stay in the spool; set TELLBACK_TOKEN to one "
                "made by `tellback token new --write`.",
            )
            return
        if status and status not in (408, 425, 429) and status < 500:
            self.wait, self.binding = DENIED, True
            notice.once(
                "refused",
                f"What answers at the url is no Tellback server ({status} {answer.reason}). Records stay in the spool; "
                "set TELLBACK_URL to the server's address, such as http://127.0.0.1:8321.",
            )
            return
        # Full jitter: clients that lost the server together do not come back together.
        ceiling = min(CAP, BASE * 2 ** min(self._failures, 10))
        self._failures += 1
        self.wait, self.binding = max(0.05, ceiling * int.from_bytes(os.urandom(4), "big") / 2**32), False
        if answer.retry_after is not None:
            self.wait, self.binding = max(self.wait, min(answer.retry_after, _LONGEST_WISH)), True

    def _set_aside(self, segment: str, header: bytes, offset: int, data: bytes, reason: str | None) -> None:
        """Keep lines that the server will never have for a person to look at, and count them."""
        lines = data.count(b"\n") - (1 if offset == 0 and header else 0)
        if reason:
            self._lost.add(reason, lines)
        notice.once(
            "aside", f"The server would not have {lines} records; they lie in {self._root / REJECTED} to be looked at."
        )
        try:
            folder = self._root / REJECTED
            folder.mkdir(mode=0o700, exist_ok=True)
            (folder / f"{segment}-{offset}.ndjson").write_bytes(data)
        except OSError:
            self.trouble = "no room to set a slice aside"


def _body(answer: Answer) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return body if isinstance(body, dict) else {}
