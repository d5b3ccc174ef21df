// A user of the library gorilla/websocket: go_gorilla URL ORIGIN SUBPROTOCOL
package main

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const patience = 10 * time.Second

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func obey(socket *websocket.Conn) {
	orders := bufio.NewScanner(os.Stdin)
	orders.Buffer(nil, 1<<20)
	for orders.Scan() {
		word, argument, _ := strings.Cut(orders.Text(), " ")
		if word == "send" {
			text, err := base64.StdEncoding.DecodeString(argument)
			must(err)
			must(socket.WriteMessage(websocket.TextMessage, text))
		} else {
			code, err := strconv.Atoi(argument)
			must(err)
			frame := websocket.FormatCloseMessage(code, "")
			must(socket.WriteControl(websocket.CloseMessage, frame, time.Now().Add(patience)))
		}
	}
}

func main() {
	dialer := websocket.Dialer{EnableCompression: true, HandshakeTimeout: patience}
	headers := http.Header{}
	if origin := os.Args[2]; origin != "" {
		headers.Set("Origin", origin)
	}
	if subprotocol := os.Args[3]; subprotocol != "" {
		dialer.Subprotocols = []string{subprotocol}
	}
	socket, answer, err := dialer.Dial(os.Args[1], headers)
	if errors.Is(err, websocket.ErrBadHandshake) {
		fmt.Println("failed", answer.StatusCode)
		return
	}
	must(err)
	fmt.Println("open")
	go obey(socket)
	for {
		_, text, err := socket.ReadMessage()
		if closed, ok := err.(*websocket.CloseError); ok {
			fmt.Println("close", closed.Code)
			return
		}
		must(err)
		fmt.Println("text", base64.StdEncoding.EncodeToString(text))
	}
}
