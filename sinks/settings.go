package sinks

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strings"
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
	// scored_invoices, large ones of a backlog aside, all partitions together; every insert makes a part that
	// ClickHouse must merge. By default 5.
	InsertsPerSecond int64
	// Retention is how long rows are kept, counted from when they were stored, so
	// that a replay of old invoices does not vanish; whole parts are dropped.
	// Migrate sets it. By default 1095 days.
	Retention time.Duration
	// MinFreeDisk is how many bytes of its disk inserts leave free: below, ClickHouse refuses
	// them. Migrate sets it for tables on local disks. 0, the default: none.
	MinFreeDisk int64
	// Logger receives what a user should know. By default nothing is logged.
	Logger *slog.Logger
}

// TLS makes the configuration of encrypted connections, such as that of
// internal/tlsfile from the files it names.
type TLS interface {
	// Config returns what the connections use, or nil to leave them unencrypted.
	Config() (*tls.Config, error)
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
		login := strings.LastIndexByte(a, '@') + 1 // never to be shown
		if host, port, err := net.SplitHostPort(a); err != nil || host == "" || port == "" || login > 0 {
			return fmt.Errorf("cannot use ClickHouse address %q: expected host:port, for example localhost:9000, "+
				"without a login in front", a[login:])
		}
	}
	if !plainName.MatchString(s.Database) {
		return fmt.Errorf("cannot use database %q: expected a name of letters, digits and underscores", s.Database)
	}
	if s.InsertsPerSecond < 0 || s.Retention < 24*time.Hour {
		return fmt.Errorf("cannot use inserts per second %d and retention %v: expected at least 1 and at least a day",
			s.InsertsPerSecond, s.Retention)
	}
	if s.MinFreeDisk < 0 {
		return fmt.Errorf("cannot leave %d bytes of a disk free: expected at least 0", s.MinFreeDisk)
	}
	return nil
}

// tlsConfig returns nil without encryption.
func (s Settings) tlsConfig() (*tls.Config, error) {
	if s.TLS == nil {
		return nil, nil
	}
	config, err := s.TLS.Config()
	if err != nil {
		return nil, fmt.Errorf("cannot reach ClickHouse: %w", err)
	}
	return config, nil
}
