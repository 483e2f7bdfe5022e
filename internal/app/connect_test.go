package app

import (
	"testing"

	"recoup/internal/config"
	"recoup/internal/tlsfile"
)

// Every field of the configuration reaches the connections.
func TestTLSFiles(t *testing.T) {
	got := tlsFiles(config.TLS{Enabled: true, CAFile: "ca", CertFile: "cert", KeyFile: "key", ServerName: "name"})
	want := tlsfile.Settings{Enabled: true, CAFile: "ca", CertFile: "cert", KeyFile: "key", ServerName: "name"}
	if got != want {
		t.Errorf("tlsFiles = %+v, want %+v", got, want)
	}
	c := &config.Config{}
	c.ClickHouse.TLS.ServerName = "name"
	if got := ClickHouse(c, nil).TLS; got != (tlsfile.Settings{ServerName: "name"}) {
		t.Errorf("TLS of ClickHouse = %+v, want the configuration's", got)
	}
}
