#include "dialect_session/remote_session.h"

#include "dialect/remote_client.h"
#include "dialect_session/signal_session.h"

static bool write(remote *r, const room_signal *signal, const room_member *from, bytes **out)
{
    (void)r;
    struct iovec parts[SESSION_MESSAGE_PARTS];
    size_t count = signal_session_lay_out(parts, signal, from);
    return bytes_append_parts(out, parts, (int)count) == 0;
}

const remote_kind remote_session = {
    .face =
        {
            REMOTE_CLIENT_FACE,
            .send = remote_face_send,
            .on_entered = remote_face_on_entered,
            .on_dropped = remote_face_on_dropped,
            .kinds = SIGNAL_SESSION_KINDS,
            .doubts_company = true,
            .version = 1,
        },
    .space = ROOM_SPACE_SESSIONS,
    .write = write,
    .on_signal = remote_client_on_signal,
    .open = remote_client_open,
    .close = remote_client_close,
    .pack = remote_client_pack,
};
