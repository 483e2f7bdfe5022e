// Package tlsfile makes the client side of TLS from settings that name PEM
// files, or hold their text, for every server recoup connects to.
package tlsfile

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// Settings say how connections are encrypted. There is no way to skip the check
// of the server's certificate: give its authority as CAFile instead.
type Settings struct {
	// Enabled turns encryption on. By default off.
	Enabled bool
	// CAFile holds the authorities (PEM) that may sign the server's certificate.
	// By default those of the operating system.
	CAFile string
	// CertFile and KeyFile hold this client's certificate and key (PEM) for mTLS.
	// They are read again for every connection, so they may be renewed in place.
	// By default the client shows no certificate.
	CertFile, KeyFile string
	// CA, Cert and Key are what those files hold, for a program that is given
	// texts; not beside the file of the same name. By default none.
	CA, Cert, Key string
	// ServerName is the name the server's certificate must carry. By default the
	// host that is dialled.
	ServerName string
}

// Config reads the files once, so that a wrong one is found before anything is
// dialled. It returns nil when encryption is off.
func (s Settings) Config() (*tls.Config, error) {
	if !s.Enabled {
		if s != (Settings{}) {
			return nil, errors.New("cannot use tls.ca_file, tls.cert_file, tls.key_file or tls.server_name: " +
				"tls.enabled is false; set it to true")
		}
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.ServerName}
	if s.CAFile != "" || s.CA != "" {
		pem := []byte(s.CA)
		if s.CAFile != "" {
			var err error
			if pem, err = os.ReadFile(s.CAFile); err != nil {
				return nil, fmt.Errorf("cannot read tls.ca_file: %w", err)
			}
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("cannot use tls.ca_file %q: no PEM certificate in it; "+
				"give the certificate of the authority", s.CAFile)
		}
	}
	if s.Cert != "" || s.Key != "" {
		pair, err := tls.X509KeyPair([]byte(s.Cert), []byte(s.Key))
		if err != nil {
			return nil, fmt.Errorf("cannot show a certificate: want it and its key, both PEM: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if (s.CertFile == "") != (s.KeyFile == "") {
		return nil, fmt.Errorf("cannot show a certificate with tls.cert_file %q and tls.key_file %q: set both or none",
			s.CertFile, s.KeyFile)
	}
	if s.CertFile != "" {
		if _, err := s.keyPair(); err != nil {
			return nil, err
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.keyPair() }
	}
	return config, nil
}

func (s Settings) keyPair() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("cannot use tls.cert_file %q with tls.key_file %q: %w", s.CertFile, s.KeyFile, err)
	}
	return &pair, nil
}
