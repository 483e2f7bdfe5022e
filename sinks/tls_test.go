package sinks

import (
	"strings"
	"testing"

	"recoup/internal/testcerts"
	"recoup/internal/tlsfile"
	"recoup/sinks/sinktest"
)

// TestTLS reaches ClickHouse through a proxy that ends TLS, as a server with a
// certificate would, and with both of the store's connections: queries and inserts.
func TestTLS(t *testing.T) {
	ca, other := testcerts.New(t), testcerts.New(t)
	straight := openTables(t)
	target := straight.client.settings.Addresses[0]
	oneWay, mutual := newProxy(t, target, ca.Server(t, nil)), newProxy(t, target, ca.Server(t, ca))
	good := tlsfile.Settings{Enabled: true, CAFile: ca.File}
	with := func(change func(*tlsfile.Settings)) tlsfile.Settings { c := good; change(&c); return c }
	show := func(a *testcerts.Authority) tlsfile.Settings {
		return with(func(c *tlsfile.Settings) { c.CertFile, c.KeyFile = a.Issue(t, "client") })
	}
	const unknown = "certificate signed by unknown authority"
	for name, test := range map[string]struct {
		proxy *proxy
		tls   TLS
		want  string // part of the error, empty for success
	}{
		"good authority":      {oneWay, good, ""},
		"server name":         {oneWay, with(func(c *tlsfile.Settings) { c.ServerName = "server.test" }), ""},
		"wrong authority":     {oneWay, with(func(c *tlsfile.Settings) { c.CAFile = other.File }), unknown},
		"system authorities":  {oneWay, with(func(c *tlsfile.Settings) { c.CAFile = "" }), unknown},
		"wrong server name":   {oneWay, with(func(c *tlsfile.Settings) { c.ServerName = "example.org" }), "not example.org"},
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
			insert := s.Insert(t.Context(), testOwner, 0, sampleBlock(s, 1, 1), sinktest.Owned)
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
	for want, s := range map[string]Settings{
		`cannot use ClickHouse address "h:9000": expected host:port`: {Addresses: []string{"u:hunter2@h:9000"}}, // B10
		`cannot use ClickHouse address "nohost": expected host:port`: {Addresses: []string{"nohost"}},
		"cannot use database \"a-b\"":                                {Database: "a-b"},
		"cannot use inserts per second -1":                           {InsertsPerSecond: -1},
		"cannot reach ClickHouse: cannot use tls.ca_file":            {TLS: tlsfile.Settings{CAFile: "ca.crt"}},
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
