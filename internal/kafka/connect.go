// Package kafka is recoup's way to a Kafka cluster: the logs, the consumer
// groups and the topics behind pipeline's interfaces. It is the only package
// that imports kafka-go.
package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// Client is a connection to a cluster. Its methods may be called concurrently.
type Client struct {
	settings  Settings
	transport *kafkago.Transport
	api       *kafkago.Client
	dialer    *kafkago.Dialer
	login     *login // nil without SASL
	log       *slog.Logger

	patience  time.Duration // how long a call waits for a partition to get a leader
	connected bool          // a broker has answered, so the settings are good

	refreshing sync.Mutex // held during refresh

	renewing sync.Mutex    // guards what follows
	renewed  time.Time     // when the connections were last dropped
	failed   time.Time     // when renew was last called
	rest     time.Duration // from one time that renew drops them to the next
}

// ErrUnreachable is what Connect's error is when no broker answered: the settings
// may be good, and a later attempt may succeed. Test with errors.Is.
var ErrUnreachable = errors.New("cannot reach Kafka")

// lost is the error of a connection, explained once.
type lost struct {
	at, fix string
	err     error
}

// Error says what failed and what to do.
func (l *lost) Error() string {
	return fmt.Sprintf("cannot reach Kafka at %s: %v; fix: %s", l.at, l.err, l.fix)
}

// Unwrap returns the error of the connection.
func (l *lost) Unwrap() error { return l.err }

// Is reports that the error is an ErrUnreachable.
func (l *lost) Is(target error) bool { return target == ErrUnreachable }

// Connect opens a connection to the cluster and makes sure that a broker
// answers. It tries once: a caller that may come up before Kafka calls it again.
func Connect(s Settings) (*Client, error) {
	s = s.withDefaults()
	if err := s.check(); err != nil {
		return nil, err
	}
	tlsConfig, err := s.TLS.Config()
	if err != nil {
		return nil, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	c := &Client{settings: s, log: s.Logger, patience: 8 * time.Second}
	var mechanism sasl.Mechanism
	if s.SASL.Mechanism != "" {
		if c.login, err = newLogin(s.SASL); err != nil {
			return nil, err
		}
		mechanism = c.login
	}
	c.transport = &kafkago.Transport{
		Dial:        c.dial,
		DialTimeout: s.DialTimeout,
		ClientID:    s.ClientID,
		TLS:         tlsConfig,
		SASL:        mechanism,
	}
	c.api = &kafkago.Client{Addr: kafkago.TCP(s.Brokers...), Timeout: s.RequestTimeout, Transport: c.transport}
	c.dialer = &kafkago.Dialer{
		ClientID:      s.ClientID,
		DialFunc:      c.dial,
		Timeout:       s.DialTimeout,
		TLS:           tlsConfig,
		SASLMechanism: mechanism,
	}
	if _, err := c.metadata(context.Background()); err != nil {
		c.Close()
		return nil, err
	}
	c.connected = true
	return c, nil
}

// Close frees the connections. Groups are closed on their own.
func (c *Client) Close() error {
	c.transport.CloseIdleConnections()
	return nil
}

func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := c.settings.checkPlaintext(address); err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: c.settings.DialTimeout, KeepAlive: 15 * time.Second}
	return d.DialContext(ctx, network, address)
}

// metadata returns what the transport knows of the cluster; it asks the cluster
// only if it knows nothing yet.
func (c *Client) metadata(ctx context.Context, topics ...string) (*kafkago.MetadataResponse, error) {
	got, err := c.api.Metadata(ctx, &kafkago.MetadataRequest{Topics: topics})
	if err != nil {
		// Nothing is known, so there is nothing to lose. kafka-go itself looks again after
		// up to six seconds, and until then says that no broker answers. Where only the caller
		// has ended, others wait for what is being found out: that goes on.
		if ended(ctx) == nil {
			c.renewing.Lock()
			c.drop(leastRest)
			c.renewing.Unlock()
		}
		return nil, c.unreachable(ctx, err)
	}
	return got, nil
}

// refresh makes the transport ask the cluster for its topics and leaders now.
// kafka-go has no call for that and would learn of a new topic or leader after
// up to six seconds; but it asks after every creation of topics, and creating no
// topic at all is harmless.
func (c *Client) refresh(ctx context.Context) error {
	if _, err := c.metadata(ctx); err != nil {
		return err
	}
	c.refreshing.Lock()
	defer c.refreshing.Unlock()
	if _, err := c.api.CreateTopics(ctx, &kafkago.CreateTopicsRequest{ValidateOnly: true}); err != nil {
		return c.unreachable(ctx, err)
	}
	return nil
}

const (
	// leastRest is how long renew rests at least: many calls fail together.
	leastRest = time.Second
	// mostRest is how long kafka-go keeps an unused connection: those from before the last
	// renewal are gone by then.
	mostRest = 30 * time.Second
	// calm is how long no call fails until the next failure is another one.
	calm = time.Minute
)

