package sinks

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"regexp"
	"time"
)

// Settings say how to reach ClickHouse. The zero value is a server on this
// machine without a password.
type Settings struct {
	// Addresses are host:port of the native protocol of one server or of
	// replicas of it; the next is tried when one does not answer. By default
	// localhost:9000.
	Addresses []string
	// Database holds the tables; Migrate makes it. By default recoup.
	Database string
	// User is the name to log in with. By default default.
	User string
	// Password to log in with. By default none.
	Password string
	// TLS encrypts the connections. By default they are not encrypted.
	TLS TLS
	// DialTimeout bounds opening a connection, TLS and login included. By default 5 s.
	DialTimeout time.Duration
	// QueryTimeout bounds one query or insert. By default 30 s.
	QueryTimeout time.Duration
	// InsertsPerSecond bounds how often this process inserts into
	// scored_invoices, all partitions together; every insert makes a part that
	// ClickHouse must merge. By default 5.
	InsertsPerSecond int64
	// Retention is how long rows are kept, counted from when they were stored, so
	// that a replay of old invoices does not vanish; whole parts are dropped.
	// Migrate sets it. By default 1095 days.
	Retention time.Duration
	// Logger receives what a user should know. By default nothing is logged.
	Logger *slog.Logger
}

// TLS says how connections are encrypted. There is no way to skip the check of
// the server's certificate: give its authority as CAFile instead.
type TLS struct {
	// Enabled turns encryption on. By default off.
	Enabled bool
	// CAFile holds the authorities (PEM) that may sign the server's certificate.
	// By default those of the operating system.
	CAFile string
	// CertFile and KeyFile hold this client's certificate and key (PEM) for mTLS.
	// They are read again for every connection, so they may be renewed in place.
	// By default the client shows no certificate.
	CertFile, KeyFile string
	// ServerName is the name the server's certificate must carry. By default the
	// host that is dialled.
	ServerName string
}

// withDefaults fills in what was left empty.
func (s Settings) withDefaults() Settings {
	if len(s.Addresses) == 0 {
		s.Addresses = []string{"localhost:9000"}
	}
	s.Database = cmp.Or(s.Database, "recoup")
	s.User = cmp.Or(s.User, "default")
	s.DialTimeout = cmp.Or(s.DialTimeout, 5*time.Second)
	s.QueryTimeout = cmp.Or(s.QueryTimeout, 30*time.Second)
	s.InsertsPerSecond = cmp.Or(s.InsertsPerSecond, 5)
	s.Retention = cmp.Or(s.Retention, 1095*24*time.Hour)
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return s
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// check finds what can be known to be wrong before anything is dialled.
func (s Settings) check() error {
	for _, a := range s.Addresses {
		if host, port, err := net.SplitHostPort(a); err != nil || host == "" || port == "" {
			return fmt.Errorf("cannot use ClickHouse address %q: expected host:port, for example localhost:9000", a)
		}
	}
	if !plainName.MatchString(s.Database) {
		return fmt.Errorf("cannot use database %q: expected a name of letters, digits and underscores", s.Database)
	}
	if s.InsertsPerSecond < 0 || s.Retention < 24*time.Hour {
		return fmt.Errorf("cannot use inserts per second %d and retention %v: expected at least 1 and at least a day",
			s.InsertsPerSecond, s.Retention)
	}
	return nil
}

// config builds the client side of TLS, nil without encryption.
func (t TLS) config() (*tls.Config, error) {
	if !t.Enabled {
		if t.CAFile != "" || t.CertFile != "" || t.KeyFile != "" {
			return nil, errors.New("cannot reach ClickHouse: tls files are named but tls.enabled is false; set it to true")
		}
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("cannot read the authorities of ClickHouse (tls.ca_file): %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("cannot use tls.ca_file %q: it holds no PEM certificate", t.CAFile)
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return nil, errors.New("cannot show a certificate to ClickHouse: tls.cert_file and tls.key_file go together")
	}
	if t.CertFile != "" {
		load := func() (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
			if err != nil {
				return nil, fmt.Errorf("cannot load the certificate for ClickHouse (tls.cert_file): %w", err)
			}
			return &pair, nil
		}
		if _, err := load(); err != nil {
			return nil, err
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	}
	return config, nil
}
