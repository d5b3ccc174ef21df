"""A user of the library websocket-client: python_websocket_client.py URL ORIGIN SUBPROTOCOL"""

import struct
import sys
import threading

import websocket

import lines


def obey(socket):
    for word, argument in lines.orders():
        if word == "send":
            socket.send(argument)
        else:
            socket.send_close(argument)  # close() would throw away what comes meanwhile, and the code of the answer


def main(url, origin, subprotocol):
    try:
        socket = websocket.create_connection(
            url,
            origin=origin or None,
            subprotocols=[subprotocol] if subprotocol else None,
            enable_multithread=True,
        )
    except websocket.WebSocketException as refusal:
        lines.failed(getattr(refusal, "status_code", None))
        return
    lines.opened()
    orders = threading.Thread(target=obey, args=[socket])
    orders.start()
    while True:
        opcode, data = socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            break
        lines.heard(data.decode())
    lines.closed(struct.unpack("!H", data[:2])[0])
    orders.join()
    socket.close()


main(*sys.argv[1:])
