package kafka

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"recoup/internal/testcerts"
	"recoup/internal/tlsfile"
	"recoup/pipeline"
)

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
	ours, other := testcerts.New(t), testcerts.New(t)
	secure := fake(t, kfake.TLS(ours.Server(t, nil))).ListenAddrs()
	plain := fake(t).ListenAddrs()
	for _, c := range []struct {
		name    string
		brokers []string
		tls     tlsfile.Settings
		want    string
	}{
		{"trusted", secure, tlsfile.Settings{Enabled: true, CAFile: ours.File}, ""},
		{"unknown authority", secure, tlsfile.Settings{Enabled: true}, "tls.ca_file"},
		{"wrong authority", secure, tlsfile.Settings{Enabled: true, CAFile: other.File}, "tls.ca_file"},
		{"wrong name", secure, tlsfile.Settings{Enabled: true, CAFile: ours.File, ServerName: "kafka.example"},
			"tls.server_name"},
		{"no TLS to a TLS broker", secure, tlsfile.Settings{}, "tls.enabled"},
		{"TLS to a plain broker", plain, tlsfile.Settings{Enabled: true, CAFile: ours.File}, "tls.enabled"},
		{"missing file", secure, tlsfile.Settings{Enabled: true, CAFile: "/nowhere/ca.pem"}, "/nowhere/ca.pem"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkConnect(t, Settings{Brokers: c.brokers, TLS: c.tls, DialTimeout: 2 * time.Second}, c.want)
		})
	}
}

func TestMutualTLS(t *testing.T) {
	ours, other := testcerts.New(t), testcerts.New(t)
	addr := fake(t, kfake.TLS(ours.Server(t, ours))).ListenAddrs()
	cert, key := ours.Issue(t, "client")
	otherCert, otherKey := other.Issue(t, "client")
	for _, c := range []struct {
		name      string
		cert, key string
		want      string
	}{
		{"good", cert, key, ""},
		{"no certificate", "", "", "tls.cert_file"},
		{"untrusted certificate", otherCert, otherKey, "tls.cert_file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tls := tlsfile.Settings{Enabled: true, CAFile: ours.File, CertFile: c.cert, KeyFile: c.key}
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
	ours := testcerts.New(t)
	addr := fake(t, kfake.TLS(ours.Server(t, nil)), kfake.EnableSASL(),
		kfake.Superuser("SCRAM-SHA-512", "u", "p")).ListenAddrs()
	s := Settings{Brokers: addr, TLS: tlsfile.Settings{Enabled: true, CAFile: ours.File},
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
		{"10.0.0.1:9092", Settings{SASL: plain, TLS: tlsfile.Settings{Enabled: true}}, false},
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
