/* A user of the library OkHttp, as Android's programs have it: java OkHttpUser URL ORIGIN SUBPROTOCOL */

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;

public final class OkHttpUser extends WebSocketListener {
    private static void tell(String line) {
        System.out.println(line);
        System.out.flush();
    }

    @Override
    public void onOpen(WebSocket socket, Response answer) {
        tell("open");
    }

    @Override
    public void onMessage(WebSocket socket, String text) {
        tell("text " + Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public void onClosing(WebSocket socket, int code, String reason) {
        socket.close(code, null);
    }

    @Override
    public void onClosed(WebSocket socket, int code, String reason) {
        tell("close " + code);
    }

    @Override
    public void onFailure(WebSocket socket, Throwable failure, Response answer) {
        System.err.println(failure);
        tell("failed " + (answer != null ? answer.code() : "-"));
    }

    private static void obey(WebSocket socket) throws IOException {
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line; (line = orders.readLine()) != null; ) {
            String[] words = line.split(" ");
            if (words[0].equals("send")) {
                socket.send(new String(Base64.getDecoder().decode(words[1]), StandardCharsets.UTF_8));
            } else {
                socket.close(Integer.parseInt(words[1]), null);
            }
        }
    }

    public static void main(String[] arguments) throws IOException {
        Request.Builder request = new Request.Builder().url(arguments[0]);
        if (!arguments[1].isEmpty()) {
            request.header("Origin", arguments[1]);
        }
        if (!arguments[2].isEmpty()) {
            request.header("Sec-WebSocket-Protocol", arguments[2]);
        }
        obey(new OkHttpClient().newWebSocket(request.build(), new OkHttpUser()));
        System.exit(0); // its threads would wait a minute for more work
    }
}
