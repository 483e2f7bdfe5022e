package sinks

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs certificates of the tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.cert, a.key = a.issue(t, "ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue writes name.crt and name.key, signed by the authority or, for the first,
// by itself.
func (a *authority) issue(t *testing.T, name string, template *x509.Certificate) (*x509.Certificate,
	*ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.Subject = pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		name + ".crt": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(a.path(file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func (a *authority) path(file string) string { return filepath.Join(a.dir, file) }

// TestTLS reaches ClickHouse through a proxy that ends TLS, as a server with a
// certificate would, and with both of the store's connections: queries and inserts.
func TestTLS(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	ca.issue(t, "server", &x509.Certificate{DNSNames: []string{"clickhouse.test"}, IPAddresses: []net.IP{{127, 0, 0, 1}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	ca.issue(t, "client", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	other.issue(t, "client", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	pair, err := tls.LoadX509KeyPair(ca.path("server.crt"), ca.path("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(ca.cert)
	straight := openStore(t)
	target := straight.client.settings.Addresses[0]
	oneWay := newProxy(t, target, &tls.Config{Certificates: []tls.Certificate{pair}})
	mutual := newProxy(t, target, &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: clients,
		ClientAuth: tls.RequireAndVerifyClientCert})
	good := TLS{Enabled: true, CAFile: ca.path("ca.crt")}
	with := func(change func(*TLS)) TLS { c := good; change(&c); return c }
	show := func(a *authority) TLS {
		return with(func(c *TLS) { c.CertFile, c.KeyFile = a.path("client.crt"), a.path("client.key") })
	}
	const unknown = "certificate signed by unknown authority"
	for name, test := range map[string]struct {
		proxy *proxy
		tls   TLS
		want  string // part of the error, empty for success
	}{
		"good authority":      {oneWay, good, ""},
		"server name":         {oneWay, with(func(c *TLS) { c.ServerName = "clickhouse.test" }), ""},
		"wrong authority":     {oneWay, with(func(c *TLS) { c.CAFile = other.path("ca.crt") }), unknown},
		"system authorities":  {oneWay, with(func(c *TLS) { c.CAFile = "" }), unknown},
		"wrong server name":   {oneWay, with(func(c *TLS) { c.ServerName = "example.org" }), "not example.org"},
		"mutual":              {mutual, show(ca), ""},
		"mutual, none shown":  {mutual, good, "certificate required"},
		"mutual, wrong shown": {mutual, show(other), "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := straight.client.settings
			settings.Addresses, settings.TLS = []string{test.proxy.addr()}, test.tls
			s, err := Open(settings)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			insert := s.Insert(t.Context(), testOwner, 0, sampleBlock(s, 1, 1))
			ping := s.Ping(t.Context())
			for what, err := range map[string]error{"insert": insert, "ping": ping} {
				if test.want == "" && err != nil {
					t.Errorf("%s: %v", what, err)
				}
				// A client learns of a refused certificate when it reads, or finds the
				// connection closed.
				named := err != nil && (strings.Contains(err.Error(), test.want) || test.proxy == mutual)
				if test.want != "" && !named {
					t.Errorf("%s: %v, want %q", what, err, test.want)
				}
			}
		})
	}
}

// TestSettings: what is wrong is found before anything is dialled, by name.
func TestSettings(t *testing.T) {
	ca := newAuthority(t)
	for want, s := range map[string]Settings{
		`cannot use ClickHouse address "nohost": expected host:port`: {Addresses: []string{"nohost"}},
		"cannot use database \"a-b\"":                                {Database: "a-b"},
		"cannot use inserts per second -1":                           {InsertsPerSecond: -1},
		"tls files are named but tls.enabled is false":               {TLS: TLS{CAFile: ca.path("ca.crt")}},
		"tls.cert_file and tls.key_file go together":                 {TLS: TLS{Enabled: true, CertFile: ca.path("ca.crt")}},
		"it holds no PEM certificate":                                {TLS: TLS{Enabled: true, CAFile: ca.path("ca.key")}},
		"cannot read the authorities of ClickHouse":                  {TLS: TLS{Enabled: true, CAFile: ca.path("none")}},
	} {
		if _, err := Open(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open with %+v: %v, want %q", s, err, want)
		}
	}
	if s, err := Open(Settings{}); err != nil {
		t.Errorf("open with defaults: %v", err)
	} else {
		_ = s.Close()
	}
}
