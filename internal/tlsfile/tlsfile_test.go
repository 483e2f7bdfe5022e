package tlsfile

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recoup/internal/testcerts"
)

func TestOff(t *testing.T) {
	if config, err := (Settings{}).Config(); config != nil || err != nil {
		t.Errorf("Config of no settings = %v, %v; want neither", config, err)
	}
}

// What is wrong is found before anything is dialled, by the name of its field.
func TestWrongSettings(t *testing.T) {
	ours, other := testcerts.New(t), testcerts.New(t)
	cert, key := ours.Issue(t, "client")
	_, otherKey := other.Issue(t, "client")
	none := filepath.Join(t.TempDir(), "none")
	for _, c := range []struct {
		name     string
		settings Settings
		want     []string // parts of the error
	}{
		{"authority while off", Settings{CAFile: ours.File}, []string{"tls.ca_file", "tls.enabled is false"}},
		{"certificate while off", Settings{CertFile: cert}, []string{"tls.cert_file", "tls.enabled is false"}},
		{"key while off", Settings{KeyFile: key}, []string{"tls.key_file", "tls.enabled is false"}},
		{"name while off", Settings{ServerName: "a"}, []string{"tls.server_name", "tls.enabled is false"}},
		{"missing authority", Settings{Enabled: true, CAFile: none}, []string{"tls.ca_file", none}},
		{"key as authority", Settings{Enabled: true, CAFile: key}, []string{"tls.ca_file", key, "no PEM certificate"}},
		{"certificate alone", Settings{Enabled: true, CertFile: cert}, []string{cert, "tls.key_file", "set both"}},
		{"key alone", Settings{Enabled: true, KeyFile: key}, []string{key, "tls.cert_file", "set both"}},
		{"key of another", Settings{Enabled: true, CertFile: cert, KeyFile: otherKey}, []string{"tls.key_file", otherKey}},
		{"text that is no authority", Settings{Enabled: true, CA: "x"}, []string{"tls.ca_file", "no PEM certificate"}},
		{"certificate text alone", Settings{Enabled: true, Cert: text(t, cert)}, []string{"its key"}},
		{"missing key", Settings{Enabled: true, CertFile: cert, KeyFile: none}, []string{"tls.key_file", none}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.settings.Config()
			if err == nil || !strings.HasPrefix(err.Error(), "cannot ") {
				t.Fatalf("Config: %v, want an error that begins with cannot", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("Config: %v, want %q in it", err, part)
				}
			}
		})
	}
}

// text returns what a file holds.
func text(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Texts do what the files that hold them do.
func TestTexts(t *testing.T) {
	ours := testcerts.New(t)
	cert, key := ours.Issue(t, "client")
	config, err := Settings{Enabled: true, CA: text(t, ours.File), Cert: text(t, cert), Key: text(t, key)}.Config()
	if err != nil || config.RootCAs == nil || len(config.Certificates) != 1 {
		t.Errorf("Config of texts = %+v, %v; want the authority and a certificate", config, err)
	}
}

func TestConfig(t *testing.T) {
	ours := testcerts.New(t)
	config, err := Settings{Enabled: true, CAFile: ours.File, ServerName: "server.test"}.Config()
	if err != nil {
		t.Fatal(err)
	}
	if config.RootCAs == nil || config.ServerName != "server.test" || config.MinVersion != tls.VersionTLS12 {
		t.Errorf("Config = %+v, want the authority, the name and TLS 1.2", config)
	}
	if config.GetClientCertificate != nil || config.InsecureSkipVerify {
		t.Error("Config shows a certificate or skips the check of the server's")
	}
	if config, err = (Settings{Enabled: true}).Config(); err != nil || config.RootCAs != nil {
		t.Errorf("Config without authority = %+v, %v; want those of the operating system", config, err)
	}
}

// A certificate that is renewed in place is shown by the next connection.
func TestRenewedCertificate(t *testing.T) {
	ours := testcerts.New(t)
	cert, key := ours.Issue(t, "client")
	config, err := Settings{Enabled: true, CertFile: cert, KeyFile: key}.Config()
	if err != nil {
		t.Fatal(err)
	}
	before, err := config.GetClientCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	ours.Issue(t, "client") // into the same files
	after, err := config.GetClientCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(before.Certificate[0], after.Certificate[0]) {
		t.Error("the old certificate is shown after it was renewed")
	}
}
