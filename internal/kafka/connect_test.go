package kafka

import (
	"context"
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

	"github.com/twmb/franz-go/pkg/kfake"

	"recoup/pipeline"
)

// authority signs certificates of a test.
type authority struct {
	dir  string
	name string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string // path of its certificate
}

func newAuthority(t *testing.T, name string) *authority {
	a := &authority{dir: t.TempDir(), name: name}
	a.pem, _ = a.issue(t, name, true)
	return a
}

// issue writes a certificate and its key and returns their paths.
func (a *authority) issue(t *testing.T, name string, isCA bool) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spec := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  isCA,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if isCA {
		spec.ExtKeyUsage = nil
		a.cert, a.key = spec, key
	}
	der, err := x509.CreateCertificate(rand.Reader, spec, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key")
	write := func(file, kind string, der []byte) {
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(certFile, "CERTIFICATE", der)
	write(keyFile, "EC PRIVATE KEY", keyDER)
	return certFile, keyFile
}

// server returns the TLS settings of a broker; with clients, only their
// certificates are let in.
func (a *authority) server(t *testing.T, clients *authority) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.issue(t, "broker", false))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{pair}}
	if clients != nil {
		cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		cfg.ClientCAs.AddCert(mustParse(t, clients.pem))
	}
	return cfg
}

