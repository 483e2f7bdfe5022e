package kafka

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"recoup/internal/address"
	"recoup/internal/tlsfile"
)

// Settings say how to reach a cluster. Only Brokers is required.
type Settings struct {
	// Brokers are host:port addresses; any one that answers is enough.
	Brokers []string
	// ClientID names this program in the brokers' logs and quotas. By default "recoup".
	ClientID string
	// TLS encrypts the connections. By default they are not encrypted.
	TLS tlsfile.Settings
	// SASL logs in. By default nobody logs in.
	SASL SASL
	// DialTimeout bounds opening a connection, TLS and login included. By default 5 s.
	DialTimeout time.Duration
	// RequestTimeout bounds one request, a fetch's wait excluded. By default 10 s.
	RequestTimeout time.Duration
	// Logger receives what the client does, at debug, and what a user should
	// know, at info. By default nothing is logged.
	Logger *slog.Logger
}

// SASL says how to log in.
type SASL struct {
	// Mechanism is "", "PLAIN", "SCRAM-SHA-256" or "SCRAM-SHA-512". By default
	// "": no login.
	Mechanism string
	// Username and Password are the credentials.
	Username, Password string
	// AllowPlaintext permits PLAIN without TLS to other hosts than this one, which
	// sends the password readable over the network. By default false.
	AllowPlaintext bool
}

// withDefaults fills in what was left empty.
func (s Settings) withDefaults() Settings {
	s.ClientID = cmp.Or(s.ClientID, "recoup")
	s.DialTimeout = cmp.Or(s.DialTimeout, 5*time.Second)
	s.RequestTimeout = cmp.Or(s.RequestTimeout, 10*time.Second)
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return s
}

// check finds what can be known to be wrong before anything is dialled.
func (s Settings) check() error {
	if len(s.Brokers) == 0 {
		return errors.New("cannot reach Kafka: brokers is empty, expected host:port addresses")
	}
	for _, b := range s.Brokers {
		if err := address.Check(b, "localhost:9092"); err != nil {
			return fmt.Errorf("cannot use the brokers: %w", err)
		}
	}
	switch m := s.SASL.Mechanism; m {
	case "":
		if s.SASL.Username != "" || s.SASL.Password != "" {
			return errors.New("cannot log in: sasl.username or sasl.password is set but sasl.mechanism is empty, " +
				"expected PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
		}
	case "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512":
		if s.SASL.Username == "" || s.SASL.Password == "" {
			return fmt.Errorf("cannot log in with sasl.mechanism %s: sasl.username or sasl.password is empty", m)
		}
	default:
		return fmt.Errorf("cannot use sasl.mechanism %q: expected PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", m)
	}
	for _, b := range s.Brokers {
		if err := s.checkPlaintext(b); err != nil {
			return err
		}
	}
	return nil
}

// checkPlaintext refuses to send a readable password to another host. It is
// asked again at every dial: the cluster may name other brokers than Settings.
func (s Settings) checkPlaintext(broker string) error {
	if s.SASL.Mechanism != "PLAIN" || s.TLS.Enabled || s.SASL.AllowPlaintext || address.IsLoopback(broker) {
		return nil
	}
	return fmt.Errorf("cannot log in to %s with PLAIN: the password would cross the network readable; "+
		"set tls.enabled, use SCRAM-SHA-512, or allow it with sasl.allow_plaintext", broker)
}