// renew drops the idle connections, which may have failed with the one of a call, and what
// the transport knows of the cluster: who asks next asks the cluster. Where calls go on
// failing, as those to one dead broker of three do, the connections to the others are good
// and each time costs all of them: so it rests longer and longer. Meanwhile kafka-go looks
// by itself, every six seconds at most, where a leader has gone to.
func (c *Client) renew() {
	c.renewing.Lock()
	defer c.renewing.Unlock()
	if time.Since(c.failed) > calm {
		c.rest = leastRest / 2 // the first renewal doubles it
	}
	c.failed = time.Now()
	if c.drop(c.rest) {
		c.rest = min(2*c.rest, mostRest)
	}
}

// drop drops idle connections and what is known of the cluster, unless that was done
// within the rest. Requests under way go on. c.renewing is held.
func (c *Client) drop(rest time.Duration) bool {
	if time.Since(c.renewed) <= rest {
		return false
	}
	c.renewed = time.Now()
	c.transport.CloseIdleConnections()
	return true
}

// unreachable explains a failure to talk to the cluster. An end that the caller
// asked for stays what it is.
func (c *Client) unreachable(ctx context.Context, err error) error {
	at := strings.Join(c.settings.Brokers, ", ")
	var known *lost
	switch ended := ended(ctx); {
	case ended != nil:
		return fmt.Errorf("cannot reach Kafka at %s: %w", at, ended)
	case errors.As(err, &known):
		return known
	}
	c.renew()
	err = bare(err)
	return &lost{at: at, err: err, fix: c.fix(err)}
}

// ended is ctx.Err(), but true to the deadline: a connection's own timer may
// strike a moment before that of the context it was set from.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// bare removes kafka-go's function name from an error, and the ports of a connection:
// the same fault reads the same each time.
func bare(err error) error {
	if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), "kafka.(*Client)") {
		err = inner
	}
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "read" || op.Op == "write") {
		err = op.Err
	}
	return err
}

// fix says what to do about an error of a connection.
func (c *Client) fix(err error) string {
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	text := err.Error()
	closed := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
	refused := errors.Is(err, kafkago.SASLAuthenticationFailed) || c.login.pending()
	switch {
	case errors.Is(err, kafkago.UnsupportedSASLMechanism):
		return fmt.Sprintf("the broker does not offer %s: choose another sasl.mechanism", c.settings.SASL.Mechanism)
	case c.login != nil && (errors.Is(err, kafkago.SASLAuthenticationFailed) || closed && refused):
		return "the broker refused the login: check sasl.username, sasl.password and sasl.mechanism"
	case errors.As(err, &unknown):
		return "the broker's certificate is signed by an unknown authority: set tls.ca_file to that authority"
	case errors.As(err, &hostname):
		return "the broker's certificate is for another name: set tls.server_name, or dial the name it carries"
	case strings.Contains(text, "remote error: tls:"):
		return "the broker wants a client certificate it trusts: set tls.cert_file and tls.key_file"
	case errors.As(err, &record):
		return "the broker does not speak TLS on this port: dial its TLS port or set tls.enabled to false"
	case strings.Contains(text, "expecting TLS"):
		return "the broker wants TLS: set tls.enabled"
	case errors.As(err, &dns):
		return "the host name is not known: check brokers"
	case closed && c.connected:
		return "the broker closed the connection: check that it runs"
	case c.settings.TLS.Enabled && (closed || errors.Is(err, os.ErrDeadlineExceeded)):
		return "the broker may not speak TLS on this port: dial its TLS port or set tls.enabled to false"
	case closed:
		return "the broker closed the connection: it may want TLS (tls.enabled) or a login (sasl.mechanism)"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: start Kafka or check brokers"
	default:
		return "check brokers, the network between, and that Kafka runs"
	}
}

// login counts the logins under way: a broker that refuses one may just close
// the connection, and then only this tells what happened.
type login struct {
	sasl.Mechanism
	open atomic.Int64
}

func newLogin(s SASL) (*login, error) {
	if s.Mechanism == "PLAIN" {
		return &login{Mechanism: plain.Mechanism{Username: s.Username, Password: s.Password}}, nil
	}
	algorithm := scram.SHA256
	if s.Mechanism == "SCRAM-SHA-512" {
		algorithm = scram.SHA512
	}
	m, err := scram.Mechanism(algorithm, s.Username, s.Password)
	if err != nil {
		return nil, fmt.Errorf("cannot use sasl.username or sasl.password with %s: %w", s.Mechanism, err)
	}
	return &login{Mechanism: m}, nil
}

// pending reports whether the last login began and did not end well.
func (l *login) pending() bool { return l != nil && l.open.Load() > 0 }

// Start begins a login.
func (l *login) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	l.open.Store(1)
	session, first, err := l.Mechanism.Start(ctx)
	return &loginSession{StateMachine: session, login: l}, first, err
}

type loginSession struct {
	sasl.StateMachine
	login *login
}

// Next goes one step on.
func (s *loginSession) Next(ctx context.Context, challenge []byte) (bool, []byte, error) {
	done, answer, err := s.StateMachine.Next(ctx, challenge)
	if done && err == nil {
		s.login.open.Store(0)
	}
	return done, answer, err
}
