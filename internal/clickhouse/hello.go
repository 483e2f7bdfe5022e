package clickhouse

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// The part of the native protocol that the shield must understand: the client's
// first packet and the server's refusal of it.
const (
	helloPacket     = 0
	exceptionPacket = 2

	longestText = 1024 // of a name in a Hello packet; a real one has a few bytes

	codeUnknownDatabase = 81
	codeWrongLogin      = 516
)

// hello is the first packet of a client.
type hello struct {
	raw      []byte // as it came
	database string // "" means the default one
	user     string
	password string
}

// readHello reads a whole Hello packet. It refuses anything else.
func readHello(r *bufio.Reader) (h hello, err error) {
	number := func() (n uint64) {
		if err == nil {
			n, err = binary.ReadUvarint(r)
			h.raw = binary.AppendUvarint(h.raw, n)
		}
		return n
	}
	text := func() string {
		length := number()
		if err == nil && length > longestText {
			err = fmt.Errorf("cannot take a name of %d bytes in a Hello packet", length)
		}
		if err != nil {
			return ""
		}
		bytes := make([]byte, length)
		_, err = io.ReadFull(r, bytes)
		h.raw = append(h.raw, bytes...)
		return string(bytes)
	}
	if kind := number(); err == nil && kind != helloPacket {
		return h, fmt.Errorf("cannot take packet type %d, expected Hello", kind)
	}
	text() // the client's name
	for range 3 {
		number() // major and minor version, revision of the protocol
	}
	h.database, h.user, h.password = text(), text(), text()
	return h, err
}

// refusal returns the exception packet a server answers an impossible login
// with, nil when the login is fine.
func (h hello) refusal(databaseExists func(name string) (bool, error)) []byte {
	if (h.user != "" && h.user != "default") || h.password != "" {
		return exception(codeWrongLogin, h.user+": Authentication failed: password is incorrect, "+
			"or there is no user with such name")
	}
	if h.database == "" {
		return nil
	}
	if exists, err := databaseExists(h.database); err == nil && !exists {
		return exception(codeUnknownDatabase, fmt.Sprintf("Database %s does not exist", h.database))
	}
	return nil
}

// exception encodes an exception packet.
func exception(code uint32, message string) []byte {
	packet := []byte{exceptionPacket}
	packet = binary.LittleEndian.AppendUint32(packet, code)
	for _, text := range []string{"DB::Exception", "DB::Exception: " + message, ""} { // the last: no stack trace
		packet = binary.AppendUvarint(packet, uint64(len(text)))
		packet = append(packet, text...)
	}
	return append(packet, 0) // no nested exception
}

// existsBy asks the HTTP interface at addr whether a database exists.
func existsBy(ctx context.Context, addr string) func(name string) (bool, error) {
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	return func(name string) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		answer, err := Ask(ctx, addr, "SELECT count() FROM system.databases WHERE name = '"+quote.Replace(name)+"'")
		return answer == "1", err
	}
}

// nativeGreeter admits clients of the native protocol.
func nativeGreeter(ctx context.Context, httpAddr string) greeter {
	exists := existsBy(ctx, httpAddr)
	return func(client *bufio.Reader) (forward, answer []byte, err error) {
		h, err := readHello(client)
		if err != nil {
			return nil, nil, err
		}
		return h.raw, h.refusal(exists), nil
	}
}

// httpGreeter admits requests with a method that ClickHouse serves.
func httpGreeter(client *bufio.Reader) (forward, answer []byte, err error) {
	first, err := client.Peek(4)
	if err != nil {
		return nil, nil, err
	}
	switch string(first) {
	case "GET ", "POST", "HEAD", "PUT ", "OPTI", "DELE":
		return nil, nil, nil
	}
	return nil, []byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
		errors.New("cannot take a request that is not HTTP")
}
