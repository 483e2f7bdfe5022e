package address

import (
	"strings"
	"testing"
)

// No message shows a login, wherever somebody wrote it (B10).
func TestCheck(t *testing.T) {
	for address, want := range map[string]string{
		"localhost:9092": "", "[::1]:9000": "", "broker-1.example:19092": "",
		"localhost": `cannot use "localhost": expected host:port, such as h:1`,
		":9092":     "expected host:port", "h:": "expected host:port", "": "expected host:port",
		"user:hunter2@host:9092":               `cannot use "***@host:9092": expected host:port, such as h:1, without `,
		"hunter2@host:9092":                    `cannot use "***@host:9092"`,
		"clickhouse://default:hunter2@h:9000":  `cannot use "***@h:9000"`,
		"clickhouse://default:p@hunter2@h:900": `cannot use "***@h:900"`,
	} {
		err := Check(address, "h:1")
		switch {
		case err == nil && want != "":
			t.Errorf("%q is accepted", address)
		case err != nil && (want == "" || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%q: %v, want %q", address, err, want)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1": true, "127.9.9.9:80": true, "LOCALHOST:1": true,
		"[::1]:9000": true, "::1": true, "0.0.0.0:1": false, "10.0.0.1": false, "localhost.example:1": false, "": false} {
		if got := IsLoopback(address); got != want {
			t.Errorf("IsLoopback(%q) = %v", address, got)
		}
	}
}
