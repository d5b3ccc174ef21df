#include "dialect_1/remote_1.h"

#include "dialect/remote_client.h"
#include "dialect_1/signal_1.h"

static bool write(remote *r, const room_signal *signal, const room_member *from, bytes **out)
{
    (void)r;
    struct iovec parts[MESSAGE_SIGNAL_PARTS];
    signal_1_id id;
    signal_1_lay_out(parts, signal, from, &id);
    return bytes_append_parts(out, parts, MESSAGE_SIGNAL_PARTS) == 0;
}

const remote_kind remote_1 = {
    .face =
        {
            REMOTE_CLIENT_FACE,
            .send = remote_face_send,
            .on_entered = remote_face_on_entered,
            .on_dropped = remote_face_on_dropped,
            .kinds = SIGNAL_1_KINDS,
            .has_users = true,
            .keeps_queue = true,
            .version = 1,
        },
    .space = ROOM_SPACE_ROOMS,
    .write = write,
    .on_signal = remote_client_on_signal,
    .open = remote_client_open,
    .close = remote_client_close,
    .pack = remote_client_pack,
};
