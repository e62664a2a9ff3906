"""The queues of fifo.py behind SQS's JSON protocol, as far as boto3 is used here; loopback only."""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from tests.faults.fifo import BadReceipt, Fifo, Message

LOOPBACK = "127.0.0.1"
REFUSE, LOSE = "refuse", "lose"


class QueueServer:
    """Serves queues by their names.

    Args:
        queues: by name.
    """

    def __init__(self, queues: Mapping[str, Fifo]) -> None:
        self.queues = dict(queues)
        self.fault: str | None = None
        self.lock = Lock()
        self._http = _Server((LOOPBACK, 0), self)
        self.url = f"http://{LOOPBACK}:{self._http.server_address[1]}"
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def url_of(self, name: str) -> str:
        return f"{self.url}/000000000000/{name}"

    def answer(self, action: str, asked: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Carry out one request."""
        queue = self.queues.get(str(asked.get("QueueUrl", "")).rpartition("/")[2])
        if queue is None:
            return _error("QueueDoesNotExist", "no such queue")
        with self.lock:
            if self.fault == REFUSE:
                return _error("AccessDeniedException", "the queue is away")
            try:
                return 200, _ACTIONS[action](queue, asked)
            except BadReceipt as fault:
                return _error("ReceiptHandleIsInvalid", str(fault))


def _send_batch(queue: Fifo, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {"Successful": [{"Id": each["Id"], **_send(queue, each)} for each in asked["Entries"]]}


def _send(queue: Fifo, asked: Mapping[str, Any]) -> dict[str, Any]:
    body = asked["MessageBody"]
    made = queue.send(
        asked["MessageGroupId"],
        asked["MessageDeduplicationId"],
        body,
        asked.get("MessageAttributes", {}),
    )
    return {"MessageId": made, "MD5OfMessageBody": _md5(body)}


def _receive(queue: Fifo, asked: Mapping[str, Any]) -> dict[str, Any]:
    messages = queue.receive_several(
        asked.get("MaxNumberOfMessages", 1), asked.get("VisibilityTimeout")
    )
    return {"Messages": [told(each) for each in messages]} if messages else {}


def _delete(queue: Fifo, asked: Mapping[str, Any]) -> dict[str, Any]:
    queue.delete(asked["ReceiptHandle"])
    return {}


def _change(queue: Fifo, asked: Mapping[str, Any]) -> dict[str, Any]:
    queue.change_visibility(asked["ReceiptHandle"], float(asked["VisibilityTimeout"]))
    return {}


def _attributes(queue: Fifo, _: Mapping[str, Any]) -> dict[str, Any]:
    waiting, in_flight = queue.depths()
    counts = {
        "ApproximateNumberOfMessages": str(waiting),
        "ApproximateNumberOfMessagesNotVisible": str(in_flight),
    }
    return {"Attributes": counts}


_ACTIONS: dict[str, Callable[[Fifo, Mapping[str, Any]], dict[str, Any]]] = {
    "SendMessageBatch": _send_batch,
    "SendMessage": _send,
    "ReceiveMessage": _receive,
    "DeleteMessage": _delete,
    "ChangeMessageVisibility": _change,
    "GetQueueAttributes": _attributes,
}


def told(message: Message) -> dict[str, Any]:
    """A delivery in SQS's words."""
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.handle,
        "Body": message.body,
        "MD5OfBody": _md5(message.body),
        "Attributes": {
            "ApproximateReceiveCount": str(message.receive_count),
            "MessageGroupId": message.group,
            "SentTimestamp": str(int(message.sent_at * 1000)),
        },
        "MessageAttributes": dict(message.attributes),
    }


def event(message: Message, queue: str, region: str = "us-east-1") -> dict[str, Any]:
    """What the event source hands to a function: a batch of one."""
    record = {
        "messageId": message.id,
        "receiptHandle": message.handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receive_count),
            "MessageGroupId": message.group,
            "SentTimestamp": "0",
            "SenderId": "harness",
            "ApproximateFirstReceiveTimestamp": "0",
        },
        "messageAttributes": {},
        "md5OfBody": _md5(message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{region}:000000000000:{queue}",
        "awsRegion": region,
    }
    return {"Records": [record]}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _error(code: str, message: str) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": f"com.amazonaws.sqs#{code}", "message": message}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], queues: QueueServer) -> None:
        super().__init__(address, _Handler)
        self.queues = queues

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A function that was killed hangs up; anything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("half a request")
        asked = json.loads(body)
        action = self.headers["X-Amz-Target"].rpartition(".")[2]
        status, answer = self.server.queues.answer(action, asked)
        if self.server.queues.fault == LOSE:
            self.close_connection = True
            return
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""