func mustParse(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// checkConnect connects; want is a part of the error, or "" for success, in which
// case a record goes there and back and a group is joined over the same settings.
func checkConnect(t *testing.T, s Settings, want string) {
	t.Helper()
	began := time.Now()
	c, err := Connect(s)
	if want != "" {
		if err == nil {
			c.Close()
			t.Fatalf("Connect succeeded, want an error with %q", want)
		}
		if !strings.HasPrefix(err.Error(), "cannot ") || !strings.Contains(err.Error(), want) {
			t.Errorf("Connect: %v; want an error that begins with cannot and has %q", err, want)
		}
		if s.SASL.Password != "" && strings.Contains(err.Error(), s.SASL.Password) {
			t.Errorf("the error shows the password: %v", err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("Connect took %v to fail", took)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	topic := makeTopic(t, c, 1, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := c.Log().Append(ctx, topic, 0, []pipeline.Record{{Value: []byte("hello")}}); err != nil {
		t.Fatal(err)
	}
	got, err := c.Log().Open(topic, 0).Fetch(ctx, 0)
	if err != nil || len(got.Records) != 1 || string(got.Records[0].Value) != "hello" {
		t.Errorf("Fetch = %v, %v; want the record", got.Records, err)
	}
	member := c.Group(GroupSettings{ID: "g", Topic: topic})
	defer member.Close()
	gen, err := member.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := gen.Commit(ctx, map[int]int64{0: 1}); err != nil {
		t.Error(err)
	}
	gen.Leave()
}

func TestTLS(t *testing.T) {
	ours, other := newAuthority(t, "ours"), newAuthority(t, "other")
	secure := fake(t, kfake.TLS(ours.server(t, nil))).ListenAddrs()
	plain := fake(t).ListenAddrs()
	for _, c := range []struct {
		name    string
		brokers []string
		tls     TLS
		want    string
	}{
		{"trusted", secure, TLS{Enabled: true, CAFile: ours.pem}, ""},
		{"unknown authority", secure, TLS{Enabled: true}, "tls.ca_file"},
		{"wrong authority", secure, TLS{Enabled: true, CAFile: other.pem}, "tls.ca_file"},
		{"wrong name", secure, TLS{Enabled: true, CAFile: ours.pem, ServerName: "kafka.example"}, "tls.server_name"},
		{"no TLS to a TLS broker", secure, TLS{}, "tls.enabled"},
		{"TLS to a plain broker", plain, TLS{Enabled: true, CAFile: ours.pem}, "tls.enabled"},
		{"missing file", secure, TLS{Enabled: true, CAFile: "/nowhere/ca.pem"}, "/nowhere/ca.pem"},
		{"file without certificate", secure, TLS{Enabled: true, CAFile: os.Args[0]}, "no PEM certificate"},
		{"settings without TLS", plain, TLS{CAFile: ours.pem}, "tls.enabled is false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkConnect(t, Settings{Brokers: c.brokers, TLS: c.tls, DialTimeout: 2 * time.Second}, c.want)
		})
	}
}

func TestMutualTLS(t *testing.T) {
	ours, other := newAuthority(t, "ours"), newAuthority(t, "other")
	addr := fake(t, kfake.TLS(ours.server(t, ours))).ListenAddrs()
	cert, key := ours.issue(t, "client", false)
	otherCert, otherKey := other.issue(t, "client", false)
	for _, c := range []struct {
		name      string
		cert, key string
		want      string
	}{
		{"good", cert, key, ""},
		{"no certificate", "", "", "tls.cert_file"},
		{"untrusted certificate", otherCert, otherKey, "tls.cert_file"},
		{"key of another", cert, otherKey, "tls.key_file"},
		{"half of it", cert, "", "must be set together"},
		{"missing key", cert, "/nowhere/key", "/nowhere/key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tls := TLS{Enabled: true, CAFile: ours.pem, CertFile: c.cert, KeyFile: c.key}
			checkConnect(t, Settings{Brokers: addr, TLS: tls}, c.want)
		})
	}
}

func TestSASL(t *testing.T) {
	const user, password = "recoup", "corr\u00e8ct horse"
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		addr := fake(t, kfake.EnableSASL(), kfake.Superuser(mechanism, user, password)).ListenAddrs()
		for _, c := range []struct {
			name string
			sasl SASL
			want string
		}{
			{"good", SASL{Mechanism: mechanism, Username: user, Password: password}, ""},
			{"bad password", SASL{Mechanism: mechanism, Username: user, Password: "wrong-secret"}, "refused the login"},
			{"bad user", SASL{Mechanism: mechanism, Username: "nobody", Password: password}, "refused the login"},
			{"no login", SASL{}, "sasl.mechanism"},
			{"no password", SASL{Mechanism: mechanism, Username: user}, "sasl.password is empty"},
			{"no mechanism", SASL{Username: user, Password: password}, "sasl.mechanism is empty"},
		} {
			t.Run(mechanism+" "+c.name, func(t *testing.T) { checkConnect(t, Settings{Brokers: addr, SASL: c.sasl}, c.want) })
		}
	}
}

// TLS and login together, as clusters in the cloud want it.
func TestTLSWithSASL(t *testing.T) {
	ours := newAuthority(t, "ours")
	addr := fake(t, kfake.TLS(ours.server(t, nil)), kfake.EnableSASL(),
		kfake.Superuser("SCRAM-SHA-512", "u", "p")).ListenAddrs()
	s := Settings{Brokers: addr, TLS: TLS{Enabled: true, CAFile: ours.pem},
		SASL: SASL{Mechanism: "SCRAM-SHA-512", Username: "u", Password: "p"}}
	checkConnect(t, s, "")
	s.SASL.Password = "wrong-secret"
	checkConnect(t, s, "refused the login")
}

// A readable password goes to no other host unless the user says so.
func TestPlaintextPassword(t *testing.T) {
	plain := SASL{Mechanism: "PLAIN", Username: "u", Password: "p"}
	allowed := plain
	allowed.AllowPlaintext = true
	for _, c := range []struct {
		broker  string
		s       Settings
		refused bool
	}{
		{"kafka.example:9092", Settings{SASL: plain}, true},
		{"10.0.0.1:9092", Settings{SASL: plain}, true},
		{"localhost.example:9092", Settings{SASL: plain}, true},
		{"127.0.0.1:9092", Settings{SASL: plain}, false},
		{"localhost:9092", Settings{SASL: plain}, false},
		{"[::1]:9092", Settings{SASL: plain}, false},
		{"10.0.0.1:9092", Settings{SASL: allowed}, false},
		{"10.0.0.1:9092", Settings{SASL: plain, TLS: TLS{Enabled: true}}, false},
		{"10.0.0.1:9092", Settings{SASL: SASL{Mechanism: "SCRAM-SHA-256", Username: "u", Password: "p"}}, false},
	} {
		c.s.Brokers = []string{c.broker}
		if err := c.s.check(); (err != nil) != c.refused {
			t.Errorf("%s with %+v: %v, want refused %v", c.broker, c.s.SASL, err, c.refused)
		}
	}
	// Nor to a broker that only the cluster names.
	c := &Client{settings: Settings{Brokers: []string{"127.0.0.1:1"}, SASL: plain}.withDefaults()}
	if _, err := c.dial(t.Context(), "tcp", "10.0.0.1:9092"); err == nil || !strings.Contains(err.Error(), "PLAIN") {
		t.Errorf("dial of a remote broker: %v, want a refusal", err)
	}
}

func TestUnreachable(t *testing.T) {
	for _, c := range []struct {
		name    string
		brokers []string
		want    string
	}{
		{"nobody listens", []string{freeAddr(t)}, "nothing listens there"},
		{"none given", nil, "brokers is empty"},
		{"no port", []string{"localhost"}, `"localhost"`},
	} {
		t.Run(c.name, func(t *testing.T) { checkConnect(t, Settings{Brokers: c.brokers}, c.want) })
	}
	one := fake(t).ListenAddrs()[0]
	checkConnect(t, Settings{Brokers: []string{freeAddr(t), one, freeAddr(t)}}, "")
}

// A listener that never answers does not hold Connect for ever.
func TestSilentBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	checkConnect(t, Settings{Brokers: []string{l.Addr().String()}, DialTimeout: time.Second}, "cannot reach Kafka at")
}
