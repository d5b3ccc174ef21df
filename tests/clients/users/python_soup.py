"""A user of the library libsoup, as GNOME's programs have it: python_soup.py URL ORIGIN SUBPROTOCOL"""

import sys
import threading

import gi

gi.require_version("Soup", "3.0")
from gi.repository import GLib, Soup  # noqa: E402

import lines


def obey(socket):
    for word, argument in lines.orders():
        if word == "send":
            GLib.idle_add(socket.send_text, argument)
        else:
            GLib.idle_add(socket.close, argument, None)


def main(url, origin, subprotocol):
    loop = GLib.MainLoop()
    session = Soup.Session()
    session.add_feature_by_type(Soup.WebsocketExtensionManager)
    request = Soup.Message.new("GET", url)

    def on_closed(socket):
        lines.closed(socket.get_close_code())
        loop.quit()

    def on_connected(_, result):
        try:
            socket = session.websocket_connect_finish(result)
        except GLib.Error:
            lines.failed(int(request.get_status()) or None)
            loop.quit()
            return
        socket.connect("message", lambda _, kind, data: lines.heard(data.get_data().decode()))
        socket.connect("closed", on_closed)
        lines.opened()
        threading.Thread(target=obey, args=[socket], daemon=True).start()

    session.websocket_connect_async(
        request, origin or None, [subprotocol] if subprotocol else None, GLib.PRIORITY_DEFAULT, None, on_connected
    )
    loop.run()


main(*sys.argv[1:])
