"""Python's h2: a GET and a POST of 200 kB as two streams of a connection, with and without TLS. Arguments: both ports."""

import socket
import ssl
import sys

import h2.config
import h2.connection
import h2.events

BODY = b"x" * 200_000


def exchange(sock):
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    head = [(":scheme", "https"), (":authority", "echo.example")]
    connection.send_headers(1, [(":method", "GET"), (":path", "/h2?q=100%25|{}"), *head], end_stream=True)
    connection.send_headers(3, [(":method", "POST"), (":path", "/h2"), *head, ("content-length", str(len(BODY)))])
    unsent, answers = BODY, {1: b"", 3: b""}
    ended = set()
    while len(ended) < 2:
        while unsent and (room := min(connection.local_flow_control_window(3), connection.max_outbound_frame_size, len(unsent))):
            connection.send_data(3, unsent[:room], end_stream=room == len(unsent))
            unsent = unsent[room:]
        sock.sendall(connection.data_to_send())
        received = sock.recv(65_536)
        assert received, "the connection ended"
        for event in connection.receive_data(received):
            assert not isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)), event
            if isinstance(event, h2.events.ResponseReceived):
                assert dict(event.headers)[":status"] == "200", event
            elif isinstance(event, h2.events.DataReceived):
                answers[event.stream_id] += event.data
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                ended.add(event.stream_id)
    assert b"path: /h2?q=100%25|{}" in answers[1], answers[1]
    assert b"body: 200000 bytes" in answers[3], answers[3]


plain, secure = map(int, sys.argv[1:])
with socket.create_connection(("127.0.0.1", plain), timeout=60) as sock:
    exchange(sock)
context = ssl._create_unverified_context()
context.set_alpn_protocols(["h2"])
with context.wrap_socket(socket.create_connection(("127.0.0.1", secure), timeout=60), server_hostname="echo.example") as sock:
    assert sock.selected_alpn_protocol() == "h2"
    exchange(sock)
print("ok")
